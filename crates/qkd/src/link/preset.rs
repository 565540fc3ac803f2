//! Links to start from. All are simulated; what no source confirms says so.

use serde::{Deserialize, Serialize};

use super::channel::Device;
use super::rate::Security;

/// A class of devices. In settings by the name of its preset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeviceClass {
    /// The set-up of Lim et al. 2014, one million pulses per second for easy numbers.
    Lim2014,
    /// 1 to 100 kb/s. Unverified preset.
    Entry,
    /// 300 kb/s at 10 dB. Unverified preset.
    HighEnd,
}

/// Device, pulse rate and block of a class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Preset {
    /// Short name.
    pub name: &'static str,
    /// What it stands for and how far it can be trusted.
    pub note: &'static str,
    /// Receiver and fibre.
    pub device: Device,
    /// Pulses per second that can carry key, calibration and dead time taken off.
    pub pulse_rate_hz: u64,
    /// Sifted bits of a block.
    pub block_bits: f64,
    /// Demand.
    pub security: Security,
}

impl DeviceClass {
    /// All classes.
    pub const ALL: [DeviceClass; 3] = [
        DeviceClass::Lim2014,
        DeviceClass::Entry,
        DeviceClass::HighEnd,
    ];

    /// The preset of this class.
    pub fn preset(self) -> Preset {
        let lim = Preset {
            name: "lim2014",
            note: "simulated; detectors of Lim et al. 2014 at 1 MHz",
            device: Device::LIM_2014,
            pulse_rate_hz: 1_000_000,
            block_bits: 1e6,
            security: Security::LIM_2014,
        };
        match self {
            DeviceClass::Lim2014 => lim,
            DeviceClass::Entry => Preset {
                name: "entry",
                note: "simulated, unverified preset; 1 to 100 kb/s as entry-level devices are sold",
                pulse_rate_hz: 20_000_000,
                ..lim
            },
            DeviceClass::HighEnd => Preset {
                name: "high-end",
                note: "simulated, unverified preset; 300 kb/s at 10 dB as high-end devices are sold",
                pulse_rate_hz: 600_000_000,
                block_bits: 1e7,
                ..lim
            },
        }
    }
}
