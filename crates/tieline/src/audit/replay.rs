//! Every chain by itself, from its genesis, beside each other.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tieline_chain::Ledger;
use tieline_chain::block::{Header, Roots, transaction_hash};
use tieline_chain::files::{BlockReader, FileError};
use tieline_chain::genesis::Genesis;
use tieline_chain::ledger::Outcome;
use tieline_contract::certificate::Certificate;
use tieline_contract::member::MeterBatch;
use tieline_contract::transaction::{Act, Transaction};
use tieline_seal::hybrid::{Remembering, Strict};
use tieline_units::{ChainId, Digest, Time};

use super::{Check, Evidence, Stop, Wrong};
use crate::node::config::read_genesis;
use crate::replay::{Checks, OfTheEngine, Replay, Seen};
use crate::run::ledgers::founding::VPP;

/// Endings of a chain's two files.
const GENESIS: &str = ".genesis.toml";
const BLOCKS: &str = ".blocks";

/// A transaction of a block.
#[derive(Clone, Debug)]
pub struct Done {
    /// The block's height.
    pub height: u64,
    /// The block's time.
    pub time: Time,
    /// The block's name.
    pub block: Digest,
    /// The transaction's name.
    pub name: Digest,
    /// It.
    pub transaction: Transaction,
    /// Why it was refused, if it was.
    pub refused: Option<String>,
}

/// A chain that holds by itself.
pub struct Chain {
    /// What it was founded on.
    pub genesis: Genesis,
    /// After its last block.
    pub ledger: Ledger,
    /// What was seen.
    pub seen: Seen,
    /// What its headers say of the state after each block with entries for others.
    pub roots: BTreeMap<u64, Roots>,
    /// Transactions about orders, readings and certificates, in order.
    pub done: Vec<Done>,
}

impl Chain {
    /// Its name.
    pub fn name(&self) -> &ChainId {
        &self.genesis.document().chain
    }

    /// Its file inside the folder of the run.
    pub fn file(&self) -> String {
        format!("{}/{}{BLOCKS}", crate::run::ledgers::FOLDER, self.name())
    }

    /// Certificates of other chains that it applied.
    pub fn certificates(&self) -> impl Iterator<Item = (&Done, &Arc<Certificate>)> {
        self.applied().filter_map(|done| match &done.transaction {
            Transaction::Certificate(certificate) => Some((done, certificate)),
            _ => None,
        })
    }

    /// Batches of meters that it applied.
    pub fn batches(&self) -> impl Iterator<Item = &Arc<MeterBatch>> {
        self.applied().filter_map(|done| match &done.transaction {
            Transaction::Meter(batch) => Some(batch),
            _ => None,
        })
    }

    /// What was not refused.
    pub fn applied(&self) -> impl Iterator<Item = &Done> {
        self.done.iter().filter(|done| done.refused.is_none())
    }
}

/// Whether the audit asks of a transaction later.
fn is_kept(transaction: &Transaction) -> bool {
    match transaction {
        Transaction::Signed(signed) => !matches!(
            signed.act,
            Act::Register(_) | Act::Approve { .. } | Act::RegisterChain { .. }
        ),
        _ => true,
    }
}

/// Replays all chains of a folder, each in a thread.
pub(super) fn all(folder: &Path, done: &(dyn Fn(u64, u64) + Sync)) -> Result<Vec<Chain>, Stop> {
    let founded = founded(folder)?;
    let sizes = founded.iter().map(|(path, _)| {
        let size = std::fs::metadata(path).map(|it| it.len());
        size.map_err(|error| Stop::Broken(format!("{}: {error}", path.display())))
    });
    let sizes: Result<Vec<u64>, Stop> = sizes.collect();
    let total: u64 = sizes?.into_iter().sum();
    let read = AtomicU64::new(0);
    let results = std::thread::scope(|scope| {
        let threads: Vec<_> = founded
            .into_iter()
            .map(|(path, genesis)| {
                let read = &read;
                scope.spawn(move || {
                    one(&path, genesis, &|bytes| {
                        done(read.fetch_add(bytes, Ordering::Relaxed) + bytes, total);
                    })
                })
            })
            .collect();
        let joined = threads.into_iter().map(|thread| {
            let died = |_| Stop::Broken("a replay died".to_owned());
            thread.join().map_err(died).and_then(|it| it)
        });
        joined.collect::<Vec<Result<Chain, Stop>>>()
    });
    results.into_iter().collect()
}

/// The chains of a folder by their genesis documents: Z first, the others by name.
fn founded(folder: &Path) -> Result<Vec<(PathBuf, Genesis)>, Stop> {
    let broken = |error: std::io::Error| {
        Stop::Broken(format!(
            "{}: {error}\n\nhint: name a folder that `tieline run` has left; one with --market-only has no chains",
            folder.display()
        ))
    };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(broken)? {
        let name = entry.map_err(broken)?.file_name();
        let name = name.to_string_lossy().into_owned();
        names.extend(name.strip_suffix(GENESIS).map(str::to_owned));
    }
    names.sort_by_key(|name| (name != VPP, name.clone()));
    if names.first().is_none_or(|first| first != VPP) {
        let file = format!("{VPP}{GENESIS}");
        return Err(Stop::Broken(format!("{}: no {file}", folder.display())));
    }
    let mut all = Vec::new();
    for name in names {
        let genesis = read_genesis(&folder.join(format!("{name}{GENESIS}")));
        let genesis = genesis.map_err(|error| Stop::Broken(error.to_string()))?;
        if genesis.document().chain.as_str() != name {
            return Err(wrong(&name, "genesis", "is of another chain").into());
        }
        all.push((folder.join(format!("{name}{BLOCKS}")), genesis));
    }
    same_vpp(&all)?;
    Ok(all)
}

/// All were founded for the same Z.
fn same_vpp(all: &[(PathBuf, Genesis)]) -> Result<(), Stop> {
    let z = &all[0].1;
    let own = z.committees().into_iter().next();
    for (_, genesis) in &all[1..] {
        let vpp = &genesis.document().vpp;
        let known = genesis.committees().into_iter().find(|it| it.chain == *vpp);
        if known != own || *vpp != z.document().chain {
            let name = genesis.document().chain.to_string();
            return Err(wrong(&name, "genesis", "names another VPP than the others").into());
        }
    }
    Ok(())
}

fn wrong(chain: &str, place: &str, reason: &str) -> Wrong {
    let ending = if place == "genesis" { GENESIS } else { BLOCKS };
    Wrong {
        check: "chains",
        file: format!("{}/{chain}{ending}", crate::run::ledgers::FOLDER),
        place: Some(place.to_owned()),
        reason: reason.to_owned(),
        ..Wrong::default()
    }
}

fn one(path: &Path, genesis: Genesis, read: &dyn Fn(u64)) -> Result<Chain, Stop> {
    let name = genesis.document().chain.to_string();
    let verify = Remembering::new(Strict);
    let checks = Checks {
        verify: &verify,
        certificates: Some(&OfTheEngine),
    };
    let mut replay = Replay::new(&genesis, checks);
    let next = |replay: &Replay<'_>| replay.ledger().tip().height + 1;
    let opened = BlockReader::open(path, &genesis.home());
    let mut reader = opened.map_err(|error| of_file(&name, error, 1))?;
    let (mut roots, mut done) = (BTreeMap::new(), Vec::new());
    loop {
        let entry = reader.read();
        let entry = entry.map_err(|error| of_file(&name, error, next(&replay)))?;
        let Some(entry) = entry else {
            break;
        };
        let executed = replay.step(&entry).map_err(|error| {
            let mut found = wrong(&name, error.place(), &error.to_string());
            found.height = Some(error.height());
            Stop::from(found)
        })?;
        let header: &Header = &entry.block.header;
        if executed.roots.outbox_entries > 0 {
            roots.insert(header.height, executed.roots);
        }
        let block = entry.block.digest(&genesis.home());
        let receipts = entry.block.body.transactions.iter().zip(&executed.receipts);
        for (transaction, receipt) in receipts.filter(|(it, _)| is_kept(it)) {
            done.push(Done {
                height: header.height,
                time: header.time,
                block,
                name: transaction_hash(transaction),
                transaction: transaction.clone(),
                refused: match &receipt.outcome {
                    Outcome::Applied(_) => None,
                    Outcome::Refused(why) => Some(why.clone()),
                },
            });
        }
        read(entry_bytes(&entry));
    }
    let (ledger, seen) = (replay.ledger().clone(), replay.seen());
    if seen.final_height != Some(ledger.tip().height) {
        let from = seen.final_height.map_or(1, |height| height + 1);
        let mut found = wrong(&name, "end", "no votes show the last blocks to be final");
        found.height = Some(from);
        return Err(found.into());
    }
    Ok(Chain {
        genesis,
        ledger,
        seen,
        roots,
        done,
    })
}

fn entry_bytes(entry: &tieline_chain::files::Entry) -> u64 {
    use tieline_units::canonical::Canonical as _;
    let certificate = entry.certificate.as_ref().map_or(0, Vec::len);
    (entry.block.to_bytes().len() + certificate) as u64
}

fn of_file(name: &str, error: FileError, height: u64) -> Stop {
    let reason = error.to_string();
    let (place, byte) = match error {
        FileError::Disk { .. } => return Stop::Broken(reason),
        FileError::Home { .. } => ("chain", Some(0)),
        FileError::Cut { offset, .. } => ("end", Some(offset)),
        FileError::Frame { offset, .. } | FileError::Content { offset, .. } => {
            ("frame", Some(offset))
        }
        FileError::Block { offset, .. } => ("body", Some(offset)),
        FileError::Order { offset, .. } => ("order", Some(offset)),
        _ => ("file", None),
    };
    let mut found = wrong(name, place, &reason);
    (found.height, found.byte) = (Some(height), byte);
    found.into()
}

/// What was checked of the chains.
pub(super) fn checks(evidence: &Evidence) -> Vec<Check> {
    let sum = |of: fn(&Chain) -> u64| evidence.chains.iter().map(of).sum();
    let check = |name, found| Check { name, found };
    vec![
        check("chains", evidence.chains.len() as u64),
        check("blocks", sum(|it| it.seen.blocks)),
        check("certificates of finality", sum(|it| it.seen.certificates)),
        check(
            "transactions executed again",
            sum(|it| it.seen.transactions),
        ),
    ]
}
