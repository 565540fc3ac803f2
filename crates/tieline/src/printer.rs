//! One place that decides what goes to stdout and stderr.
//!
//! Data goes to stdout; progress, warnings and hints to stderr. On a terminal progress is a bar, elsewhere plain lines.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::Global;

/// How long a work is silent before it shows progress, and how often plain lines come.
const FIRST_LINE_AFTER: Duration = Duration::from_secs(1);
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Prints.
#[derive(Clone, Copy, Debug)]
pub struct Printer {
    /// One JSON document on stdout.
    pub json: bool,
    quiet: bool,
    verbose: bool,
}

impl Printer {
    /// As the flags say.
    pub fn new(global: &Global) -> Printer {
        Printer {
            json: global.json,
            quiet: global.quiet,
            verbose: global.verbose,
        }
    }

    /// Whether less is to be said on stderr.
    pub fn quiet(&self) -> bool {
        self.quiet
    }

    /// Whether more is to be said on stderr.
    pub fn verbose(&self) -> bool {
        self.verbose
    }

    /// Data for people; left out under `--json`.
    ///
    /// # Errors
    /// When stdout is closed.
    pub fn text(&self, text: &str) -> anyhow::Result<()> {
        if self.json {
            Ok(())
        } else {
            write_stdout(text)
        }
    }

    /// The JSON document; left out without `--json`.
    ///
    /// # Errors
    /// When stdout is closed.
    pub fn document(&self, document: &impl serde::Serialize) -> anyhow::Result<()> {
        if !self.json {
            return Ok(());
        }
        let mut text = serde_json::to_string_pretty(document)?;
        text.push('\n');
        write_stdout(&text)
    }

    /// One JSON document on one line, of many that a lasting command prints; left out without `--json`.
    ///
    /// # Errors
    /// When stdout is closed.
    pub fn line(&self, document: &impl serde::Serialize) -> anyhow::Result<()> {
        if !self.json {
            return Ok(());
        }
        let mut text = serde_json::to_string(document)?;
        text.push('\n');
        write_stdout(&text)
    }

    /// A warning, which says itself that it is one.
    pub fn warn(&self, warning: &impl std::fmt::Display) {
        self.stderr(&warning.to_string());
    }

    /// Something good to know; left out under `--quiet`.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            self.stderr(text);
        }
    }

    /// Detail; only under `--verbose`.
    pub fn detail(&self, text: &str) {
        if self.verbose {
            self.stderr(text);
        }
    }

    /// An error.
    pub fn error(&self, text: &str) {
        self.stderr(&format!("error: {text}"));
    }

    fn stderr(&self, text: &str) {
        let _ = writeln!(std::io::stderr(), "{text}");
    }

    /// Progress of a work of `total` parts.
    pub fn progress(&self, what: &str, total: u64) -> Progress {
        Progress::new(what, total, self.quiet)
    }
}

fn write_stdout(text: &str) -> anyhow::Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        // A reader that has seen enough (`| head`) is no error.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

/// Progress of one work.
#[derive(Debug)]
pub struct Progress {
    what: String,
    total: u64,
    bar: Option<ProgressBar>,
    quiet: bool,
    started: Instant,
    last_line: Option<Instant>,
}

impl Progress {
    fn new(what: &str, total: u64, quiet: bool) -> Progress {
        let on_terminal = std::io::stderr().is_terminal();
        let bar = (on_terminal && !quiet).then(|| {
            let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}");
            if let Ok(style) = style {
                bar.set_style(style);
            }
            bar.set_message(what.to_owned());
            bar
        });
        Progress {
            what: what.to_owned(),
            total,
            bar,
            quiet,
            started: Instant::now(),
            last_line: None,
        }
    }

    /// So many parts are done.
    pub fn at(&mut self, done: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(done);
            return;
        }
        let waited = self
            .last_line
            .map_or(self.started.elapsed(), |line| line.elapsed());
        let due = if self.last_line.is_none() {
            FIRST_LINE_AFTER
        } else {
            LINE_EVERY
        };
        if self.quiet || waited < due {
            return;
        }
        self.last_line = Some(Instant::now());
        let _ = writeln!(std::io::stderr(), "{}: {done} of {}", self.what, self.total);
    }

    /// How many parts there turned out to be.
    pub fn set_total(&mut self, total: u64) {
        self.total = total;
        if let Some(bar) = &self.bar {
            bar.set_length(total);
        }
    }

    /// Done: the bar goes away. Returns how long it took.
    pub fn finish(self) -> Duration {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        self.started.elapsed()
    }
}
