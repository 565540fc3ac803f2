//! `tieline chain init`

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use serde::Serialize;
use tieline_qkd::store::{Cost, Entropy, Sealer, system_entropy};
use tieline_units::{Currency, Time};

use crate::cli::{ChainInit, RuleArgs};
use crate::commands::Failure;
use crate::found::write::{GENESIS_FILE, MEMBERS, SEALED, node_name, refuse_existing, write};
use crate::found::{Founded, NewNode, Plan, Rules, found};
use crate::node::config::read_genesis;
use crate::node::hex::hex;
use crate::node::passphrase::passphrase;
use crate::printer::Printer;

/// Time of a genesis whose keys come from a seed: 2026-01-01T00:00:00Z.
const SEEDED_TIME: Time = Time::from_millis(1_767_225_600_000);

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    folder: &'a Path,
    chain: String,
    genesis: String,
    vpp: String,
    operator: String,
    validators: usize,
    faults: usize,
    keys_from_seed: bool,
    nodes: Vec<Node>,
    members: Vec<Member>,
}

#[derive(Serialize)]
struct Node {
    folder: String,
    identity: String,
    owner: String,
    listen: String,
    api: String,
}

#[derive(Serialize)]
struct Member {
    id: String,
    keys: String,
}

pub(super) fn init(
    command: &ChainInit,
    seed: Option<u64>,
    printer: Printer,
) -> Result<(), Failure> {
    refuse_existing(&command.dir)?;
    let plan = plan(command, seed)?;
    let phrase = passphrase(command.passphrase_file.as_deref());
    let phrase = phrase.map_err(|error| Failure::Broken(error.to_string()))?;
    warn_of_seed(seed, printer);
    let mut entropy = entropy(seed);
    let broken = |error: &dyn std::fmt::Display| Failure::Broken(error.to_string());
    let founded = found(&plan, &mut entropy).map_err(|error| broken(&error))?;
    let sealer = Sealer::new(phrase, Cost::default(), &mut entropy);
    let sealer = sealer.map_err(|error| broken(&error))?;
    write(&command.dir, &founded, &sealer, &mut entropy)?;
    tell(command, &founded, seed.is_some(), printer)
}

fn plan(command: &ChainInit, seed: Option<u64>) -> Result<Plan, Failure> {
    let vpp = command.vpp.as_deref().map(read_genesis).transpose()?;
    let mut rules = match &vpp {
        Some(vpp) => Rules::as_on(vpp),
        None => Rules::of(currency(&command.rules)?),
    };
    let given = &command.rules;
    rules.request_fee = given.request_fee.unwrap_or(rules.request_fee);
    rules.exposure_cap = given.exposure_cap.unwrap_or(rules.exposure_cap);
    rules.stake = given.stake.unwrap_or(rules.stake);
    rules.epoch_blocks = given.epoch_blocks.unwrap_or(rules.epoch_blocks);
    let time = match (command.time, seed) {
        (Some(time), _) => time,
        (None, Some(_)) => SEEDED_TIME,
        (None, None) => now()?,
    };
    Ok(Plan {
        chain: command.chain.clone(),
        validators: usize::from(command.validators),
        vpp,
        operator: command.operator.clone(),
        members: command.members.clone(),
        listen_base: command.listen_base,
        time,
        rules,
    })
}

fn currency(given: &RuleArgs) -> Result<Currency, Failure> {
    let default = || Currency::parse("EUR");
    let currency = given.currency.map_or_else(default, Ok);
    currency.map_err(|error| Failure::Broken(error.to_string()))
}

/// Whole seconds: the text of the genesis is shorter.
fn now() -> Result<Time, Failure> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let since = since.map_err(|_| Failure::Broken("the clock is before 1970".to_owned()))?;
    Ok(Time::from_millis(since.as_secs() * 1000))
}

pub(super) fn warn_of_seed(seed: Option<u64>, printer: Printer) {
    if seed.is_some() {
        let warning = "warning: --seed makes keys that everybody can make: for tests alone, worth nothing in the field";
        printer.warn(&warning);
    }
}

/// Where keys come from.
pub(super) fn entropy(seed: Option<u64>) -> Entropy {
    seed.map_or_else(system_entropy, seeded)
}

/// The same bytes for the same seed.
fn seeded(seed: u64) -> Entropy {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    Box::new(move |bytes| {
        rng.fill_bytes(bytes);
        Ok(())
    })
}

fn tell(
    command: &ChainInit,
    founded: &Founded,
    keys_from_seed: bool,
    printer: Printer,
) -> Result<(), Failure> {
    let genesis = &founded.genesis;
    let document = genesis.document();
    let set = genesis.validators();
    let dir = command.dir.display();
    let mut text = format!(
        "chain       {}{}\ngenesis     {}\nvalidators  {}, of which {} may fail or lie\n",
        document.chain,
        if document.vpp == document.chain {
            ", the VPP's own ledger"
        } else {
            ""
        },
        genesis.hash(),
        set.size(),
        set.faults(),
    );
    for (index, node) in founded.nodes.iter().enumerate() {
        text.push_str(&format!(
            "{dir}/{:<8}  {} of {}, listens on {}, API on {}\n",
            node_name(index),
            &hex(&node.identity)[..8],
            node.owner,
            node.listen,
            node.api
        ));
    }
    for (id, _) in &founded.members {
        text.push_str(&format!("{dir}/{MEMBERS}/{id}.{SEALED}\n"));
    }
    printer.text(&text)?;
    let node = |(index, node): (usize, &NewNode)| Node {
        folder: node_name(index),
        identity: hex(&node.identity),
        owner: node.owner.to_string(),
        listen: node.listen.to_string(),
        api: node.api.to_string(),
    };
    let members = founded.members.iter().map(|(id, _)| Member {
        id: id.to_string(),
        keys: format!("{MEMBERS}/{id}.{SEALED}"),
    });
    printer.document(&Document {
        schema: "tieline.chain-init/1",
        folder: &command.dir,
        chain: document.chain.to_string(),
        genesis: genesis.hash().to_string(),
        vpp: document.vpp.to_string(),
        operator: document.operator.to_string(),
        validators: set.size(),
        faults: set.faults(),
        keys_from_seed,
        nodes: founded.nodes.iter().enumerate().map(node).collect(),
        members: members.collect(),
    })?;
    printer.note(&format!(
        "hint: tieline chain show {dir} says what {GENESIS_FILE} means; whoever runs a node gets its folder and that file"
    ));
    Ok(())
}
