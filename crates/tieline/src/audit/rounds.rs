//! Rounds: each equilibrium certificate holds, is anchored on Z, and its orders name it.

use std::collections::BTreeMap;

use tieline_contract::transaction::{Act, Transaction};
use tieline_market::certificate::Certificate;
use tieline_units::{Digest, Time};

use super::settled::requests;
use super::{Check, Evidence, Stop, Wrong};
use crate::commands::verify;
use crate::output::rounds::FOLDER;

pub(super) fn check(evidence: &Evidence) -> Result<Vec<Check>, Stop> {
    let certificates = certificates(evidence)?;
    let mut anchored = 0;
    let mut orders = BTreeMap::new();
    let z = evidence.z();
    for done in z.applied() {
        let Transaction::Signed(signed) = &done.transaction else {
            continue;
        };
        let Act::Round {
            hash,
            orders: of_round,
        } = &signed.act
        else {
            continue;
        };
        let Some(start) = certificates.get(hash) else {
            let wrong = Wrong {
                check: "rounds on Z",
                file: FOLDER.to_owned(),
                reason: format!(
                    "no certificate of the round {hash}, which Z has in block {}",
                    done.height
                ),
                ..Wrong::default()
            };
            return Err(wrong.into());
        };
        orders.extend(of_round.iter().map(|order| (*order, (*hash, *start))));
        anchored += 1;
    }
    if anchored != certificates.len() as u64 {
        let on_z = |hash: &Digest| z.ledger.state().round(*hash).is_some();
        let missing = certificates.iter().find(|(hash, _)| !on_z(hash));
        let wrong = Wrong {
            check: "rounds on Z",
            file: FOLDER.to_owned(),
            reason: missing.map_or("a round stands twice on Z".to_owned(), |(hash, start)| {
                format!("the round of {start} is not on Z as this certificate has it, {hash}")
            }),
            ..Wrong::default()
        };
        return Err(wrong.into());
    }
    for (order, request) in requests(evidence) {
        let terms = &request.terms;
        if orders.get(&order) != Some(&(terms.round_hash, terms.start)) {
            let wrong = Wrong {
                check: "rounds on Z",
                file: z.file(),
                order: Some(order.to_string()),
                reason: "the order is in no round on Z, or in another than its terms say"
                    .to_owned(),
                ..Wrong::default()
            };
            return Err(wrong.into());
        }
    }
    let check = |name, found| Check { name, found };
    Ok(vec![
        check("equilibrium certificates", certificates.len() as u64),
        check("orders in their rounds", orders.len() as u64),
    ])
}

/// Of every certificate, its digest and the beginning of its interval.
fn certificates(evidence: &Evidence) -> Result<BTreeMap<Digest, Time>, Stop> {
    let folder = evidence.folder.join(FOLDER);
    let broken = |error: std::io::Error| Stop::Broken(format!("{}: {error}", folder.display()));
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(broken)? {
        names.push(
            entry
                .map_err(broken)?
                .file_name()
                .to_string_lossy()
                .into_owned(),
        );
    }
    names.sort();
    let mut all = BTreeMap::new();
    for name in names {
        let file = format!("{FOLDER}/{name}");
        let text = evidence.text(&file)?;
        let by_line = name.ends_with(crate::output::rounds::LINES);
        let parts: Vec<&str> = if by_line {
            text.lines().collect()
        } else {
            vec![text.as_str()]
        };
        for (index, part) in parts.into_iter().enumerate() {
            let wrong = |reason: String| Wrong {
                check: "equilibrium certificates",
                file: file.clone(),
                line: by_line.then_some(index as u64 + 1),
                reason,
                ..Wrong::default()
            };
            let (digest, start) = one(part).map_err(|reason| Stop::from(wrong(reason)))?;
            if all.insert(digest, start).is_some() {
                return Err(wrong("the same certificate is there twice".to_owned()).into());
            }
        }
    }
    Ok(all)
}

fn one(text: &str) -> Result<(Digest, Time), String> {
    let start = verify::check(text.as_bytes())?.ok_or("it is of no market interval")?;
    let certificate: Certificate =
        serde_json::from_str(text).map_err(|error| format!("not a certificate: {error}"))?;
    let digest = Digest::parse(&certificate.digest).ok_or("its digest is none")?;
    let start = Time::parse(&start).map_err(|error| error.to_string())?;
    Ok((digest, start))
}
