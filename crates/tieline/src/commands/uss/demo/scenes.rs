//! The scenes of an attack as text.

use super::facts::{
    AttackFacts, ComplaintFacts, Document, Fact, ForgeryRow, PaperResult, ProbeRow, RateRow,
    SettingFacts, SweepRow,
};
use super::table::{self, Side, grouped, names};
use super::text::{cells, dispute, level_name, outcome_name, results, sentence};

use Side::{Left, Right};

/// The whole attack.
pub(super) fn attack(text: &mut String, document: &Document, facts: &AttackFacts) {
    let title = format!(
        "Attack {} ({}, seed {})",
        facts.name, document.keys, document.seed
    );
    table::lead(text, &title);
    table::lead(text, &format!("Setting: {}.", setting(&document.setting)));
    table::lead(text, &format!("Aim: {}", facts.aim));
    for (index, scene) in facts.scenes.iter().enumerate() {
        table::heading(text, index + 1, &scene.title);
        scene
            .facts
            .iter()
            .for_each(|found| fact(text, &document.setting, found));
    }
    let verdict = match facts.as_documented {
        true => "As documented",
        false => "NOT as documented, which says",
    };
    text.push('\n');
    table::lead(text, &format!("{verdict}: {}", facts.documented));
}

fn setting(setting: &SettingFacts) -> String {
    let forgiven: Vec<String> = setting
        .levels
        .iter()
        .map(|level| level.forgiven.to_string())
        .collect();
    format!(
        "n = {}, ω = {}, l_max = {}, λ = {}, family {}, k = {}, wrong tags forgiven {}",
        setting.receivers,
        setting.omega,
        setting.lmax,
        setting.lambda,
        setting.family,
        setting.functions,
        forgiven.join(", ")
    )
}

fn fact(text: &mut String, setting: &SettingFacts, fact: &Fact) {
    match fact {
        Fact::Note { text: words } => table::paragraph(text, words),
        Fact::Results(found) => results(text, found),
        Fact::Refused { what, reason } => {
            table::paragraph(text, &format!("{} Refused: {reason}.", sentence(what)));
        }
        Fact::Complaints { complaints, frozen } => said(text, complaints, frozen.as_deref()),
        Fact::Dispute(found) => dispute(text, found),
        Fact::PaperTests {
            needed,
            of,
            receivers,
        } => paper(text, (*needed, *of), receivers),
        Fact::Sweep { tags_per_row, rows } => sweep(text, setting, *tags_per_row, rows),
        Fact::Rates { rows } => rates(text, rows),
        Fact::Forgeries { rows } => forgeries(text, setting, rows),
        Fact::Probes { rows } => probes(text, rows),
    }
}

fn said(text: &mut String, complaints: &[ComplaintFacts], frozen: Option<&str>) {
    let all: Vec<String> = complaints.iter().map(complained).collect();
    let mut sentences = Vec::new();
    match (all.is_empty(), frozen) {
        (false, _) => sentences.push(format!("{}.", sentence(&all.join("; ")))),
        (true, None) => sentences.push("Nobody complains.".to_owned()),
        (true, Some(_)) => {}
    }
    sentences.extend(frozen.map(|cause| format!("The epoch is frozen: {cause}.")));
    table::paragraph(text, &sentences.join(" "));
}

fn complained(complaint: &ComplaintFacts) -> String {
    format!(
        "{} complains about {}: both are out",
        complaint.by, complaint.about
    )
}

fn paper(text: &mut String, (needed, of): (u32, usize), receivers: &[PaperResult]) {
    let mut groups: Vec<(&PaperResult, Vec<String>)> = Vec::new();
    for one in receivers {
        match groups
            .iter_mut()
            .find(|(first, _)| first.passed == one.passed)
        {
            Some((_, members)) => members.push(one.receiver.clone()),
            None => groups.push((one, vec![one.receiver.clone()])),
        }
    }
    let mut rows = vec![cells(&["receivers", "tests passed", "needed", ""])];
    rows.extend(groups.iter().map(|(first, members)| {
        vec![
            names(members),
            format!("{} of {of}", first.passed),
            needed.to_string(),
            accepted(first.accepted).to_owned(),
        ]
    }));
    table::table(text, &[Left, Right, Right, Left], &rows);
}

fn accepted(accepted: bool) -> &'static str {
    match accepted {
        true => "accepts",
        false => "rejects",
    }
}

fn sweep(text: &mut String, setting: &SettingFacts, tags_per_row: usize, rows: &[SweepRow]) {
    let mut head = vec![format!("wrong of {} tags", grouped(tags_per_row))];
    head.extend(setting.levels.iter().map(|level| match level.level {
        -1 => "dispute only".to_owned(),
        level => level_name(level),
    }));
    head.extend(cells(&["nowhere", "vote", "attack"]));
    let mut all = vec![head];
    for row in rows {
        let mut line = vec![grouped(row.wrong_per_row)];
        line.extend(row.accept_at.iter().map(|count| dash(*count)));
        line.push(dash(row.reject));
        line.push(outcome_name(row.outcome).to_owned());
        line.push(succeeded(row.succeeded).to_owned());
        all.push(line);
    }
    let mut sides = vec![Right; all[0].len() - 2];
    sides.extend([Left, Left]);
    table::table(text, &sides, &all);
}

fn succeeded(succeeded: bool) -> &'static str {
    match succeeded {
        true => "SUCCEEDS",
        false => "fails",
    }
}

fn dash(count: usize) -> String {
    match count {
        0 => "-".to_owned(),
        count => count.to_string(),
    }
}

fn rates(text: &mut String, rows: &[RateRow]) {
    let has_functions = rows.iter().any(|row| row.functions.is_some());
    let mut all = vec![cells(&[
        "k",
        "trials",
        "successes",
        "rate",
        "expected",
        "bound",
    ])];
    all.extend(rows.iter().map(|row| {
        let rate = f64::from(row.successes) / f64::from(row.trials.max(1));
        vec![
            row.functions.map_or_else(String::new, |k| k.to_string()),
            grouped(row.trials as usize),
            grouped(row.successes as usize),
            format!("{rate:.4}"),
            format!("{:.4}", row.expected),
            format!("{:.4}", row.bound),
        ]
    }));
    if !has_functions {
        all.iter_mut().for_each(|row| drop(row.remove(0)));
    }
    table::table(text, &vec![Right; all[0].len()], &all);
}

fn forgeries(text: &mut String, setting: &SettingFacts, rows: &[ForgeryRow]) {
    let mut head = cells(&["colluders"]);
    let names = setting
        .levels
        .iter()
        .map(|level| format!("{}: {} tests", level_name(level.level), level.tests_needed));
    head.extend(names);
    head.push("vote".to_owned());
    let mut all = vec![head];
    for row in rows {
        let mut line = vec![row.colluders.to_string()];
        line.extend(setting.levels.iter().map(|level| {
            match row.honest_accept_at.is_some_and(|at| at >= level.level) {
                true => "FORGED".to_owned(),
                false => "fails".to_owned(),
            }
        }));
        line.push(outcome_name(row.outcome).to_owned());
        all.push(line);
    }
    let mut sides = vec![Left; all[0].len()];
    sides[0] = Right;
    table::table(text, &sides, &all);
}

fn probes(text: &mut String, rows: &[ProbeRow]) {
    let head = [
        "message",
        "wrong tag in",
        "still in",
        "accept",
        "the ledger",
    ];
    let mut all = vec![cells(&head)];
    all.extend(rows.iter().map(|row| {
        vec![
            row.message.to_string(),
            format!("{}'s row", row.row_of),
            row.present.to_string(),
            row.accepted_by.to_string(),
            match &row.complaint {
                None => "no complaint".to_owned(),
                Some(complaint) if complaint.freezes => {
                    format!("{}; frozen", complained(complaint))
                }
                Some(complaint) => complained(complaint),
            },
        ]
    }));
    table::table(text, &[Right, Left, Right, Right, Left], &all);
}
