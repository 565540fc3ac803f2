//! The program `tieline` as a library: command line, configuration, input, the stages of a run, output, reports.

#![forbid(unsafe_code)]

pub mod audit;
pub mod cli;
pub mod commands;
pub mod config;
pub mod found;
pub mod identification;
pub mod input;
pub mod node;
pub mod output;
pub mod plot;
pub mod printer;
pub mod replay;
pub mod report;
pub mod reproduce;
pub mod run;
