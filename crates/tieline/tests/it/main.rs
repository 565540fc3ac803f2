//! What holds of the program, one module per topic.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on says so by a panic"
)]

mod audit;
mod chain;
mod commands;
mod dirty;
mod first_day;
mod fleet;
mod folder;
mod identification;
mod input;
mod input_config;
mod input_defects;
mod input_parquet;
mod input_rules;
mod joined;
mod ledgers;
mod mutations;
mod node;
mod operate;
mod outcomes;
mod qkd;
mod qkd_model;
mod report;
mod reproduce;
mod run;
mod run_keys;
mod support;
mod tidy;
mod trades;
mod trouble;
mod uss_bounds;
mod uss_demo;
mod uss_demo_attacks;
mod year;
