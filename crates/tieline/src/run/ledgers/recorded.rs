//! Chains whose reports are recorded, and told again when an interrupted run goes on.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use tieline_chain::files::BlockReader;
use tieline_engine::lockstep::{Final, Report, Step};
use tieline_units::Time;

use super::founding::Founding;
use super::journal::{Journal, Past, Record, Refused, Said};
use super::lanes::{Embedded, Lead};
use super::place::Place;

/// Ending of an exported file that is being replayed.
const OLD: &str = "old";

/// Lanes with their journal.
pub struct Recorded<'a> {
    inner: Embedded<'a>,
    journal: Journal,
    replay: Option<Replay>,
}

/// What was recorded, and the blocks that go with it.
struct Replay {
    past: Past,
    blocks: Vec<Blocks>,
}

struct Blocks {
    path: PathBuf,
    reader: BlockReader<BufReader<File>>,
}

impl<'a> Recorded<'a> {
    /// Chains at their genesis at `start`; or, where something is recorded, what they said then.
    ///
    /// `chains`: the folder of their files.
    ///
    /// # Errors
    /// A chain that does not start, files that cannot be read.
    pub fn start(
        mut inner: Embedded<'a>,
        (journal, past): (Journal, Option<Past>),
        founding: &Founding,
        (chains, start): (&Path, Time),
    ) -> anyhow::Result<Recorded<'a>> {
        let replay = match past {
            None => {
                remove_old(chains, founding)?;
                inner.begin(founding, start)?;
                None
            }
            Some(mut past) => {
                // What runs was compared when the journal was opened.
                past.read();
                let blocks = founding.chains.iter().map(|founded| {
                    let home = founded.genesis.home();
                    Blocks::open(&chains.join(format!("{}.blocks", home.chain)), &home)
                });
                let blocks: anyhow::Result<Vec<Blocks>> = blocks.collect();
                Some(Replay {
                    past,
                    blocks: blocks?,
                })
            }
        };
        Ok(Recorded {
            inner,
            journal,
            replay,
        })
    }
}

/// Without a checkpoint everything begins anew.
fn remove_old(chains: &Path, founding: &Founding) -> anyhow::Result<()> {
    for founded in &founding.chains {
        let path = chains.join(format!("{}.blocks", founded.genesis.document().chain));
        for path in [path.clone(), old(&path)] {
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error).with_context(|| format!("cannot remove {}", path.display()));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

fn old(path: &Path) -> PathBuf {
    path.with_extension(format!("blocks.{OLD}"))
}

impl Blocks {
    /// Moves the exported file out of the way, unless a replay before this one has: then what that one wrote goes.
    fn open(path: &Path, home: &tieline_chain::Home) -> anyhow::Result<Blocks> {
        let from = old(path);
        let moved = if from.exists() {
            std::fs::remove_file(path).or_else(|error| match error.kind() {
                std::io::ErrorKind::NotFound => Ok(()),
                _ => Err(error),
            })
        } else {
            std::fs::rename(path, &from)
        };
        moved.with_context(|| format!("cannot replay {}", path.display()))?;
        let reader = BlockReader::open(&from, home);
        let reader = reader.with_context(|| format!("cannot replay {}", from.display()))?;
        Ok(Blocks { path: from, reader })
    }

    fn take(&mut self, at: Time) -> anyhow::Result<Final> {
        let entry = self.reader.read();
        let entry = entry.with_context(|| format!("cannot replay {}", self.path.display()))?;
        let Some(entry) = entry else {
            bail!(
                "{} has fewer blocks than the journal says\n\nhint: run without --resume to begin anew",
                self.path.display()
            );
        };
        Ok(Final {
            block: entry.block,
            certificate: entry.certificate,
            at,
        })
    }
}

impl Replay {
    fn step(&mut self, expected: Time) -> anyhow::Result<Vec<Report>> {
        let Some(Record::Step { until, said }) = self.past.read() else {
            bail!("{DIFFERS}");
        };
        ensure!(
            until == expected && said.len() == self.blocks.len(),
            "{DIFFERS}"
        );
        let chains = said.into_iter().zip(&mut self.blocks);
        chains
            .map(|(said, blocks)| report(until, said, blocks))
            .collect()
    }
}

/// What a journal that does not fit the run is called.
const DIFFERS: &str =
    "the journal does not fit this run\n\nhint: run without --resume to begin anew";

fn report(now: Time, said: Said, blocks: &mut Blocks) -> anyhow::Result<Report> {
    let finals = said.finals.into_iter().map(|at| blocks.take(at));
    let finals: anyhow::Result<Vec<Final>> = finals.collect();
    let refused = said.refused.into_iter();
    Ok(Report {
        now,
        blocks: finals?,
        signed: said.signed,
        refused: refused.map(|it| (it.transaction, it.why)).collect(),
        waiting: usize::try_from(said.waiting)?,
        rests: said.rests,
    })
}

fn said(report: &Report) -> Said {
    let refused = report.refused.iter();
    Said {
        finals: report.blocks.iter().map(|block| block.at).collect(),
        signed: report.signed.clone(),
        refused: refused
            .map(|(transaction, why)| Refused {
                transaction: *transaction,
                why: why.clone(),
            })
            .collect(),
        waiting: report.waiting as u64,
        rests: report.rests,
    }
}

impl Lead for Recorded<'_> {
    fn step(&mut self, steps: Vec<Step>) -> anyhow::Result<Vec<Report>> {
        let until = steps.first().map(|step| step.until).unwrap_or_default();
        if let Some(replay) = &mut self.replay {
            return replay.step(until);
        }
        let reports = self.inner.step(steps)?;
        let said: Vec<Said> = reports.iter().map(said).collect();
        self.journal.append(&Record::Step { until, said })?;
        Ok(reports)
    }

    fn renew(&mut self, places: &[Place], now: Time) -> anyhow::Result<()> {
        let Some(replay) = &mut self.replay else {
            self.journal.append(&Record::Checkpoint { now })?;
            self.journal.sync()?;
            return self.inner.renew(places, now);
        };
        ensure!(
            replay.past.read() == Some(Record::Checkpoint { now }),
            "{DIFFERS}"
        );
        self.inner.count_renewal();
        if replay.past.is_over() {
            for blocks in &replay.blocks {
                let path = &blocks.path;
                let removed = std::fs::remove_file(path);
                removed.with_context(|| format!("cannot remove {}", path.display()))?;
            }
            self.replay = None;
            self.inner.go_on(places, now)?;
        }
        Ok(())
    }

    fn replays(&self) -> bool {
        self.replay.is_some()
    }
}
