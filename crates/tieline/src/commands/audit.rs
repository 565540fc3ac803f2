//! `tieline audit` and `tieline order show`.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::SystemTime;

use serde::Serialize;

use super::Failure;
use crate::audit::story::{self, Story};
use crate::audit::{self, Check, Evidence, Stop, Wrong};
use crate::cli::{Audit, OrderShow};
use crate::printer::Printer;

/// What `audit` prints.
#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    folder: &'a Path,
    valid: bool,
    wrong: Option<&'a Wrong>,
    checks: &'a [Check],
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<&'a Story>,
}

pub(super) fn audit(command: &Audit, printer: Printer) -> Result<(), Failure> {
    let folder = &command.folder;
    let result = all(folder, command.order.as_deref(), printer);
    let (checks, story) = match &result {
        Ok((checks, story)) => (checks.as_slice(), story.as_ref()),
        Err(_) => (&[][..], None),
    };
    let wrong = match &result {
        Err(Stop::Broken(why)) => return Err(Failure::Broken(why.clone())),
        Err(Stop::Wrong(wrong)) => Some(wrong.as_ref()),
        Ok(_) => None,
    };
    printer.document(&Document {
        schema: "tieline.audit/1",
        folder,
        valid: wrong.is_none(),
        wrong,
        checks,
        order: story,
    })?;
    if let Some(wrong) = wrong {
        return Err(Failure::No(format!(
            "{}: {wrong}\n\nhint: whoever wrote this changed it afterwards, or ran another program; take the files again from their origin",
            folder.display()
        )));
    }
    if let Some(story) = story {
        printer.text(&(story.text() + "\n"))?;
    }
    let lines = checks.iter();
    let lines: String = lines
        .map(|check| format!("{:>9}  {}\n", check.found, check.name))
        .collect();
    printer.text(&format!("{lines}all of it holds\n"))?;
    Ok(())
}

fn all(
    folder: &Path,
    order: Option<&str>,
    printer: Printer,
) -> Result<(Vec<Check>, Option<Story>), Stop> {
    let evidence = read(folder, printer)?;
    let checks = audit::check(&evidence)?;
    let story = order.map(|name| story::of(&evidence, name)).transpose()?;
    Ok((checks, story))
}

/// Replays the chains and shows how far it is.
fn read(folder: &Path, printer: Printer) -> Result<Evidence, Stop> {
    let progress = Mutex::new((printer.progress("bytes replayed", 0), 0));
    let evidence = audit::read(folder, &|at, total| {
        if let Ok(mut guard) = progress.lock() {
            let (progress, known) = &mut *guard;
            if *known != total {
                *known = total;
                progress.set_total(total);
            }
            progress.at(at);
        }
    });
    if let Ok((progress, _)) = progress.into_inner() {
        progress.finish();
    }
    evidence
}

pub(super) fn show(command: &OrderShow, printer: Printer) -> Result<(), Failure> {
    let folder = match &command.dir {
        Some(folder) => folder.clone(),
        None => newest()?,
    };
    let told = read(&folder, printer).and_then(|it| story::of(&it, &command.id));
    match told {
        Ok(story) => {
            printer.text(&story.text())?;
            printer.document(&story)?;
            Ok(())
        }
        Err(Stop::Broken(why)) => Err(Failure::Broken(why)),
        Err(Stop::Wrong(wrong)) => Err(Failure::No(format!(
            "{}: {wrong}\n\nhint: tieline audit {} says more",
            folder.display(),
            folder.display()
        ))),
    }
}

/// The newest result below `out`.
fn newest() -> Result<PathBuf, Failure> {
    let none = || {
        Failure::Broken(
            "no run below out\n\nhint: run `tieline run` first, or name a run's folder with --dir"
                .to_owned(),
        )
    };
    let entries = std::fs::read_dir("out").map_err(|_| none())?;
    let runs = entries.flatten().filter_map(|entry| {
        let marker = entry.path().join("orders.json");
        let written = std::fs::metadata(marker).and_then(|it| it.modified());
        Some((written.unwrap_or(SystemTime::UNIX_EPOCH), entry.path()))
            .filter(|_| entry.path().join("orders.json").is_file())
    });
    let newest = runs.max().ok_or_else(none)?;
    Ok(newest.1)
}
