//! The signature as the paper prints it, to show what is wrong with it. Nothing else of the product takes a
//! [`PaperSignature`]: it is no [`crate::signature::SignedMessage`], and there is no way from one to the other.
//!
//! One function r_{i,j} per pair. P_i passes r_{i,j} on to P_j *by index*, so the signer, which chose all of them, knows
//! which tag each receiver will test. It makes t_{i,j} right for one j and wrong for all others: P_j passes n of n tests,
//! everybody else none. That succeeds always, whatever n, σ and the hash function are. The cure is k functions per pair
//! and a split that is secret from the signer ([`crate::distribute`]).
//!
//! Source: Hu, Xia, Zhang 2022, section 4.2, Definition 1, eq. (10) and (11), after Sun, Wang, Kulicki, Sopek 2019.

use rand_core::CryptoRng;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::bits::BitReader;
use crate::committee::RECEIVERS_MAX;
use crate::family::{Family, FamilyError, HashKeys};
use crate::party::Receiver;

/// n² tags, t_{i,j} at `i · n + j`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaperSignature(Vec<u128>);

/// What one receiver finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaperVerdict {
    /// Tests passed, Σ T_{i,j}.
    pub passed: u32,
    /// (1/2 + 2(1 - σ)) n, rounded up.
    pub needed: u32,
}

impl PaperVerdict {
    /// Eq. (11), with the paper's "≥".
    pub fn is_accepted(self) -> bool {
        self.passed >= self.needed
    }
}

/// All functions of one signature, as the signer and the receivers hold them after the paper's distribution.
pub struct PaperScheme {
    receivers: u8,
    dishonest: u8,
    keys: HashKeys,
    pads: Zeroizing<Vec<u128>>,
}

impl std::fmt::Debug for PaperScheme {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PaperScheme(<redacted>, {} receivers)", self.receivers)
    }
}

impl PaperScheme {
    /// Draws n² one-time functions for `receivers` receivers of which `dishonest` may be dishonest (1 - σ = dishonest/n).
    ///
    /// `None` outside 2 to [`RECEIVERS_MAX`] receivers, or when the threshold would exceed n (σ ≤ 3/4).
    pub fn draw(receivers: u8, dishonest: u8, random: &mut impl CryptoRng) -> Option<PaperScheme> {
        let possible = (2..=RECEIVERS_MAX).contains(&receivers);
        if !possible || needed(receivers, dishonest) > u32::from(receivers) {
            return None;
        }
        let count = usize::from(receivers) * usize::from(receivers);
        let mut raw = Zeroizing::new(vec![0; count * 32]);
        random.fill_bytes(&mut raw);
        let mut reader = BitReader::new(&raw);
        let keys = HashKeys::read(Family::Gf128, &mut reader, count).ok()?;
        let pads = Zeroizing::new(std::iter::from_fn(|| reader.read(128)).collect());
        Some(PaperScheme {
            receivers,
            dishonest,
            keys,
            pads,
        })
    }

    /// Sig(m) as printed.
    ///
    /// # Errors
    /// [`FamilyError`] when the message is too long.
    pub fn sign(&self, message: &[u8]) -> Result<PaperSignature, FamilyError> {
        let mut tags = Vec::with_capacity(self.keys.len());
        self.keys.hash(message, &mut tags)?;
        tags.iter_mut()
            .zip(self.pads.iter())
            .for_each(|(tag, pad)| *tag ^= pad);
        Ok(PaperSignature(tags))
    }

    /// What a dishonest signer sends instead: right for `friend` alone.
    ///
    /// # Errors
    /// As [`PaperScheme::sign`].
    pub fn sign_for_one(
        &self,
        message: &[u8],
        friend: Receiver,
    ) -> Result<PaperSignature, FamilyError> {
        let mut signature = self.sign(message)?;
        let receivers = usize::from(self.receivers);
        let wrong = signature
            .0
            .iter_mut()
            .enumerate()
            .filter(|(place, _)| place % receivers != friend.index());
        wrong.for_each(|(_, tag)| *tag ^= 1);
        Ok(signature)
    }

    /// The tests of P_j, eq. (10), and its threshold, eq. (11).
    ///
    /// # Errors
    /// As [`PaperScheme::sign`].
    pub fn verify(
        &self,
        j: Receiver,
        message: &[u8],
        signature: &PaperSignature,
    ) -> Result<PaperVerdict, FamilyError> {
        let due = self.sign(message)?;
        let receivers = usize::from(self.receivers);
        let mine = |place: usize| place % receivers == j.index();
        let pairs = due
            .0
            .iter()
            .zip(&signature.0)
            .enumerate()
            .filter(|(place, _)| mine(*place));
        let passed = pairs
            .map(|(_, (due, tag))| {
                u32::from(due.to_be_bytes().ct_eq(&tag.to_be_bytes()).unwrap_u8())
            })
            .sum();
        Ok(PaperVerdict {
            passed,
            needed: needed(self.receivers, self.dishonest),
        })
    }
}

/// ⌈n/2 + 2d⌉ with d dishonest receivers.
fn needed(receivers: u8, dishonest: u8) -> u32 {
    u32::from(receivers).div_ceil(2) + 2 * u32::from(dishonest)
}
