//! What goes wrong in a run, because the scenario says so: `[[trouble]]`, `[[meters.lie]]`, `[[contract.line]]`.
//!
//! Every outcome of a trade can be provoked by a setting (docs/outcomes.md). Nothing here is random.

use std::collections::BTreeMap;

use tieline_contract::payload::Kind as Certificate;
use tieline_units::{ChainId, MicrogridId, Time};

use super::build::{Reader, WHOLE};
use super::lists::{only, scalar, tables};
use super::source::{Lined, Node};
use super::value;

const HINT: &str = "write [[trouble]] with kind = \"declines\", \"silent\", \"cheating-signer\" or \"no-readings\" and microgrid; \"held\" with chain, certificate and by; \"silent-node\" or \"garbled-keys\" with chain and node";

const LIE_HINT: &str = "write [[meters.lie]] with microgrid = \"mg-1\" and factor = \"1.2\"";

const LINE_HINT: &str = "write [[contract.line]] with microgrids = [\"mg-1\", \"mg-2\"]";

/// Largest factor by which a meter lies.
const FACTOR_MAX: i64 = 10 * WHOLE;

/// Most verification nodes of a chain.
const NODES_MAX: u64 = 64;

/// A part of a run's time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct During {
    /// First instant, from the beginning where nothing is said.
    pub from: Option<Time>,
    /// First instant that is not in it any more.
    pub to: Option<Time>,
}

impl During {
    fn contains(&self, time: Time) -> bool {
        self.from.is_none_or(|from| time >= from) && self.to.is_none_or(|to| time < to)
    }
}

/// One thing that goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The seller says no to requests for deliveries in this time.
    Declines(MicrogridId, During),
    /// The seller says nothing to them.
    Silent(MicrogridId, During),
    /// No reading of its meters comes for deliveries in this time.
    NoReadings(MicrogridId, During),
    /// Its unconditional signatures pass no test.
    Cheats(MicrogridId),
    /// What a chain says of one kind reaches nobody for so long, milliseconds.
    Held(ChainId, Certificate, u64),
    /// A verification node, by seat, attests nothing.
    SilentNode(ChainId, u8),
    /// A verification node, by seat, has wrong keys: what it tests fails.
    GarbledKeys(ChainId, u8),
}

/// `[[trouble]]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// It.
    pub what: What,
    /// Line of the scenario file.
    pub line: u64,
}

/// All of `[[trouble]]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Troubles {
    /// In the order of the file.
    pub all: Vec<Trouble>,
}

/// `[[meters.lie]]`: a meter that reports so many times what flowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lie {
    /// Whose.
    pub microgrid: MicrogridId,
    /// Parts per million.
    pub factor_ppm: u32,
    /// When.
    pub during: During,
    /// Line of the scenario file.
    pub line: u64,
}

/// `[[contract.line]]`: a pair with a metered line of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnLine {
    /// The two ends.
    pub ends: [MicrogridId; 2],
    /// Line of the scenario file.
    pub line: u64,
}

impl Troubles {
    fn any(&self, is: impl Fn(&What) -> bool) -> bool {
        self.all.iter().any(|trouble| is(&trouble.what))
    }

    /// Whether a seller says no to a request for a delivery that starts then.
    pub fn declines(&self, who: &MicrogridId, start: Time) -> bool {
        self.any(|it| matches!(it, What::Declines(id, when) if id == who && when.contains(start)))
    }

    /// Whether it says nothing.
    pub fn silent(&self, who: &MicrogridId, start: Time) -> bool {
        self.any(|it| matches!(it, What::Silent(id, when) if id == who && when.contains(start)))
    }

    /// Whether no reading of its meters comes for an interval that starts then.
    pub fn no_readings(&self, who: &MicrogridId, start: Time) -> bool {
        self.any(|it| matches!(it, What::NoReadings(id, when) if id == who && when.contains(start)))
    }

    /// Whether its unconditional signatures pass no test.
    pub fn cheats(&self, who: &MicrogridId) -> bool {
        self.any(|it| matches!(it, What::Cheats(id) if id == who))
    }

    /// How long what a chain says of a kind is held back, milliseconds.
    pub fn holds(&self, chain: &ChainId, kind: Certificate) -> Option<u64> {
        let all = self.all.iter();
        let holds = all.filter_map(|trouble| match &trouble.what {
            What::Held(of, what, by) if of == chain && *what == kind => Some(*by),
            _ => None,
        });
        holds.max()
    }

    /// Whether a verification node attests nothing.
    pub fn silent_node(&self, chain: &ChainId, seat: u8) -> bool {
        self.any(|it| matches!(it, What::SilentNode(of, node) if of == chain && *node == seat))
    }

    /// Whether a verification node's keys are wrong.
    pub fn garbled(&self, chain: &ChainId, seat: u8) -> bool {
        self.any(|it| matches!(it, What::GarbledKeys(of, node) if of == chain && *node == seat))
    }
}

/// `[[trouble]]`
pub(super) fn troubles(r: &mut Reader<'_>) -> Troubles {
    let read = tables(r, "trouble", HINT, trouble);
    Troubles {
        all: read.into_iter().flatten().collect(),
    }
}

/// `[[meters.lie]]`
pub(super) fn lies(r: &mut Reader<'_>) -> Vec<Lie> {
    tables(r, "meters.lie", LIE_HINT, lie)
}

/// `[[contract.line]]`
pub(super) fn lines(r: &mut Reader<'_>) -> Vec<OwnLine> {
    tables(r, "contract.line", LINE_HINT, own_line)
}

type Fields = BTreeMap<String, Lined>;

/// A certificate's name stands for one kind, MET for both ends'.
const CERTIFICATES: [(&str, &[Certificate]); 8] = [
    ("REQ", &[Certificate::Request]),
    ("ACC", &[Certificate::Accept]),
    ("REJ", &[Certificate::Reject]),
    ("COM", &[Certificate::Commit]),
    ("REF", &[Certificate::Refund]),
    ("VOID", &[Certificate::Void]),
    ("MET", &[Certificate::Taken, Certificate::Delivered]),
    ("SET", &[Certificate::Settle]),
];

fn trouble(fields: &Fields, line: u64) -> Result<Vec<Trouble>, String> {
    let kind = scalar(fields, "kind").ok_or("'kind' is missing")?;
    let known: &[&str] = match kind {
        "declines" | "silent" | "no-readings" => &["kind", "microgrid", "from", "to"],
        "cheating-signer" => &["kind", "microgrid"],
        "held" => &["kind", "chain", "certificate", "by"],
        "silent-node" | "garbled-keys" => &["kind", "chain", "node"],
        other => return Err(format!("no kind of trouble is called '{other}'")),
    };
    only(fields, known)?;
    let what = match kind {
        "declines" => vec![What::Declines(microgrid(fields)?, during(fields)?)],
        "silent" => vec![What::Silent(microgrid(fields)?, during(fields)?)],
        "no-readings" => vec![What::NoReadings(microgrid(fields)?, during(fields)?)],
        "cheating-signer" => vec![What::Cheats(microgrid(fields)?)],
        "silent-node" => vec![What::SilentNode(chain(fields)?, seat(fields)?)],
        "garbled-keys" => vec![What::GarbledKeys(chain(fields)?, seat(fields)?)],
        _ => held(fields)?,
    };
    let all = what.into_iter().map(|what| Trouble { what, line });
    Ok(all.collect())
}

fn held(fields: &Fields) -> Result<Vec<What>, String> {
    let name = scalar(fields, "certificate").ok_or("'certificate' is missing")?;
    let found = CERTIFICATES.iter().find(|(known, _)| *known == name);
    let (_, kinds) = found.ok_or_else(|| {
        let names: Vec<&str> = CERTIFICATES.iter().map(|(name, _)| *name).collect();
        format!("'certificate' is '{name}', not one of {}", names.join(", "))
    })?;
    let by = scalar(fields, "by").ok_or("'by' is missing")?;
    let by = value::duration_ms(by).map_err(|wanted| format!("'by' is not {wanted}"))?;
    let chain = chain(fields)?;
    let all = kinds
        .iter()
        .map(|kind| What::Held(chain.clone(), *kind, by));
    Ok(all.collect())
}

fn microgrid(fields: &Fields) -> Result<MicrogridId, String> {
    let text = scalar(fields, "microgrid").ok_or("'microgrid' is missing")?;
    MicrogridId::parse(text).map_err(|error| error.to_string())
}

fn chain(fields: &Fields) -> Result<ChainId, String> {
    let text = scalar(fields, "chain").ok_or("'chain' is missing")?;
    ChainId::parse(text).map_err(|error| error.to_string())
}

/// Nodes are counted from 1, seats from 0.
fn seat(fields: &Fields) -> Result<u8, String> {
    let text = scalar(fields, "node").ok_or("'node' is missing")?;
    let node =
        value::integer(text, 1, NODES_MAX).map_err(|wanted| format!("'node' is not {wanted}"))?;
    Ok(u8::try_from(node - 1).expect("at most 64"))
}

fn during(fields: &Fields) -> Result<During, String> {
    let time = |key: &str| {
        let text = scalar(fields, key);
        let time = text.map(Time::parse).transpose();
        time.map_err(|error| format!("'{key}': {error}"))
    };
    let during = During {
        from: time("from")?,
        to: time("to")?,
    };
    match (during.from, during.to) {
        (Some(from), Some(to)) if from >= to => Err(format!("'to' is {to}, not after 'from'")),
        _ => Ok(during),
    }
}

fn lie(fields: &Fields, line: u64) -> Result<Lie, String> {
    only(fields, &["microgrid", "factor", "from", "to"])?;
    let factor = scalar(fields, "factor").ok_or("'factor' is missing")?;
    let factor = value::millionths(factor, 0, FACTOR_MAX);
    let factor = factor.map_err(|wanted| format!("'factor' is not {wanted}"))?;
    Ok(Lie {
        microgrid: microgrid(fields)?,
        factor_ppm: u32::try_from(factor).expect("at most ten"),
        during: during(fields)?,
        line,
    })
}

impl Lie {
    /// Whether it is told of an interval that starts then.
    pub fn is_told(&self, who: &MicrogridId, start: Time) -> bool {
        self.microgrid == *who && self.during.contains(start)
    }
}

fn own_line(fields: &Fields, line: u64) -> Result<OwnLine, String> {
    only(fields, &["microgrids"])?;
    let end = |item: &Lined| match &item.node {
        Node::Scalar(text) => MicrogridId::parse(text).ok(),
        _ => None,
    };
    let ends: Vec<MicrogridId> = match fields.get("microgrids").map(|field| &field.node) {
        Some(Node::List(ends)) => ends.iter().filter_map(end).collect(),
        _ => Vec::new(),
    };
    let ends = <[MicrogridId; 2]>::try_from(ends)
        .map_err(|_| "'microgrids' does not hold two ids".to_owned())?;
    if ends[0] == ends[1] {
        return Err(format!("both ends are {}", ends[0]));
    }
    Ok(OwnLine { ends, line })
}
