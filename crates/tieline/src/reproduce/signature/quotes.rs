//! What the paper says of its signature, in its words.

use crate::reproduce::paper::Quote;

const fn quote(place: &'static str, text: &'static str) -> Quote {
    Quote { place, text }
}

const THEOREM: &str = "section 4.2, Theorem 1";
const EQ_17: &str = "section 5.2, on formula (17)";
const FORGING: &str = "section 5.3.1";
const TRANSFER: &str = "section 5.3.2";
const DENIAL: &str = "section 5.3.3";

/// σ as printed; the fraction bar is lost.
pub(super) const SIGMA: Quote = quote(
    "section 4.2, Definition 1 (1)",
    "It is assumed that some of the σ participants are honest, with σ > 34",
);
/// Honest share as it is read.
pub(super) const SIGMA_READ: f64 = 0.75;
/// Length.
pub(super) const LENGTH: Quote = quote(
    "section 4.2, Definition 1 (3)",
    "Σ = {0, 1}^(n² l_h) is the set of signatures with a length of l_m",
);
/// Cost.
pub(super) const LOW_COST: Quote = quote(
    "section 4.2",
    "extensively applied to the smart contract of blockchains, owing to its low cost, high security, and data credibility",
);
/// What is reached.
pub(super) const UNCONDITIONAL: Quote = quote(
    "section 4.2",
    "this paper realizes the unconditionally secure communication based on quantum threshold signature",
);
/// Votes of all subsets.
pub(super) const AT_LEAST: Quote = quote(
    "section 4.2, on formula (16)",
    "For the n nodes in {V_k}, at least t nodes should pass the verification",
);
/// Description of a function.
pub(super) const KEY_LENGTH: Quote = quote(
    "section 4.2.1 (1)",
    "The sender randomly generates a string r_1,1, ..., r_n,n, each of which is of the length l_h",
);
/// Forging.
pub(super) const UNFORGEABLE: Quote = quote(
    THEOREM,
    "The attacker cannot create a valid signature with a probability s higher than a negligible level",
);
/// Passing on.
pub(super) const TRANSFERABLE: Quote = quote(
    THEOREM,
    "If an honest P_i accepts a signature, the other honest P_i will also accept the signature",
);
/// Denying.
pub(super) const UNDENIABLE: Quote = quote(
    THEOREM,
    "The signer cannot reject the legal signature he/she created with a probability higher than a negligible level",
);
/// Equal keys.
pub(super) const KEYS_EQUAL: Quote = quote(
    EQ_17,
    "Due to the commutative property of multiplication, we have x = y",
);
/// What follows of them.
pub(super) const KEYS_EFFECTIVE: Quote = quote(
    EQ_17,
    "Therefore, the cross-chain consensus transaction of the multiple microgrids is effective",
);
/// Keys from key distribution.
pub(super) const UNIFIED: Quote = quote(
    FORGING,
    "Since the QKD distributes K_V^private in a unified manner, it is impossible for Eve to steal the transaction information",
);
/// Formula (18).
pub(super) const OPERATOR: Quote = quote(
    "section 5.3.1, formula (18)",
    "|σ⟩ = K_V^private * (|M⟩, |Σ⟩, T^m_j,i)",
);
/// Tampering.
pub(super) const TAMPERED: Quote = quote(
    FORGING,
    "the signature set and message set cannot be forged or tampered with",
);
/// Later verifiers.
pub(super) const LATER: Quote = quote(
    TRANSFER,
    "At this time, other legal participants will accept the signature and message of that participant",
);
/// Broadcast.
pub(super) const BROADCAST: Quote = quote(
    DENIAL,
    "broadcasted via the quantum channel, making it impossible to be denied by the participant",
);
/// The test as a witness.
pub(super) const WITNESS: Quote = quote(
    DENIAL,
    "P_i can verify if P_0 is making a false claim by a random string r_1,1, ..., r_n,n and T^m_j,i in formula (11)",
);
/// Formula (19).
pub(super) const COVER: Quote = quote(
    "section 5.3.3, formula (19)",
    "P_i can restore |M⟩ and |Σ⟩ with a probability of P_cover = 1/4^n where n is the length of message",
);
/// What it means.
pub(super) const LONGER: Quote = quote(
    DENIAL,
    "The longer the length is, the closer the success rate of the denial by P_0 is to zero",
);
/// The sum of it.
pub(super) const PROVED: Quote = quote(
    "section 6 (3)",
    "the quantum threshold signature scheme was proved to be unforgeable, transferable, and undeniable",
);
