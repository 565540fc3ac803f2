//! The sections on the signature.

use super::bounds::{Numbers, PRINTED_TAG_BITS};
use super::denial::{ByLength, Chance, Denial, Tampering};
use super::keys::{KeyReading, Reading};
use super::liveness::{LiveRun, Liveness};
use super::transfer::TransferRun;
use super::{MESSAGE_BYTES, SECURITY_BITS, Signature, plots};
use crate::reproduce::claim::Attacks;
use crate::reproduce::corrections::{self, SIGNATURE};
use crate::reproduce::sections::claims_of;
use crate::reproduce::view::{Block, Cell, Section, Table};
use crate::reproduce::{Document, Figure};

/// All of them.
pub(in crate::reproduce) fn sections<'a>(
    document: &'a Document,
    found: &Signature,
) -> Vec<Section<'a>> {
    vec![
        Section {
            id: "signature",
            heading: "Sections 4.2, 5.2, 5.3: the signature",
            lead: "Unconditionally secure it can be: with k functions per pair of receivers, a split that is secret from the signer, and a threshold per level. As printed, with one function per pair that goes by index and one threshold for all, the signer can deny every signature.".to_owned(),
            blocks: vec![claims_of(document, Figure::Signature, false)],
        },
        attacks(found),
        liveness(found),
        numbers(found),
        agreement(found),
        Section {
            id: "signature-corrections",
            heading: "The signature corrected",
            lead: "What is printed, what this program uses, and why.".to_owned(),
            blocks: vec![Block::Table(corrections::table(
                "signature-corrections",
                &SIGNATURE,
            ))],
        },
    ]
}

fn count(attacks: Attacks) -> Cell {
    Cell::Number(attacks.succeeded.into(), 0)
}

fn runs(attacks: Attacks) -> Cell {
    Cell::Number(attacks.runs.into(), 0)
}

fn whole(value: impl Into<f64>) -> Cell {
    Cell::Number(value.into(), 0)
}

/// Bits; all that occur are exact as numbers.
fn bits(value: u64) -> Cell {
    Cell::Number(value as f64, 0)
}

fn attacks(found: &Signature) -> Section<'static> {
    let caption = "Two receivers of ours, k wrong tags in one row, 1000 epochs for each k, against the exact chance and the bound for every attack. As printed the share is 1 whatever is chosen.";
    Section {
        id: "signature-attacks",
        heading: "Denied and not passed on",
        lead: format!(
            "The signer makes the tags right that P1 will test and wrong all others. A denial succeeds when somebody accepts and the majority then finds that nothing was signed. Ours are the cheapest parameters at 2^-{SECURITY_BITS} for messages of {MESSAGE_BYTES} bytes. Everything random comes from seed {}.",
            found.seed
        ),
        blocks: vec![
            Block::Table(denials(&found.denials)),
            Block::Plots(vec![plots::chances(&found.chances)], caption.to_owned()),
            Block::Table(chances(&found.chances)),
            Block::Table(transfers(&found.transfers)),
            Block::Table(tampering(&found.tampering)),
        ],
    }
}

fn denials(found: &[Denial]) -> Table {
    let mut table = Table::new(
        "signature-denials",
        "The signer signs for P1 alone, by index, and denies",
        &[
            "#receivers|receivers n",
            "#tolerated|t",
            "#printed_needed|printed: tests needed",
            "#printed_friend_passed|P1 passes",
            "#printed_others_passed|others pass",
            "#printed_runs|runs",
            "#printed_succeeded|denied",
            "#ours_runs|ours: runs",
            "#ours_succeeded|denied",
            "#ours_bound_log2|at most 2^",
        ],
    );
    for one in found {
        table.row(vec![
            whole(one.receivers),
            whole(one.tolerated),
            whole(one.needed),
            whole(one.friend_passed),
            whole(one.others_passed),
            runs(one.printed),
            count(one.printed),
            runs(one.ours),
            count(one.ours),
            Cell::Number(one.bound_log2, 2),
        ]);
    }
    table
}

fn chances(found: &[Chance]) -> Table {
    let mut table = Table::new(
        "signature-chances",
        "Ours with deliberately few functions: two receivers, k wrong tags in one row",
        &[
            "#functions|functions k",
            "#runs|runs",
            "#succeeded|denied",
            "#share|share",
            "#expected|expected",
            "#bound|bound",
        ],
    );
    for one in found {
        table.row(vec![
            whole(one.functions),
            runs(one.attacks),
            count(one.attacks),
            Cell::Number(one.attacks.rate(), 4),
            Cell::Number(one.expected, 4),
            Cell::Number(one.bound, 4),
        ]);
    }
    table
}

fn transfers(found: &[TransferRun]) -> Table {
    let mut table = Table::new(
        "signature-transfers",
        "The split is secret, receivers help the signer: does a later verifier reject what P1 accepts?",
        &[
            "#receivers|receivers n",
            "#helpers|helpers",
            "#tolerated|allowed for, t",
            "#needed_first|tests needed first",
            "#needed_later|and later",
            "#runs|runs",
            "#one_threshold|rejected, one threshold",
            "#levels|rejected, by level",
            "#levels_bound_log2|at most 2^",
        ],
    );
    for one in found {
        table.row(vec![
            whole(one.receivers),
            whole(one.helpers),
            whole(one.tolerated),
            whole(one.needed_first),
            whole(one.needed_later),
            runs(one.levels),
            count(one.one_threshold),
            count(one.levels),
            Cell::maybe(one.bound_log2, 2),
        ]);
    }
    table
}

fn tampering(found: &[Tampering]) -> Table {
    let mut table = Table::new(
        "signature-tampering",
        "As printed: the message changed under an honest signature, and what t receivers must guess to forge",
        &[
            "#receivers|receivers n",
            "#runs|runs",
            "#accepted|accepted",
            "#helpers|helpers t",
            "#to_guess|tags to guess",
            "#bound_log2|at most 2^",
        ],
    );
    for one in found {
        table.row(vec![
            whole(one.receivers),
            runs(one.attacks),
            count(one.attacks),
            whole(one.tolerated),
            whole(one.to_guess),
            Cell::Number(one.bound_log2, 1),
        ]);
    }
    table
}

fn liveness(found: &Signature) -> Section<'static> {
    let caption = "Dishonest receivers beside an honest signer. Above the line of eq. (11) nobody accepts what was honestly signed; σ > 3/4 admits them.";
    let mut table = Table::new(
        "signature-liveness",
        "An honest signature, tests of t dishonest receivers' functions failing",
        &[
            "#receivers|receivers n",
            "#admitted|t by σ > 3/4",
            "#needed|eq. (11) needs",
            "#passed|passed",
            "accepted|accepted",
            "#live_printed|t by eq. (11)",
            "#live_once|t here, one transfer",
            "#live_never|no transfer",
        ],
    );
    for row in &found.liveness {
        table.row(liveness_row(row));
    }
    let mut ours = Table::new(
        "signature-live-runs",
        "Honest signatures of ours, one transfer: who accepts",
        &[
            "#receivers|receivers n",
            "#dishonest|dishonest",
            "#tolerated|allowed for, t",
            "#accepting|accepting",
            "#honest|of honest",
        ],
    );
    for LiveRun {
        receivers,
        dishonest,
        tolerated,
        accepting,
        honest,
    } in &found.live_runs
    {
        ours.row(vec![
            whole(*receivers),
            whole(*dishonest),
            whole(*tolerated),
            whole(*accepting),
            whole(*honest),
        ]);
    }
    Section {
        id: "signature-liveness",
        heading: "Who can accept an honest signature",
        lead: "With t dishonest receivers an honest one passes n - t tests. Eq. (11) with 1 - σ = t/n asks for n/2 + 2t: n ≥ 6t. A threshold per level and \">\" ask for n > 2(l_max + 2)t.".to_owned(),
        blocks: vec![
            Block::Plots(vec![plots::liveness(&found.liveness)], caption.to_owned()),
            Block::Table(table),
            Block::Table(ours),
        ],
    }
}

fn liveness_row(row: &Liveness) -> Vec<Cell> {
    vec![
        whole(row.receivers),
        whole(row.admitted),
        whole(row.needed),
        whole(row.passed),
        Cell::text(if row.accepted { "yes" } else { "no" }),
        whole(row.live_printed),
        whole(row.live_once),
        whole(row.live_never),
    ]
}

fn numbers(found: &Signature) -> Section<'static> {
    let caption = "The largest bound of any kind of failure against k, tags of 64 bits, from the search at 8 to 128 bits. Level lines: formula (19) with the number of receivers for n. With the bits of the message for n it is at 16,384 bits, far above the drawing, and as printed the scheme has none.";
    Section {
        id: "signature-bounds",
        heading: "Formula (19), bounds and sizes",
        lead: "1/4^n depends on the length of the message, or on n receivers if the letter is that of Definition 1. The chance of a denial depends on neither in that way: it falls with k, and k is what costs key.".to_owned(),
        blocks: vec![
            Block::Plots(vec![plots::reached(&found.reached)], caption.to_owned()),
            Block::Table(bounds(&found.numbers)),
            Block::Table(lengths(&found.lengths)),
            Block::Table(sizes(&found.numbers)),
            Block::Table(reached(found)),
        ],
    }
}

fn bounds(found: &[Numbers]) -> Table {
    let mut table = Table::new(
        "signature-bounds",
        "Exponents of 2: formula (19) and the bounds of ours",
        &[
            "#receivers|receivers n",
            "#dishonest|ω",
            "#transfers|l_max",
            "#functions|functions k",
            "#printed_message_log2|(19), n bits of message",
            "#printed_receivers_log2|(19), n receivers",
            "#forging_log2|forging",
            "#transfer_log2|transfer",
            "#denial_log2|denial",
            "#sum_log2|all",
            "#end_to_end_log2|with keys",
        ],
    );
    for one in found {
        table.row(vec![
            whole(one.receivers),
            whole(one.dishonest),
            whole(one.transfers),
            whole(one.functions),
            Cell::Number(one.printed_message_log2, 0),
            Cell::Number(one.printed_receivers_log2, 0),
            Cell::Number(one.forging_log2, 2),
            Cell::maybe(one.transfer_log2, 2),
            Cell::Number(one.denial_log2, 2),
            Cell::Number(one.sum_log2, 2),
            Cell::Number(one.end_to_end_log2, 2),
        ]);
    }
    table
}

fn lengths(found: &[ByLength]) -> Table {
    let mut table = Table::new(
        "signature-lengths",
        "By length of the message, eight receivers; exponents of 2",
        &[
            "#message_bytes|bytes",
            "#printed_log2|(19)",
            "#printed_runs|printed: runs",
            "#printed_succeeded|denied",
            "#functions|ours: k",
            "#tag_bits|tag b",
            "#denial_log2|denial",
            "#forging_log2|forging",
        ],
    );
    for one in found {
        table.row(vec![
            bits(one.message_bytes),
            Cell::Number(one.printed_log2, 0),
            runs(one.printed),
            count(one.printed),
            whole(one.functions),
            whole(one.tag_bits),
            Cell::Number(one.bound_log2, 2),
            Cell::Number(one.forging_log2, 2),
        ]);
    }
    table
}

fn sizes(found: &[Numbers]) -> Table {
    let mut table = Table::new(
        "signature-sizes",
        &format!(
            "Bits per signature, printed (l_h = {PRINTED_TAG_BITS} a function, by its word) and needed at 2^-{SECURITY_BITS}"
        ),
        &[
            "#receivers|receivers n",
            "#functions|k",
            "#tag_bits|tag b",
            "#description_bits|description y",
            "#printed_signer_to_receiver_bits|key from the signer printed",
            "#signer_to_receiver_bits|needed",
            "#printed_receiver_to_receiver_bits|between receivers printed",
            "#receiver_to_receiver_bits|needed",
            "#printed_signature_bits|signature printed",
            "#signature_bits|needed",
        ],
    );
    for one in found {
        let mut cells = vec![
            whole(one.receivers),
            whole(one.functions),
            whole(one.tag_bits),
            whole(one.description_bits),
        ];
        let pairs = [
            one.signer_to_receiver_bits,
            one.receiver_to_receiver_bits,
            one.signature_bits,
        ];
        cells.extend(pairs.into_iter().flatten().map(bits));
        table.row(cells);
    }
    table
}

fn reached(found: &Signature) -> Table {
    let mut table = Table::new(
        "signature-reached",
        "Functions per pair and what they reach with tags of 64 bits, family gf64",
        &[
            "#receivers|receivers n",
            "#security_bits|asked for",
            "#functions|functions k",
            "#denial_log2|denial",
            "#worst_log2|worst",
        ],
    );
    table.file_only = true;
    for point in &found.reached {
        table.row(vec![
            whole(point.receivers),
            whole(point.security_bits),
            whole(point.functions),
            Cell::Number(point.denial_log2, 2),
            Cell::Number(point.worst_log2, 2),
        ]);
    }
    table
}

fn agreement(found: &Signature) -> Section<'static> {
    let mut table = Table::new(
        "signature-keys",
        "Hash(K_x · parm_y) and Hash(K_y · parm_x), numbers modulo 2^61 - 1",
        &[
            "reading|parameter and private key",
            "#runs|pairs",
            "#agree|equal",
            "#overheard|computed by a listener",
            "#intercepted|shared with a stranger in the middle",
        ],
    );
    for one in &found.keys {
        table.row(key_row(one));
    }
    Section {
        id: "signature-keys",
        heading: "Formula (17): the communication keys",
        lead: "Whether two keys are equal depends on how a public parameter comes from a private key, which is not said. Used here: a key from quantum key distribution, or a hybrid of X25519 and ML-KEM-768 between keys that a registry vouches for.".to_owned(),
        blocks: vec![Block::Table(table)],
    }
}

fn key_row(one: &KeyReading) -> Vec<Cell> {
    let reading = match one.reading {
        Reading::Unrelated => "drawn for themselves",
        Reading::Product => "parm = K · G",
        Reading::Power => "parm = G^K, a discrete logarithm to a listener",
    };
    vec![
        Cell::text(reading),
        whole(one.runs),
        whole(one.agree),
        one.overheard.map_or(Cell::Empty, count),
        count(one.intercepted),
    ]
}
