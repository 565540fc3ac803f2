//! `docs/contract.md` says what the code does: the file is the code's own print, and what is printed is what is asked.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use tieline_contract::guard::Guard;
use tieline_contract::transaction::{Act, Contradiction, Evidence, Transaction};
use tieline_contract::transition::{Ledger, Transition};
use tieline_sim::acts;
use tieline_sim::table::asked::{ALWAYS, CHOOSES, asked, found};
use tieline_sim::table::machine::{NONE, machines};
use tieline_sim::table::{KINDS, document, picture};
use tieline_sim::village::{Village, deposit, request, signed};
use tieline_units::Money;

use crate::scenario::every_transition;
use crate::walk::Walk;

/// Compares a file with what the code prints; writes it where `TIELINE_BLESS=1`.
fn compare(name: &str, printed: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs")
        .join(name);
    if std::env::var("TIELINE_BLESS").is_ok_and(|value| value == "1") {
        std::fs::write(&path, printed).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = found.lines().zip(printed.lines()).position(|(a, b)| a != b);
    let at = differs.unwrap_or(found.lines().count().min(printed.lines().count()));
    assert!(
        found == printed,
        "docs/{name} is not what the code prints, from line {} on:\n- {}\n+ {}\nTIELINE_BLESS=1 writes it again",
        at + 1,
        found.lines().nth(at).unwrap_or_default(),
        printed.lines().nth(at).unwrap_or_default(),
    );
}

#[test]
fn the_document_is_what_the_code_prints() {
    let village = Village::default();
    let ledger = village.ledger("chain-x");
    compare("contract.md", &document(&ledger, &village.terms()));
    compare("contract.svg", &picture(&ledger));
}

#[test]
fn every_transition_asks_the_guards_that_are_printed() {
    let mut walk = every_transition();
    let mut wrong = Vec::new();
    let always = walk.asked.remove(&Transition::Refuse).unwrap();
    assert_eq!(always, ALWAYS.iter().copied().collect());
    for &transition in Transition::ALL {
        let Some(real) = walk.asked.get(&transition) else {
            wrong.push(format!("{transition:?} was never made"));
            continue;
        };
        let printed: BTreeSet<Guard> = asked(transition).iter().copied().collect();
        let missing: Vec<_> = real.difference(&printed).collect();
        let never: Vec<_> = printed.difference(real).collect();
        if !missing.is_empty() || !never.is_empty() {
            wrong.push(format!(
                "{transition:?} asks {missing:?}, which is not printed; printed and not asked: {never:?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_guard_is_somebodys() {
    let transitions = Transition::ALL.iter();
    let printed: BTreeSet<Guard> = transitions
        .flat_map(|&t| asked(t).iter().chain(found(t)))
        .chain(ALWAYS)
        .chain(CHOOSES.iter().map(|(guard, _)| guard))
        .copied()
        .collect();
    assert_eq!(printed, Guard::ALL.iter().copied().collect());
}

#[test]
fn every_arrow_of_the_state_machines_was_walked_and_no_other() {
    let walk = every_transition();
    let ledger = walk.village.ledger("chain-x");
    let machines = machines(&ledger);
    let drawn: BTreeSet<_> = machines
        .iter()
        .flat_map(|machine| machine.arrows().into_iter().map(|a| (machine.ledger, a)))
        .map(|(ledger, a)| (ledger, a.from.to_owned(), a.transition, a.to.to_owned()))
        .collect();
    let walked: BTreeSet<(Ledger, String, Transition, String)> = walk.walked;
    assert_eq!(walked, drawn);
    assert!(machines.iter().all(|machine| machine.states[0] == NONE));
}

#[test]
fn every_outbox_entry_is_in_the_effect_of_its_transition() {
    let walk = every_transition();
    let mut seen = BTreeSet::new();
    for (transitions, kinds) in &walk.said {
        let promised: Vec<_> = KINDS
            .iter()
            .filter(|(_, name, _)| {
                let entry = format!("outbox {name}");
                transitions.iter().any(|t| t.effect().contains(&entry))
            })
            .map(|(kind, ..)| *kind)
            .collect();
        assert_eq!(&promised, kinds, "{transitions:?}");
        seen.extend(kinds.iter().copied());
    }
    assert_eq!(seen, KINDS.map(|(kind, ..)| kind).into_iter().collect());
}

/// What the table prints in italics.
#[test]
fn what_is_looked_up_and_not_there_is_refused() {
    let mut walk = Walk::new();
    let stranger = {
        let mut member = walk.village.members()[0].clone();
        member.legal_name = "never applied".to_owned();
        member
    };
    let mut check = |name: &str, transaction: &Transaction, transition: Transition| {
        let guard = walk.refused(name, transaction);
        assert_eq!(found(transition), [guard], "{transition:?}");
    };
    check("chain-z", &acts::approve(&stranger), Transition::Approve);
    check("chain-z", &acts::revoke(&stranger), Transition::Revoke);
    let money = Money::from_millionths(1);
    check("chain-z", &deposit(4, "nobody", money), Transition::Deposit);
    let village = Village::default();
    let local = acts::local(&request(acts::local_terms(&village), 1));
    let Transaction::Local { request, .. } = local else {
        panic!("a local order");
    };
    let answer = signed("chain-x", "mg-x2", Act::Decline(request.order()));
    let other = Transaction::Local { request, answer };
    check("chain-x", &other, Transition::Local);
    let mut twice = Walk::new();
    let asked = twice.request(twice.village.terms(), 0);
    let one = twice.act("chain-x", &Transaction::Request(asked))[0].clone();
    let evidence = Evidence {
        other: Contradiction::Certificate(one.clone()),
        one,
    };
    let same = Transaction::Evidence(Arc::new(evidence));
    check("chain-z", &same, Transition::Evidence);
}
