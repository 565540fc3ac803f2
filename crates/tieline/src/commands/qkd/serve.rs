//! `tieline qkd serve`

use std::path::{Path, PathBuf};

use serde::Serialize;
use tieline_qkd::etsi::KmeId;
use tieline_qkd::kme::{Addresses, Kme, KmeConfig, KmeError, Options};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::filter::LevelFilter;

use super::{broken, runtime};
use crate::cli::qkd::Serve;
use crate::commands::Failure;
use crate::printer::Printer;

#[derive(Serialize)]
struct Document {
    schema: &'static str,
    key_managers: Vec<Listening>,
}

#[derive(Serialize)]
struct Listening {
    kme_id: KmeId,
    #[serde(flatten)]
    addresses: Addresses,
}

pub(super) fn serve(command: &Serve, printer: Printer) -> Result<(), Failure> {
    let mut files = Vec::new();
    for path in &command.files {
        files.extend(settings(path)?);
    }
    let mut configs = Vec::new();
    for file in &files {
        configs.push(KmeConfig::read(file).map_err(broken)?);
    }
    log_to_stderr(printer);
    runtime()?.block_on(run(&configs, printer))
}

/// The file, or the files of a folder.
fn settings(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let no = |error: std::io::Error| Failure::Broken(format!("{}: {error}", path.display()));
    let mut files = Vec::new();
    for entry in path.read_dir().map_err(no)? {
        let file = entry.map_err(no)?.path();
        if file.extension().is_some_and(|ending| ending == "toml") {
            files.push(file);
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(Failure::Broken(format!(
            "{}: no settings (*.toml)\n\nhint: tieline qkd certs {0} makes some for development",
            path.display()
        )));
    }
    Ok(files)
}

/// Log lines: time, level, what, fields. A second start in one process keeps the first.
fn log_to_stderr(printer: Printer) {
    let level = if printer.verbose() {
        LevelFilter::DEBUG
    } else if printer.quiet() {
        LevelFilter::WARN
    } else {
        LevelFilter::INFO
    };
    let _ = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_max_level(level)
        .try_init();
}

async fn run(configs: &[KmeConfig], printer: Printer) -> Result<(), Failure> {
    let mut running = Vec::new();
    for config in configs {
        running.push(
            Kme::start(config, Options::default())
                .await
                .map_err(broken)?,
        );
    }
    tell(&running, printer)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(broken)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(broken)?;
    let ended = async {
        let waiting = running.iter_mut().map(|kme| Box::pin(kme.ended()));
        first_of(waiting.collect()).await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = ended => {}
    }
    // All of them, also when one does not end well.
    let mut result: Result<(), KmeError> = Ok(());
    for kme in running {
        let stopped = kme.stop().await;
        result = result.and(stopped);
    }
    result.map_err(broken)
}

/// Waits until one of them is done.
async fn first_of<F: Future<Output = ()> + Unpin>(mut futures: Vec<F>) {
    std::future::poll_fn(|context| {
        let done = futures
            .iter_mut()
            .any(|future| std::pin::Pin::new(future).poll(context).is_ready());
        if done {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
}

fn tell(running: &[Kme], printer: Printer) -> Result<(), Failure> {
    for kme in running {
        let addresses = kme.addresses();
        let mut line = format!("{}: SAEs at https://{}", kme.id(), addresses.sae);
        if let Some(admin) = addresses.admin {
            line.push_str(&format!(", pages at http://{admin}"));
        }
        if let Some(peer) = addresses.peer {
            line.push_str(&format!(", key managers at {peer}"));
        }
        printer.text(&format!("{line}\n"))?;
    }
    let key_managers = running.iter().map(|kme| Listening {
        kme_id: kme.id().clone(),
        addresses: kme.addresses(),
    });
    printer.document(&Document {
        schema: "tieline.qkd.serve/1",
        key_managers: key_managers.collect(),
    })?;
    Ok(())
}
