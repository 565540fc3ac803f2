//! The paper's case beside the paper's numbers: every claim of section 5.1 with a verdict by one rule, the six phases of
//! section 3.2, and the signature of sections 4.2, 5.2 and 5.3.
//!
//! The paper prints Table 1 and three figures, but no cost, no grid price and no first price. The embedded case was fitted
//! to Table 1, with penalties for breaking what the text says of Figs. 7 and 8. Agreement where something was imposed is
//! therefore "compatible" at most, and the row says so. The rule is [`claim::RULE`]; its tolerance is stated once.
//!
//! Everything of ours is computed when [`reproduce`] runs. What the paper prints is in [`paper`].
//!
//! Source: Hu, Xia, Zhang 2022, sections 3.2, 4.2 and 5, Table 1, Figs. 7-9.

mod case;
pub mod claim;
mod claims_figs;
mod claims_table1;
pub mod corrections;
pub mod fig7;
pub mod fig8;
pub mod fig9;
pub mod findings;
mod overview;
mod page;
pub mod paper;
mod plots;
pub mod protocol;
pub mod robustness;
mod sections;
mod sections_figs;
pub mod signature;
pub mod table1;
mod text;
pub mod uniqueness;
mod view;

use serde::Serialize;

use case::Case;
use claim::{Claim, Verdict};
use claims_table1::Evidence;
use corrections::{CORRECTIONS, Correction};
use fig7::Fig7;
use fig8::Fig8;
use fig9::Fig9;
pub use fig9::{Fig9Data, Fig9Microgrid};
use findings::Findings;
use protocol::Protocol;
use robustness::Robustness;
use signature::Signature;
use table1::Table1;
use uniqueness::Uniqueness;
use view::{Block, Section};

/// Name of the document's form.
pub const SCHEMA: &str = "tieline.reproduce/1";

const TITLE: &str = "The paper's case beside the paper's numbers";
const PAPER: &str = "W. Hu, X. Xia, Y. Zhang: Research on Multimicrogrid Transaction Model and Cross-Chain Transaction Mechanism Based on Blockchain (2022), sections 3.2, 4.2 and 5";

/// A table or figure of the paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Figure {
    /// Table 1: outputs and incomes at three demands; with it the equilibrium, the paper's own numbers and corrections.
    Table1,
    /// Fig. 7: improved against traditional strategy.
    Fig7,
    /// Fig. 8: clearing price by iteration.
    Fig8,
    /// Fig. 9: load and day-ahead output of two microgrids.
    Fig9,
    /// Section 3.2 with Fig. 3: the six phases.
    Protocol,
    /// Sections 4.2, 5.2 and 5.3: the signature.
    Signature,
}

impl Figure {
    /// All of them, in the order of the paper.
    pub const ALL: [Figure; 6] = [
        Figure::Table1,
        Figure::Fig7,
        Figure::Fig8,
        Figure::Fig9,
        Figure::Protocol,
        Figure::Signature,
    ];

    /// As it is written in tables.
    pub fn words(self) -> &'static str {
        match self {
            Figure::Table1 => "Table 1 and the equilibrium",
            Figure::Fig7 => "Fig. 7 and who gains",
            Figure::Fig8 => "Fig. 8",
            Figure::Fig9 => "Fig. 9",
            Figure::Protocol => "section 3.2, six phases",
            Figure::Signature => "sections 4.2, 5.2, 5.3, signature",
        }
    }
}

/// What was asked for, computed and judged.
#[derive(Clone, Debug, Serialize)]
pub struct Document {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// What was asked for, in the order of the paper, each once.
    pub figures: Vec<Figure>,
    /// Relative tolerance of the rule.
    pub tolerance: f64,
    /// The rule.
    pub rule: Vec<RuleLine>,
    /// Claims by verdict.
    pub claims_counted: Counts,
    /// The same for each of `figures`, in their order.
    pub figures_counted: Vec<Counts>,
    /// Cells of Table 1 by verdict.
    pub cells_counted: Counts,
    /// Every claim.
    pub claims: Vec<Claim>,
    /// Table 1.
    pub table1: Option<Table1>,
    /// The two markets without a unique equilibrium.
    pub uniqueness: Option<Uniqueness>,
    /// The paper's own numbers.
    pub findings: Option<Findings>,
    /// Equations, printed and used.
    pub corrections: Vec<Correction>,
    /// Fig. 7.
    pub fig7: Option<Fig7>,
    /// Fig. 8.
    pub fig8: Option<Fig8>,
    /// Fig. 9, when data were given.
    pub fig9: Option<Fig9>,
    /// Noise on the costs.
    pub robustness: Option<Robustness>,
    /// The six phases.
    pub protocol: Option<Protocol>,
    /// The signature.
    pub signature: Option<Signature>,
}

/// One line of the rule.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct RuleLine {
    /// The verdict.
    pub verdict: Verdict,
    /// When it is given.
    pub when: &'static str,
}

/// How often each verdict was given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Met, and not because it was put in.
    pub reproduced: usize,
    /// Does not disagree.
    pub compatible: usize,
    /// Disagrees.
    pub contradicted: usize,
    /// Cannot be told.
    pub not_checkable: usize,
}

impl Counts {
    /// How often this one.
    pub fn of(&self, verdict: Verdict) -> usize {
        match verdict {
            Verdict::Reproduced => self.reproduced,
            Verdict::Compatible => self.compatible,
            Verdict::Contradicted => self.contradicted,
            Verdict::NotCheckable => self.not_checkable,
        }
    }

    fn count(verdicts: impl Iterator<Item = Verdict>) -> Counts {
        let mut counts = Counts::default();
        for verdict in verdicts {
            *match verdict {
                Verdict::Reproduced => &mut counts.reproduced,
                Verdict::Compatible => &mut counts.compatible,
                Verdict::Contradicted => &mut counts.contradicted,
                Verdict::NotCheckable => &mut counts.not_checkable,
            } += 1;
        }
        counts
    }
}

/// Computes what `figures` name, in the order of the paper. `fig9`: curves for Fig. 9; without them none are measured.
///
/// # Errors
/// When the embedded case is broken, or when the curves of `fig9` are not one day each of numbers that are not negative.
pub fn reproduce(figures: &[Figure], fig9: Option<&Fig9Data>) -> anyhow::Result<Document> {
    let case = Case::embedded()?;
    let asked = |figure: Figure| figures.contains(&figure);
    let mut document = Document::empty(
        Figure::ALL
            .into_iter()
            .filter(|figure| asked(*figure))
            .collect(),
    );
    let fig7 = fig7::compute(&case)?;
    if asked(Figure::Table1) {
        let (table1, findings) = (table1::compute(&case)?, findings::compute(&case, &fig7)?);
        let uniqueness = uniqueness::compute()?;
        let evidence = Evidence {
            case: &case,
            table1: &table1,
            findings: &findings,
            uniqueness: &uniqueness,
        };
        document.claims.extend(claims_table1::claims(evidence)?);
        document.cells_counted = Counts::count(table1.cells.iter().map(|cell| cell.verdict));
        document.corrections.extend(CORRECTIONS);
        (document.table1, document.findings) = (Some(table1), Some(findings));
        document.uniqueness = Some(uniqueness);
    }
    if asked(Figure::Fig7) {
        document.claims.extend(claims_figs::fig7(&fig7));
        document.fig7 = Some(fig7);
    }
    if asked(Figure::Fig8) {
        let fig8 = fig8::compute(&case)?;
        document.claims.extend(claims_figs::fig8(&fig8));
        document.fig8 = Some(fig8);
    }
    if asked(Figure::Fig7) || asked(Figure::Fig8) {
        document.robustness = Some(robustness::compute(&case)?);
    }
    if asked(Figure::Fig9) {
        document.fig9 = fig9.map(fig9::compute).transpose()?;
        document
            .claims
            .extend(claims_figs::fig9(document.fig9.as_ref()));
    }
    if asked(Figure::Protocol) {
        let protocol = protocol::compute()?;
        document.claims.extend(protocol::claims(&protocol));
        document.protocol = Some(protocol);
    }
    if asked(Figure::Signature) {
        let signature = signature::compute()?;
        document.claims.extend(signature::claims(&signature));
        document.corrections.extend(corrections::SIGNATURE);
        document.signature = Some(signature);
    }
    let of = |figure: &Figure| {
        let claims = document
            .claims
            .iter()
            .filter(|claim| claim.figure == *figure);
        Counts::count(claims.map(|claim| claim.verdict))
    };
    document.figures_counted = document.figures.iter().map(of).collect();
    document.claims_counted = Counts::count(document.claims.iter().map(|claim| claim.verdict));
    Ok(document)
}

impl Document {
    fn empty(figures: Vec<Figure>) -> Document {
        let line = |(verdict, when): (Verdict, &'static str)| RuleLine { verdict, when };
        Document {
            schema: SCHEMA,
            figures,
            tolerance: claim::TOLERANCE,
            rule: claim::RULE.into_iter().map(line).collect(),
            claims_counted: Counts::default(),
            figures_counted: Vec::new(),
            cells_counted: Counts::default(),
            claims: Vec::new(),
            table1: None,
            uniqueness: None,
            findings: None,
            corrections: Vec::new(),
            fig7: None,
            fig8: None,
            fig9: None,
            robustness: None,
            protocol: None,
            signature: None,
        }
    }

    /// Plain text without colour, at most 110 columns wide.
    pub fn text(&self) -> String {
        text::text(self, &sections::sections(self))
    }

    /// Names and contents of the files: every table as CSV, every plot as SVG, all of it as `reproduce.html`.
    pub fn files(&self) -> Vec<(String, String)> {
        let sections = sections::sections(self);
        let mut files = vec![("reproduce.html".to_owned(), page::page(self, &sections))];
        files.push(("claims.csv".to_owned(), sections::claims_table(self).csv()));
        files.extend(tables(&sections));
        files.extend(sections::plot_files(&sections));
        files
    }
}

fn tables(sections: &[Section<'_>]) -> Vec<(String, String)> {
    let blocks = sections.iter().flat_map(|section| &section.blocks);
    let tables = blocks.filter_map(|block| match block {
        Block::Table(table) => Some(table),
        Block::Claims(_) | Block::Plots(..) => None,
    });
    tables
        .map(|table| (format!("{}.csv", table.id), table.csv()))
        .collect()
}

/// What comes of it, in a few sentences.
fn summary(document: &Document) -> String {
    let counts = document.claims_counted;
    let mut words = format!(
        "Of {} claims {} are reproduced, {} compatible, {} contradicted, {} not checkable.",
        document.claims.len(),
        counts.reproduced,
        counts.compatible,
        counts.contradicted,
        counts.not_checkable
    );
    if let Some(table1) = &document.table1 {
        let cells = document.cells_counted;
        words.push_str(&format!(
            " Of the 24 cells of Table 1 {} are compatible, {} contradicted; {} of the {} that were fitted lie within {:.0} %.",
            cells.compatible,
            cells.contradicted,
            table1.errors.fitted_within,
            table1.errors.fitted,
            100.0 * claim::TOLERANCE
        ));
    }
    words.push_str(" Nothing that was fitted counts as reproduced.");
    words
}
