//! The document as people write it: TOML or JSON, one structure for both.
//!
//! Keys are `suite:base64`, identities and hashes hexadecimal, amounts decimal text, times ISO-8601 in UTC. Unknown
//! fields are errors.

use base64ct::{Base64, Encoding as _};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tieline_contract::member::{Member, Role};
use tieline_contract::threshold::{Committee, Seat};
use tieline_seal::hybrid::{PublicKey, Suite};
use tieline_units::{ChainId, Currency, Digest, IntervalLength, MicrogridId, Money, Power, Time};

use super::{Document, Genesis, GenesisError, Seats};
use crate::validators::{Validator, ValidatorSet};

/// Why a text is no genesis.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TextError {
    /// Not the structure: with the place.
    #[error("{0}")]
    Syntax(String),
    /// A value that its type refuses.
    #[error("{field}: '{found}' is no {what}")]
    Value {
        /// Of which field.
        field: &'static str,
        /// What it should be.
        what: &'static str,
        /// What was found; the beginning of it.
        found: String,
    },
    /// A document on which nothing can be founded.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct DocumentText {
    version: u8,
    chain: String,
    vpp: String,
    time: String,
    operator: String,
    currency: String,
    interval_minutes: u64,
    request_fee: String,
    exposure_cap: String,
    grace_ms: u64,
    settlement_period_ms: u64,
    epoch_blocks: u64,
    stake: String,
    verifiers: SeatsText,
    members: Vec<MemberText>,
    #[serde(default)]
    committees: Vec<CommitteeText>,
    validators: Vec<ValidatorText>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct MemberText {
    id: String,
    legal_name: String,
    role: RoleText,
    home: String,
    key: String,
    #[serde(default)]
    meters: Vec<String>,
    nameplate_kw: String,
}

#[derive(Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
enum RoleText {
    Microgrid,
    Aggregator,
    Grid,
    Auditor,
    Operator,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct SeatsText {
    suite: String,
    faults: u8,
    threshold: u8,
    seats: Vec<SeatText>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct SeatText {
    key: String,
    owner: String,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct CommitteeText {
    chain: String,
    genesis: String,
    epoch: u64,
    suite: String,
    faults: u8,
    threshold: u8,
    seats: Vec<SeatText>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct ValidatorText {
    identity: String,
    key: String,
    owner: String,
}

impl Genesis {
    /// From TOML.
    ///
    /// # Errors
    /// [`TextError`] with the place or the field.
    pub fn from_toml(text: &str) -> Result<Genesis, TextError> {
        let parsed: DocumentText = toml::from_str(text).map_err(syntax)?;
        Ok(Genesis::new(read_document(&parsed)?)?)
    }

    /// From JSON.
    ///
    /// # Errors
    /// As [`Genesis::from_toml`].
    pub fn from_json(text: &str) -> Result<Genesis, TextError> {
        let parsed: DocumentText = serde_json::from_str(text).map_err(syntax)?;
        Ok(Genesis::new(read_document(&parsed)?)?)
    }

    /// As TOML; reads back to the same genesis.
    ///
    /// # Errors
    /// [`TextError`] where the time is of a year that no text may have.
    pub fn to_toml(&self) -> Result<String, TextError> {
        toml::to_string(&write_document(self.document())?).map_err(syntax)
    }

    /// As JSON, indented; reads back to the same genesis.
    ///
    /// # Errors
    /// [`TextError`] where the time is of a year that no text may have.
    pub fn to_json(&self) -> Result<String, TextError> {
        let document = write_document(self.document())?;
        serde_json::to_string_pretty(&document).map_err(syntax)
    }
}

fn syntax(error: impl std::fmt::Display) -> TextError {
    TextError::Syntax(error.to_string())
}

fn value<T>(
    (field, what): (&'static str, &'static str),
    found: &str,
    read: Option<T>,
) -> Result<T, TextError> {
    let beginning = || found.chars().take(64).flat_map(char::escape_debug);
    read.ok_or_else(|| TextError::Value {
        field,
        what,
        found: beginning().collect(),
    })
}

fn chain(field: &'static str, text: &str) -> Result<ChainId, TextError> {
    value((field, "name of a chain"), text, ChainId::parse(text).ok())
}

fn member_id(field: &'static str, text: &str) -> Result<MicrogridId, TextError> {
    let what = (field, "name of a member");
    value(what, text, MicrogridId::parse(text).ok())
}

fn money(field: &'static str, text: &str) -> Result<Money, TextError> {
    value((field, "amount"), text, Money::parse(text).ok())
}

fn suite(text: &str) -> Result<Suite, TextError> {
    let suites = [Suite::MlDsa65, Suite::Ed25519MlDsa65];
    let found = suites.into_iter().find(|suite| suite_name(*suite) == text);
    value(("suite", "suite of signatures"), text, found)
}

fn suite_name(suite: Suite) -> &'static str {
    match suite {
        Suite::MlDsa65 => "ml-dsa-65",
        Suite::Ed25519MlDsa65 => "ed25519+ml-dsa-65",
    }
}

/// A public key as text, `suite:base64`.
pub fn render_key(key: &PublicKey) -> String {
    let bytes = Base64::encode_string(key.as_bytes());
    format!("{}:{bytes}", suite_name(key.suite()))
}

/// A public key from its text.
///
/// # Errors
/// [`TextError::Value`].
pub fn parse_key(text: &str) -> Result<PublicKey, TextError> {
    let (name, bytes) = text.split_once(':').unwrap_or((text, ""));
    let suite = suite(name)?;
    let bytes = Base64::decode_vec(bytes).ok();
    let key = bytes.and_then(|bytes| PublicKey::new(suite, &bytes));
    value(("key", "key as suite:base64"), text, key)
}

fn read_document(text: &DocumentText) -> Result<Document, TextError> {
    let minutes = text.interval_minutes;
    let interval = minutes
        .checked_mul(60_000)
        .and_then(IntervalLength::from_millis);
    let what = ("interval_minutes", "length of a market interval");
    let interval = value(what, &minutes.to_string(), interval)?;
    let what = ("currency", "currency");
    let currency = value(what, &text.currency, Currency::parse(&text.currency).ok())?;
    let time = Time::parse(&text.time).ok();
    let validators: Result<Vec<_>, _> = text.validators.iter().map(read_validator).collect();
    let members: Result<Vec<_>, _> = text.members.iter().map(read_member).collect();
    let committees: Result<Vec<_>, _> = text.committees.iter().map(read_committee).collect();
    Ok(Document {
        version: text.version,
        chain: chain("chain", &text.chain)?,
        vpp: chain("vpp", &text.vpp)?,
        time: value(("time", "time in UTC"), &text.time, time)?,
        operator: member_id("operator", &text.operator)?,
        currency,
        interval,
        request_fee: money("request_fee", &text.request_fee)?,
        exposure_cap: money("exposure_cap", &text.exposure_cap)?,
        grace: text.grace_ms,
        settlement_period: text.settlement_period_ms,
        epoch_blocks: text.epoch_blocks,
        stake: money("stake", &text.stake)?,
        members: members?,
        verifiers: read_seats(&text.verifiers)?,
        committees: committees?,
        validators: ValidatorSet {
            epoch: 0,
            validators: validators?,
        },
    })
}

fn read_member(text: &MemberText) -> Result<Member, TextError> {
    let meters: Result<Vec<_>, _> = text.meters.iter().map(|key| parse_key(key)).collect();
    let nameplate = Power::from_kilowatts(&text.nameplate_kw).ok();
    let what = ("nameplate_kw", "power in kW");
    Ok(Member {
        id: member_id("id", &text.id)?,
        legal_name: text.legal_name.clone(),
        role: match text.role {
            RoleText::Microgrid => Role::Microgrid,
            RoleText::Aggregator => Role::Aggregator,
            RoleText::Grid => Role::Grid,
            RoleText::Auditor => Role::Auditor,
            RoleText::Operator => Role::Operator,
        },
        home: chain("home", &text.home)?,
        key: parse_key(&text.key)?,
        meters: meters?,
        nameplate: value(what, &text.nameplate_kw, nameplate)?,
        revoked: false,
    })
}

fn read_seat(text: &SeatText) -> Result<Seat, TextError> {
    Ok(Seat {
        key: parse_key(&text.key)?,
        owner: member_id("owner", &text.owner)?,
    })
}

fn read_seats(text: &SeatsText) -> Result<Seats, TextError> {
    let seats: Result<Vec<_>, _> = text.seats.iter().map(read_seat).collect();
    Ok(Seats {
        suite: suite(&text.suite)?,
        faults: text.faults,
        threshold: text.threshold,
        seats: seats?,
    })
}

fn read_committee(text: &CommitteeText) -> Result<Committee, TextError> {
    let seats: Result<Vec<_>, _> = text.seats.iter().map(read_seat).collect();
    let genesis = Digest::parse(&text.genesis);
    Ok(Committee {
        chain: chain("chain", &text.chain)?,
        genesis: value(("genesis", "hash"), &text.genesis, genesis)?,
        epoch: text.epoch,
        suite: suite(&text.suite)?,
        faults: text.faults,
        threshold: text.threshold,
        seats: seats?,
    })
}

fn read_validator(text: &ValidatorText) -> Result<Validator, TextError> {
    // An identity has as many bytes as a digest.
    let identity = Digest::parse(&text.identity).map(|bytes| *bytes.as_bytes());
    let what = ("identity", "key of 64 hexadecimal digits");
    Ok(Validator {
        identity: value(what, &text.identity, identity)?,
        key: parse_key(&text.key)?,
        owner: member_id("owner", &text.owner)?,
    })
}

fn write_document(document: &Document) -> Result<DocumentText, TextError> {
    let time = document.time.to_string();
    let exact = Time::parse(&time)
        .ok()
        .filter(|read| *read == document.time);
    value(("time", "time of a plausible year"), &time, exact)?;
    let verifiers = &document.verifiers;
    Ok(DocumentText {
        version: document.version,
        chain: document.chain.to_string(),
        vpp: document.vpp.to_string(),
        time,
        operator: document.operator.to_string(),
        currency: document.currency.code().to_owned(),
        interval_minutes: document.interval.minutes(),
        request_fee: document.request_fee.to_string(),
        exposure_cap: document.exposure_cap.to_string(),
        grace_ms: document.grace,
        settlement_period_ms: document.settlement_period,
        epoch_blocks: document.epoch_blocks,
        stake: document.stake.to_string(),
        verifiers: SeatsText {
            suite: suite_name(verifiers.suite).to_owned(),
            faults: verifiers.faults,
            threshold: verifiers.threshold,
            seats: verifiers.seats.iter().map(write_seat).collect(),
        },
        members: document.members.iter().map(write_member).collect(),
        committees: document.committees.iter().map(write_committee).collect(),
        validators: document
            .validators
            .validators
            .iter()
            .map(write_validator)
            .collect(),
    })
}

fn write_member(member: &Member) -> MemberText {
    MemberText {
        id: member.id.to_string(),
        legal_name: member.legal_name.clone(),
        role: match member.role {
            Role::Microgrid => RoleText::Microgrid,
            Role::Aggregator => RoleText::Aggregator,
            Role::Grid => RoleText::Grid,
            Role::Auditor => RoleText::Auditor,
            Role::Operator => RoleText::Operator,
        },
        home: member.home.to_string(),
        key: render_key(&member.key),
        meters: member.meters.iter().map(render_key).collect(),
        nameplate_kw: member.nameplate.to_kilowatts(),
    }
}

fn write_seat(seat: &Seat) -> SeatText {
    SeatText {
        key: render_key(&seat.key),
        owner: seat.owner.to_string(),
    }
}

fn write_committee(committee: &Committee) -> CommitteeText {
    CommitteeText {
        chain: committee.chain.to_string(),
        genesis: committee.genesis.to_string(),
        epoch: committee.epoch,
        suite: suite_name(committee.suite).to_owned(),
        faults: committee.faults,
        threshold: committee.threshold,
        seats: committee.seats.iter().map(write_seat).collect(),
    }
}

fn write_validator(validator: &Validator) -> ValidatorText {
    ValidatorText {
        identity: Digest::from_bytes(validator.identity).to_string(),
        key: render_key(&validator.key),
        owner: validator.owner.to_string(),
    }
}
