//! Claims and the one rule that judges all of them.

use std::fmt;
use std::iter::Sum;

use serde::Serialize;

use super::Figure;
use super::paper::Quote;

/// Relative distance within which a number counts as the printed one.
pub const TOLERANCE: f64 = 0.05;
/// Distance, in the number's own unit, that rounding may cause: two of ours closer than this are equal.
pub const ROUNDING: f64 = 1e-6;

/// Probability, as exponent of 2, that a statement of security may leave to an attacker: the paper's "negligible level".
pub const NEGLIGIBLE_LOG2: f64 = -64.0;

/// The rule in words, in the order of the verdicts.
pub const RULE: [(Verdict, &str); 4] = [
    (
        Verdict::Reproduced,
        "a printed number that ours meets within 5 % and that did not enter the fit",
    ),
    (
        Verdict::Compatible,
        "a number within 5 % that the fit was given; a statement that holds at every demand or in every run that it speaks of. Statements go no further than this: the costs behind them are fitted, so agreement shows that such a market exists, not that it is the paper's. A statement of security when no attack run here succeeds and a bound leaves at most 2^-64 to every other",
    ),
    (
        Verdict::Contradicted,
        "anything else that can be computed; a number that is off is contradicted although it may keep its rank in its row. A statement of security when one attack succeeds, however often",
    ),
    (
        Verdict::NotCheckable,
        "the paper prints no number, names no measure, or the result follows from a setting it does not give; a statement of security without an attack and without a bound",
    ),
];

/// What became of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Met, and not because it was put in.
    Reproduced,
    /// Does not disagree.
    Compatible,
    /// Disagrees.
    Contradicted,
    /// Cannot be told.
    NotCheckable,
}

impl Verdict {
    /// As it is written in tables.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Reproduced => "reproduced",
            Verdict::Compatible => "compatible",
            Verdict::Contradicted => "contradicted",
            Verdict::NotCheckable => "not checkable",
        }
    }

    /// A number beside the printed one.
    pub fn of_number(paper: f64, ours: f64, imposed: Imposed) -> Verdict {
        if !within_tolerance(paper, ours) {
            return Verdict::Contradicted;
        }
        match imposed {
            Imposed::No => Verdict::Reproduced,
            Imposed::Input | Imposed::Target | Imposed::Penalty | Imposed::Chosen => {
                Verdict::Compatible
            }
        }
    }

    /// A statement.
    pub fn of_statement(holds: bool) -> Verdict {
        if holds {
            Verdict::Compatible
        } else {
            Verdict::Contradicted
        }
    }

    /// A statement of security: what attacks came to, and the largest probability that a proof leaves to any attack, as
    /// exponent of 2. Attacks that fail decide nothing by themselves.
    pub fn of_security(attacks: Attacks, bound_log2: Option<f64>) -> Verdict {
        match bound_log2 {
            _ if attacks.succeeded > 0 => Verdict::Contradicted,
            Some(bound) if bound <= NEGLIGIBLE_LOG2 => Verdict::Compatible,
            Some(_) | None => Verdict::NotCheckable,
        }
    }
}

/// Attacks that were run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Attacks {
    /// How many.
    pub runs: u32,
    /// How many of them reached what they were after.
    pub succeeded: u32,
}

impl Attacks {
    /// One more.
    pub fn count(&mut self, succeeded: bool) {
        self.runs += 1;
        self.succeeded += u32::from(succeeded);
    }

    /// Share that succeeded; 0 without any.
    pub fn rate(self) -> f64 {
        f64::from(self.succeeded) / f64::from(self.runs.max(1))
    }
}

impl Sum for Attacks {
    fn sum<I: Iterator<Item = Attacks>>(all: I) -> Attacks {
        all.fold(Attacks::default(), |sum, one| Attacks {
            runs: sum.runs + one.runs,
            succeeded: sum.succeeded + one.succeeded,
        })
    }
}

impl fmt::Display for Attacks {
    /// `200 of 200`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.succeeded, self.runs)
    }
}

/// How a claim entered what it is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Imposed {
    /// Not at all.
    No,
    /// Read off the paper and put in.
    Input,
    /// The parameters were fitted to it.
    Target,
    /// Parameters that break it were penalised in the fit.
    Penalty,
    /// The data were chosen to be so.
    Chosen,
}

impl Imposed {
    /// As it is written in tables; empty when nothing was imposed.
    pub fn words(self) -> &'static str {
        match self {
            Imposed::No => "",
            Imposed::Input => "put in",
            Imposed::Target => "fit target",
            Imposed::Penalty => "penalty in the fit",
            Imposed::Chosen => "data chosen for it",
        }
    }
}

/// One claim of the paper beside what comes out here.
#[derive(Clone, Debug, Serialize)]
pub struct Claim {
    /// Short name, unique.
    pub id: String,
    /// Where it is shown.
    pub figure: Figure,
    /// Section, table or figure of the paper.
    pub place: &'static str,
    /// The paper's words.
    pub quote: &'static str,
    /// The paper's number.
    pub paper: Option<f64>,
    /// Ours.
    pub ours: Option<f64>,
    /// Unit of both.
    pub unit: &'static str,
    /// Ours less the paper's.
    pub difference: Option<f64>,
    /// The difference over the paper's number; none when that is zero.
    pub relative: Option<f64>,
    /// What was found, in one line.
    pub found: String,
    /// Whether the fit was given it.
    pub imposed: Imposed,
    /// The verdict.
    pub verdict: Verdict,
    /// Why, in one line.
    pub reason: String,
}

/// What [`Claim`]s of one kind share.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    /// Short name.
    pub id: &'static str,
    /// Where it is shown.
    pub figure: Figure,
    /// The paper's words.
    pub quote: Quote,
    /// Whether the fit was given it.
    pub imposed: Imposed,
}

impl Subject {
    /// A statement that holds or does not.
    pub fn statement(self, holds: bool, found: String, reason: String) -> Claim {
        self.judged(Verdict::of_statement(holds), found, reason)
    }

    /// A statement of security, by [`Verdict::of_security`].
    pub fn security(
        self,
        attacks: Attacks,
        bound_log2: Option<f64>,
        found: String,
        reason: String,
    ) -> Claim {
        self.judged(Verdict::of_security(attacks, bound_log2), found, reason)
    }

    /// A claim that nothing here can decide.
    pub fn not_checkable(self, found: String, reason: String) -> Claim {
        self.judged(Verdict::NotCheckable, found, reason)
    }

    /// A printed number and ours, without a row in which it would have a rank.
    pub fn number(self, paper: f64, ours: f64, unit: &'static str, reason: String) -> Claim {
        let verdict = Verdict::of_number(paper, ours, self.imposed);
        self.judged(verdict, String::new(), reason)
            .with_numbers(paper, ours, unit)
    }

    fn judged(self, verdict: Verdict, found: String, reason: String) -> Claim {
        Claim {
            id: self.id.to_owned(),
            figure: self.figure,
            place: self.quote.place,
            quote: self.quote.text,
            paper: None,
            ours: None,
            unit: "",
            difference: None,
            relative: None,
            found,
            imposed: self.imposed,
            verdict,
            reason,
        }
    }
}

impl Claim {
    /// The same with a printed number and ours beside the verdict.
    pub fn with_numbers(mut self, paper: f64, ours: f64, unit: &'static str) -> Claim {
        self.paper = Some(paper);
        self.ours = Some(ours);
        self.unit = unit;
        self.difference = Some(ours - paper);
        self.relative = relative(paper, ours);
        self
    }
}

/// Difference over the printed number; none when that is zero.
pub fn relative(paper: f64, ours: f64) -> Option<f64> {
    (paper != 0.0).then(|| (ours - paper) / paper)
}

/// Within 5 % of the printed number; a printed zero must be met within rounding.
pub fn within_tolerance(paper: f64, ours: f64) -> bool {
    (ours - paper).abs() <= TOLERANCE * paper.abs() + ROUNDING
}

/// Rank of every value, 0 = largest; equal ones in the order given.
pub fn ranks(values: [f64; 4]) -> [usize; 4] {
    let before = |i: usize, j: usize| values[j] > values[i] || (values[j] == values[i] && j < i);
    std::array::from_fn(|i| (0..4).filter(|&j| before(i, j)).count())
}
