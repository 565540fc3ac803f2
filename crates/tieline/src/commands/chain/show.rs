//! `tieline chain show`

use std::io::BufReader;
use std::path::Path;

use serde::Serialize;
use serde_json::Value;
use tieline_chain::files::{BlockReader, Entry, FileError};
use tieline_chain::genesis::Genesis;
use tieline_chain::{Home, Receipt};
use tieline_contract::threshold::Committee;
use tieline_seal::hybrid::Strict;

use super::source::{Counting, Source, open_store, refused};
use super::words::BlockWords;
use crate::cli::ChainShow;
use crate::commands::Failure;
use crate::node::config::read_genesis;
use crate::node::hex::hex;
use crate::printer::Printer;
use crate::replay::{Checks, Replay};

/// What `chain show` prints of a chain that has begun.
#[derive(Serialize)]
struct ChainDocument {
    schema: &'static str,
    kind: &'static str,
    chain: String,
    genesis: String,
    /// First block that is there; none in an empty chain.
    first: Option<u64>,
    height: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    tip: Option<Tip>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transactions: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificates: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    block: Option<BlockWords>,
}

/// The end of a chain.
#[derive(Serialize)]
struct Tip {
    digest: String,
    time: String,
    /// Of the next block.
    epoch: u64,
    /// After the last block; left out where nobody has executed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    state_root: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    validators: Option<usize>,
}

#[derive(Serialize)]
struct GenesisDocument {
    schema: &'static str,
    kind: &'static str,
    hash: String,
    quorum: usize,
    faults: usize,
    document: Value,
}

const SCHEMA: &str = "tieline.chain-show/1";

pub(super) fn show(command: &ChainShow, printer: Printer) -> Result<(), Failure> {
    match Source::of(&command.path)? {
        Source::Genesis(genesis) => {
            if let Some(height) = command.height {
                return Err(no_block(&command.path, height, "a genesis has no blocks"));
            }
            show_genesis(&genesis, printer)
        }
        Source::Blocks(file) => show_blocks(&file, command, printer),
        Source::Store(file, known) => show_store(&file, known, command, printer),
    }
}

fn no_block(path: &Path, height: u64, why: &str) -> Failure {
    Failure::No(format!(
        "{}: there is no block {height}: {why}\n\nhint: without --height the command says which blocks are there",
        path.display()
    ))
}

fn show_genesis(genesis: &Genesis, printer: Printer) -> Result<(), Failure> {
    let no = |error: &dyn std::fmt::Display| Failure::No(error.to_string());
    let document = genesis.to_json().map_err(|error| no(&error))?;
    let document = serde_json::from_str(&document).map_err(|error| no(&error))?;
    let set = genesis.validators();
    printer.text(&genesis_text(genesis))?;
    printer.document(&GenesisDocument {
        schema: SCHEMA,
        kind: "genesis",
        hash: genesis.hash().to_string(),
        quorum: set.quorum(),
        faults: set.faults(),
        document,
    })?;
    Ok(())
}

fn genesis_text(genesis: &Genesis) -> String {
    let document = genesis.document();
    let set = genesis.validators();
    let own = document.vpp == document.chain;
    let mut text = format!(
        "chain       {}\ngenesis     {}\ntime        {}\nVPP         {}{}, run by {}\n",
        document.chain,
        genesis.hash(),
        document.time,
        document.vpp,
        if own { " (this chain)" } else { "" },
        document.operator,
    );
    text.push_str(&format!(
        "\nrules\n  money in {}, market intervals of {} minutes\n  a request costs {}, at most {} are open between a \
         buyer and a seller\n  readings are taken until {} s after they are due, chains are netted every {} s\n  \
         whoever runs a verification node stands for it with {}\n",
        document.currency.code(),
        document.interval.minutes(),
        document.request_fee,
        document.exposure_cap,
        seconds(document.grace),
        seconds(document.settlement_period),
        document.stake,
    ));
    text.push_str(&format!(
        "\n{} validators, {} make a quorum, {} may fail or lie\n",
        set.size(),
        set.quorum(),
        set.faults()
    ));
    for validator in &set.validators {
        let identity = hex(&validator.identity);
        text.push_str(&format!("  {identity}  of {}\n", validator.owner));
    }
    text.push('\n');
    for committee in genesis.committees() {
        text.push_str(&committee_text(&committee));
    }
    text.push_str(&format!("\n{} members\n", document.members.len()));
    for member in &document.members {
        text.push_str(&format!(
            "  {:<16}{:<12}on {}, {} meters, {} kW\n",
            member.id,
            format!("{:?}", member.role).to_lowercase(),
            member.home,
            member.meters.len(),
            member.nameplate.to_kilowatts()
        ));
    }
    text
}

fn committee_text(committee: &Committee) -> String {
    format!(
        "{} verification nodes of {}, {} sign a certificate, {} one over money\n",
        committee.size(),
        committee.chain,
        committee.threshold,
        committee.needed(tieline_contract::payload::Kind::Commit)
    )
}

/// Exact: thousandths where there are any.
fn seconds(millis: u64) -> String {
    match millis % 1000 {
        0 => (millis / 1000).to_string(),
        rest => format!("{}.{rest:03}", millis / 1000),
    }
}

/// A block file that is being read to its end.
struct Walk<'a> {
    path: &'a Path,
    wanted: Option<u64>,
    replay: Option<Replay<'a>>,
    home: Home,
    document: ChainDocument,
    end: Option<Entry>,
}

fn show_blocks(file: &Path, command: &ChainShow, printer: Printer) -> Result<(), Failure> {
    let genesis = command.genesis.as_deref().map(read_genesis).transpose()?;
    let (stream, at) = Counting::open(file)?;
    let mut progress = printer.progress("bytes read", at.size);
    let stream = BufReader::new(stream);
    let reader = match &genesis {
        Some(genesis) => BlockReader::new(stream, &genesis.home()),
        None => BlockReader::of_any_chain(stream),
    };
    let mut reader = reader.map_err(|error| changed(file, &error))?;
    let checks = Checks {
        verify: &Strict,
        certificates: None,
    };
    let home = reader.home().clone();
    let mut walk = Walk {
        path: file,
        wanted: command.height,
        replay: genesis.as_ref().map(|genesis| Replay::new(genesis, checks)),
        document: ChainDocument::of(&home, "blocks"),
        home,
        end: None,
    };
    while let Some(entry) = reader.read().map_err(|error| changed(file, &error))? {
        walk.step(entry)?;
        progress.at(at.get());
    }
    progress.finish();
    let document = walk.end()?;
    tell(&document, printer)?;
    if genesis.is_none() {
        let hint = "hint: nothing was executed; with --genesis FILE the command says what became of each transaction";
        printer.note(hint);
    }
    Ok(())
}

fn changed(file: &Path, error: &FileError) -> Failure {
    let text = format!("{}: {error}", file.display());
    match error {
        FileError::Disk { .. } => Failure::Broken(text),
        _ => Failure::No(format!(
            "{text}\n\nhint: the file was cut or changed; take it again from its origin"
        )),
    }
}

impl ChainDocument {
    fn of(home: &Home, kind: &'static str) -> ChainDocument {
        ChainDocument {
            schema: SCHEMA,
            kind,
            chain: home.chain.to_string(),
            genesis: home.genesis.to_string(),
            first: None,
            height: 0,
            tip: None,
            transactions: None,
            certificates: None,
            block: None,
        }
    }
}

impl Walk<'_> {
    fn step(&mut self, entry: Entry) -> Result<(), Failure> {
        let executed = match &mut self.replay {
            None => None,
            Some(replay) => {
                let executed = replay.step(&entry);
                Some(executed.map_err(|error| {
                    Failure::No(format!(
                        "{}: {error}\n\nhint: tieline chain verify says more",
                        self.path.display()
                    ))
                })?)
            }
        };
        let height = entry.block.header.height;
        let document = &mut self.document;
        document.first.get_or_insert(height);
        document.height = height;
        *document.transactions.get_or_insert(0) += entry.block.header.transactions;
        *document.certificates.get_or_insert(0) += u64::from(entry.certificate.is_some());
        if self.wanted == Some(height) {
            let digest = entry.block.digest(&self.home);
            let receipts = executed.as_ref().map(|done| done.receipts.as_slice());
            let certificate = entry.certificate.as_deref();
            document.block = Some(BlockWords::of(
                (&entry.block, digest),
                certificate,
                receipts,
            ));
        }
        self.end = Some(entry);
        Ok(())
    }

    fn end(mut self) -> Result<ChainDocument, Failure> {
        let ledger = self.replay.as_ref().map(|replay| replay.ledger());
        self.document.tip = self.end.map(|entry| {
            let tip = entry.block.header.as_parent(&self.home);
            Tip {
                digest: tip.digest.to_string(),
                time: tip.time.to_string(),
                epoch: tip.epoch,
                state_root: ledger.map(|ledger| ledger.roots().state_root.to_string()),
                validators: ledger.map(|ledger| ledger.validators().size()),
            }
        });
        match (self.wanted, &self.document.block) {
            (Some(height), None) => Err(no_block(self.path, height, &has(&self.document))),
            _ => Ok(self.document),
        }
    }
}

fn has(document: &ChainDocument) -> String {
    match document.first {
        None => "the chain has none yet".to_owned(),
        Some(first) => format!("blocks {first} to {} are there", document.height),
    }
}

fn show_store(
    file: &Path,
    known: Option<Genesis>,
    command: &ChainShow,
    printer: Printer,
) -> Result<(), Failure> {
    let (store, genesis) = open_store(file, command.genesis.as_deref(), known)?;
    let refused = |error| refused(file, &error);
    let home = genesis.home();
    let ledger = store.ledger().map_err(refused)?;
    let tip = ledger.tip();
    let mut document = ChainDocument::of(&home, "store");
    document.height = tip.height;
    document.first = first(tip.height, |height| {
        Ok(store.block(height).map_err(refused)?.is_some())
    })?;
    document.tip = Some(Tip {
        digest: tip.digest.to_string(),
        time: tip.time.to_string(),
        epoch: tip.epoch,
        state_root: Some(ledger.roots().state_root.to_string()),
        validators: Some(ledger.validators().size()),
    });
    if let Some(height) = command.height {
        let Some(block) = store.block(height).map_err(refused)? else {
            return Err(no_block(file, height, &has(&document)));
        };
        let receipts: Option<Vec<Receipt>> = store.receipts(height).map_err(refused)?;
        let certificate = store.certificate(height).map_err(refused)?;
        let named = (&block, block.digest(&home));
        let words = BlockWords::of(named, certificate.as_deref(), receipts.as_deref());
        document.block = Some(words);
    }
    tell(&document, printer)
}

/// The first block that is there: what was forgotten lies below one height.
fn first(
    height: u64,
    is_there: impl Fn(u64) -> Result<bool, Failure>,
) -> Result<Option<u64>, Failure> {
    if height == 0 || !is_there(height)? {
        return Ok(None);
    }
    let (mut below, mut there) = (0, height);
    while below + 1 < there {
        let middle = below + (there - below) / 2;
        if is_there(middle)? {
            there = middle;
        } else {
            below = middle;
        }
    }
    Ok(Some(there))
}

fn tell(document: &ChainDocument, printer: Printer) -> Result<(), Failure> {
    let mut text = format!(
        "chain         {}\ngenesis       {}\nheight        {}\nblocks        {}\n",
        document.chain,
        document.genesis,
        document.height,
        has(document)
    );
    let counts = [
        ("transactions", document.transactions),
        ("certificates", document.certificates),
    ];
    for (name, count) in counts {
        if let Some(count) = count {
            text.push_str(&format!("{name:<14}{count}\n"));
        }
    }
    if let Some(tip) = &document.tip {
        text.push_str(&format!(
            "tip           {}\ntime          {}\nepoch         {}\n",
            tip.digest, tip.time, tip.epoch
        ));
        if let Some(root) = &tip.state_root {
            text.push_str(&format!("state root    {root}\n"));
        }
        if let Some(size) = tip.validators {
            text.push_str(&format!("validators    {size}\n"));
        }
    }
    if let Some(block) = &document.block {
        text.push('\n');
        text.push_str(&block.text());
    }
    printer.text(&text)?;
    printer.document(document)?;
    Ok(())
}
