//! What a demonstration found: numbers, names and outcomes. Text and JSON are both made from these.

use serde::Serialize;
use tieline_uss::bounds::Log2;

/// The whole of one demonstration.
#[derive(Debug, Serialize)]
pub(super) struct Document {
    pub(super) schema: &'static str,
    pub(super) seed: u64,
    /// Where the keys come from.
    pub(super) keys: &'static str,
    pub(super) setting: SettingFacts,
    #[serde(flatten)]
    pub(super) told: Told,
}

/// What sums of logarithms may be off by, in hundredths.
const ROUNDING: f64 = 1e-6;

/// The exponent of a bound, rounded up to hundredths: still a bound, and the same on every machine.
pub(super) fn exponent(bound: Log2) -> f64 {
    (bound.exponent() * 100.0 - ROUNDING).ceil() / 100.0
}

/// A probability to six decimals.
pub(super) fn probability(number: f64) -> f64 {
    (number * 1e6).round() / 1e6
}

/// What was demonstrated.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Told {
    /// One signature from keys to dispute.
    Signature(Box<SignatureFacts>),
    /// One attack.
    Attack(AttackFacts),
}

/// Committee and sizes.
#[derive(Clone, Debug, Serialize)]
pub(super) struct SettingFacts {
    /// n.
    pub(super) receivers: u8,
    /// ω, a dishonest signer included.
    pub(super) omega: u8,
    /// l_max.
    pub(super) lmax: u8,
    pub(super) lambda: u16,
    pub(super) family: String,
    pub(super) tag_bits: u32,
    /// log2 of the chance to guess a tag after one valid pair.
    pub(super) guess_log2: f64,
    /// k, per ordered pair of receivers.
    pub(super) functions: usize,
    /// From l_max down to -1.
    pub(super) levels: Vec<LevelFacts>,
    /// M, signatures of the epoch.
    pub(super) messages: u32,
}

/// One level.
#[derive(Clone, Debug, Serialize)]
pub(super) struct LevelFacts {
    pub(super) level: i8,
    /// u_l, wrong tags that a test forgives.
    pub(super) forgiven: u16,
    /// Of n tests.
    pub(super) tests_needed: u32,
}

/// One signature, step by step.
#[derive(Debug, Serialize)]
pub(super) struct SignatureFacts {
    pub(super) parties: Parties,
    pub(super) keys_spent: KeysSpent,
    pub(super) distribution: DistributionFacts,
    pub(super) signing: Signing,
    pub(super) results: Results,
    pub(super) transfers: Vec<TransferFacts>,
    /// Why there is no transfer after these.
    pub(super) no_further_transfer: String,
    pub(super) dispute: DisputeFacts,
    pub(super) bounds: BoundsFacts,
    pub(super) protects: Vec<String>,
    pub(super) does_not_protect: Vec<String>,
    /// Everybody accepted, every transfer worked, the dispute confirmed the signature.
    pub(super) as_documented: bool,
}

/// Who takes part.
#[derive(Debug, Serialize)]
pub(super) struct Parties {
    pub(super) signer: &'static str,
    pub(super) chains: Vec<ChainFacts>,
}

/// The receivers of one chain.
#[derive(Debug, Serialize)]
pub(super) struct ChainFacts {
    pub(super) name: &'static str,
    pub(super) receivers: Vec<String>,
}

/// Bits drawn from the key stores.
#[derive(Debug, Serialize)]
pub(super) struct KeysSpent {
    pub(super) signer_to_receiver: LinkFacts,
    pub(super) receiver_to_receiver: LinkFacts,
    pub(super) total_bits: usize,
    /// Key rate for the next number: a modest link.
    pub(super) link_bits_per_second: u32,
    /// Until every link has the bits of another epoch.
    pub(super) refill_seconds: f64,
}

/// Links of one kind.
#[derive(Debug, Serialize)]
pub(super) struct LinkFacts {
    pub(super) links: usize,
    pub(super) bits_each: usize,
    /// Authentication keys among them.
    pub(super) authentication_bits_each: usize,
    /// In batch mode.
    pub(super) further_bits_each: usize,
    pub(super) bits: usize,
}

/// What the distribution did.
#[derive(Debug, Serialize)]
pub(super) struct DistributionFacts {
    /// nk.
    pub(super) functions_per_receiver: usize,
    /// k.
    pub(super) functions_per_part: usize,
    pub(super) parts_sent: usize,
    pub(super) part_bits: usize,
    /// The epoch takes messages.
    pub(super) open: bool,
}

/// What the signer did.
#[derive(Debug, Serialize)]
pub(super) struct Signing {
    pub(super) message: String,
    /// With chains, epoch, counter and signer.
    pub(super) canonical_bytes: usize,
    pub(super) tags: usize,
    pub(super) signature_bits: usize,
    /// With its header.
    pub(super) signature_bytes: usize,
    pub(super) same_counter_again: String,
}

/// What receivers found, each by its own tests.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Results {
    /// Who counts: n, less those who are out by complaint.
    pub(super) present: usize,
    /// From l_max down to -1.
    pub(super) needed: Vec<Needed>,
    pub(super) receivers: Vec<ReceiverResult>,
}

/// Tests that accept at a level.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Needed {
    pub(super) level: i8,
    pub(super) tests: u32,
}

/// What one receiver found.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ReceiverResult {
    pub(super) receiver: String,
    /// The highest level that accepts, if any; lower ones accept too.
    pub(super) accepts_at: Option<i8>,
    /// It says nothing: the message overtook its complaint.
    pub(super) withheld: bool,
}

/// One receiver passed the signature on.
#[derive(Debug, Serialize)]
pub(super) struct TransferFacts {
    pub(super) from: String,
    pub(super) to: String,
    /// Enough after so many transfers.
    pub(super) level: i8,
    pub(super) accepted: bool,
}

/// A vote of the receivers.
#[derive(Clone, Debug, Serialize)]
pub(super) struct DisputeFacts {
    pub(super) caller: String,
    /// What the caller says of the message: signed, or not.
    pub(super) claims_signed: bool,
    pub(super) voters: usize,
    /// Counted until the outcome was clear.
    pub(super) accepts: usize,
    pub(super) rejects: usize,
    pub(super) silent: Vec<String>,
    pub(super) outcome: DisputeOutcome,
    /// The caller, when the outcome contradicts its claim.
    pub(super) frivolous: Option<String>,
}

/// How a dispute ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum DisputeOutcome {
    /// More than half accept.
    Valid,
    /// At least half reject.
    Invalid,
    /// Neither yet.
    Open,
}

/// Probabilities as logarithms to base 2.
#[derive(Debug, Serialize)]
pub(super) struct BoundsFacts {
    pub(super) forging: Vec<ForgingFacts>,
    pub(super) transfers: Vec<TransferBound>,
    pub(super) scheme_log2: f64,
    /// κ.
    pub(super) key_failure_per_bit: f64,
    pub(super) keys_log2: f64,
    pub(super) authentication_log2: f64,
    pub(super) end_to_end_log2: f64,
}

/// Forging at a level.
#[derive(Debug, Serialize)]
pub(super) struct ForgingFacts {
    pub(super) level: i8,
    pub(super) log2: f64,
    /// So many dishonest receivers need forge nothing.
    pub(super) colluders_needed: u32,
}

/// A step from a level to the next.
#[derive(Debug, Serialize)]
pub(super) struct TransferBound {
    pub(super) from: i8,
    pub(super) to: i8,
    pub(super) log2: f64,
    /// So many dishonest receivers beside the signer split the honest ones, where two are left.
    pub(super) colluders_needed: Option<u32>,
}

/// One attack.
#[derive(Debug, Serialize)]
pub(super) struct AttackFacts {
    pub(super) name: String,
    /// What the attacker wants.
    pub(super) aim: String,
    pub(super) scenes: Vec<Scene>,
    /// What the documentation says of it.
    pub(super) documented: String,
    /// It came so.
    pub(super) as_documented: bool,
}

/// One step of an attack.
#[derive(Debug, Serialize)]
pub(super) struct Scene {
    pub(super) title: String,
    pub(super) facts: Vec<Fact>,
}

impl Scene {
    pub(super) fn new(title: impl Into<String>, facts: Vec<Fact>) -> Scene {
        Scene {
            title: title.into(),
            facts,
        }
    }
}

/// One thing that was said or found.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Fact {
    /// An explanation.
    Note { text: String },
    /// Tests of all receivers.
    Results(Results),
    /// Something was refused.
    Refused { what: String, reason: String },
    /// What the ledger did about complaints.
    Complaints {
        complaints: Vec<ComplaintFacts>,
        frozen: Option<String>,
    },
    /// A vote.
    Dispute(DisputeFacts),
    /// Tests of the paper's scheme.
    PaperTests {
        needed: u32,
        of: usize,
        receivers: Vec<PaperResult>,
    },
    /// The same signature with more and more wrong tags.
    Sweep {
        tags_per_row: usize,
        rows: Vec<SweepRow>,
    },
    /// Many trials beside what theory says.
    Rates { rows: Vec<RateRow> },
    /// Coalitions of growing size.
    Forgeries { rows: Vec<ForgeryRow> },
    /// One probe per message.
    Probes { rows: Vec<ProbeRow> },
}

impl Fact {
    pub(super) fn note(text: impl Into<String>) -> Fact {
        Fact::Note { text: text.into() }
    }

    pub(super) fn refused(what: impl Into<String>, reason: impl ToString) -> Fact {
        Fact::Refused {
            what: what.into(),
            reason: reason.to_string(),
        }
    }
}

/// One complaint.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ComplaintFacts {
    pub(super) by: String,
    pub(super) about: String,
    /// The epoch froze with it.
    pub(super) freezes: bool,
}

/// What one receiver of the paper's scheme found.
#[derive(Debug, Serialize)]
pub(super) struct PaperResult {
    pub(super) receiver: String,
    pub(super) passed: u32,
    pub(super) accepted: bool,
}

/// A signature with so many wrong tags.
#[derive(Debug, Serialize)]
pub(super) struct SweepRow {
    pub(super) wrong_per_row: usize,
    /// How many receivers accept at each level as their highest, from l_max down to -1.
    pub(super) accept_at: Vec<usize>,
    /// How many accept at none.
    pub(super) reject: usize,
    pub(super) outcome: DisputeOutcome,
    /// Somebody accepted at a level and somebody rejected one below it.
    pub(super) succeeded: bool,
}

/// Many trials of one kind.
#[derive(Debug, Serialize)]
pub(super) struct RateRow {
    /// k; `None` where the scheme has none.
    pub(super) functions: Option<u16>,
    pub(super) trials: u32,
    pub(super) successes: u32,
    pub(super) expected: f64,
    pub(super) bound: f64,
}

/// What a coalition reaches.
#[derive(Debug, Serialize)]
pub(super) struct ForgeryRow {
    pub(super) colluders: u32,
    /// The highest level at which every honest receiver accepts.
    pub(super) honest_accept_at: Option<i8>,
    pub(super) outcome: DisputeOutcome,
}

/// One probe.
#[derive(Debug, Serialize)]
pub(super) struct ProbeRow {
    pub(super) message: u32,
    /// Whose row has the wrong tag.
    pub(super) row_of: String,
    pub(super) present: usize,
    pub(super) accepted_by: usize,
    pub(super) complaint: Option<ComplaintFacts>,
}
