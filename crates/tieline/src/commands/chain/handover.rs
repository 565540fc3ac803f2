//! `tieline chain handover`

use std::path::Path;

use hyper::Method;
use serde::{Deserialize, Serialize};
use tieline_chain::Home;
use tieline_chain::validators::{Validator, ValidatorSet};
use tieline_units::canonical::Canonical as _;
use tieline_units::{ChainId, Digest};

use crate::cli::{ChainHandover, HandoverPropose, HandoverShow, HandoverSign, HandoverSubmit};
use crate::commands::Failure;
use crate::node::NodeSettings;
use crate::node::carry::{Address, ask_once};
use crate::node::change::{Change, ChangeError, Fate};
use crate::node::hex::hex;
use crate::node::offer;
use crate::node::passphrase::passphrase;
use crate::printer::Printer;

pub(super) fn handover(command: &ChainHandover, printer: Printer) -> Result<(), Failure> {
    match command {
        ChainHandover::Propose(command) => propose(command, printer),
        ChainHandover::Show(command) => show(command, printer),
        ChainHandover::Sign(command) => sign(command, printer),
        ChainHandover::Submit(command) => submit(command, printer),
    }
}

fn propose(command: &HandoverPropose, printer: Printer) -> Result<(), Failure> {
    let here = Here::ask(&command.api)?;
    let add = command.add.iter().map(|file| Ok(offer::read(file)?));
    let add = add.collect::<Result<Vec<Validator>, Failure>>()?;
    let remove = command.remove.iter().map(|it| identity(it));
    let remove = remove.collect::<Result<Vec<String>, Failure>>()?;
    let change = Change::propose(here.home.clone(), &here.present, add, &remove)?;
    change.write(&command.out, false)?;
    here.tell(&change, printer)?;
    printer.note(&format!(
        "hint: whoever runs one of these nodes looks at it and signs: tieline chain handover sign {} --node FOLDER",
        command.out.display()
    ));
    Ok(())
}

/// The identity of a folder's node, where there is such a folder.
fn identity(name: &str) -> Result<String, Failure> {
    let path = Path::new(name);
    match path.exists() {
        true => Ok(hex(&NodeSettings::read(path)?.identity)),
        false => Ok(name.to_owned()),
    }
}

fn show(command: &HandoverShow, printer: Printer) -> Result<(), Failure> {
    let here = Here::ask(&command.api)?;
    let change = here.read(&[&command.file])?;
    here.tell(&change, printer)
}

fn sign(command: &HandoverSign, printer: Printer) -> Result<(), Failure> {
    let settings = NodeSettings::read(&command.node)?;
    let phrase = passphrase(command.passphrase_file.as_deref());
    let phrase = phrase.map_err(|error| Failure::Broken(error.to_string()))?;
    let api = format!("http://{}", settings.api);
    let api = Address::parse(&api).map_err(|error| Failure::Broken(error.to_string()))?;
    let here = Here::ask(&api)?;
    let mut change = here.read(&[&command.file])?;
    if settings.genesis.home() != here.home {
        let chain = &here.home.chain;
        return Err(Failure::No(format!(
            "{api} is a node of another chain, {chain}, genesis {}",
            here.home.genesis
        )));
    }
    let next = change.handover.next.hash().to_string();
    if command.next.as_ref().is_some_and(|wanted| *wanted != next) {
        return Err(Failure::No(format!(
            "{}: the next set is {next}, not the one to sign\n\nhint: tieline chain handover show says who is in it",
            command.file.display()
        )));
    }
    same_keys(&settings, &change)?;
    let node = settings.open(&phrase)?;
    if change.sign(&here.present, &node.voting) == (false, false) {
        return Err(Failure::No(format!(
            "{} of this node is neither a present validator nor one of the next\n\nhint: the others sign",
            &hex(&node.own)[..8]
        )));
    }
    change.write(&command.file, true)?;
    here.tell(&change, printer)
}

/// Whoever this node knows already comes with the key that it knows.
fn same_keys(settings: &NodeSettings, change: &Change) -> Result<(), Failure> {
    let genesis = settings.genesis.document().validators.validators.iter();
    let genesis = genesis.map(|it| (it.identity, &it.key));
    let peers = settings.peers.iter();
    let peers = peers.filter_map(|it| Some((it.identity, it.key.as_ref()?)));
    let known: Vec<_> = genesis.chain(peers).collect();
    for validator in &change.handover.next.validators {
        let mut of = known.iter().filter(|(it, _)| *it == validator.identity);
        if of.any(|(_, key)| **key != validator.key) {
            return Err(Failure::No(format!(
                "{} comes with another key than this node knows, nothing was signed\n\nhint: compare {} with what tieline chain join printed; node.toml has the offer that was appended",
                hex(&validator.identity),
                validator.fingerprint()
            )));
        }
    }
    Ok(())
}

fn submit(command: &HandoverSubmit, printer: Printer) -> Result<(), Failure> {
    let here = Here::ask(&command.api)?;
    let files: Vec<_> = command.files.iter().collect();
    let change = here.read(&files)?;
    here.tell(&change, printer)?;
    if !change.is_complete(&here.present) {
        return Err(Failure::No(
            "signatures are missing, nothing was submitted\n\nhint: give the copies of all who signed".to_owned(),
        ));
    }
    let body = change.handover.to_bytes();
    asked(&command.api, Method::POST, "/v1/handover", Some(body))?;
    printer.note(&format!(
        "taken: it counts from the block after {} on; until then a node that starts again forgets it",
        here.epoch_ends
    ));
    Ok(())
}

impl From<ChangeError> for Failure {
    fn from(error: ChangeError) -> Failure {
        match error {
            ChangeError::Disk { .. } => Failure::Broken(error.to_string()),
            _ => Failure::No(error.to_string()),
        }
    }
}

/// Where the chain stands, as one node says.
struct Here {
    home: Home,
    present: ValidatorSet,
    epoch_ends: u64,
}

#[derive(Deserialize)]
struct Status {
    chain: String,
    genesis: String,
    epoch_ends: u64,
}

#[derive(Deserialize)]
struct Wrong {
    error: String,
    next: String,
}

#[derive(Serialize)]
struct Document {
    schema: &'static str,
    chain: String,
    epoch: u64,
    epoch_ends: u64,
    quorum: usize,
    approvals: usize,
    complete: bool,
    /// Hash of the next set.
    next: String,
    validators: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    identity: String,
    /// Of identity, key and owner.
    fingerprint: String,
    owner: String,
    /// `joins`, `leaves` or `stays`.
    fate: &'static str,
    /// As a present validator.
    approved: bool,
    /// That it holds its key, as one of the next.
    proven: bool,
}

impl Here {
    fn ask(api: &Address) -> Result<Here, Failure> {
        let status = asked(api, Method::GET, "/v1/status", None)?;
        let present = asked(api, Method::GET, "/v1/validators?raw", None)?;
        let read = || {
            let status: Status = serde_json::from_slice(&status).ok()?;
            Some(Here {
                home: Home {
                    chain: ChainId::parse(&status.chain).ok()?,
                    genesis: Digest::parse(&status.genesis)?,
                },
                present: ValidatorSet::decode(&present).ok()?,
                epoch_ends: status.epoch_ends,
            })
        };
        read().ok_or_else(|| Failure::Broken(format!("{api} does not answer as a node")))
    }

    /// Copies of one change, joined.
    fn read(&self, files: &[&std::path::PathBuf]) -> Result<Change, Failure> {
        let copies = files.iter().map(|file| Change::read(file));
        let copies = copies.collect::<Result<Vec<_>, _>>()?;
        for copy in &copies {
            copy.check(&self.home, &self.present)?;
        }
        Ok(Change::joined(copies, &self.present)?)
    }

    fn tell(&self, change: &Change, printer: Printer) -> Result<(), Failure> {
        let rows = change.fates(&self.present).into_iter();
        let rows: Vec<Row> = rows.map(|(fate, it)| self.row(change, fate, &it)).collect();
        let (quorum, approvals) = (self.present.quorum(), change.handover.approvals.len());
        let (next, proven) = (&change.handover.next, change.handover.possession.len());
        let mut text = format!(
            "{}: validators of epoch {} after those of epoch {}\n",
            self.home.chain, next.epoch, self.present.epoch
        );
        for row in &rows {
            let done = |done, what| if done { what } else { "" };
            text.push_str(&format!(
                "{:<7} {} of {}{}{}\n",
                row.fate,
                &row.identity[..8],
                row.owner,
                done(row.approved, ", approved"),
                done(row.proven, ", key proven")
            ));
            text.push_str(&format!("        {}\n", row.fingerprint));
        }
        let hash = next.hash();
        text.push_str(&format!("all of the next: {hash}\n"));
        text.push_str(&format!(
            "{approvals} of {} approve, {quorum} are needed; {proven} of {} keys are proven, all are needed\n",
            self.present.size(),
            next.size()
        ));
        printer.text(&text)?;
        printer.document(&Document {
            schema: "tieline.chain-handover/1",
            chain: self.home.chain.to_string(),
            epoch: next.epoch,
            epoch_ends: self.epoch_ends,
            quorum,
            approvals,
            complete: change.is_complete(&self.present),
            next: hash.to_string(),
            validators: rows,
        })?;
        Ok(())
    }

    fn row(&self, change: &Change, fate: Fate, validator: &Validator) -> Row {
        let signed = |set: &ValidatorSet, signatures: &std::collections::BTreeMap<u8, _>| {
            let place = set.validators.iter().position(|it| it == validator);
            place.is_some_and(|place| signatures.keys().any(|it| usize::from(*it) == place))
        };
        Row {
            identity: hex(&validator.identity),
            fingerprint: validator.fingerprint().to_string(),
            owner: validator.owner.to_string(),
            fate: match fate {
                Fate::Joins => "joins",
                Fate::Leaves => "leaves",
                Fate::Stays => "stays",
            },
            approved: signed(&self.present, &change.handover.approvals),
            proven: signed(&change.handover.next, &change.handover.possession),
        }
    }
}

/// The body of a node's answer that is no refusal.
fn asked(
    api: &Address,
    method: Method,
    path: &str,
    body: Option<Vec<u8>>,
) -> Result<Vec<u8>, Failure> {
    let answer = ask_once(api, method, path, body);
    let (code, body) = answer.ok_or_else(|| {
        Failure::Broken(format!(
            "{api} does not answer\n\nhint: give the API of a node that runs, as its node.toml says"
        ))
    })?;
    match (code, serde_json::from_slice::<Wrong>(&body)) {
        (200..300, _) => Ok(body),
        (_, Ok(wrong)) => Err(Failure::No(format!(
            "{api}: {}\n\nhint: {}",
            wrong.error, wrong.next
        ))),
        (code, Err(_)) => Err(Failure::Broken(format!("{api} answers with {code}"))),
    }
}
