//! What holds of keys between two places, one module per topic.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on says so by a panic, and measured numbers are shown with --nocapture"
)]

mod attacks;
mod client;
mod etsi;
mod fake;
mod hybrid;
mod hybrid_answers;
mod kme;
mod kme_link;
mod link_block;
mod link_rate;
mod link_wire;
mod link_wire_forger;
mod link_wire_parts;
mod pages;
mod pair;
mod probe;
mod store_attacks;
mod store_books;
mod store_copies;
mod store_crash;
mod store_files;
mod store_kill;
mod store_memory;
mod store_pair;
mod store_random;
mod support;
