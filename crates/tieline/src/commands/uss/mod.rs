//! `tieline uss`

mod bounds;
mod demo;

use super::{Failure, refuse_scenario_settings, refuse_settings};
use crate::cli::{Global, Uss};
use crate::printer::Printer;

pub(super) fn command(global: &Global, command: &Uss, printer: Printer) -> Result<(), Failure> {
    match command {
        Uss::Bounds(args) => {
            refuse_settings(global)?;
            bounds::bounds(args, printer)
        }
        Uss::Demo(args) => {
            refuse_scenario_settings(global)?;
            demo::demo(args, global.seed, printer)
        }
    }
}
