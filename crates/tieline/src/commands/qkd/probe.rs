//! `tieline qkd probe`

use tieline_qkd::probe::{PeerSettings, ProbeSettings, Report, Verdict, run};

use super::{broken, caller, identity, runtime};
use crate::cli::qkd::Probe;
use crate::commands::Failure;
use crate::printer::Printer;

pub(super) fn probe(command: &Probe, printer: Printer) -> Result<(), Failure> {
    let ca = command.caller.ca.as_deref();
    let read = |prefix: &Option<std::path::PathBuf>| {
        let identity = prefix.as_deref().map(|prefix| identity(prefix, ca));
        identity.transpose().map_err(broken)
    };
    let other = read(&command.other_as)?;
    let slave = read(&command.peer_as)?;
    let peer = command.peer.clone().zip(slave);
    let settings = ProbeSettings {
        url: command.url.clone(),
        master: caller(&command.caller)?,
        peer: peer.map(|(url, slave)| PeerSettings { url, slave, other }),
        expired: read(&command.expired_as)?,
        slave: command.sae.clone(),
        drain: command.drain,
    };
    let report = runtime()?.block_on(run(settings)).map_err(broken)?;
    printer.text(&table(&report))?;
    printer.document(&report)?;
    if report.failed == 0 {
        return Ok(());
    }
    Err(Failure::No(format!(
        "{} of {} cases failed",
        report.failed,
        report.cases.len()
    )))
}

fn table(report: &Report) -> String {
    let width = report.cases.iter().map(|case| case.name.len()).max();
    let width = width.unwrap_or(0);
    let mut text = String::new();
    for case in &report.cases {
        let line = match &case.verdict {
            Verdict::Pass => format!("pass        {:width$}  {}", case.name, case.expected),
            Verdict::Fail { found } => {
                let (name, expected) = (case.name, case.expected);
                format!("FAIL        {name:width$}  expected {expected}; found {found}")
            }
            Verdict::NotTested { why } => format!("not tested  {:width$}  {why}", case.name),
        };
        text.push_str(&line);
        text.push('\n');
    }
    let kme = report
        .kme
        .as_deref()
        .unwrap_or("a key manager without name");
    text.push_str(&format!(
        "{kme}: {} passed, {} failed, {} not tested\n",
        report.passed, report.failed, report.not_tested
    ));
    text
}
