//! Who takes part: members, their keys and meters.

use tieline_units::canonical::Canonical;
use tieline_units::{
    ChainId, Energy, IntervalLength, MicrogridId, Power, Time, canonical, canonical_enum,
};

use crate::bounds::NAMEPLATE_MAX;
use crate::bounds::{LEGAL_NAME_BYTES_MAX, METERS_MAX};
use crate::terms::OrderId;
use tieline_seal::hybrid::{PublicKey, Signature};

/// What a member may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Buys and sells.
    Microgrid,
    /// Matches, and is paid the difference of the two prices.
    Aggregator,
    /// The grid around the microgrids.
    Grid,
    /// Reads.
    Auditor,
    /// Runs the VPP: approves members, certifies deposits and rounds.
    Operator,
}

canonical_enum!(Role { 1 => Microgrid, 2 => Aggregator, 3 => Grid, 4 => Auditor, 5 => Operator });

/// A registered organisation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Member {
    /// Its short name.
    pub id: MicrogridId,
    /// Its name in law.
    pub legal_name: String,
    /// What it may do.
    pub role: Role,
    /// The chain its accounts are on.
    pub home: ChainId,
    /// Its gateway's key.
    pub key: PublicKey,
    /// Keys of its meters.
    pub meters: Vec<PublicKey>,
    /// The most it can deliver.
    pub nameplate: Power,
    /// Settles what is open, starts nothing new.
    pub revoked: bool,
}

canonical!(Member {
    id,
    legal_name[LEGAL_NAME_BYTES_MAX],
    role,
    home,
    key,
    meters[METERS_MAX],
    nameplate,
    revoked
});

impl Member {
    /// The nameplate, within what a ledger can compute with.
    pub(crate) fn plausible(&self) -> Power {
        self.nameplate
            .clamp(Power::from_milliwatts(0), NAMEPLATE_MAX)
    }

    /// What a gateway and the operator sign of an application.
    pub fn message(&self) -> Vec<u8> {
        self.digest("tieline.member/1").as_bytes().to_vec()
    }
}

/// Registers of a meter at the two ends of an interval, mJ since it was installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Register {
    /// At t0.
    pub before: Energy,
    /// At t1.
    pub after: Energy,
}

canonical!(Register { before, after });

/// One meter's batch for one interval.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MeterBatch {
    /// Whose tie line, or whose end of a line of the pair's own.
    pub member: MicrogridId,
    /// Which of the member's meters.
    pub meter: u8,
    /// The order, where the meter sits on a line of the pair's own; else the tie line.
    pub line: Option<OrderId>,
    /// First instant.
    pub start: Time,
    /// How long.
    pub length: IntervalLength,
    /// From the member to the outside.
    pub exported: Register,
    /// From the outside to the member.
    pub imported: Register,
    /// The meter's.
    pub signature: Signature,
}

canonical!(MeterBatch {
    member,
    meter,
    line,
    start,
    length,
    exported,
    imported,
    signature
});

impl MeterBatch {
    /// What the meter signs: the batch without the signature.
    pub fn message(&self) -> Vec<u8> {
        let mut encoder = tieline_units::Encoder::new("tieline.meter-batch/1");
        self.member.encode(&mut encoder);
        self.meter.encode(&mut encoder);
        self.line.encode(&mut encoder);
        self.start.encode(&mut encoder);
        self.length.encode(&mut encoder);
        self.exported.encode(&mut encoder);
        self.imported.encode(&mut encoder);
        encoder.into_bytes()
    }

    /// t1.
    pub fn end(&self) -> Time {
        self.start.plus_millis(self.length.millis())
    }

    /// Net flow over the interval, export positive.
    pub fn net(&self) -> Energy {
        (self.exported.after - self.exported.before) - (self.imported.after - self.imported.before)
    }
}
