//! `tieline chain join`

use serde::Serialize;
use tieline_qkd::store::{Cost, Sealer};

use super::init::{entropy, warn_of_seed};
use crate::cli::ChainJoin;
use crate::commands::Failure;
use crate::found::join::{Joiner, join as make};
use crate::node::NodeSettings;
use crate::node::hex::hex;
use crate::node::offer;
use crate::node::passphrase::passphrase;
use crate::printer::Printer;

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    folder: &'a std::path::Path,
    chain: String,
    identity: String,
    /// Of identity, key and owner.
    fingerprint: String,
    owner: String,
    listen: String,
    api: String,
    keys_from_seed: bool,
}

pub(super) fn join(
    command: &ChainJoin,
    seed: Option<u64>,
    printer: Printer,
) -> Result<(), Failure> {
    let like = NodeSettings::read(&command.like)?;
    let phrase = passphrase(command.passphrase_file.as_deref());
    let phrase = phrase.map_err(|error| Failure::Broken(error.to_string()))?;
    warn_of_seed(seed, printer);
    let mut entropy = entropy(seed);
    let sealer = Sealer::new(phrase, Cost::default(), &mut entropy);
    let sealer = sealer.map_err(|error| Failure::Broken(error.to_string()))?;
    let joiner = Joiner {
        owner: command.owner.clone(),
        listen: command.listen,
        api: command.api,
    };
    let made = make(&command.dir, (&joiner, &like), &sealer, &mut entropy)?;
    let dir = command.dir.display();
    let identity = hex(&made.identity);
    printer.text(&format!(
        "{dir}  {} of {}, listens on {}, API on {}\n{}\n",
        &identity[..8],
        made.owner,
        command.listen,
        command.api,
        made.fingerprint()
    ))?;
    printer.document(&Document {
        schema: "tieline.chain-join/1",
        folder: &command.dir,
        chain: like.chain.to_string(),
        identity,
        fingerprint: made.fingerprint().to_string(),
        owner: made.owner.to_string(),
        listen: command.listen.to_string(),
        api: command.api.to_string(),
        keys_from_seed: seed.is_some(),
    })?;
    printer.note(&format!(
        "hint: every other node appends {dir}/{} to its node.toml and starts again; then start this one",
        offer::FILE
    ));
    Ok(())
}
