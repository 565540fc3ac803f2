//! `tieline relay`

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use tieline_chain::relay::Limits;
use tieline_seal::hybrid::Strict;
use tieline_units::Time;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::Failure;
use crate::cli::Relay;
use crate::node::carry::{self, Carrier, Pass, Totals};
use crate::printer::Printer;

/// After how long a certificate that was taken and did not come into a block is submitted again, milliseconds.
const LOST_AFTER_MS: u64 = 20_000;

#[derive(Serialize)]
struct Line<'a> {
    schema: &'static str,
    #[serde(flatten)]
    pass: &'a Pass,
}

pub(super) fn relay(command: &Relay, printer: Printer) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Broken(format!("cannot start threads: {error}")))?;
    let ended = runtime.block_on(run(command, printer));
    // A pass under way waits for nodes; nothing of it needs to be finished.
    runtime.shutdown_background();
    ended
}

async fn run(command: &Relay, printer: Printer) -> Result<(), Failure> {
    let broken = |error: std::io::Error| Failure::Broken(error.to_string());
    let mut terminate = signal(SignalKind::terminate()).map_err(broken)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(broken)?;
    let totals = Arc::new(Mutex::new(Totals::default()));
    if let Some(address) = command.metrics {
        let listener = TcpListener::bind(address).await.map_err(|error| {
            Failure::Broken(format!(
                "cannot listen on {address}: {error}\n\nhint: give --metrics a free port"
            ))
        })?;
        tokio::spawn(carry::serve_metrics(listener, totals.clone()));
    }
    let limits = Limits {
        lost_after_ms: LOST_AFTER_MS,
        ..Limits::default()
    };
    let mut carrier = Carrier::new(command.nodes.clone(), Arc::new(Strict), limits);
    let going_on = async {
        loop {
            let pass = carrier.pass(now()).await;
            {
                let mut totals = totals.lock().unwrap_or_else(PoisonError::into_inner);
                totals.add(&pass);
            }
            tell(&pass, printer)?;
            if command.once {
                return once(&pass);
            }
            tokio::time::sleep(Duration::from_millis(command.every)).await;
        }
    };
    let ended = tokio::select! {
        ended = going_on => ended,
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
    };
    let totals = totals.lock().unwrap_or_else(PoisonError::into_inner);
    printer.note(&totals.to_string());
    ended
}

/// How a single pass ends.
fn once(pass: &Pass) -> Result<(), Failure> {
    if pass.nodes == 0 {
        let hint = "hint: --node takes the api address of node.toml, as http://127.0.0.1:4701";
        return Err(Failure::No(format!("no node answers\n\n{hint}")));
    }
    Ok(())
}

fn tell(pass: &Pass, printer: Printer) -> Result<(), Failure> {
    for warning in &pass.warnings {
        printer.warn(&format!("warning: {warning}"));
    }
    let text = pass.to_string();
    if pass.planned > 0 {
        printer.note(&text);
    } else {
        printer.detail(&text);
    }
    printer.line(&Line {
        schema: "tieline.relay.pass/1",
        pass,
    })?;
    Ok(())
}

/// The clock of this machine.
fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let millis = since.map_or(0, |since| since.as_millis());
    Time::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
}
