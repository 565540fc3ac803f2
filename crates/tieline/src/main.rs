//! The program `tieline`.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    tieline::commands::main(&tieline::cli::Cli::parse())
}
