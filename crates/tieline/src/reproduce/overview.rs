//! What comes first: verdicts by part of the paper, what does not match and why, and the rule.

use super::claim::{Claim, RULE, TOLERANCE, Verdict};
use super::view::{Block, Cell, Section, Table};
use super::{Counts, Document};

/// Verdicts in the order of the rule.
const VERDICTS: [Verdict; 4] = [
    Verdict::Reproduced,
    Verdict::Compatible,
    Verdict::Contradicted,
    Verdict::NotCheckable,
];

/// Verdicts by part and what does not match; none where one part was asked for, whose claims follow anyway.
pub(super) fn summary(document: &Document) -> Option<Section<'_>> {
    if document.figures.len() < 2 {
        return None;
    }
    let mut blocks = vec![Block::Table(by_figure(document))];
    for (id, caption, verdict) in [
        (
            "not-matching",
            "What does not match, and why",
            Verdict::Contradicted,
        ),
        (
            "not-checkable",
            "What cannot be told, and why",
            Verdict::NotCheckable,
        ),
    ] {
        let table = reasons(document, (id, caption), verdict);
        if !table.rows.is_empty() {
            blocks.push(Block::Table(table));
        }
    }
    Some(Section {
        id: "summary",
        heading: "What matches and what does not",
        lead: lead(document),
        blocks,
    })
}

fn lead(document: &Document) -> String {
    let claims = document.claims_counted;
    let mut words = format!(
        "{} of {} claims do not match, {} cannot be told.",
        claims.contradicted,
        document.claims.len(),
        claims.not_checkable
    );
    if document.table1.is_some() {
        words.push_str(&format!(
            " {} of 24 cells of Table 1 do not match either; the table itself lists them.",
            document.cells_counted.contradicted
        ));
    }
    words
}

fn by_figure(document: &Document) -> Table {
    let mut table = Table::new(
        "verdicts",
        "Claims by part and verdict",
        &[
            "part|part",
            "#claims|claims",
            "#reproduced|reproduced",
            "#compatible|compatible",
            "#contradicted|contradicted",
            "#not_checkable|not checkable",
        ],
    );
    let mut row = |name: &str, counts: &Counts| {
        let each = VERDICTS.map(|verdict| counts.of(verdict));
        let mut cells = vec![
            Cell::text(name),
            Cell::Number(each.iter().sum::<usize>() as f64, 0),
        ];
        cells.extend(each.map(|count| Cell::Number(count as f64, 0)));
        table.row(cells);
    };
    for (figure, counts) in document.figures.iter().zip(&document.figures_counted) {
        row(figure.words(), counts);
    }
    row("all", &document.claims_counted);
    table
}

fn reasons(document: &Document, (id, caption): (&'static str, &str), verdict: Verdict) -> Table {
    let mut table = Table::new(
        id,
        caption,
        &["claim|the paper says", "found|found", "reason|why"],
    );
    for claim in document
        .claims
        .iter()
        .filter(|claim| claim.verdict == verdict)
    {
        table.row(vec![
            Cell::Claim {
                id: claim.id.clone(),
                quote: claim.quote,
                place: claim.place,
            },
            Cell::text(found(claim)),
            Cell::text(claim.reason.clone()),
        ]);
    }
    table
}

/// Numbers beside each other where there are any, then the words.
fn found(claim: &Claim) -> String {
    let beside = |(paper, ours)| {
        let [paper, ours] = [paper, ours].map(|value| Cell::Number(value, 2).plain());
        format!("paper {paper}, ours {ours} {}", claim.unit)
    };
    let numbers = claim.paper.zip(claim.ours).map(beside);
    let words = (!claim.found.is_empty()).then(|| claim.found.clone());
    let parts: Vec<String> = numbers.into_iter().chain(words).collect();
    parts.join("; ")
}

/// The rule and how often each of its lines applied.
pub(super) fn rule(document: &Document) -> Section<'_> {
    let mut rule = Table::new(
        "rule",
        "The rule",
        &[
            "verdict|verdict",
            "when|when",
            "#claims|claims",
            "#cells|cells",
        ],
    );
    for (verdict, when) in RULE {
        let count = |counts: &Counts| Cell::Number(counts.of(verdict) as f64, 0);
        rule.row(vec![
            Cell::text(verdict.word()),
            Cell::text(when),
            count(&document.claims_counted),
            count(&document.cells_counted),
        ]);
    }
    Section {
        id: "rule",
        heading: "How claims are judged",
        lead: format!(
            "One rule for all, nothing tuned per claim. The tolerance is {:.0} % of the printed number. The paper prints no cost, no grid price and no first price: those used here were fitted to Table 1, with penalties for breaking what it says of Figs. 7 and 8.",
            100.0 * TOLERANCE
        ),
        blocks: vec![Block::Table(rule)],
    }
}
