//! Which column of a table is what, by name: units and currency stand in the names.

use tieline_units::Currency;

use super::finding::{Finding, Findings, Place, escape, listed, nearest};

/// Column of the instants.
pub(crate) const TIME: &str = "timestamp_utc";
/// Column of the microgrids.
pub(crate) const ID: &str = "microgrid_id";
/// Value columns of a profile.
pub(crate) const POWERS: [&str; 3] = ["load_kw", "pv_kw", "wind_kw"];

/// A column that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) index: usize,
    pub(crate) name: String,
}

/// Where the parts of a row of profiles or prices stand.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) time: Column,
    /// Absent in a table of prices.
    pub(crate) id: Option<Column>,
    pub(crate) values: Vec<Column>,
    /// Currency in the names of the value columns.
    pub(crate) currency: Option<Currency>,
}

/// The header of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header<'a> {
    pub(crate) file: &'a str,
    /// [`Place::Line`] 1 in a text file, the file as a whole in Parquet.
    pub(crate) place: Place,
    pub(crate) names: &'a [String],
}

impl Header<'_> {
    /// The columns of profiles or a forecast.
    pub(crate) fn profiles(&self, findings: &mut Findings) -> Option<Layout> {
        let wanted: Vec<&str> = [TIME, ID].into_iter().chain(POWERS).collect();
        if !self.check(&wanted, findings) {
            return None;
        }
        Some(Layout {
            time: self.column(TIME)?,
            id: Some(self.column(ID)?),
            values: POWERS
                .iter()
                .map(|name| self.column(name))
                .collect::<Option<_>>()?,
            currency: None,
        })
    }

    /// The columns of prices: import, then export.
    pub(crate) fn prices(&self, findings: &mut Findings) -> Option<Layout> {
        let import = self.money("price_import", "_per_kwh", findings)?;
        let export = self.money("price_export", "_per_kwh", findings)?;
        let wanted = [
            TIME,
            import
                .as_ref()
                .map_or("price_import_per_kwh", |found| &found.column.name),
            export
                .as_ref()
                .map_or("price_export_per_kwh", |found| &found.column.name),
        ];
        if !self.check(&wanted, findings) {
            return None;
        }
        let (import, export) = (import?, export?);
        let currency = self.one_currency([&import, &export], findings).ok()?;
        Some(Layout {
            time: self.column(TIME)?,
            id: None,
            values: vec![import.column, export.column],
            currency,
        })
    }

    /// The currency that some columns carry; an error and a finding when they differ.
    pub(crate) fn one_currency<'a>(
        &self,
        columns: impl IntoIterator<Item = &'a MoneyColumn>,
        findings: &mut Findings,
    ) -> Result<Option<Currency>, ()> {
        let mut first: Option<(&MoneyColumn, Currency)> = None;
        for column in columns {
            match (first, column.currency) {
                (Some((known, currency)), Some(other)) if currency != other => {
                    let problem = format!(
                        "columns {} and {} are in two currencies: currencies never mix",
                        known.column.name, column.column.name
                    );
                    findings.push(
                        Finding::error(self.file, problem)
                            .at(self.place)
                            .hint("give all money of a scenario in one currency"),
                    );
                    return Err(());
                }
                (None, Some(currency)) => first = Some((column, currency)),
                _ => {}
            }
        }
        Ok(first.map(|(_, currency)| currency))
    }

    /// The column `<stem>[_<currency>]<tail>`; the outer `None` when two fit, the inner one when none does.
    #[expect(
        clippy::option_option,
        reason = "two fit, none fits and one fits are three answers"
    )]
    pub(crate) fn money(
        &self,
        stem: &str,
        tail: &str,
        findings: &mut Findings,
    ) -> Option<Option<MoneyColumn>> {
        let mut found: Option<MoneyColumn> = None;
        for (index, name) in self.names.iter().enumerate() {
            let middle = name
                .strip_prefix(stem)
                .and_then(|rest| rest.strip_suffix(tail));
            let currency = match middle {
                Some("") => None,
                Some(code) => match code.strip_prefix('_').map(Currency::parse) {
                    Some(Ok(currency)) => Some(currency),
                    _ => continue,
                },
                None => continue,
            };
            if let Some(first) = &found
                && first.column.name != *name
            {
                let problem = format!("columns {} and {name} are both {stem}", first.column.name);
                findings.push(
                    Finding::error(self.file, problem)
                        .at(self.place)
                        .hint("keep one of them: currencies never mix"),
                );
                return None;
            }
            let column = Column {
                index,
                name: name.clone(),
            };
            found = Some(MoneyColumn { column, currency });
        }
        Some(found)
    }

    /// The column of this name.
    pub(crate) fn column(&self, name: &str) -> Option<Column> {
        let index = self.names.iter().position(|one| one == name)?;
        Some(Column {
            index,
            name: name.to_owned(),
        })
    }

    /// Refuses a header that names a column twice or lacks one of `wanted`.
    pub(crate) fn check(&self, wanted: &[&str], findings: &mut Findings) -> bool {
        let twice = self
            .names
            .iter()
            .enumerate()
            .find(|(index, name)| !name.is_empty() && self.names[..*index].contains(name));
        if let Some((_, name)) = twice {
            let problem = format!("column {} is there twice", escape(name));
            findings.push(
                Finding::error(self.file, problem)
                    .at(self.place)
                    .hint("which of the two counts cannot be told: remove one"),
            );
            return false;
        }
        let missing: Vec<&str> = wanted
            .iter()
            .copied()
            .filter(|name| !self.names.iter().any(|one| one == name))
            .collect();
        if missing.is_empty() {
            return true;
        }
        findings.push(self.lacks(&missing));
        false
    }

    fn lacks(&self, missing: &[&str]) -> Finding {
        let found = listed(self.names.iter().map(String::as_str));
        let starts_with_data = self
            .names
            .iter()
            .any(|name| tieline_units::Time::parse(name).is_ok() || name.parse::<f64>().is_ok());
        let (noun, verb) = if missing.len() == 1 {
            ("column", "is")
        } else {
            ("columns", "are")
        };
        let names = missing.join(", ");
        let problem = format!("{noun} {names} {verb} missing; found {found}");
        let finding = Finding::error(self.file, problem).at(self.place);
        if starts_with_data {
            return finding.hint("the first line must hold the column names, it looks like data");
        }
        let suggestions: Vec<String> = missing
            .iter()
            .filter_map(|name| self.suggestion(name))
            .collect();
        if suggestions.is_empty() {
            finding.hint(format!(
                "add {names}; names carry the unit, as in data sets of this format"
            ))
        } else {
            let list = suggestions.join(", ");
            finding.hint(format!(
                "if the units are these, rename {list}; units are never guessed"
            ))
        }
    }

    fn suggestion(&self, missing: &str) -> Option<String> {
        let free = self.names.iter().map(String::as_str);
        let stem = |name: &str| {
            let lower = name.to_ascii_lowercase();
            !lower.is_empty() && (missing.starts_with(&lower) || lower.starts_with(missing))
        };
        let like = free
            .clone()
            .find(|name| stem(name))
            .or_else(|| nearest(missing, free.filter(|name| name.len() > 2)))?;
        Some(format!("'{}' -> '{missing}'", escape(like)))
    }
}

/// A column of money and the currency in its name.
#[derive(Clone, Debug)]
pub(crate) struct MoneyColumn {
    pub(crate) column: Column,
    pub(crate) currency: Option<Currency>,
}
