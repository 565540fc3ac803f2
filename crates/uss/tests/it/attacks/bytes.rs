//! 14, 15, 16: bytes that claim to be more than they are.

use proptest::prelude::*;
use tieline_uss::committee::Level;
use tieline_uss::epoch::EpochError;
use tieline_uss::family::{Family, HashKeys, Small};
use tieline_uss::parameters::Epoch;
use tieline_uss::signature::{DecodeError, Signature, SignedMessage};
use tieline_uss::verify::{VerifyError, level_after};

use crate::rounds::families;
use crate::support::{
    FIRST, FirstComplaint, HEADER_BYTES, LATER, World, edit_tags, epoch, p, random, spoil,
};

fn refused(epoch: &Epoch, signature: Vec<u8>) -> DecodeError {
    let mut world = World::new(epoch.clone(), &mut random(1));
    let mut signed = world.sign();
    signed.signature = signature;
    let error = match world.parties.order(signed).unwrap_err() {
        tieline_uss::rehearsal::RehearsalError::Epoch(EpochError::Decode(error)) => error,
        other => panic!("{other}"),
    };
    let honest = world.sign_again();
    assert!(
        world.parties.record.finalise(&honest, LATER).is_ok(),
        "the counter is not used up"
    );
    error
}

impl World {
    /// The honest signature of the same epoch and seed once more.
    fn sign_again(&self) -> tieline_uss::channel::Authenticated<SignedMessage> {
        let mut twin = World::new(self.epoch.clone(), &mut random(1));
        crate::support::sent(tieline_uss::party::Party::Signer, twin.sign())
    }
}

/// 14: cut, empty, one byte more, another family, other sizes [refused before any comparison, exact length].
#[test]
fn attack_14_signatures_of_another_length_or_family_are_refused_before_any_tag_is_compared() {
    for family in families() {
        let epoch = epoch((4, 1, 0), family, (3, &[0, 1]), 1);
        let whole = World::new(epoch.clone(), &mut random(1)).sign().signature;
        let expected = whole.len();
        for bytes in [
            0,
            1,
            HEADER_BYTES - 1,
            HEADER_BYTES,
            expected - 1,
            expected + 1,
            2 * expected,
        ] {
            let mut cut = whole.clone();
            cut.resize(bytes, 0);
            assert_eq!(
                refused(&epoch, cut),
                DecodeError::Length { bytes, expected }
            );
        }
        for place in 0..15 {
            let mut other = whole.clone();
            other[place] ^= 0x80;
            let error = refused(&epoch, other);
            match place {
                1..4 => assert!(matches!(error, DecodeError::Family { .. })),
                _ => assert!(matches!(error, DecodeError::Header { .. })),
            }
        }
    }
}

/// 14: a signature of one family presented as another's with tags of the same length [the family is in the header].
#[test]
fn attack_14_a_tag_of_another_family_is_none_of_this_one() {
    let of = |family| {
        let epoch = epoch((4, 1, 0), family, (3, &[0, 1]), 1);
        let signature = World::new(epoch.clone(), &mut random(1)).sign().signature;
        (epoch, signature)
    };
    let (gf128, wide) = of(Family::Gf128);
    let (lfsr, other) = of(Family::Lfsr128);
    assert_eq!(wide.len(), other.len());
    for (epoch, signature) in [(&gf128, other), (&lfsr, wide)] {
        let error = refused(epoch, signature);
        assert!(matches!(error, DecodeError::Family { .. }));
    }
    let small = |b, s| Family::Small(Small::new(b, s).unwrap());
    let (one, _) = of(small(5, 8));
    let (_, two) = of(small(5, 9));
    assert!(matches!(refused(&one, two), DecodeError::Family { .. }));
}

/// 14: tags exchanged between receivers' rows or within one [each wrong tag is a mismatch; nobody accepts].
#[test]
fn attack_14_permuted_tags_are_rejected() {
    let epoch = epoch((4, 1, 0), Family::Gf64, (8, &[0, 3]), 1);
    let permutations: [fn(&mut [u128]); 4] = [
        |tags| tags.rotate_left(32),
        |tags| tags.rotate_left(1),
        |tags| tags.reverse(),
        |tags| tags.chunks_mut(32).for_each(|row| row.rotate_left(5)),
    ];
    for permute in permutations {
        let mut world = World::new(epoch.clone(), &mut random(2));
        let mut signed = world.sign();
        edit_tags(&epoch, &mut signed, permute);
        let finalised = world.order(signed);
        for verdict in world.parties.verify(&finalised).unwrap() {
            assert_eq!(verdict.level(), None);
        }
    }
}

/// 15: m‖0, m cut by a zero, the empty message [other length blocks, other headers: other tags, rejected].
#[test]
fn attack_15_zeros_appended_to_or_taken_from_a_body_make_it_another() {
    for family in families() {
        let epoch = epoch((4, 1, 0), family, (3, &[0, 1]), 1);
        for (signed_body, shown) in [
            (&b"ab"[..], &b"ab\0"[..]),
            (b"ab\0", b"ab"),
            (b"", b"\0"),
            (b"\0", b""),
            (b"", b"\0\0\0\0\0\0\0\0"),
            (b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", b""),
        ] {
            let mut world = World::new(epoch.clone(), &mut random(3));
            let mut signed = world.parties.sign(FIRST, signed_body).unwrap();
            signed.body = shown.to_vec();
            let finalised = world.order(signed);
            for verdict in world.parties.verify(&finalised).unwrap() {
                assert!(!verdict.is_accepted(), "{family} {signed_body:?} {shown:?}");
            }
        }
    }
}

/// 15: the hash key zero, which every message hashes to zero under [allowed: refusing it would make others likelier; an
/// epoch that has it in every function still works, for the pads hide it].
#[test]
fn attack_15_the_hash_key_zero_is_taken_like_any_other() {
    for family in [
        Family::Gf128,
        Family::Gf64,
        Family::Small(Small::new(5, 8).unwrap()),
    ] {
        let zeros = vec![0; 64];
        let mut reader = tieline_uss::bits::BitReader::new(&zeros);
        let keys = HashKeys::read(family, &mut reader, 2).unwrap();
        let mut hashes = Vec::new();
        for message in [&b""[..], b"a", b"a\0", &[0xff; 100]] {
            keys.hash(message, &mut hashes).unwrap();
        }
        assert!(hashes.iter().all(|hash| *hash == 0));
        let epoch = epoch((4, 1, 0), family, (3, &[0, 1]), 1);
        let mut draft = crate::support::draw_raw(&epoch, &mut random(4));
        let hash_bytes = 12 * family.hash_key_bits() as usize / 8;
        for to in 0..4 {
            let raw = draft.get_mut(&crate::support::from_signer(p(to))).unwrap();
            raw[..hash_bytes].fill(0);
        }
        let mut world = crate::support::Draft::of(epoch, draft, &mut random(5)).delivered();
        let signed = world.sign();
        let finalised = world.order(signed);
        for verdict in world.parties.verify(&finalised).unwrap() {
            assert!(verdict.is_accepted());
        }
    }
}

/// 16: a level is claimed with a forwarded copy [there is no level in any message: each verifier computes its own from its
/// own tests, and a copy changes nothing].
#[test]
fn attack_16_levels_are_computed_by_each_verifier_for_itself() {
    let epoch = epoch((8, 2, 1), Family::Gf64, (3, &[0, 1, 2]), 1);
    let mut world = World::new(epoch.clone(), &mut random(6));
    let mut signed = world.sign();
    // One mismatch in each of two blocks for P1 alone: level 1 forgives none, level 0 one per block, and six are needed.
    for owner in [1, 2] {
        let held = world.set(p(owner), p(0))[0];
        spoil(&epoch, &mut signed, p(owner), [held]);
    }
    let finalised = world.order(signed);
    let verdicts = world.parties.verify(&finalised).unwrap();
    assert_eq!(verdicts[0].level(), Level::new(0));
    assert!(!verdicts[0].is_accepted());
    assert_eq!(verdicts[0].is_accepted_after(0), Ok(false));
    assert_eq!(verdicts[0].is_accepted_after(1), Ok(true));
    for verdict in &verdicts[1..] {
        assert_eq!(verdict.level(), Level::new(1));
    }
    let copy = finalised.clone();
    let again = world.parties.verify(&copy).unwrap();
    assert_eq!(again, verdicts);
    assert_eq!(
        copy.message().signature.len(),
        Signature::encoded_bytes(&epoch)
    );
}

/// 16: passed on more than l_max times [refused, also for a verdict of the highest level; the dispute's level is out of reach].
#[test]
fn attack_16_more_transfers_than_l_max_are_refused() {
    for (committee, most) in [((4, 1, 0), 0), ((8, 2, 1), 1), ((4, 1, 2), 2)] {
        let budgets: Vec<u16> = (0..u16::from(most) + 2).collect();
        let epoch = epoch(committee, Family::Gf64, (4, &budgets), 1);
        let mut world = World::new(epoch.clone(), &mut random(7));
        let signed = world.sign();
        let finalised = world.order(signed);
        for verdict in world.parties.verify(&finalised).unwrap() {
            for transfers in 0..=u8::MAX {
                let accepted = verdict.is_accepted_after(transfers);
                let error = VerifyError::TooManyTransfers { transfers, most };
                assert_eq!(
                    accepted,
                    if transfers <= most {
                        Ok(true)
                    } else {
                        Err(error)
                    }
                );
            }
        }
        let committee = epoch.parameters().committee();
        assert_ne!(level_after(committee, most).unwrap(), Level::DISPUTE);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// 14: any change of any number of bytes [refused, or a signature that fails the tests of those who hold the tags].
    #[test]
    fn attack_14_changed_bytes_are_refused_or_noticed(
        changes in prop::collection::vec((any::<prop::sample::Index>(), 1..=u8::MAX), 1..5),
        seed in 0_u64..1000,
    ) {
        let epoch = epoch((4, 1, 0), Family::Gf64, (3, &[0, 1]), 1);
        let mut world = World::new(epoch, &mut random(seed));
        let mut signed = world.sign();
        let honest = signed.clone();
        for (place, mask) in changes {
            let place = place.index(signed.signature.len());
            signed.signature[place] ^= mask;
        }
        prop_assume!(signed != honest);
        if let Ok(finalised) = world.parties.order(signed) {
            let verdicts = world.parties.verify(&finalised).unwrap();
            let own_only = (0..4).all(|index| verdicts[index].complaint_about(finalised.roster()).is_none());
            // Tags that their own sender keeps are the only ones that nobody complains about.
            prop_assert!(!own_only || verdicts.iter().any(|verdict| verdict.is_accepted()));
        }
    }
}
