//! `tieline chain`

mod backup;
mod export;
mod handover;
mod init;
mod join;
mod show;
mod source;
mod verify;
pub(crate) mod words;

use super::{Failure, refuse_scenario_settings, refuse_settings};
use crate::cli::{Chain, Global};
use crate::node::NodeError;
use crate::printer::Printer;

pub(super) fn command(global: &Global, command: &Chain, printer: Printer) -> Result<(), Failure> {
    match command {
        Chain::Init(command) => {
            refuse_scenario_settings(global)?;
            init::init(command, global.seed, printer)
        }
        Chain::Show(command) => {
            refuse_settings(global)?;
            show::show(command, printer)
        }
        Chain::Verify(command) => {
            refuse_settings(global)?;
            verify::verify(command, printer)
        }
        Chain::Join(command) => {
            refuse_scenario_settings(global)?;
            join::join(command, global.seed, printer)
        }
        Chain::Handover(command) => {
            refuse_settings(global)?;
            handover::handover(command, printer)
        }
        Chain::Backup(command) => {
            refuse_settings(global)?;
            backup::backup(command, printer)
        }
        Chain::Export(command) => {
            refuse_settings(global)?;
            export::export(command, printer)
        }
    }
}

/// A file that cannot be read is a broken environment; one that says something wrong is a no.
impl From<NodeError> for Failure {
    fn from(error: NodeError) -> Failure {
        match error {
            NodeError::Disk { .. } => Failure::Broken(error.to_string()),
            _ => Failure::No(error.to_string()),
        }
    }
}
