//! Settings as texts with their origins, from `scenario.toml`, the environment and the flags.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::spec::{self, Kind, SETTINGS};
use super::{Origin, Overrides};
use crate::input::Finding;
use crate::input::finding::{Findings, Place, nearest};

/// Sections of the file that are lists or tables of their own, checked by their readers.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    /// A text, and whether it was a string, a number or a boolean in the file.
    Scalar(String),
    /// `{ key = value, … }`.
    Table(BTreeMap<String, Lined>),
    /// `[ … ]`.
    List(Vec<Lined>),
}

/// A value and the line it stands on.
#[derive(Clone, Debug)]
pub(crate) struct Lined {
    pub(crate) node: Node,
    pub(crate) line: u64,
}

/// A setting as it was given.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    pub(crate) node: Node,
    pub(crate) origin: Origin,
}

/// All settings that were given, by key.
#[derive(Debug, Default)]
pub(crate) struct Source {
    pub(crate) file: String,
    pub(crate) given: BTreeMap<&'static str, Given>,
}

impl Source {
    /// Reads the text of a scenario file; `file` names it in findings.
    pub(crate) fn read(file: &str, text: &str, findings: &mut Findings) -> Source {
        let mut source = Source {
            file: file.to_owned(),
            given: BTreeMap::new(),
        };
        let lines = LineIndex(text);
        match DeTable::parse(text) {
            Ok(table) => source.section("", table.get_ref(), &lines, findings),
            Err(error) => {
                let line = error.span().map_or(1, |span| lines.of(span.start));
                let problem = format!("not valid TOML: {}", error.message().replace('\n', ", "));
                findings.push(
                    Finding::error(file, problem)
                        .at(Place::Line(line))
                        .hint("see scenarios/four-microgrids-day/scenario.toml for every section"),
                );
            }
        }
        source
    }

    fn section(
        &mut self,
        prefix: &str,
        table: &DeTable<'_>,
        lines: &LineIndex<'_>,
        findings: &mut Findings,
    ) {
        for (name, value) in table {
            let key = format!("{prefix}{}", name.get_ref());
            let line = lines.of(name.span().start);
            let node = value.get_ref();
            if let Some(spec) = spec::find(&key) {
                self.setting(spec, value, line, (lines, findings));
            } else if prefix.is_empty() && spec::is_section(&key) {
                match node {
                    DeValue::Table(inner) => {
                        self.section(&format!("{key}."), inner, lines, findings);
                    }
                    DeValue::Array(_) if key == "aggregator" => findings.push(
                        Finding::error(&self.file, "several aggregators are not supported: one aggregator per scenario")
                            .at(Place::Line(line))
                            .column("aggregator")
                            .hint("keep one [aggregator] table, or split the scenario into one folder per aggregator"),
                    ),
                    other => findings.push(
                        Finding::error(&self.file, format!("is a {}", other.type_str()))
                            .at(Place::Line(line))
                            .column(&key)
                            .expected(format!("a section [{key}]")),
                    ),
                }
            } else {
                findings.push(self.unknown(&key, line));
            }
        }
    }

    fn unknown(&self, key: &str, line: u64) -> Finding {
        let sections = SETTINGS
            .iter()
            .filter_map(|spec| spec.key.split_once('.').map(|(head, _)| head));
        let all = SETTINGS.iter().map(|spec| spec.key).chain(sections);
        let finding = Finding::error(
            &self.file,
            format!("unknown key '{}'", crate::input::finding::escape(key)),
        )
        .at(Place::Line(line));
        let keys = || SETTINGS.iter().map(|spec| spec.key);
        // A slip within a section first, then a key in the wrong section, then anything like it.
        let (section, leaf) = key.rsplit_once('.').unwrap_or(("", key));
        let parts = |known: &'static str| known.rsplit_once('.').unwrap_or(("", known));
        let slip = keys()
            .filter(|known| parts(known).0 == section)
            .find(|known| strsim::jaro_winkler(leaf, parts(known).1) > 0.9);
        let same_leaf = || keys().find(|known| parts(known).1 == leaf);
        match slip.or_else(same_leaf).or_else(|| nearest(key, all)) {
            Some(known) => finding.hint(format!("did you mean '{known}'?")),
            None => finding.hint("tieline config show lists every key"),
        }
    }

    fn setting(
        &mut self,
        spec: &'static spec::Spec,
        value: &Spanned<DeValue<'_>>,
        line: u64,
        (lines, findings): (&LineIndex<'_>, &mut Findings),
    ) {
        let node = value.get_ref();
        let fits = match spec.kind {
            Kind::Text => node.is_str(),
            Kind::Integer => node.is_integer(),
            Kind::Decimal => node.is_str() || node.is_integer() || node.is_float(),
            Kind::Boolean => node.is_bool(),
            Kind::Structure => true,
        };
        let wanted = match spec.kind {
            Kind::Text => "a string in quotes",
            Kind::Integer => "a whole number without quotes",
            Kind::Decimal => "a decimal number in quotes",
            Kind::Boolean => "true or false without quotes",
            Kind::Structure => "a list",
        };
        match (fits, lower(value, lines)) {
            (true, Some(lined)) => {
                let given = Given {
                    node: lined.node,
                    origin: Origin::File { line },
                };
                self.given.insert(spec.key, given);
            }
            _ => findings.push(
                Finding::error(&self.file, format!("is a {}", node.type_str()))
                    .at(Place::Line(line))
                    .column(spec.key)
                    .expected(wanted),
            ),
        }
    }

    /// Lets flags and variables stand before the file's values.
    pub(crate) fn apply(&mut self, overrides: &Overrides, findings: &mut Findings) {
        for one in overrides.in_order() {
            let from = match &one.origin {
                Origin::Env { variable } => variable.clone(),
                _ => format!("--set {}", one.key),
            };
            match spec::find(&one.key) {
                Some(spec) if spec.key == "keys.link" => {
                    findings.push(
                        Finding::error(&from, "only the scenario file can hold a list")
                            .environment()
                            .hint(format!("set {} in scenario.toml", one.key)),
                    );
                }
                Some(spec) => {
                    let given = Given {
                        node: Node::Scalar(one.value.clone()),
                        origin: one.origin.clone(),
                    };
                    self.given.insert(spec.key, given);
                }
                None => {
                    let hint = match nearest(&one.key, SETTINGS.iter().map(|spec| spec.key)) {
                        Some(known) => format!("did you mean '{known}'?"),
                        None => "tieline config show lists every key".to_owned(),
                    };
                    findings.push(
                        Finding::error(&from, "no such setting")
                            .found(&one.key)
                            .environment()
                            .hint(hint),
                    );
                }
            }
        }
    }
}

/// A TOML value with texts for scalars; `None` for a date, which no setting takes bare.
fn lower(value: &Spanned<DeValue<'_>>, lines: &LineIndex<'_>) -> Option<Lined> {
    let node = match value.get_ref() {
        DeValue::String(text) => Node::Scalar(text.clone().into_owned()),
        DeValue::Integer(integer) if integer.radix() == 10 => {
            Node::Scalar(integer.as_str().to_owned())
        }
        DeValue::Float(float) => Node::Scalar(float.as_str().to_owned()),
        DeValue::Boolean(flag) => Node::Scalar(flag.to_string()),
        DeValue::Integer(_) | DeValue::Datetime(_) => return None,
        DeValue::Array(items) => Node::List(lower_list(items, lines)?),
        DeValue::Table(table) => {
            let lowered = table.iter().map(|(name, inner)| {
                Some((name.get_ref().clone().into_owned(), lower(inner, lines)?))
            });
            Node::Table(lowered.collect::<Option<_>>()?)
        }
    };
    let line = lines.of(value.span().start);
    Some(Lined { node, line })
}

fn lower_list(items: &DeArray<'_>, lines: &LineIndex<'_>) -> Option<Vec<Lined>> {
    items.iter().map(|item| lower(item, lines)).collect()
}

/// Byte offsets as line numbers.
struct LineIndex<'a>(&'a str);

impl LineIndex<'_> {
    fn of(&self, offset: usize) -> u64 {
        let before = &self.0.as_bytes()[..offset.min(self.0.len())];
        1 + before.iter().filter(|byte| **byte == b'\n').count() as u64
    }
}
