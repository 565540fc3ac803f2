//! `tieline uss demo`: one signature narrated, or an attack on it, with simulated keys.
//!
//! [`setting`] chooses committee and sizes, [`stage`] runs the protocol through its public rounds, with dishonest receivers
//! where an attack has them, and [`signature`] and [`attacks`] collect what happened in [`facts`]. Text and JSON are made
//! from the facts alone.

mod actions;
mod attacks;
mod edit;
mod facts;
mod scenes;
mod setting;
mod signature;
mod stage;
mod table;
mod text;

use crate::cli::{DemoArgs, HashFamily};
use crate::commands::Failure;
use crate::printer::Printer;
use facts::{Document, Told};
use setting::Setting;

/// Seed of the simulated keys where none is given: two runs print the same.
const SEED: u64 = 1;
/// Up to so many functions a demonstration takes about a second.
const TAGS_QUICK: usize = 100_000;
/// Below so many bits an attack may succeed now and then.
const CHANCE_BELOW: u16 = 32;

pub(super) fn demo(args: &DemoArgs, seed: Option<u64>, printer: Printer) -> Result<(), Failure> {
    let messages = args
        .attack
        .map_or(1, |attack| attacks::messages(attack, args.omega));
    let setting = Setting::new(args, seed.unwrap_or(SEED), messages)?;
    if args.family == HashFamily::Lfsr128 {
        printer.note("drawing irreducible polynomials for lfsr128: this takes a while");
    } else if setting.parameters.tags() > TAGS_QUICK {
        let tags = setting.parameters.tags();
        printer.note(&format!(
            "{tags} functions are drawn and split, again for every trial: this takes a while"
        ));
    }
    let told = match args.attack {
        None => Told::Signature(Box::new(signature::demonstrate(&setting)?)),
        Some(attack) => Told::Attack(attacks::show(attack, &setting)?),
    };
    let as_documented = match &told {
        Told::Signature(facts) => facts.as_documented,
        Told::Attack(facts) => facts.as_documented,
    };
    let document = Document {
        schema: "tieline.uss-demo/1",
        seed: setting.seed,
        keys: "simulated keys",
        setting: setting.facts(),
        told,
    };
    printer.text(&text::text(&document))?;
    printer.document(&document)?;
    match as_documented {
        true => Ok(()),
        false => Err(Failure::No(format!(
            "the demonstration did not end as documented\n\nhint: {}",
            match setting.lambda < CHANCE_BELOW {
                true => "at so small a --lambda chance has its say; the default is 64",
                false => "this is a bug: report the command line and the seed",
            }
        ))),
    }
}
