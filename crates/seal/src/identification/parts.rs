//! A certificate as parts of text, one per QR symbol.
//!
//! ```text
//! TIELINE:1:3/6:0123456789ABCDEF:<body>:
//! ```
//!
//! Version of the form, number and count, the first eight bytes of [`Identification::id`], a piece of the certificate's
//! bytes in base45, an end mark. All of it is in the alphabet of QR's alphanumeric mode, which packs two characters in 11
//! bits. The mark is there because base45 has a space in its alphabet and scanner apps trim what they read.
//!
//! The parts are ours and not "structured append" of the QR standard: an app that does not put symbols together shows the
//! plain text of each, which is all that is needed here, and nothing of the standard's numbers.

use std::collections::BTreeMap;

use thiserror::Error;
use tieline_units::canonical::{Canonical as _, DecodeError};
use tieline_units::{Digest, Encoder};

use super::{DIGEST, Identification, base45};

/// Bytes per part that suit a QR symbol on paper and on a screen.
///
/// A certificate with one key has about 3,500 bytes: 6 parts of about 910 characters. Version 20 holds 970 at error
/// correction M: 97 × 97 modules, some 5 cm square at half a millimetre each, and 53 lines of a terminal. M restores 15 %
/// of a symbol that is creased or stained; L would save one part of the six and restore 7 %. Larger symbols (25-M: 4 parts)
/// need a steadier hand and 63 lines.
pub const PART_BYTES: usize = 600;
/// Most parts of one certificate.
pub const PARTS_MAX: u8 = 99;
/// Most bytes of a part: with its head they still fit the largest QR symbol.
const PART_BYTES_MAX: usize = 2800;
/// Longest part, characters: what the largest QR symbol holds.
const PART_CHARS_MAX: usize = 4296;
/// Characters of a foreign text that an error repeats.
const SHOWN_MAX: usize = 40;

/// Why parts are no certificate.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ScanError {
    /// Nothing was scanned.
    #[error("no part was scanned")]
    Nothing,
    /// A text that is no part.
    #[error("'{text}' is not a part of an identification certificate")]
    NotAPart {
        /// Its beginning.
        text: String,
    },
    /// A part of another form.
    #[error("a part of form {form}; this program reads form 1")]
    Form {
        /// The form.
        form: String,
    },
    /// A number outside the count.
    #[error("a part is numbered {number} of {count}")]
    Number {
        /// Its number.
        number: u8,
        /// Its count.
        count: u8,
    },
    /// A part of another certificate, or of the same cut otherwise.
    #[error("part {number} belongs to {found}, the parts before it to {expected}")]
    OtherCertificate {
        /// Its number.
        number: u8,
        /// Count and name that the first part had.
        expected: String,
        /// Its count and name.
        found: String,
    },
    /// A part whose body is no base45.
    #[error("part {number} is damaged: its text is not what a symbol of a certificate holds")]
    Damaged {
        /// Its number.
        number: u8,
    },
    /// Two parts of one number.
    #[error("part {number} was scanned twice, with different content")]
    Conflict {
        /// Their number.
        number: u8,
    },
    /// Parts that were not scanned.
    #[error("{} of {count} missing: scan {}", counted(missing), listed(missing))]
    Missing {
        /// Their numbers.
        missing: Vec<u8>,
        /// How many there are in all.
        count: u8,
    },
    /// All parts are there, and together they are something else.
    #[error("the parts say certificate {expected} and hold {found}: at least one was changed")]
    Changed {
        /// Beginning of the name that the parts carry.
        expected: String,
        /// Beginning of the name of what they hold.
        found: String,
    },
    /// The parts belong together, and what they hold is no certificate.
    #[error("the parts hold no certificate: {0}")]
    Malformed(DecodeError),
}

fn counted(missing: &[u8]) -> String {
    match missing.len() {
        1 => "1 part".to_owned(),
        count => format!("{count} parts"),
    }
}

fn listed(missing: &[u8]) -> String {
    let numbers: Vec<String> = missing.iter().map(u8::to_string).collect();
    numbers.join(", ")
}

impl Identification {
    /// The certificate as texts of about equal length, each of at most `part_bytes` bytes of it ([`PART_BYTES`] is a good
    /// choice), or more where these would be more than [`PARTS_MAX`] parts. A part always fits some QR symbol.
    pub fn to_parts(&self, part_bytes: usize) -> Vec<String> {
        let bytes = self.to_bytes();
        let wanted = bytes.len().div_ceil(part_bytes.clamp(1, PART_BYTES_MAX));
        let wanted = wanted.min(usize::from(PARTS_MAX));
        let chunks = bytes.chunks(bytes.len().div_ceil(wanted));
        let (count, name) = (chunks.len(), name(&bytes));
        chunks
            .enumerate()
            .map(|(index, chunk)| {
                let body = base45::encode(chunk);
                format!("TIELINE:1:{}/{count}:{name}:{body}:", index + 1)
            })
            .collect()
    }

    /// The certificate whose parts these are, in any order and with duplicates. It is whole, and not verified yet.
    ///
    /// Space around a part and empty texts are overlooked.
    ///
    /// # Errors
    /// [`ScanError`], which names the part at fault.
    pub fn from_parts<'a>(
        parts: impl Iterator<Item = &'a str>,
    ) -> Result<Identification, ScanError> {
        let mut found: BTreeMap<u8, Vec<u8>> = BTreeMap::new();
        let mut first: Option<Part<'_>> = None;
        for text in parts.map(str::trim).filter(|text| !text.is_empty()) {
            let part = Part::parse(text)?;
            let first = first.get_or_insert(part);
            if (first.count, first.name) != (part.count, part.name) {
                return Err(ScanError::OtherCertificate {
                    number: part.number,
                    expected: first.set(),
                    found: part.set(),
                });
            }
            let number = part.number;
            let body = base45::decode(part.body).ok_or(ScanError::Damaged { number })?;
            match found.get(&number) {
                Some(before) if *before != body => return Err(ScanError::Conflict { number }),
                _ => found.insert(number, body),
            };
        }
        let Part {
            count,
            name: expected,
            ..
        } = first.ok_or(ScanError::Nothing)?;
        let missing: Vec<u8> = (1..=count)
            .filter(|number| !found.contains_key(number))
            .collect();
        if !missing.is_empty() {
            return Err(ScanError::Missing { missing, count });
        }
        let bytes: Vec<u8> = found.into_values().flatten().collect();
        let (expected, found) = (expected.to_owned(), name(&bytes));
        if expected != found {
            return Err(ScanError::Changed { expected, found });
        }
        Identification::decode(&bytes).map_err(ScanError::Malformed)
    }
}

/// One part, taken apart.
#[derive(Clone, Copy)]
struct Part<'a> {
    number: u8,
    count: u8,
    name: &'a str,
    body: &'a str,
}

impl<'a> Part<'a> {
    fn parse(text: &'a str) -> Result<Part<'a>, ScanError> {
        let foreign = || ScanError::NotAPart {
            text: text
                .chars()
                .take(SHOWN_MAX)
                .flat_map(char::escape_debug)
                .collect(),
        };
        let rest = text
            .strip_prefix("TIELINE:")
            .filter(|_| text.len() <= PART_CHARS_MAX);
        let (form, rest) = rest
            .and_then(|rest| rest.split_once(':'))
            .ok_or_else(foreign)?;
        if form != "1" {
            let form = form
                .chars()
                .take(SHOWN_MAX)
                .flat_map(char::escape_debug)
                .collect();
            return Err(ScanError::Form { form });
        }
        let part = || {
            let (numbers, rest) = rest.split_once(':')?;
            let (number, count) = numbers.split_once('/')?;
            let (name, body) = rest.split_once(':')?;
            let body = body.strip_suffix(':')?;
            let hexadecimal = |byte: u8| matches!(byte, b'0'..=b'9' | b'A'..=b'F');
            let named = name.len() == 16 && name.bytes().all(hexadecimal);
            let (number, count) = (plain(number)?, plain(count)?);
            named.then_some(Part {
                number,
                count,
                name,
                body,
            })
        };
        let part = part().ok_or_else(foreign)?;
        let Part { number, count, .. } = part;
        match (1..=count).contains(&number) && count <= PARTS_MAX {
            true => Ok(part),
            false => Err(ScanError::Number { number, count }),
        }
    }

    /// What all parts of one certificate have in common.
    fn set(&self) -> String {
        format!("{} in {} parts", self.name, self.count)
    }
}

/// A number as it is written: no sign, no leading zero.
fn plain(text: &str) -> Option<u8> {
    let number: u8 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

/// Beginning of the name of a certificate of these bytes.
fn name(bytes: &[u8]) -> String {
    let mut encoder = Encoder::new(DIGEST);
    encoder.raw(bytes);
    let id: Digest = encoder.digest();
    id.to_string()[..16].to_uppercase()
}
