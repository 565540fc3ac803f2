//! Facts as text for people.

use super::facts::{
    BoundsFacts, DisputeFacts, DisputeOutcome, Document, KeysSpent, LevelFacts, LinkFacts,
    ReceiverResult, Results, SettingFacts, SignatureFacts, Told,
};
use super::scenes;
use super::table::{self, Side, grouped, names};

use Side::{Left, Right};

/// The whole document.
pub(super) fn text(document: &Document) -> String {
    let mut text = String::new();
    match &document.told {
        Told::Signature(facts) => signature(&mut text, document, facts),
        Told::Attack(facts) => scenes::attack(&mut text, document, facts),
    }
    text
}

fn signature(text: &mut String, document: &Document, facts: &SignatureFacts) {
    let setting = &document.setting;
    let title = format!(
        "One unconditionally secure signature, step by step ({}, seed {})",
        document.keys, document.seed
    );
    table::lead(text, &title);
    parties(text, setting, facts);
    sizes(text, setting);
    table::heading(text, 3, "Keys spent");
    keys(text, &facts.keys_spent);
    distribution(text, setting, facts);
    signing(text, setting, facts);
    table::heading(text, 6, "Every receiver tests by itself");
    results(text, &facts.results);
    table::paragraph(
        text,
        "A receiver tells others only whether it accepts: which tests failed would give the split away.",
    );
    passing_on(text, facts);
    table::heading(text, 8, "The signer denies it: a dispute");
    dispute(text, &facts.dispute);
    table::heading(
        text,
        9,
        "What can still go wrong, with a probability of at most",
    );
    bounds(text, &facts.bounds);
    table::heading(text, 10, "What this protects (+) and what not (-)");
    let protects = facts.protects.iter().map(|words| ('+', words));
    let does_not = facts.does_not_protect.iter().map(|words| ('-', words));
    protects
        .chain(does_not)
        .for_each(|(mark, words)| table::item(text, mark, words));
}

fn parties(text: &mut String, setting: &SettingFacts, facts: &SignatureFacts) {
    table::heading(text, 1, "Parties");
    let chains: Vec<String> = facts
        .parties
        .chains
        .iter()
        .map(|chain| format!("{} of {}", names(&chain.receivers), chain.name))
        .collect();
    table::paragraph(
        text,
        &format!(
            "{} signs. {} receivers, verification nodes, test: {}.",
            facts.parties.signer,
            setting.receivers,
            chains.join(", ")
        ),
    );
    table::paragraph(
        text,
        &format!(
            "At most ω = {} of all these are dishonest: {}. The signature can {}.",
            setting.omega,
            match setting.omega - 1 {
                0 => "the signer alone".to_owned(),
                more => format!("the signer and {}", counted(more.into(), "receiver")),
            },
            match setting.lmax {
                0 => "not be passed on".to_owned(),
                some => format!("be passed on {}", times(some)),
            }
        ),
    );
}

fn sizes(text: &mut String, setting: &SettingFacts) {
    table::heading(
        text,
        2,
        &format!("The cheapest sizes that reach λ = {} bits", setting.lambda),
    );
    table::paragraph(
        text,
        &format!(
            "k = {} hash functions per pair of receivers, of the family {}: tags of {} bits, each \
             guessed with a probability of 2^{:.2}.",
            setting.functions, setting.family, setting.tag_bits, setting.guess_log2
        ),
    );
    let mut rows = vec![cells(&["level", "when", "a test forgives", "tests needed"])];
    let row = |level: &LevelFacts| {
        vec![
            level.level.to_string(),
            when(level.level, setting.lmax),
            format!("{} wrong tags of {}", level.forgiven, setting.functions),
            format!("{} of {}", level.tests_needed, setting.receivers),
        ]
    };
    rows.extend(setting.levels.iter().map(row));
    table::table(text, &[Right, Left, Right, Right], &rows);
}

fn when(level: i8, lmax: u8) -> String {
    match (level, i16::from(lmax) - i16::from(level)) {
        (-1, _) => "in a dispute".to_owned(),
        (_, 0) => "first hand".to_owned(),
        (_, passed_on) => format!("passed on {}", times(passed_on as u8)),
    }
}

fn keys(text: &mut String, keys: &KeysSpent) {
    let mut rows = vec![cells(&[
        "link",
        "links",
        "bits each",
        "bits",
        "each further signature",
    ])];
    let row = |name: &str, link: &LinkFacts| {
        vec![
            name.to_owned(),
            grouped(link.links),
            grouped(link.bits_each),
            grouped(link.bits),
            format!("{} bits each", grouped(link.further_bits_each)),
        ]
    };
    rows.push(row("signer to receiver", &keys.signer_to_receiver));
    rows.push(row("receiver to receiver", &keys.receiver_to_receiver));
    let in_all = grouped(keys.total_bits);
    rows.push(cells(&["in all", "", "", &in_all, ""]));
    table::table(text, &[Left, Right, Right, Right, Right], &rows);
    table::paragraph(
        text,
        &format!(
            "Between receivers {} bits each are for authentication. A further signature needs fresh pads \
             only (batch mode). At {} kbit/s of key the busiest link is ready again after {:.1} s.",
            keys.receiver_to_receiver.authentication_bits_each,
            keys.link_bits_per_second / 1000,
            keys.refill_seconds
        ),
    );
}

fn distribution(text: &mut String, setting: &SettingFacts, facts: &SignatureFacts) {
    let distribution = &facts.distribution;
    table::heading(
        text,
        4,
        "Distribution, and the split that is secret from the signer",
    );
    table::paragraph(
        text,
        &format!(
            "With each receiver the signer shares {} functions: the bits that both have are the \
             functions. Each receiver cuts its own at random in {} parts of {}, keeps one and sends \
             every other receiver one, encrypted: {} parts of {} bits. The signer knows all functions \
             but not who tests which, so it cannot make a tag wrong for one receiver alone.",
            grouped(distribution.functions_per_receiver),
            setting.receivers,
            distribution.functions_per_part,
            grouped(distribution.parts_sent),
            grouped(distribution.part_bits)
        ),
    );
    let open = match distribution.open {
        true => "All receipts are on the ledger: the epoch takes messages.",
        false => "Receipts are missing: the epoch takes no messages.",
    };
    table::paragraph(text, open);
}

fn signing(text: &mut String, setting: &SettingFacts, facts: &SignatureFacts) {
    let signing = &facts.signing;
    table::heading(text, 5, "Signing");
    table::paragraph(
        text,
        &format!(
            "{:?}, {} bytes with chains, epoch, counter and signer.",
            signing.message, signing.canonical_bytes
        ),
    );
    table::paragraph(
        text,
        &format!(
            "{} tags of {} bits, {} bits: {} bytes with the header. The counter is recorded as spent \
             before the signature leaves; asked for it again, the store says: {}.",
            grouped(signing.tags),
            setting.tag_bits,
            grouped(signing.signature_bits),
            grouped(signing.signature_bytes),
            signing.same_counter_again
        ),
    );
}

fn passing_on(text: &mut String, facts: &SignatureFacts) {
    table::heading(text, 7, "Passing it on");
    for transfer in &facts.transfers {
        table::paragraph(
            text,
            &format!(
                "{} passes it on to {}, where level {} is enough now: {}, by its own test.",
                transfer.from,
                transfer.to,
                transfer.level,
                verb(transfer.accepted)
            ),
        );
    }
    table::paragraph(
        text,
        &format!("A further one is refused ({}).", facts.no_further_transfer),
    );
}

fn bounds(text: &mut String, bounds: &BoundsFacts) {
    let log2 = |exponent: f64| match exponent.is_finite() {
        true => format!("2^{exponent:.2}"),
        false => "0".to_owned(),
    };
    let mut rows = vec![cells(&["failure", "bound", "certain with dishonest"])];
    rows.extend(bounds.forging.iter().map(|forging| {
        vec![
            format!("a forgery is accepted {}", at(forging.level)),
            log2(forging.log2),
            counted(forging.colluders_needed, "receiver"),
        ]
    }));
    rows.extend(bounds.transfers.iter().map(|transfer| {
        let what = match transfer.to {
            -1 => "accepted at level 0, repudiated in a dispute".to_owned(),
            to => format!(
                "accepted at level {}, rejected at level {to}",
                transfer.from
            ),
        };
        vec![
            what,
            log2(transfer.log2),
            transfer
                .colluders_needed
                .map_or_else(String::new, |receivers| {
                    format!("signer, {}", counted(receivers, "receiver"))
                }),
        ]
    }));
    let sums = [
        ("any of these: the scheme", bounds.scheme_log2),
        ("authentication", bounds.authentication_log2),
        (
            "the scheme on real links, end to end",
            bounds.end_to_end_log2,
        ),
    ];
    let keys = format!("keys, {:e} per bit delivered", bounds.key_failure_per_bit);
    rows.push(vec![sums[0].0.to_owned(), log2(sums[0].1), String::new()]);
    rows.push(vec![keys, log2(bounds.keys_log2), String::new()]);
    let rest = sums[1..].iter();
    rows.extend(
        rest.map(|(what, exponent)| vec![(*what).to_owned(), log2(*exponent), String::new()]),
    );
    table::table(text, &[Left, Right, Left], &rows);
    if bounds.keys_log2 > bounds.scheme_log2 {
        table::paragraph(
            text,
            "The last line counts: how good the keys are decides, not the scheme.",
        );
    }
}

/// Who accepts at which level: receivers with the same result share a row.
pub(super) fn results(text: &mut String, results: &Results) {
    let mut head = vec!["receivers".to_owned()];
    head.extend(results.needed.iter().map(|needed| {
        format!(
            "{}: {} of {}",
            level_name(needed.level),
            needed.tests,
            results.present
        )
    }));
    let mut groups: Vec<(&ReceiverResult, Vec<String>)> = Vec::new();
    for one in &results.receivers {
        let same = |first: &ReceiverResult| {
            (first.accepts_at, first.withheld) == (one.accepts_at, one.withheld)
        };
        match groups.iter_mut().find(|(first, _)| same(first)) {
            Some((_, members)) => members.push(one.receiver.clone()),
            None => groups.push((one, vec![one.receiver.clone()])),
        }
    }
    let mut rows = vec![head];
    for (first, members) in groups {
        let mut row = vec![names(&members)];
        row.extend(results.needed.iter().map(|needed| {
            let accepted = first.accepts_at.is_some_and(|level| level >= needed.level);
            match first.withheld {
                true => "no verdict".to_owned(),
                false => verb(accepted).to_owned(),
            }
        }));
        rows.push(row);
    }
    table::table(text, &vec![Left; rows[0].len()], &rows);
}

/// A vote in words.
pub(super) fn dispute(text: &mut String, dispute: &DisputeFacts) {
    let claim = match dispute.claims_signed {
        true => "signed",
        false => "not signed",
    };
    let silent = match dispute.silent.is_empty() {
        true => String::new(),
        false => format!(", {} silent", names(&dispute.silent)),
    };
    let outcome = match dispute.outcome {
        DisputeOutcome::Valid => "more than half accept, so the signature is VALID",
        DisputeOutcome::Invalid => "at least half reject, so the signature is INVALID",
        DisputeOutcome::Open => {
            "neither more than half accept nor half reject, so the dispute stays OPEN until they speak"
        }
    };
    let frivolous = match &dispute.frivolous {
        Some(caller) => format!(" Recorded as a frivolous caller: {caller}."),
        None => String::new(),
    };
    table::paragraph(
        text,
        &format!(
            "{} claims: {claim}. Counted of {} votes, until decided: {} accept, {} reject{silent}; \
             {outcome}.{frivolous}",
            sentence(&dispute.caller),
            dispute.voters,
            dispute.accepts,
            dispute.rejects,
        ),
    );
}

/// `at level 1`, `in a dispute`.
pub(super) fn at(level: i8) -> String {
    match level {
        -1 => "in a dispute".to_owned(),
        level => format!("at level {level}"),
    }
}

/// The head of a column.
pub(super) fn level_name(level: i8) -> String {
    match level {
        -1 => "dispute".to_owned(),
        level => format!("level {level}"),
    }
}

pub(super) fn outcome_name(outcome: DisputeOutcome) -> &'static str {
    match outcome {
        DisputeOutcome::Valid => "valid",
        DisputeOutcome::Invalid => "invalid",
        DisputeOutcome::Open => "open",
    }
}

/// With a capital letter.
pub(super) fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// `1 receiver`, `2 receivers`.
pub(super) fn counted(count: u32, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        more => format!("{more} {what}s"),
    }
}

fn times(count: u8) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        more => format!("{more} times"),
    }
}

fn verb(accepted: bool) -> &'static str {
    match accepted {
        true => "accepts",
        false => "rejects",
    }
}

pub(super) fn cells(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
