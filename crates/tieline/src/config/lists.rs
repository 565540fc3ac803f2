//! The settings that are lists of tables: fibre links and line limits. Only the file can set them.

use std::collections::BTreeMap;

use tieline_units::{MicrogridId, Power, SiteId};

use super::build::Reader;
use super::source::{Lined, Node};
use super::{LineLimit, Link, value};
use crate::input::Finding;
use crate::input::finding::{Place, escape};

const LINK_HINT: &str =
    "write [[keys.link]] with sites = [\"site-1\", \"site-2\"] and fibre_km = \"12.0\"";

const LIMIT_HINT: &str =
    "write [[aggregator.limit]] with seller = \"mg-1\", buyer = \"mg-2\" and kw = \"40\"";

/// The tables of the list `key`, each read by `one`; whatever does not fit is refused with `hint`.
pub(super) fn tables<T>(
    r: &mut Reader<'_>,
    key: &'static str,
    hint: &str,
    one: impl Fn(&BTreeMap<String, Lined>, u64) -> Result<T, String>,
) -> Vec<T> {
    let Some(given) = r.given(key) else {
        return Vec::new();
    };
    let place = Reader::place_of(&given);
    let Node::List(items) = &given.node else {
        let finding = Finding::error(r.file(), "is not a list")
            .at(place)
            .column(key);
        r.refuse(finding.expected(format!("[[{key}]] tables")).hint(hint));
        return Vec::new();
    };
    let mut read = Vec::new();
    for item in items {
        let result = match &item.node {
            Node::Table(fields) => one(fields, item.line),
            _ => Err("is not a table".to_owned()),
        };
        match result {
            Ok(value) => read.push(value),
            Err(problem) => {
                let finding = Finding::error(r.file(), problem).at(Place::Line(item.line));
                r.refuse(finding.column(key).hint(hint));
            }
        }
    }
    read
}

pub(super) fn only(fields: &BTreeMap<String, Lined>, known: &[&str]) -> Result<(), String> {
    match fields.keys().find(|key| !known.contains(&key.as_str())) {
        Some(unknown) => Err(format!("unknown key '{}'", escape(unknown))),
        None => Ok(()),
    }
}

pub(super) fn scalar<'a>(fields: &'a BTreeMap<String, Lined>, key: &str) -> Option<&'a str> {
    match fields.get(key).map(|field| &field.node) {
        Some(Node::Scalar(text)) => Some(text),
        _ => None,
    }
}

/// `[[keys.link]]`: one per pair of sites.
pub(super) fn links(r: &mut Reader<'_>) -> Vec<Link> {
    let links = tables(r, "keys.link", LINK_HINT, link);
    let ends = |link: &Link| {
        let mut ends = link.sites.clone();
        ends.sort();
        format!("link {} to {}", ends[0], ends[1])
    };
    refuse_twice(
        r,
        "keys.link",
        links.iter().map(|link| (ends(link), link.line)),
    );
    links
}

/// `[[aggregator.limit]]`: one per seller and buyer.
pub(super) fn limits(r: &mut Reader<'_>) -> Vec<LineLimit> {
    let limits = tables(r, "aggregator.limit", LIMIT_HINT, limit);
    let line = |limit: &LineLimit| format!("limit from {} to {}", limit.seller, limit.buyer);
    refuse_twice(
        r,
        "aggregator.limit",
        limits.iter().map(|limit| (line(limit), limit.line)),
    );
    limits
}

fn refuse_twice(r: &mut Reader<'_>, key: &str, named: impl Iterator<Item = (String, u64)>) {
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    for (name, line) in named {
        match seen.get(&name) {
            Some(first) => {
                let problem = format!("{name} is given twice (first at line {first})");
                let finding = Finding::error(r.file(), problem).at(Place::Line(line));
                r.refuse(finding.column(key));
            }
            None => {
                seen.insert(name, line);
            }
        }
    }
}

fn link(fields: &BTreeMap<String, Lined>, line: u64) -> Result<Link, String> {
    only(fields, &["sites", "fibre_km"])?;
    let site = |item: &Lined| match &item.node {
        Node::Scalar(text) => SiteId::parse(text).ok(),
        _ => None,
    };
    let sites: Vec<SiteId> = match fields.get("sites").map(|field| &field.node) {
        Some(Node::List(ends)) => ends.iter().filter_map(site).collect(),
        _ => Vec::new(),
    };
    let sites = <[SiteId; 2]>::try_from(sites)
        .map_err(|_| "'sites' does not hold two site ids".to_owned())?;
    if sites[0] == sites[1] {
        return Err(format!("both ends are at {}", sites[0]));
    }
    let length = scalar(fields, "fibre_km").map(value::metres);
    let fibre_m = match length {
        Some(Ok(fibre_m)) => fibre_m,
        _ => return Err("'fibre_km' is not a length of 0 to 10000 km in whole metres".to_owned()),
    };
    Ok(Link {
        sites,
        fibre_m,
        line,
    })
}

fn limit(fields: &BTreeMap<String, Lined>, line: u64) -> Result<LineLimit, String> {
    only(fields, &["seller", "buyer", "kw"])?;
    let id = |key: &str| {
        let text = scalar(fields, key).ok_or_else(|| format!("'{key}' is missing"))?;
        MicrogridId::parse(text).map_err(|error| error.to_string())
    };
    let (seller, buyer) = (id("seller")?, id("buyer")?);
    if seller == buyer {
        return Err(format!("{seller} is on both ends"));
    }
    let kw = scalar(fields, "kw").ok_or("'kw' is missing")?;
    let power = Power::from_kilowatts(kw).map_err(|error| format!("'kw': {error}"))?;
    if power < Power::ZERO {
        return Err(format!("'kw' is {kw}, below zero"));
    }
    Ok(LineLimit {
        seller,
        buyer,
        power,
        line,
    })
}
