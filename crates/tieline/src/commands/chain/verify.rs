//! `tieline chain verify`

use std::io::{self, BufReader, Read};
use std::path::Path;

use serde::Serialize;
use tieline_chain::files::{BlockReader, Entry, FileError};
use tieline_chain::genesis::Genesis;
use tieline_seal::hybrid::Strict;

use super::source::Counting;
use crate::cli::ChainVerify;
use crate::commands::Failure;
use crate::node::config::read_genesis;
use crate::printer::Printer;
use crate::replay::{Checks, OfTheEngine, Replay, ReplayError, Seen};

/// What `chain verify` prints.
#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    file: &'a Path,
    valid: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    wrong: Option<Wrong>,
    chain: String,
    genesis: String,
    /// Of the last block that fits.
    height: u64,
    blocks: u64,
    transactions: u64,
    refused: u64,
    handovers: u64,
    double_votes: u64,
    state_root: String,
    certificates: Certificates,
}

/// The first thing that does not fit.
#[derive(Clone, Debug, Serialize)]
struct Wrong {
    /// The block that does not fit, or would come next.
    height: u64,
    place: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    byte: Option<u64>,
    reason: String,
}

#[derive(Serialize)]
struct Certificates {
    /// Blocks with one.
    found: u64,
    checked: bool,
    /// The last block that they show to be final.
    #[serde(skip_serializing_if = "Option::is_none")]
    final_height: Option<u64>,
}

pub(super) fn verify(command: &ChainVerify, printer: Printer) -> Result<(), Failure> {
    let genesis = read_genesis(&command.genesis)?;
    let checks = Checks {
        verify: &Strict,
        certificates: Some(&OfTheEngine),
    };
    let mut replay = Replay::new(&genesis, checks);
    let wrong = run(&command.file, &genesis, &mut replay, printer)?;
    let checked = checks.certificates.is_some();
    let document = document(&command.file, &replay, wrong.as_ref(), checked);
    if wrong.is_none() {
        printer.text(&text(&document))?;
    }
    printer.document(&document)?;
    match wrong {
        None => Ok(()),
        Some(wrong) => Err(Failure::No(format!(
            "{}: {}\n{}\n\nhint: {}",
            command.file.display(),
            wrong.reason,
            up_to(&replay),
            hint(&wrong)
        ))),
    }
}

/// Replays the file to its end, or to the first thing that does not fit.
fn run(
    file: &Path,
    genesis: &Genesis,
    replay: &mut Replay<'_>,
    printer: Printer,
) -> Result<Option<Wrong>, Failure> {
    let broken = |error: io::Error| Failure::Broken(format!("{}: {error}", file.display()));
    let (stream, at) = Counting::open(file)?;
    let mut progress = printer.progress("bytes verified", at.size);
    let result = blocks(stream, genesis, replay, &mut |_| progress.at(at.get()));
    progress.finish();
    match result {
        Ok(()) => Ok(None),
        Err(Stop::Wrong(wrong)) => Ok(Some(wrong)),
        Err(Stop::Disk(error)) => Err(broken(error)),
    }
}

/// Why a replay stops.
enum Stop {
    Wrong(Wrong),
    Disk(io::Error),
}

fn blocks(
    stream: impl Read,
    genesis: &Genesis,
    replay: &mut Replay<'_>,
    done: &mut dyn FnMut(&Entry),
) -> Result<(), Stop> {
    let next = |replay: &Replay<'_>| replay.ledger().tip().height + 1;
    let reader = BlockReader::new(BufReader::new(stream), &genesis.home());
    let mut reader = reader.map_err(|error| of_file(error, next(replay)))?;
    loop {
        let read = reader.read();
        let Some(entry) = read.map_err(|error| of_file(error, next(replay)))? else {
            return Ok(());
        };
        replay.step(&entry).map_err(|error| of_block(&error))?;
        done(&entry);
    }
}

fn of_file(error: FileError, height: u64) -> Stop {
    let reason = error.to_string();
    let (place, byte) = match error {
        FileError::Disk { error, .. } => return Stop::Disk(error),
        FileError::Home { .. } => ("chain", Some(0)),
        FileError::Cut { offset, .. } => ("end", Some(offset)),
        FileError::Frame { offset, .. } | FileError::Content { offset, .. } => {
            ("frame", Some(offset))
        }
        FileError::Block { offset, .. } => ("body", Some(offset)),
        FileError::Order { offset, .. } => ("order", Some(offset)),
        _ => ("file", None),
    };
    let reason = match place {
        "chain" => reason,
        _ => format!("block {height}: {reason}"),
    };
    Stop::Wrong(Wrong {
        height,
        place,
        byte,
        reason,
    })
}

fn of_block(error: &ReplayError) -> Stop {
    Stop::Wrong(Wrong {
        height: error.height(),
        place: error.place(),
        byte: None,
        reason: error.to_string(),
    })
}

fn hint(wrong: &Wrong) -> &'static str {
    match wrong.place {
        "chain" => "give the genesis of the chain that the file is of",
        "end" => "the file was not written to its end; export it again",
        "frame" => "the file was changed after it was written; take it again from its origin",
        "order" => {
            "blocks are missing or moved; a file to verify begins with block 1 and leaves out none"
        }
        _ => {
            "whoever wrote this file executed another chain or another program; compare with another node's file"
        }
    }
}

fn document<'a>(
    file: &'a Path,
    replay: &Replay<'_>,
    wrong: Option<&Wrong>,
    checked: bool,
) -> Document<'a> {
    let (ledger, seen) = (replay.ledger(), replay.seen());
    let Seen {
        blocks,
        transactions,
        refused,
        handovers,
        double_votes,
        certificates,
        final_height,
    } = seen;
    Document {
        schema: "tieline.chain-verify/1",
        file,
        valid: wrong.is_none(),
        wrong: wrong.cloned(),
        chain: ledger.home().chain.to_string(),
        genesis: ledger.home().genesis.to_string(),
        height: ledger.tip().height,
        blocks,
        transactions,
        refused,
        handovers,
        double_votes,
        state_root: ledger.roots().state_root.to_string(),
        certificates: Certificates {
            found: certificates,
            checked,
            final_height,
        },
    }
}

fn text(document: &Document<'_>) -> String {
    let Certificates {
        found,
        checked,
        final_height,
    } = &document.certificates;
    let certificates = match (checked, final_height) {
        (false, _) => format!("not checked; {found} blocks carry one"),
        (true, None) => format!("{found}; no block is shown to be final"),
        (true, Some(height)) => format!("{found}, all hold; final up to block {height}"),
    };
    format!(
        "chain         {}\ngenesis       {}\nheight        {}\nblocks        {}\n\
         transactions  {}, of which {} were refused\nhandovers     {}\ndouble votes  {}\nstate root    {}\ncertificates: {certificates}\n",
        document.chain,
        document.genesis,
        document.height,
        document.blocks,
        document.transactions,
        document.refused,
        document.handovers,
        document.double_votes,
        document.state_root,
    )
}

/// How far the file holds.
fn up_to(replay: &Replay<'_>) -> String {
    match replay.ledger().tip().height {
        0 => "no block before it was executed".to_owned(),
        height => format!(
            "up to block {height} it holds, with state root {}",
            replay.ledger().roots().state_root
        ),
    }
}
