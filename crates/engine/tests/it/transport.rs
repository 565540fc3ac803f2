//! Two ends over a connection: who gets one, who does not, and what is said about it.

use std::sync::Arc;
use std::time::Duration;

use commonware_cryptography::{ChaCha20Poly1305, Signer as _};
use commonware_runtime::{
    Runner as _, Sink as _, Spawner as _, Supervisor as _, deterministic, mocks,
};
use commonware_stream::Upgrader as _;
use commonware_stream::cups::{self, Cups};
use commonware_stream::sake::{self, Sake};
use commonware_stream::utils::codec::Error as FrameError;
use tieline_engine::transport::{HELLO_BYTES, LinkError, NoPsk, PskPolicy};
use tieline_engine::validators::Identity;

use crate::support::identity;
use crate::wire::*;

/// What both ends report.
fn reports(tables: &(Arc<Table>, Arc<Table>)) -> [String; 2] {
    [&tables.0, &tables.1].map(|table| table.events.lock().unwrap().join("; "))
}

fn closed<T>(result: &Result<T, LinkError>) -> bool {
    matches!(result, Err(LinkError::Frame(FrameError::RecvFailed(_))))
}

#[test]
fn two_ends_agree_and_talk_both_ways() {
    let tables = plain();
    let outcome = Call::new(&tables.0, &tables.1).run();
    outcome.dialer.unwrap();
    assert_eq!(outcome.listener.unwrap(), identity(DIALER).public_key());
    assert_eq!(reports(&tables), ["Dialer: pq-only", "Listener: pq-only"]);
}

/// A policy, and the QKD key that this end has, a byte that is repeated.
type Side = (PskPolicy, Option<u8>);

const DRY: &str = "the QKD keys of the link are used up";
const UNKNOWN: &str = "there is no unused QKD key PskId([7, 7, 7";
const NOT_OFFERED: &str = "the other end has offered no QKD key";

/// Whether these two connect, and what dialer and listener report.
fn check((dialer, listener): (Side, Side), stands: bool, [first, second]: [&str; 2]) {
    let tables = tables(dialer, listener);
    let outcome = Call::new(&tables.0, &tables.1).run();
    let found = reports(&tables);
    let case = format!("{dialer:?} {listener:?}: {found:?}");
    let said = found[0].contains(first) && found[1].contains(second);
    assert!(said, "{case}");
    let ended = (outcome.dialer.is_ok(), outcome.listener.is_ok());
    assert_eq!(ended, (stands, stands), "{case}");
}

#[test]
fn a_qkd_key_that_both_ends_have_is_used_when_either_wants_it() {
    use PskPolicy::{Preferred, Required};
    for dialer in [Preferred, Required] {
        for listener in [Preferred, Required] {
            let both = ((dialer, Some(3)), (listener, Some(3)));
            check(both, true, ["Dialer: hybrid", "Listener: hybrid"]);
        }
    }
}

#[test]
fn without_a_qkd_key_that_was_preferred_both_ends_go_on_and_say_why() {
    use PskPolicy::{None as No, Preferred};
    let not_found = "pq-only: the other end has not found the QKD key";
    let (dry, not_offered) = (format!("pq-only: {DRY}"), format!("pq-only: {NOT_OFFERED}"));
    let unknown = format!("pq-only: {UNKNOWN}");
    let cases = [
        ((No, None), (Preferred, Some(3)), ["pq-only", &not_offered]),
        ((Preferred, None), (No, None), [&dry, "pq-only"]),
        (
            (Preferred, None),
            (Preferred, Some(3)),
            [&dry, &not_offered],
        ),
        (
            (Preferred, Some(3)),
            (Preferred, None),
            [not_found, &unknown],
        ),
    ];
    for (dialer, listener, reports) in cases {
        check((dialer, listener), true, reports);
    }
}

#[test]
fn without_a_qkd_key_that_either_end_requires_there_is_no_connection() {
    use PskPolicy::{None as No, Preferred, Required};
    let unknown = format!("need a QKD key: {UNKNOWN}");
    let (closed, none) = (
        "refused: recv failed",
        "need a QKD key and it has offered none",
    );
    let dry = format!("need a QKD key: {DRY}");
    let cases = [
        ((Required, None), (Required, Some(3)), [&*dry, closed]),
        ((Required, None), (Preferred, Some(3)), [&*dry, closed]),
        ((Required, Some(3)), (Required, None), [closed, &unknown]),
        ((Required, Some(3)), (Preferred, None), [closed, &unknown]),
        ((Preferred, Some(3)), (Required, None), [closed, &unknown]),
        ((Preferred, None), (Required, Some(3)), [closed, none]),
        ((No, None), (Required, Some(3)), [closed, none]),
    ];
    for (dialer, listener, reports) in cases {
        check((dialer, listener), false, reports);
    }
}

#[test]
fn a_qkd_key_that_is_offered_where_there_is_no_link_ends_the_connection() {
    for policy in [PskPolicy::Preferred, PskPolicy::Required] {
        let reports = ["refused: recv failed", "there is no QKD link with it"];
        check(((policy, Some(3)), (PskPolicy::None, None)), false, reports);
    }
}

#[test]
fn with_no_key_where_one_is_required_nothing_is_sent() {
    let tables = tables((PskPolicy::Required, None), (PskPolicy::Required, Some(3)));
    let outcome = Call::new(&tables.0, &tables.1).run();
    assert!(matches!(
        outcome.dialer,
        Err(LinkError::NoPsk {
            because: NoPsk::Dry,
            ..
        })
    ));
    assert!(outcome.sent.is_empty() && closed(&outcome.listener));
}

#[test]
fn different_qkd_keys_under_one_name_make_no_connection() {
    for policy in [PskPolicy::Preferred, PskPolicy::Required] {
        let tables = tables((policy, Some(3)), (policy, Some(4)));
        let outcome = Call::new(&tables.0, &tables.1).run();
        assert!(matches!(
            outcome.dialer,
            Err(LinkError::Confirmation { .. })
        ));
        assert!(closed(&outcome.listener));
    }
}

#[test]
fn a_listener_that_is_not_the_wanted_one_learns_nothing_and_gets_no_connection() {
    let (one, two) = (
        Arc::new(Table::of([
            (LISTENER, PskPolicy::None),
            (3, PskPolicy::None),
        ])),
        Arc::new(Table::of([(DIALER, PskPolicy::None)])),
    );
    let call = Call {
        wanted: identity(3).public_key(),
        ..Call::new(&one, &two)
    };
    let outcome = call.run();
    assert!(matches!(
        outcome.listener,
        Err(LinkError::IdentityProof { .. })
    ));
    assert!(closed(&outcome.dialer));
}

#[test]
fn strangers_oneself_and_whoever_is_not_admitted_are_refused() {
    let nobody = Arc::new(Table::default());
    let (one, two) = plain();
    let outcome = Call::new(&nobody, &two).run();
    assert!(matches!(outcome.dialer, Err(LinkError::UnknownPeer { .. })));
    assert!(outcome.sent.is_empty());
    let outcome = Call::new(&one, &nobody).run();
    assert!(matches!(
        outcome.listener,
        Err(LinkError::UnknownPeer { .. })
    ));
    assert_eq!(*nobody.events.lock().unwrap().last().unwrap(), {
        let peer = identity(DIALER).public_key();
        format!("Listener: refused: no signing key of {peer} is known")
    });
    let call = Call {
        wanted: identity(DIALER).public_key(),
        ..Call::new(&one, &two)
    };
    assert!(matches!(call.run().dialer, Err(LinkError::Oneself { .. })));
    let call = Call {
        admits: false,
        ..Call::new(&one, &two)
    };
    let outcome = call.run();
    assert!(matches!(
        outcome.listener,
        Err(LinkError::NotAdmitted { .. })
    ));
    assert!(closed(&outcome.dialer));
}

type Classical = Cups<Sake<commonware_cryptography::ed25519::PrivateKey>, ChaCha20Poly1305>;

/// The engine's own handshake, with the right identity key.
fn classical(seed: u8) -> Classical {
    let sake = Sake {
        signer: identity(seed),
        synchrony_bound: Duration::from_secs(5),
        max_handshake_age: Duration::from_secs(10),
        version: sake::Version::V1,
    };
    Cups::new(sake, cups::Version::V1)
}

#[test]
fn the_engine_s_classical_handshake_is_refused_at_either_end() {
    deterministic::Runner::timed(Duration::from_secs(60)).start(|context| async move {
        let tables = plain();
        for classical_dials in [true, false] {
            let (sink, stream) = mocks::Channel::init();
            let (back, answers) = mocks::Channel::init();
            let table = tables.1.clone();
            let listening = context.child("listener").spawn(move |context| async move {
                let admit = |_: Identity| async { true };
                let (namespace, most) = (NAMESPACE, MESSAGE_BYTES_MAX);
                match classical_dials {
                    true => {
                        let ours = handshake((LISTENER, LISTENER), &table).into_transport();
                        let heard = ours.listen(context, namespace, most, admit, stream, back);
                        heard.await.err().map(|error| error.to_string())
                    }
                    false => {
                        let theirs = classical(LISTENER);
                        let heard = theirs.listen(context, namespace, most, admit, stream, back);
                        heard.await.err().map(|error| error.to_string())
                    }
                }
            });
            let (dialing, wanted) = (context.child("dialer"), identity(LISTENER).public_key());
            let (namespace, most) = (NAMESPACE, MESSAGE_BYTES_MAX);
            let dialed = match classical_dials {
                true => {
                    let dial =
                        classical(DIALER).dial(dialing, namespace, most, wanted, answers, sink);
                    dial.await.err().map(|error| error.to_string())
                }
                false => {
                    let ours = handshake((DIALER, DIALER), &tables.0).into_transport();
                    let dial = ours.dial(dialing, namespace, most, wanted, answers, sink);
                    dial.await.err().map(|error| error.to_string())
                }
            };
            let (dialed, listened) = (dialed.unwrap(), listening.await.unwrap().unwrap());
            match classical_dials {
                true => assert!(
                    listened.starts_with("the knock message is refused"),
                    "{listened}"
                ),
                false => assert!(dialed.contains("recv failed"), "{dialed}"),
            }
        }
    });
}

#[test]
fn records_that_are_changed_repeated_or_too_long_end_the_connection() {
    deterministic::Runner::timed(Duration::from_secs(60)).start(|context| async move {
        for (change, expected) in [
            (0usize, "open failed"),
            (30, "open failed"),
            (usize::MAX, ""),
        ] {
            let tables = plain();
            let (sink, mut middle, _) = tapped();
            let (mut onward, stream) = mocks::Channel::init();
            let (back, answers) = mocks::Channel::init();
            let listener = handshake((LISTENER, LISTENER), &tables.1).into_transport();
            let listening = context.child("listener").spawn(move |context| async move {
                let admit = |_: Identity| async { true };
                let heard =
                    listener.listen(context, NAMESPACE, MESSAGE_BYTES_MAX, admit, stream, back);
                let (_, _sender, mut receiver) = heard.await.unwrap();
                let first = receiver.recv().await.map(|it| it.len());
                (
                    first.map_err(|it| it.to_string()),
                    receiver.recv().await.is_err(),
                )
            });
            // The handshake goes through; of the record after it one byte is changed.
            let handshake_bytes = 39 + 2 + HELLO_BYTES as usize - 16 + 33;
            let record = 20 + 4 + 16;
            context.child("middle").spawn(move |_| async move {
                use commonware_runtime::Stream as _;
                let mut passed = 0;
                while passed < handshake_bytes + record {
                    let mut byte = middle.recv(1).await.unwrap().coalesce().as_ref().to_vec();
                    if change != usize::MAX && passed == handshake_bytes + change {
                        byte[0] ^= 1;
                    }
                    passed += 1;
                    onward.send(byte).await.unwrap();
                }
            });
            let ours = handshake((DIALER, DIALER), &tables.0).into_transport();
            let (dialing, wanted) = (context.child("dialer"), identity(LISTENER).public_key());
            let dialed = ours.dial(dialing, NAMESPACE, MESSAGE_BYTES_MAX, wanted, answers, sink);
            let (mut sender, _receiver) = dialed.await.unwrap();
            let long = vec![0; MESSAGE_BYTES_MAX as usize + 1];
            assert!(matches!(
                sender.send(long).await,
                Err(cups::Error::SendTooLarge(1025))
            ));
            sender.send(&b"ahoy"[..]).await.unwrap();
            let (first, ended) = listening.await.unwrap();
            match expected {
                "" => assert_eq!(first, Ok(4)),
                refused => assert_eq!(first, Err(refused.to_owned())),
            }
            assert!(ended);
        }
    });
}
