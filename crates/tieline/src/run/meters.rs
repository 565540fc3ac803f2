//! Virtual meters: what they report of what flowed (decision 8 of the architecture).
//!
//! A reading follows from the scenario's seed, the microgrid and the interval alone, whatever was asked before.

use tieline_contract::settlement::ENERGY_MAX;
use tieline_units::{Encoder, Energy, MicrogridId, Time};

use crate::config::{Config, Lie, Troubles};

const MILLION: i128 = 1_000_000;

/// The meters of a run.
#[derive(Clone, Debug)]
pub struct Meters {
    seed: u64,
    noise_ppm: u32,
    missing_ppm: u32,
    delay_ms: u64,
    lies: Vec<Lie>,
    troubles: Troubles,
}

/// What a meter reports of an interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Net flow, export positive.
    pub net: Energy,
    /// When it is there, after the end of the interval.
    pub delay_ms: u64,
}

impl Meters {
    /// As the settings have them.
    pub fn new(config: &Config) -> Meters {
        Meters {
            seed: config.seed,
            noise_ppm: config.meters.noise_ppm,
            missing_ppm: config.meters.missing_ppm,
            delay_ms: config.meters.delay_ms,
            lies: config.meters.lies.clone(),
            troubles: config.trouble.clone(),
        }
    }

    /// What is reported of `net` in the interval that starts then; `None` where no reading comes.
    ///
    /// `meter`: which of the microgrid's, for what is random.
    pub fn reading(
        &self,
        (who, meter): (&MicrogridId, &str),
        start: Time,
        net: Energy,
    ) -> Option<Reading> {
        let lost = self.dice("lost", (who, meter), start) % 1_000_000 < u64::from(self.missing_ppm);
        if lost || self.troubles.no_readings(who, start) {
            return None;
        }
        let lies = self.lies.iter().filter(|lie| lie.is_told(who, start));
        let told = lies.fold(i128::from(net.as_millijoules()), |net, lie| {
            net * i128::from(lie.factor_ppm) / MILLION
        });
        let most = i128::from(ENERGY_MAX.as_millijoules());
        let reported = (told + self.noise(told, (who, meter), start)).clamp(-most, most);
        Some(Reading {
            net: Energy::from_millijoules(i64::try_from(reported).expect("clamped")),
            delay_ms: self.delay_ms,
        })
    }

    /// Evenly from -noise to +noise of the flow.
    fn noise(&self, net: i128, of: (&MicrogridId, &str), start: Time) -> i128 {
        let noise = u64::from(self.noise_ppm);
        if noise == 0 {
            return 0;
        }
        let drawn = self.dice("noise", of, start) % (2 * noise + 1);
        net * (i128::from(drawn) - i128::from(noise)) / MILLION
    }

    fn dice(&self, what: &str, (who, meter): (&MicrogridId, &str), start: Time) -> u64 {
        let mut encoder = Encoder::new("tieline.meter-dice/1");
        encoder.u64(self.seed);
        encoder.text(what);
        encoder.text(who.as_str());
        encoder.text(meter);
        encoder.u64(start.as_millis());
        let digest = encoder.digest();
        let (first, _) = digest.as_bytes().split_at(8);
        u64::from_be_bytes(first.try_into().expect("eight bytes"))
    }
}
