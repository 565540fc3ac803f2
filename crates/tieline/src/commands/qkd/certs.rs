//! `tieline qkd certs`

use std::path::PathBuf;

use serde::Serialize;
use tieline_qkd::certs::{Plan, Site, make};
use tieline_qkd::etsi::{IdError, KmeId, SaeId};

use super::broken;
use crate::cli::qkd::Certs;
use crate::commands::Failure;
use crate::printer::Printer;

#[derive(Serialize)]
struct Document {
    schema: &'static str,
    made: Vec<PathBuf>,
}

fn site(kme: &str, saes: [&str; 2]) -> Result<Site, IdError> {
    Ok(Site {
        kme: kme.parse::<KmeId>()?,
        saes: saes
            .iter()
            .map(|sae| sae.parse::<SaeId>())
            .collect::<Result<_, _>>()?,
    })
}

pub(super) fn certs(command: &Certs, printer: Printer) -> Result<(), Failure> {
    let plan = Plan {
        sites: [
            site("kme-1", ["sae-1", "sae-4"]).map_err(broken)?,
            site("kme-2", ["sae-2", "sae-3"]).map_err(broken)?,
        ],
        hosts: command.host.clone(),
        port: command.port,
    };
    let made = make(&command.dir, &plan).map_err(broken)?;
    for path in &made {
        printer.text(&format!("{}\n", path.display()))?;
    }
    printer.document(&Document {
        schema: "tieline.qkd.certs/1",
        made,
    })?;
    let dir = command.dir.display();
    printer.note(&format!(
        "hint: tieline qkd serve {dir} runs both key managers; then\n\
         tieline qkd get https://127.0.0.1:{} --as {dir}/sae-1 --sae sae-2",
        command.port
    ));
    Ok(())
}
