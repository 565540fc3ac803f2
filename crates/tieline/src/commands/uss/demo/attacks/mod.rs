//! One module per attack: what the attacker does, what came of it, and whether that is what the documentation says.

mod forge;
mod non_transfer;
mod paper_repudiate;
mod probe;
mod replay;
mod repudiate;
mod silence;
mod tamper;
mod withhold;

use clap::ValueEnum as _;

use super::facts::{AttackFacts, Scene};
use super::setting::Setting;
use crate::cli::Attack;

/// What one attack found.
struct Found {
    aim: String,
    scenes: Vec<Scene>,
    documented: String,
    as_documented: bool,
}

/// M, signatures of the epoch that the attack needs.
pub(super) fn messages(attack: Attack, omega: u8) -> u32 {
    match attack {
        Attack::Replay => 2,
        Attack::Probe => probe::messages(omega),
        Attack::PaperRepudiate
        | Attack::Repudiate
        | Attack::Forge
        | Attack::NonTransfer
        | Attack::Withhold
        | Attack::Silence
        | Attack::Tamper => 1,
    }
}

/// Runs an attack.
pub(super) fn show(attack: Attack, setting: &Setting) -> anyhow::Result<AttackFacts> {
    let found = match attack {
        Attack::PaperRepudiate => paper_repudiate::show(setting)?,
        Attack::Repudiate => repudiate::show(setting)?,
        Attack::Forge => forge::show(setting)?,
        Attack::NonTransfer => non_transfer::show(setting)?,
        Attack::Replay => replay::show(setting)?,
        Attack::Probe => probe::show(setting)?,
        Attack::Withhold => withhold::show(setting)?,
        Attack::Silence => silence::show(setting)?,
        Attack::Tamper => tamper::show(setting)?,
    };
    let name = attack.to_possible_value();
    Ok(AttackFacts {
        name: name.map_or_else(String::new, |name| name.get_name().to_owned()),
        aim: found.aim,
        scenes: found.scenes,
        documented: found.documented,
        as_documented: found.as_documented,
    })
}
