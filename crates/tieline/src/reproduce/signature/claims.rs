//! The claims on the signature.

use super::bounds::PRINTED_TAG_BITS;
use super::keys::Reading;
use super::liveness::least_share;
use super::{MESSAGE_BYTES, Signature, quotes};
use crate::reproduce::Figure;
use crate::reproduce::claim::{Attacks, Claim, Imposed, Subject};
use crate::reproduce::paper::Quote;

const fn subject(id: &'static str, quote: Quote) -> Subject {
    Subject {
        id,
        figure: Figure::Signature,
        quote,
        imposed: Imposed::No,
    }
}

/// All of them, in the order of the text.
pub(in crate::reproduce) fn claims(found: &Signature) -> Vec<Claim> {
    let mut claims = vec![
        low_cost(found),
        unconditional(found),
        sigma(found),
        length(found),
    ];
    claims.push(key_length(found));
    claims.extend(theorem(found));
    claims.push(at_least(found));
    claims.extend(agreement(found));
    claims.extend(forging(found));
    claims.extend(later(found));
    claims.extend(denial(found));
    claims.extend(formula_19(found));
    claims.push(proved(found));
    claims
}

/// `4, 8 and 14`.
fn names(values: impl IntoIterator<Item = String>) -> String {
    let mut values: Vec<String> = values.into_iter().collect();
    match values.pop() {
        None => String::new(),
        Some(last) if values.is_empty() => last,
        Some(last) => format!("{} and {last}", values.join(", ")),
    }
}

fn receivers(found: &Signature) -> String {
    names(found.denials.iter().map(|one| one.receivers.to_string()))
}

/// All attacks by index on the printed scheme.
fn printed_denials(found: &Signature) -> Attacks {
    found.denials.iter().map(|one| one.printed).sum()
}

fn our_denials(found: &Signature) -> Attacks {
    found.denials.iter().map(|one| one.ours).sum()
}

fn low_cost(found: &Signature) -> Claim {
    let cost = |of: fn(&super::bounds::Numbers) -> u64| {
        names(found.numbers.iter().map(|one| of(one).to_string()))
    };
    subject("signature-low-cost", quotes::LOW_COST).not_checkable(
        format!(
            "one signature at 2^-{} takes {} bits of key from the signer to each of {} receivers and has {} bits",
            found.security_bits,
            cost(|one| one.signer_to_receiver_bits[1]),
            receivers(found),
            cost(|one| one.signature_bits[1]),
        ),
        "the paper names neither a cost nor what it is compared with".to_owned(),
    )
}

fn unconditional(found: &Signature) -> Claim {
    let attacks = printed_denials(found);
    let power = found.keys.iter().find(|one| one.reading == Reading::Power);
    let intercepted = power.map_or(Attacks::default(), |one| one.intercepted);
    subject("signature-unconditional", quotes::UNCONDITIONAL).statement(
        attacks.succeeded == 0 && intercepted.succeeded == 0,
        format!(
            "{attacks} denials of printed signatures succeed, and {intercepted} strangers in the middle of formula (17) share a key with both sides"
        ),
        "tests by universal functions rest on no assumption, but as printed the signer knows who tests what; the agreement of (17) rests on one that a quantum computer breaks, and on knowing beforehand whose parameter is whose".to_owned(),
    )
}

fn sigma(found: &Signature) -> Claim {
    let refused: Vec<String> = found
        .liveness
        .iter()
        .filter(|row| !row.accepted)
        .map(|row| format!("{} of {}", row.admitted, row.receivers))
        .collect();
    let mut claim = subject("signature-sigma", quotes::SIGMA).number(
        100.0 * quotes::SIGMA_READ,
        100.0 * least_share(&found.liveness),
        "% honest",
        "read as σ > 3/4, the fraction bar lost: then (11) asks for less than n. That is not enough: n - t honest tests reach n/2 + 2t at n ≥ 6t only, σ ≥ 5/6".to_owned(),
    );
    claim.found = format!(
        "n = {} to {}: with the dishonest receivers that σ > 3/4 admits, nobody accepts an honest signature in {} of {} committees: {}",
        super::liveness::RECEIVERS.start(),
        super::liveness::RECEIVERS.end(),
        refused.len(),
        found.liveness.len(),
        names(refused)
    );
    claim
}

fn length(found: &Signature) -> Claim {
    let same = found
        .measured_bits
        .iter()
        .all(|[short, long]| short == long);
    subject("signature-length", quotes::LENGTH).statement(
        !same,
        format!(
            "ours of {} receivers have {} bits, on a body of 1 byte and on one of 512 bytes; printed n² l_h is {} bits at l_h = {PRINTED_TAG_BITS}, the message {} bits",
            receivers(found),
            names(found.measured_bits.iter().map(|[bits, _]| bits.to_string())),
            names(found.numbers.iter().map(|one| one.signature_bits[0].to_string())),
            8 * MESSAGE_BYTES
        ),
        "a signature has n² k tags of b bits, whatever the length l_m of the message".to_owned(),
    )
}

fn key_length(found: &Signature) -> Claim {
    let it = found.short_keys;
    subject("signature-key-length", quotes::KEY_LENGTH).security(
        it.given_away,
        None,
        format!(
            "all {} families of keys and tags of two bits on two messages: where no first tag can be guessed, one signed message gives the other tag away in {} families; the best leaves a chance of {} of 4",
            it.families, it.given_away, it.best_of_four
        ),
        "as many bits as the tag has: if a first tag is as rare as it can be, it belongs to one key alone".to_owned(),
    )
}

/// Theorem 1.
fn theorem(found: &Signature) -> [Claim; 3] {
    let tampering: Attacks = found.tampering.iter().map(|one| one.attacks).sum();
    let worst = found
        .tampering
        .iter()
        .map(|one| one.bound_log2)
        .fold(f64::NEG_INFINITY, f64::max);
    let guesses = names(found.tampering.iter().map(|one| one.to_guess.to_string()));
    let attacks = printed_denials(found);
    let ours = our_denials(found);
    let worst_denial = found
        .denials
        .iter()
        .map(|one| one.bound_log2)
        .fold(f64::NEG_INFINITY, f64::max);
    let largest = found.denials.iter().max_by_key(|one| one.receivers);
    let (passed, others) = largest.map_or((0, 0), |one| (one.friend_passed, one.others_passed));
    [
        subject("signature-unforgeable", quotes::UNFORGEABLE).security(
            tampering,
            Some(worst),
            format!("{tampering} changed messages are accepted; t dishonest receivers must guess {guesses} tags more: at most 2^{worst:.1}"),
            "with tags of 128 bits, functions described by 256 and used for one message; with l_h bits, as printed, it fails".to_owned(),
        ),
        subject("signature-transferable", quotes::TRANSFERABLE).security(
            attacks,
            None,
            format!("in {attacks} runs P1 accepts and all others reject: of {} receivers P1 passes {passed} tests, everybody else {others}", largest.map_or(0, |one| one.receivers)),
            "P_i passes r_i,j on by index, so the signer makes right what one receiver will test, and wrong all the rest".to_owned(),
        ),
        subject("signature-undeniable", quotes::UNDENIABLE).security(
            attacks,
            None,
            format!("{attacks} denials by index succeed as printed, {ours} on ours"),
            format!("the receivers' majority finds that nothing was signed. With k functions per pair and a secret split every denial of ours has at most 2^{worst_denial:.1}"),
        ),
    ]
}

fn at_least(found: &Signature) -> Claim {
    let it = found.thresholds;
    subject("signature-at-least-t", quotes::AT_LEAST).statement(
        it.refused_printed == 0,
        format!(
            "two subsets of four nodes, all eight vote yes: (16) says no in {} of {} settings of t_1, t_2 and t, and in {} when the votes t'_d are added up",
            it.refused_printed, it.settings, it.refused_counted
        ),
        "printed is Σ t_d ≥ t, a sum of settings that no vote changes".to_owned(),
    )
}

/// Formula (17).
fn agreement(found: &Signature) -> [Claim; 2] {
    let of = |reading: Reading| found.keys.iter().find(|one| one.reading == reading);
    let agree = |reading: Reading| of(reading).map_or((0, 0), |one| (one.agree, one.runs));
    let (unrelated, product, power) = (
        agree(Reading::Unrelated),
        agree(Reading::Product),
        agree(Reading::Power),
    );
    let overheard = of(Reading::Product)
        .and_then(|one| one.overheard)
        .unwrap_or_default();
    let intercepted: Attacks = [Reading::Product, Reading::Power]
        .into_iter()
        .filter_map(of)
        .map(|one| one.intercepted)
        .sum();
    [
        subject("signature-keys-equal", quotes::KEYS_EQUAL).statement(
            product.0 == product.1 && power.0 == power.1,
            format!(
                "equal in {} of {} pairs with parm = K · G, in {} of {} with parm = G^K, in {} of {} with parameters drawn for themselves",
                product.0, product.1, power.0, power.1, unrelated.0, unrelated.1
            ),
            "read with one G for both, which the paper does not say; without it commuting helps nobody".to_owned(),
        ),
        subject("signature-keys-effective", quotes::KEYS_EFFECTIVE).security(
            intercepted,
            None,
            format!("{intercepted} strangers in the middle share a key with both sides; with parm = K · G {overheard} listeners compute it by a division"),
            "equal keys say neither with whom they are shared nor what two ledgers hold; with parm = G^K a listener needs a discrete logarithm, which Shor's algorithm finds".to_owned(),
        ),
    ]
}

/// Section 5.3.1.
fn forging(found: &Signature) -> [Claim; 3] {
    let tampering: Attacks = found.tampering.iter().map(|one| one.attacks).sum();
    let worst = found
        .tampering
        .iter()
        .map(|one| one.bound_log2)
        .fold(f64::NEG_INFINITY, f64::max);
    [
        subject("signature-keys-unified", quotes::UNIFIED).not_checkable(
            String::new(),
            "key distribution gives keys to pairs; what a key of a whole subset is and who makes it is not said".to_owned(),
        ),
        subject("signature-operator", quotes::OPERATOR).not_checkable(
            String::new(),
            "the operator is not defined, T is what a verifier computes, and nothing quantum is signed: here keys come from quantum key distribution, message and tags are bits".to_owned(),
        ),
        subject("signature-tampered", quotes::TAMPERED).security(
            tampering,
            Some(worst),
            format!("{tampering} changed messages are accepted under an honest signature"),
            "a receiver notices by its own tests; not since the message travels in a quantum state".to_owned(),
        ),
    ]
}

/// Section 5.3.2.
fn later(found: &Signature) -> [Claim; 1] {
    let allowed = || {
        found
            .transfers
            .iter()
            .filter(|one| one.helpers <= one.tolerated)
    };
    let one: Attacks = allowed().map(|run| run.one_threshold).sum();
    let levels: Attacks = allowed().map(|run| run.levels).sum();
    let beyond: Attacks = found
        .transfers
        .iter()
        .filter(|run| run.helpers > run.tolerated)
        .map(|run| run.levels)
        .sum();
    [subject("signature-later-verifiers", quotes::LATER).security(
        one,
        None,
        format!("although the split is secret, one threshold for all parts first and later verifier in {one} runs with t dishonest receivers; thresholds by level in {levels}, and in {beyond} with one dishonest receiver more than they allow for"),
        "(11) is one number for everybody; who accepts must be sure of t tests more than whoever comes next".to_owned(),
    )]
}

/// Section 5.3.3 but for its formula.
fn denial(found: &Signature) -> [Claim; 2] {
    let attacks = printed_denials(found);
    let others = found
        .denials
        .iter()
        .map(|one| one.others_passed)
        .max()
        .unwrap_or(0);
    [
        subject("signature-broadcast", quotes::BROADCAST).security(
            attacks,
            None,
            format!("in {attacks} denials everybody holds the same bytes"),
            "what all have is not what all believe: each tests with its own functions".to_owned(),
        ),
        subject("signature-witness", quotes::WITNESS).security(
            attacks,
            None,
            format!("in {attacks} denials the other receivers pass at most {others} of their n tests"),
            "P1's own tests are all that speaks for the signature; the T of all others speak for the signer".to_owned(),
        ),
    ]
}

fn formula_19(found: &Signature) -> [Claim; 2] {
    let attacks: Attacks = found.lengths.iter().map(|one| one.printed).sum();
    let longest = found
        .numbers
        .first()
        .map_or(0.0, |one| one.printed_message_log2);
    let lengths = names(
        found
            .lengths
            .iter()
            .map(|one| one.message_bytes.to_string()),
    );
    let bounds = names(
        found
            .lengths
            .iter()
            .map(|one| format!("2^{:.1}", one.bound_log2)),
    );
    let mut number = subject("signature-cover", quotes::COVER).number(
        -longest,
        bits_of(printed_denials(found)),
        "bits",
        "1/4^n is the chance to guess n qubits, of which there are none; it has neither k nor a threshold in it".to_owned(),
    );
    number.found = format!(
        "read as the success rate of a denial of a message of {} bits, as the next sentence has it; in bits, 1/2 being one",
        8 * MESSAGE_BYTES
    );
    [
        number,
        subject("signature-cover-longer", quotes::LONGER).statement(
            attacks.succeeded == 0,
            format!("{attacks} denials of messages of {lengths} bytes succeed as printed; ours have bounds of {bounds}"),
            "the length does not occur in the bound: it falls with k, the functions per pair".to_owned(),
        ),
    ]
}

/// A success rate in bits: 0 when every attack succeeds.
fn bits_of(attacks: Attacks) -> f64 {
    // adding 0 turns -0 into 0; a rate of 0 has a large number of bits, not infinitely many
    -attacks.rate().max(f64::MIN_POSITIVE).log2() + 0.0
}

fn proved(found: &Signature) -> Claim {
    let attacks = printed_denials(found);
    subject("signature-proved", quotes::PROVED).statement(
        attacks.succeeded == 0,
        format!("unforgeable, yes; transferable and undeniable, no: {attacks} attacks succeed"),
        "section 5.3 argues from the channel, where the flaw is in who knows which test is whose"
            .to_owned(),
    )
}
