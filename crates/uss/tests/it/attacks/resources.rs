//! 34: inputs that ask for too much.

use std::process::Command;

use tieline_uss::channel::{ChannelError, authenticate, seal};
use tieline_uss::committee::{Committee, CommitteeError};
use tieline_uss::epoch::EpochError;
use tieline_uss::family::{Family, FamilyError, HashKeys, MESSAGE_BYTES_MAX};
use tieline_uss::key::ItsKey;
use tieline_uss::parameters::{Epoch, Limits, ParameterError, Parameters, TAGS_MAX};
use tieline_uss::party::{EpochId, Party};
use tieline_uss::rehearsal::Rehearsal;
use tieline_uss::signature::{DecodeError, Signature, SignedMessage};
use tieline_uss::verify::VerifyError;

use crate::support::{Draft, FIRST, LATER, World, epoch, p, random, sent};

/// 34: n = 255, n = 0, k = 0, n²k above the limit, all of it at once [refused by name, before anything is allocated].
#[test]
fn attack_34_impossible_sizes_are_refused() {
    for receivers in [0, 1, 129, 255] {
        let found = Committee::new(receivers, 1, 0);
        assert_eq!(found, Err(CommitteeError::Receivers { receivers }));
    }
    let limits = Limits {
        messages: 1,
        message_bytes: 128,
    };
    let most = Committee::new(128, 1, 0).unwrap();
    let refused = |functions, budgets: &[u16]| {
        Parameters::new(most, Family::Gf128, functions, budgets.to_vec(), limits).err()
    };
    assert_eq!(
        refused(0, &[]),
        Some(ParameterError::Functions { functions: 0 })
    );
    assert_eq!(
        refused(u16::MAX, &[0, 1]),
        Some(ParameterError::Functions {
            functions: u16::MAX
        })
    );
    let tags = 128 * 128 * 4096;
    assert_eq!(refused(4096, &[0, 1]), Some(ParameterError::Tags { tags }));
    assert!(tags > TAGS_MAX);
    let huge = Limits {
        messages: 1,
        message_bytes: usize::MAX,
    };
    let long = Parameters::new(most, Family::Gf128, 1, vec![0, 1], huge).err();
    assert!(matches!(
        long,
        Some(ParameterError::MessageBytes {
            bytes: usize::MAX,
            ..
        })
    ));
}

/// 34: a message of 100 MB everywhere a message can go [refused by its length].
#[test]
fn attack_34_a_message_of_100_megabytes_is_refused_everywhere() {
    let large = vec![0; 100 << 20];
    let mut world = World::new(
        epoch((4, 1, 0), Family::Gf64, (3, &[0, 1]), 1),
        &mut random(1),
    );
    let epoch = world.epoch.clone();
    let error = Signature::decode(&epoch, &large).unwrap_err();
    let (bytes, expected) = (large.len(), Signature::encoded_bytes(&epoch));
    assert_eq!(error, DecodeError::Length { bytes, expected });
    let key = || ItsKey::from_qkd_bits(vec![1; 32]).unwrap();
    let long = ChannelError::TooLong { bytes: bytes + 8 };
    assert_eq!(authenticate(b"", &large, key()), Err(long.clone()));
    assert_eq!(seal(b"", &large, bytes * 8, key()), Err(long));
    let most = epoch.body_bytes_max();
    let signed = SignedMessage {
        epoch: epoch.id(),
        body: large,
        signature: vec![],
    };
    let found = world
        .parties
        .record
        .finalise(&sent(Party::Signer, signed), LATER);
    assert_eq!(found, Err(EpochError::TooLong { bytes, most }));
    let mut keys = HashKeys::with_capacity(Family::Gf64, 0);
    assert_eq!(
        keys.push_from(&HashKeys::with_capacity(Family::Gf64, 0), 0),
        Err(FamilyError::NoSuchKey { index: 0, keys: 0 })
    );
}

/// 34: parts of any length but the right one [refused by their length; no attempt is used up].
#[test]
fn attack_34_parts_of_wrong_lengths_are_refused_before_they_are_opened() {
    let mut draft = Draft::new(
        epoch((4, 1, 0), Family::Gf64, (3, &[0, 1]), 1),
        &mut random(2),
    );
    let right = draft.part(p(1), p(0)).clone();
    for length in [0, 1, 1 << 20, 20 << 20] {
        let mut wrong = right.clone();
        wrong.sealed.ciphertext.resize(length, 0);
        for _ in 0..100 {
            assert!(draft.distributions[0].receive(&wrong).is_err());
        }
    }
    assert_eq!(draft.distributions[0].receive(&right), Ok(()));
}

/// 34: the longest message that the parameters allow, whose signed form is longer than what a hash takes [signed, tested,
/// recognised when it comes again].
#[test]
fn attack_34_the_longest_message_that_is_allowed_is_handled() {
    let committee = Committee::new(2, 1, 0).unwrap();
    let limits = Limits {
        messages: 1,
        message_bytes: MESSAGE_BYTES_MAX,
    };
    let parameters = Parameters::new(committee, Family::Gf64, 2, vec![0, 1], limits).unwrap();
    let epoch = Epoch::new(EpochId(1), "s", &["x"], parameters).unwrap();
    let mut parties = Rehearsal::new(epoch.clone(), &mut random(3)).unwrap();
    let body = vec![0x5a; epoch.body_bytes_max()];
    let signed = parties.sign(FIRST, &body).unwrap();
    let mut fork = parties.record.clone();
    let mut other = signed.clone();
    *other.signature.last_mut().unwrap() ^= 1;
    let other = fork.finalise(&sent(Party::Signer, other), LATER).unwrap();
    let finalised = parties.order(signed).unwrap();
    for _ in 0..2 {
        for verdict in parties.verify(&finalised).unwrap() {
            assert!(verdict.is_accepted());
        }
    }
    let counter = FIRST;
    let evaluated = Err(VerifyError::Evaluated { counter });
    assert_eq!(
        parties.verifiers[0].verify(&other),
        evaluated,
        "the last byte counts too"
    );
}

const CHILD: &str = "TIELINE_USS_ALLOCATION_CHILD";

/// 34: headers that claim 4 million tags, with and without the bytes behind them [the length is compared before anything is
/// allocated: a process that decodes them a thousand times does not grow].
#[test]
#[allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "says what it leaves out, and reads its own size"
)]
fn attack_34_malformed_lengths_allocate_nothing() {
    let name = "attacks::resources::attack_34_malformed_lengths_allocate_nothing";
    if !cfg!(target_os = "linux") {
        println!("skipped: attack_34 reads its own size from /proc");
    } else if std::env::var_os(CHILD).is_none() {
        // Other tests of this process allocate at the same time.
        let program = std::env::current_exe().unwrap();
        let child = Command::new(program)
            .args(["--exact", name])
            .env(CHILD, "1")
            .output();
        let child = child.unwrap();
        assert!(
            child.status.success(),
            "{}",
            String::from_utf8_lossy(&child.stdout)
        );
    } else {
        decode_without_growing();
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "a test of memory reads its own size"
)]
fn peak_kibibytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn decode_without_growing() {
    let committee = Committee::new(128, 1, 0).unwrap();
    let limits = Limits {
        messages: 1,
        message_bytes: 128,
    };
    let parameters = Parameters::new(committee, Family::Gf128, 256, vec![0, 1], limits).unwrap();
    let large = Epoch::new(EpochId(7), "s", &["x", "y"], parameters).unwrap();
    let small = epoch((4, 1, 0), Family::Gf64, (3, &[0, 1]), 1);
    let mut honest = World::new(small.clone(), &mut random(4));
    let signature = honest.sign().signature;
    assert_eq!(Signature::encoded_bytes(&large), 19 + (64 << 20));
    let before = peak_kibibytes();
    for length in 0..1_000 {
        let mut claim = vec![1, 1, 0, 0, 128, 1, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0];
        claim.resize(length, 0xff);
        assert!(Signature::decode(&large, &claim).is_err());
        assert!(Signature::decode(&small, &claim).is_err());
        let mut cut = signature.clone();
        cut.truncate(length.min(signature.len() - 1));
        assert!(Signature::decode(&small, &cut).is_err());
    }
    let grown = peak_kibibytes() - before;
    assert!(grown < 1024, "{grown} KiB more");
}
