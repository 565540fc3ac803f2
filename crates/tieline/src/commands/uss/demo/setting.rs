//! Committee, sizes and seeds of one demonstration.

use anyhow::Context as _;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use tieline_uss::bounds::{self, Choice, Load, Request};
use tieline_uss::committee::{Committee, Level};
use tieline_uss::parameters::{Epoch, ParameterError, Parameters};
use tieline_uss::party::{EpochId, Receiver};

use super::facts::{LevelFacts, SettingFacts, exponent};
use crate::cli::DemoArgs;
use crate::commands::Failure;
use crate::commands::uss::bounds::family as family_name;

/// Longest message with its header, bytes: the length that the shipped parameters are for.
const MESSAGE_BYTES: usize = 1024;
/// The signer's name.
pub(super) const SIGNER: &str = "gateway-1";
/// The ledgers whose verification nodes are the receivers.
pub(super) const CHAINS: [&str; 2] = ["chain-x", "chain-y"];

/// Who draws: nobody sees the numbers of another.
#[derive(Clone, Copy)]
pub(super) enum Stream {
    /// Key on the links.
    Links,
    /// The signer's own draws.
    Signer,
    /// The receivers' splits.
    Receivers,
    /// The attacker's.
    Attacker,
}

/// What every step of a demonstration needs.
pub(super) struct Setting {
    pub(super) seed: u64,
    pub(super) lambda: u16,
    pub(super) choice: Choice,
    pub(super) parameters: Parameters,
    pub(super) message: String,
}

impl Setting {
    /// The cheapest parameters of an epoch of `messages` signatures.
    pub(super) fn new(args: &DemoArgs, seed: u64, messages: u32) -> Result<Setting, Failure> {
        let committee = Committee::new(args.receivers, args.omega, args.lmax)
            .map_err(|error| usage(&error, "--receivers 8 --omega 2 --lmax 1 go together"))?;
        let load = Load {
            messages,
            ..Load::ONE_SHOT
        };
        let request = Request {
            committee,
            security_bits: args.lambda,
            family: family_name(args.family),
            message_bytes: MESSAGE_BYTES as u64,
            load,
        };
        let choice = bounds::search(&request)
            .map_err(|error| usage(&error, "--lambda 64 with --family small is the default"))?;
        let parameters = Parameters::found(&choice).map_err(|error| {
            let hint = match error {
                ParameterError::Tags { .. } => "fewer --receivers, or a smaller --lambda or --lmax",
                _ => "more --receivers, or a smaller --omega or --lmax",
            };
            usage(&error, hint)
        })?;
        let setting = Setting {
            seed,
            lambda: args.lambda,
            choice,
            parameters,
            message: args.message.clone(),
        };
        let (bytes, most) = (args.message.len(), setting.epoch(1)?.body_bytes_max());
        if bytes > most {
            let error = format!("a message of {bytes} bytes: the demonstration signs up to {most}");
            return Err(usage(&error, "shorten --message"));
        }
        Ok(setting)
    }

    /// The epoch of that number.
    pub(super) fn epoch(&self, id: u64) -> anyhow::Result<Epoch> {
        Epoch::new(EpochId(id), SIGNER, &CHAINS, self.parameters.clone()).context("the epoch")
    }

    /// Numbers for one purpose in one trial; the same each time they are asked for.
    pub(super) fn random(&self, trial: u64, stream: Stream) -> ChaCha20Rng {
        let mut random = ChaCha20Rng::seed_from_u64(self.seed);
        random.set_stream(trial * 4 + stream as u64);
        random
    }

    pub(super) fn committee(&self) -> Committee {
        self.parameters.committee()
    }

    /// P1..Pn.
    pub(super) fn receivers(&self) -> impl Iterator<Item = Receiver> + Clone + use<> {
        Receiver::first(self.committee().receivers())
    }

    /// Tests that accept at a level while nobody is out.
    pub(super) fn needed(&self, level: Level) -> u32 {
        self.committee().tests_needed(level, 0)
    }

    pub(super) fn facts(&self) -> SettingFacts {
        let committee = self.committee();
        let levels = committee.levels().map(|level| LevelFacts {
            level: level.number(),
            forgiven: self.parameters.budget(level),
            tests_needed: self.needed(level),
        });
        SettingFacts {
            receivers: committee.receivers(),
            omega: committee.dishonest(),
            lmax: committee.transfers(),
            lambda: self.lambda,
            family: self.parameters.family().to_string(),
            tag_bits: self.parameters.family().tag_bits(),
            guess_log2: exponent(self.choice.parameters.family().guess),
            functions: self.parameters.functions(),
            levels: levels.collect(),
            messages: self.parameters.limits().messages,
        }
    }
}

fn usage(error: &impl ToString, hint: &str) -> Failure {
    Failure::Broken(format!("{}\n\nhint: {hint}", error.to_string()))
}
