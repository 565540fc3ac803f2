//! Receivers sign in the signer's name.

use std::collections::BTreeSet;

use tieline_uss::committee::Level;
use tieline_uss::dispute::Vote;
use tieline_uss::key::KeyStore as _;
use tieline_uss::party::{Counter, Party, Receiver};

use super::super::actions;
use super::super::edit::Edit;
use super::super::facts::{DisputeOutcome, Fact, ForgeryRow, Scene, exponent};
use super::super::setting::Setting;
use super::super::stage::{self, Stage};
use super::super::text::counted;
use super::Found;

const COUNTER: Counter = Counter(0);
/// What the colluders would have the signer say.
const FORGED: &str = "I owe the bearer 1000 kWh";

pub(super) fn show(setting: &Setting) -> anyhow::Result<Found> {
    let receivers = u32::from(setting.committee().receivers());
    let omega = u32::from(setting.committee().dishonest());
    let dispute = setting.needed(Level::DISPUTE);
    let mut sizes = BTreeSet::from([omega, dispute - 1]);
    sizes.extend(
        setting
            .committee()
            .levels()
            .map(|level| setting.needed(level)),
    );
    let rows = sizes
        .into_iter()
        .filter(|colluders| *colluders < receivers)
        .map(|colluders| coalition(setting, colluders))
        .collect::<anyhow::Result<Vec<ForgeryRow>>>()?;
    let as_documented = rows.iter().all(|row| expected(setting, row));
    let scenes = vec![
        Scene::new(
            "What colluders know, and what they send",
            vec![
                Fact::note(
                    "They share their functions with the signer, so their own rows of tags are right for any \
                     message: one test passed per colluder, at every honest receiver. For the rows of honest \
                     receivers they know only the parts that came to them, which nobody else tests.",
                ),
                Fact::note(format!(
                    "They see a signature on {:?} before the ledger does, put \"{FORGED}\" in the place of the \
                     message, their own rows right, and leave the other rows: each of these tags fits with a \
                     probability of 2^{:.2}. We let it pass the ledger's own check of the sender, as if they had \
                     broken that signature.",
                    setting.message,
                    exponent(setting.choice.parameters.family().guess)
                )),
            ],
        ),
        Scene::new(
            format!("Growing coalitions; ω = {omega} is what the committee is for"),
            vec![
                Fact::Forgeries { rows },
                Fact::note(
                    "A coalition that passes enough tests by itself need forge nothing: no size of the keys \
                     helps against it. In a dispute the colluders also vote.",
                ),
            ],
        ),
    ];
    let thresholds: Vec<String> = setting
        .committee()
        .levels()
        .map(|level| match level {
            Level::DISPUTE => format!("{} in a dispute", setting.needed(level)),
            level => format!("{} at level {}", setting.needed(level), level.number()),
        })
        .collect();
    Ok(Found {
        aim: "receivers make others believe that the signer signed what it never saw.".to_owned(),
        scenes,
        documented: format!(
            "{} fail (at most 2^{:.2}); a forgery succeeds from so many dishonest receivers on: {}.",
            counted(omega, "colluder"),
            setting
                .choice
                .bounds
                .forging
                .last()
                .map_or(0.0, |forging| exponent(forging.simple)),
            thresholds.join(", ")
        ),
        as_documented,
    })
}

/// The last so many receivers collude.
fn coalition(setting: &Setting, colluders: u32) -> anyhow::Result<ForgeryRow> {
    let trial = u64::from(colluders);
    let mut stage = Stage::honest(setting, trial)?;
    let honest = setting.parameters.receivers() - colluders as usize;
    let colludes = |receiver: Receiver| receiver.index() >= honest;
    let signed = stage.parties.sign(COUNTER, setting.message.as_bytes())?;
    let mut forged = Edit::of(&stage.epoch, &signed)?;
    // Colluders hold the functions of their rows, and so can do what the signer does there.
    let (mut copy, _, mut stores) = stage::signer(setting, trial)?;
    let spent = stores[0].spend(stage.epoch.id(), COUNTER)?;
    let mut known = Edit::of(&stage.epoch, &copy.sign(spent, FORGED.as_bytes())?)?;
    setting
        .receivers()
        .filter(|row| colludes(*row))
        .for_each(|row| forged.take_row(row, &mut known));
    let finalised = stage
        .parties
        .order(forged.signed(Some(FORGED.as_bytes())))?;
    let verdicts = actions::test(&mut stage.parties, &finalised)?;
    let votes: Vec<_> = actions::honest_votes(&verdicts)
        .into_iter()
        .map(|(receiver, vote)| match colludes(receiver) {
            true => (receiver, Some(Vote::Accept)),
            false => (receiver, vote),
        })
        .collect();
    let dispute = actions::dispute(
        &mut stage.parties.record,
        COUNTER,
        (Party::Signer, Vote::Reject),
        &votes,
    )?;
    let honest = verdicts.iter().filter(|(receiver, _)| !colludes(*receiver));
    let least = honest.map(|(_, verdict)| verdict.level()).min();
    Ok(ForgeryRow {
        colluders,
        honest_accept_at: least.flatten().map(Level::number),
        outcome: dispute.outcome,
    })
}

/// Forged exactly where the coalition passes enough tests by itself.
fn expected(setting: &Setting, row: &ForgeryRow) -> bool {
    let mut levels = setting.committee().levels();
    let best = levels.find(|level| setting.needed(*level) <= row.colluders);
    let valid = row.colluders >= setting.needed(Level::DISPUTE);
    row.honest_accept_at == best.map(Level::number)
        && (row.outcome == DisputeOutcome::Valid) == valid
}
