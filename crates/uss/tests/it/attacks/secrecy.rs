//! 10: what the rounds show of the split.

use tieline_uss::channel::Canonical as _;
use tieline_uss::dispute::Vote;
use tieline_uss::distribute::DistributeError;
use tieline_uss::epoch::Grounds;
use tieline_uss::family::Family;
use tieline_uss::party::{Counter, Party};
use tieline_uss::verify::VerifyError;

use crate::rounds::families;
use crate::support::{
    BODY, Draft, FIRST, FirstComplaint, World, epoch, everybody, p, random, spoil,
};

/// 10: message sizes over many splits, keys and bodies [one size per kind of message and epoch].
#[test]
fn attack_10_messages_have_one_size_and_order_whatever_is_in_them() {
    for family in families() {
        let mut sizes = Vec::new();
        let runs = if family == Family::Lfsr128 { 3 } else { 30 };
        for seed in 0..runs {
            let epoch = epoch((4, 1, 0), family, (3, &[0, 1]), 2);
            let draft = Draft::new(epoch.clone(), &mut random(seed));
            let parts = draft.parts.iter();
            let shape: Vec<_> = parts
                .map(|part| (part.from, part.to, part.sealed.ciphertext.len()))
                .collect();
            let mut draft = draft;
            assert_eq!(draft.deliver(), []);
            let receipts: Vec<Vec<u8>> = draft
                .distributions
                .iter()
                .map(|distribution| distribution.receipt(&everybody()).unwrap().canonical())
                .collect();
            assert!(
                receipts.iter().all(|receipt| *receipt == receipts[0]),
                "one bit, the same for all"
            );
            let mut world = draft.finish();
            let signed = world.sign();
            sizes.push((shape, receipts[0].clone(), signed.signature.len()));
        }
        assert!(sizes.iter().all(|size| *size == sizes[0]), "{family}");
    }
}

/// 10: a receiver acknowledges a good part, a part with wrong functions, and the order in which parts come [alike].
#[test]
fn attack_10_receipts_do_not_depend_on_what_the_parts_contain() {
    let epoch = epoch((4, 1, 0), Family::Gf64, (3, &[0, 1]), 1);
    let mut draft = Draft::new(epoch.clone(), &mut random(1));
    let mut writer = tieline_uss::bits::BitWriter::default();
    (0..3).for_each(|index| writer.write(index, epoch.parameters().index_bits()));
    while writer.bits() < epoch.parameters().set_bits() {
        writer.write(1, 1);
    }
    draft.reseal(p(1), p(0), &writer.into_bytes());
    draft.parts.reverse();
    assert_eq!(draft.deliver(), []);
    let receipts = draft
        .distributions
        .iter()
        .map(|distribution| distribution.receipt(&everybody()).unwrap());
    let receipts: Vec<Vec<u8>> = receipts.map(|receipt| receipt.canonical()).collect();
    assert!(receipts.iter().all(|receipt| *receipt == receipts[0]));
}

/// Numbers that would tell something: the indices in the sets of any receiver.
fn numbers(text: &str) -> Vec<usize> {
    let digits = text.split(|c: char| !c.is_ascii_digit());
    digits.filter_map(|number| number.parse().ok()).collect()
}

/// 10, 33: every public value that holds a secret, in `{:?}` and `{:#?}` [no index, no count of mismatches, no key].
#[test]
fn attack_10_debug_prints_of_parties_do_not_depend_on_their_secrets() {
    let prints = |seed: u64| {
        let epoch = epoch((4, 1, 0), Family::Gf64, (3, &[0, 1]), 2);
        let draft = Draft::new(epoch, &mut random(seed));
        let mut texts = vec![format!("{:?} {:#?}", draft.signer, draft.distributions)];
        let mut world = draft.delivered();
        world.parties.refresh(Counter(1)).unwrap();
        texts.push(format!(
            "{:?} {:#?}",
            world.parties.signer, world.parties.verifiers
        ));
        texts.push(format!("{:?}", world.parties.stores));
        texts.push(format!("{:#?}", world.parties.record));
        let keys = tieline_uss::draw::signer_keys(
            &world.epoch,
            &mut crate::support::stores(
                4,
                &crate::support::draw_raw(&world.epoch, &mut random(seed)),
            )[0],
        );
        texts.push(format!("{:?}", keys.unwrap()));
        texts
    };
    assert_eq!(
        prints(1),
        prints(2),
        "the same text whatever the keys and the split are"
    );
}

/// 10: a verdict after one mismatch, after many, and which part [prints "accepted" or "rejected" and the counter].
#[test]
fn attack_10_verdicts_print_neither_counts_nor_places() {
    let mut prints = Vec::new();
    for wrong in [0, 1, 2, 3] {
        for owner in 0..4 {
            let epoch = epoch((4, 1, 0), Family::Gf64, (4, &[0, 3]), 1);
            let mut world = World::new(epoch.clone(), &mut random(3));
            let mut signed = world.sign();
            let held = world.set(p(owner), p(0)).into_iter().take(wrong);
            spoil(&epoch, &mut signed, p(owner), held);
            let finalised = world.order(signed);
            let verdict = world.parties.verifiers[0].verify(&finalised).unwrap();
            assert_eq!(verdict.vote(), Some(Vote::Accept));
            prints.push(format!("{verdict:?}"));
        }
    }
    assert!(
        prints
            .iter()
            .all(|print| print == "Verdict(counter 0, accepted)"),
        "{prints:?}"
    );
}

/// 10: texts of errors that a dishonest sender can provoke [the party, never which function or how many].
#[test]
fn attack_10_errors_name_parties_and_lengths_and_no_functions() {
    let texts = [
        DistributeError::BadPart { from: p(2) }.to_string(),
        DistributeError::BadOffer.to_string(),
        VerifyError::MissingPart {
            from: p(2),
            counter: FIRST,
        }
        .to_string(),
        VerifyError::Evaluated { counter: FIRST }.to_string(),
        VerifyError::OutOfOrder { counter: FIRST }.to_string(),
        VerifyError::Out { me: p(2) }.to_string(),
    ];
    for text in texts {
        assert!(
            numbers(&text.replace("P3", "").replace("counter 0", "")).is_empty(),
            "{text}"
        );
        for word in ["index", "indices", "mismatch", "of k", "function"] {
            assert!(!text.contains(word), "{text}");
        }
    }
}

/// 10: complaints about one mismatch and about many [the same bytes: accused, kind, counter].
#[test]
fn attack_10_complaints_say_neither_how_many_nor_where() {
    let mut complaints = Vec::new();
    for wrong in [1, 2, 4] {
        let epoch = epoch((4, 1, 0), Family::Gf64, (4, &[0, 3]), 1);
        let mut world = World::new(epoch.clone(), &mut random(4));
        let mut signed = world.sign();
        assert_eq!((signed.body.as_slice(), signed.epoch), (BODY, epoch.id()));
        let held: Vec<usize> = world.set(p(1), p(0)).into_iter().take(wrong).collect();
        spoil(&epoch, &mut signed, p(1), held);
        let finalised = world.order(signed);
        let verdict = world.parties.verifiers[0].verify(&finalised).unwrap();
        let about = verdict.complaint_about(finalised.roster()).unwrap();
        let grounds = Grounds::Mismatch(FIRST);
        let complaint = tieline_uss::epoch::Complaint {
            epoch: epoch.id(),
            about,
            grounds,
        };
        complaints.push((Party::Receiver(about), complaint.canonical()));
    }
    assert!(
        complaints
            .iter()
            .all(|complaint| *complaint == complaints[0])
    );
}
