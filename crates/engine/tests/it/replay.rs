//! What somebody sends who has listened in: recordings, pieces of them, and things that are none of ours.

use std::sync::Arc;
use std::time::Duration;

use commonware_cryptography::Signer as _;
use commonware_runtime::{
    Clock as _, Runner as _, Sink as _, Spawner as _, Supervisor as _, deterministic, mocks,
};
use commonware_stream::Upgrader as _;
use commonware_stream::utils::codec::Error as FrameError;
use tieline_engine::transport::{HELLO_BYTES, KNOCK_BYTES, LinkError, NoPsk, PskPolicy};
use tieline_engine::validators::Identity;

use crate::support::identity;
use crate::wire::*;

/// What a listener makes of these bytes, after which the connection stays open for a while, then closes.
async fn hears(context: &deterministic::Context, table: &Arc<Table>, bytes: Vec<u8>) -> LinkError {
    let (mut sink, stream) = mocks::Channel::init();
    let (back, _answers) = mocks::Channel::init();
    let listener = handshake((LISTENER, LISTENER), table).into_transport();
    let listening = context.child("listener").spawn(move |context| async move {
        let admit = |_: Identity| async { true };
        let heard = listener.listen(context, NAMESPACE, MESSAGE_BYTES_MAX, admit, stream, back);
        heard.await.err()
    });
    let _ = sink.send(bytes).await;
    context.sleep(Duration::from_millis(10)).await;
    drop(sink);
    listening.await.unwrap().expect("no connection")
}

/// A whole conversation of the dialer's, as somebody on the way has recorded it.
async fn recorded(context: &deterministic::Context, tables: &(Arc<Table>, Arc<Table>)) -> Vec<u8> {
    let (sink, stream, seen) = tapped();
    let (back, answers) = mocks::Channel::init();
    let (dialer, listener) = (
        handshake((DIALER, DIALER), &tables.0).into_transport(),
        handshake((LISTENER, LISTENER), &tables.1).into_transport(),
    );
    let listening = context.child("first").spawn(move |context| async move {
        let admit = |_: Identity| async { true };
        let heard = listener.listen(context, NAMESPACE, MESSAGE_BYTES_MAX, admit, stream, back);
        let (_, _, mut receiver) = heard.await.unwrap();
        receiver.recv().await.unwrap();
    });
    let wanted = identity(LISTENER).public_key();
    let dialing = context.child("dialer");
    let dialed = dialer.dial(dialing, NAMESPACE, MESSAGE_BYTES_MAX, wanted, answers, sink);
    let (mut sender, _receiver) = dialed.await.unwrap();
    sender.send(&b"move 25 kWh"[..]).await.unwrap();
    listening.await.unwrap();
    let seen = seen.lock().unwrap();
    seen.clone()
}

#[test]
fn a_replayed_conversation_is_refused_soon_and_later() {
    deterministic::Runner::timed(Duration::from_secs(60)).start(|context| async move {
        let tables = plain();
        let recording = recorded(&context, &tables).await;
        // Soon: there is an answer to the hello, but the recorded finish does not fit it.
        let found = hears(&context, &tables.1, recording.clone()).await;
        assert!(matches!(found, LinkError::Confirmation { .. }), "{found}");
        context.sleep(Duration::from_millis(10_050)).await;
        let found = hears(&context, &tables.1, recording).await;
        assert!(matches!(found, LinkError::Time { .. }), "{found}");
    });
}

#[test]
fn a_replayed_hello_draws_no_second_qkd_key() {
    deterministic::Runner::timed(Duration::from_secs(60)).start(|context| async move {
        let policy = PskPolicy::Required;
        let tables = tables((policy, Some(3)), (policy, Some(3)));
        let recording = recorded(&context, &tables).await;
        let found = hears(&context, &tables.1, recording).await;
        let expected = NoPsk::Unknown { id: ID };
        assert!(matches!(found, LinkError::NoPsk { because, .. } if because == expected));
    });
}

#[test]
fn recorded_traffic_does_not_contain_what_was_said() {
    deterministic::Runner::timed(Duration::from_secs(60)).start(|context| async move {
        let recording = recorded(&context, &plain()).await;
        let said = b"move 25 kWh";
        assert!(!recording.windows(said.len()).any(|window| window == said));
    });
}

#[test]
fn cut_and_oversized_frames_are_refused_before_anything_is_allocated_for_them() {
    deterministic::Runner::timed(Duration::from_secs(60)).start(|context| async move {
        let tables = plain();
        let recording = recorded(&context, &tables).await;
        let knock = 1 + KNOCK_BYTES as usize;
        // Without a QKD key the hello has 16 bytes fewer; its length takes two bytes.
        let hello = knock + 2 + HELLO_BYTES as usize - 16;
        for length in [
            0,
            1,
            5,
            knock - 1,
            knock,
            knock + 1,
            knock + 9,
            hello - 1,
            hello,
            hello + 9,
        ] {
            let found = hears(&context, &tables.1, recording[..length].to_vec()).await;
            let is_cut = matches!(found, LinkError::Frame(FrameError::RecvFailed(_)));
            assert!(is_cut, "{length}: {found}");
        }
        let too_long = |bytes: u32, before: &[u8]| {
            let length = bytes + 1;
            // A length of the engine's: seven bits a byte, the lowest first.
            let prefix = match length {
                0..0x80 => vec![length as u8],
                _ => vec![length as u8 | 0x80, (length >> 7) as u8],
            };
            [before, &prefix, &vec![0; length as usize][..]].concat()
        };
        for (bytes, before) in [(KNOCK_BYTES, 0), (HELLO_BYTES, knock), (32, hello)] {
            let sent = too_long(bytes, &recording[..before]);
            let found = hears(&context, &tables.1, sent).await;
            let length = bytes as usize + 1;
            assert!(
                matches!(found, LinkError::Frame(FrameError::RecvTooLarge(it)) if it == length)
            );
        }
        let endless = [0xff; 16].to_vec();
        let found = hears(&context, &tables.1, endless).await;
        assert!(matches!(found, LinkError::Frame(FrameError::InvalidVarint)));
    });
}

#[test]
fn other_versions_algorithms_and_protocols_are_refused_at_the_first_bytes() {
    deterministic::Runner::timed(Duration::from_secs(60)).start(|context| async move {
        let tables = plain();
        let recording = recorded(&context, &tables).await;
        for (at, value) in [(5, 0), (5, 2), (6, 0), (6, 2)] {
            let mut other = recording.clone();
            other[at] = value;
            let found = hears(&context, &tables.1, other).await;
            assert!(matches!(found, LinkError::Version { .. }), "{found}");
        }
        let mut other = recording;
        other[1..5].copy_from_slice(b"GET ");
        let found = hears(&context, &tables.1, other).await;
        assert!(matches!(found, LinkError::NotOurs { found } if found == *b"GET "));
    });
}
