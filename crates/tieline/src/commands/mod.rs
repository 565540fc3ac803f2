//! What the commands do, one module per noun, and how their ends become exit codes.

mod audit;
pub(crate) mod chain;
mod config;
mod id;
mod interrupt;
mod market;
mod node;
mod qkd;
mod relay;
mod reproduce;
mod run;
mod shipped;
mod uss;
pub(crate) mod verify;

use std::fmt;
use std::process::ExitCode;

use crate::cli::{Cli, Command, Config, Global, Order};
use crate::config::Overrides;
use crate::input::InputErrors;
use crate::printer::Printer;
pub use node::MakeTap;

/// How a command ends when it does not end well.
#[derive(Debug)]
pub enum Failure {
    /// The input or the market said no: exit 1.
    No(String),
    /// Usage, or a broken environment: exit 2.
    Broken(String),
    /// Ctrl-C: exit 130.
    Interrupted(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::No(text) | Failure::Broken(text) | Failure::Interrupted(text) => {
                f.write_str(text)
            }
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Failure {
        Failure::Broken(format!("{error:#}"))
    }
}

impl From<InputErrors> for Failure {
    fn from(errors: InputErrors) -> Failure {
        if errors.exit_code() == 2 {
            Failure::Broken(errors.to_string())
        } else {
            Failure::No(errors.to_string())
        }
    }
}

/// Does what the command line says.
pub fn main(cli: &Cli) -> ExitCode {
    main_with(cli, None)
}

/// Does what the command line says; a validator with a tap on what it sends, for tests of a dishonest one.
pub fn main_with(cli: &Cli, tap: Option<MakeTap>) -> ExitCode {
    let printer = Printer::new(&cli.global);
    match dispatch(cli, printer, tap) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            printer.error(&failure.to_string());
            match failure {
                Failure::No(_) => ExitCode::from(1),
                Failure::Broken(_) => ExitCode::from(2),
                Failure::Interrupted(_) => ExitCode::from(interrupt::EXIT),
            }
        }
    }
}

fn dispatch(cli: &Cli, printer: Printer, tap: Option<MakeTap>) -> Result<(), Failure> {
    match &cli.command {
        Command::Run(run) => run::run(&cli.global, run, printer),
        Command::Audit(command) => {
            refuse_settings(&cli.global)?;
            audit::audit(command, printer)
        }
        Command::Order(Order::Show(command)) => {
            refuse_settings(&cli.global)?;
            audit::show(command, printer)
        }
        Command::Market(command) => {
            refuse_settings(&cli.global)?;
            market::market(command, printer)
        }
        Command::Qkd(command) => qkd::command(&cli.global, command, printer),
        Command::Chain(command) => chain::command(&cli.global, command, printer),
        Command::Node(command) => node::command(&cli.global, command, (printer, tap)),
        Command::Relay(command) => {
            refuse_settings(&cli.global)?;
            relay::relay(command, printer)
        }
        Command::Id(command) => id::command(&cli.global, command, printer),
        Command::Reproduce(command) => {
            refuse_settings(&cli.global)?;
            reproduce::command(command, printer)
        }
        Command::Uss(command) => uss::command(&cli.global, command, printer),
        Command::Config(Config::Show { scenario }) => {
            config::show(&cli.global, scenario.as_deref(), printer)
        }
    }
}

/// Flags that set a scenario, where there is none: nothing is ignored in silence.
fn refuse_settings(global: &Global) -> Result<(), Failure> {
    refuse(&[("--seed", global.seed.is_some())])?;
    refuse_scenario_settings(global)
}

/// The same for a command that draws from a seed.
fn refuse_scenario_settings(global: &Global) -> Result<(), Failure> {
    refuse(&[
        ("--config", global.config.is_some()),
        ("--set", !global.settings.is_empty()),
    ])
}

fn refuse(flags: &[(&str, bool)]) -> Result<(), Failure> {
    match flags.iter().find(|(_, given)| *given) {
        Some((flag, _)) => Err(Failure::Broken(format!(
            "{flag} means nothing here: this command reads no scenario{}\n\nhint: it belongs to run and config show",
            if *flag == "--seed" {
                " and draws nothing"
            } else {
                ""
            }
        ))),
        None => Ok(()),
    }
}

/// Variables of ours that are no settings.
const OTHER_VARIABLES: [&str; 4] = [
    "TIELINE_CONFIG",
    crate::node::passphrase::VARIABLE,
    "TIELINE_SHARED",
    "TIELINE_SLOW",
];

/// Settings from environment and flags.
fn overrides(global: &Global, printer: Printer) -> Result<Overrides, Failure> {
    // Variables that are no UTF-8 cannot be ours.
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let (mut overrides, unknown) = Overrides::from_env(variables);
    for name in unknown
        .iter()
        .filter(|name| !OTHER_VARIABLES.contains(&name.as_str()))
    {
        printer.warn(&format!("warning: {name} names no setting and is not used"));
    }
    for setting in &global.settings {
        let Some((key, value)) = setting.split_once('=') else {
            let hint = "hint: write --set market.response=fit";
            return Err(Failure::Broken(format!(
                "--set {setting}: expected KEY=VALUE\n\n{hint}"
            )));
        };
        overrides.flag(key.trim(), value.trim());
    }
    if let Some(seed) = global.seed {
        overrides.flag("seed", &seed.to_string());
    }
    Ok(overrides)
}
