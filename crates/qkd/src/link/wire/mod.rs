//! Wire mode: a small block from pulses to key, with every message that it takes. **Simulated** photons, real protocol.
//!
//! | step | who | message |
//! |---|---|---|
//! | 1 | Alice prepares, Bob measures | [`pulse::transmit`] |
//! | 2 | Bob: which pulses clicked, his bases | `detections` |
//! | 3 | Alice: her bases and intensities, her bits of basis Z, seed of the shuffles | `sifting` |
//! | 4 | Bob: his bits of basis Z; both test the error rate | `check` |
//! | 5 | Cascade | `ask`, `answer`, … `corrected` |
//! | 6 | Alice: 64-bit hash of her key; Bob: he has the same | `verify`, `verified` |
//! | 7 | Alice: length by the finite-key formula from what was counted, seed of the Toeplitz matrix | `amplify` |
//! | 8 | both have the final key | `done`, `confirm` |
//!
//! Every message is authenticated and costs a pad of 128 bits from a pool that both ends share ([`auth`]); the first bits
//! of the final key fill the pool again, the rest is released.
//!
//! **Rules**: the parties are state machines without IO, clock or threads. Anything that does not fit (a tag, a number
//! that was seen, a message out of order, too many errors, different keys, an empty pool) ends the block: [`Abort`],
//! nothing is released, the reserve of the pool stays. Bob releases last, on `confirm`: when that one message is lost
//! Alice has a key that Bob has not. No protocol can avoid this; the key managers settle it when they compare.

pub mod alice;
pub mod amplify;
pub mod auth;
pub mod bits;
pub mod bob;
mod cascade;
pub mod error_test;
pub mod message;
pub mod party;
pub mod pulse;

use std::collections::VecDeque;

pub use alice::{Alice, Reply};
pub use auth::{AuthError, AuthPool, Direction};
pub use bits::Bits;
pub use bob::Bob;
pub use error_test::ErrorTest;
pub use party::{Abort, Released, WireConfig};

use pulse::{Detected, Prepared};

/// How a block ended at both ends.
#[derive(Debug)]
pub struct Exchange {
    /// Alice's key, when she released one.
    pub alice: Option<Released>,
    /// Bob's.
    pub bob: Option<Released>,
    /// Why it ended without key.
    pub abort: Option<Abort>,
    /// Messages that were carried.
    pub messages: usize,
}

/// Carries the frames of one block to and fro until both ends are done or one gives up.
///
/// `wire` sees every frame and may change it; the queue of frames is what a network would be.
pub fn exchange(
    (alice, bob): (&mut Alice, &mut Bob),
    block: u64,
    (prepared, detected): (Prepared, Detected),
    wire: &mut dyn FnMut(Direction, &mut Vec<u8>),
) -> Exchange {
    let mut end = Exchange {
        alice: None,
        bob: None,
        abort: None,
        messages: 0,
    };
    alice.begin(block, prepared);
    let mut queue = VecDeque::new();
    let post = |from: Direction, reply: Reply, end: &mut Exchange, queue: &mut VecDeque<_>| {
        queue.extend(reply.frames.into_iter().map(|frame| (from, frame)));
        if let Some(released) = reply.released {
            match from {
                Direction::AliceToBob => end.alice = Some(released),
                Direction::BobToAlice => end.bob = Some(released),
            }
        }
    };
    match bob.begin(block, detected) {
        Ok(reply) => post(Direction::BobToAlice, reply, &mut end, &mut queue),
        Err(abort) => end.abort = Some(abort),
    }
    while let Some((from, mut frame)) = queue.pop_front() {
        wire(from, &mut frame);
        end.messages += 1;
        let (to, reply) = match from {
            Direction::AliceToBob => (Direction::BobToAlice, bob.handle(&frame)),
            Direction::BobToAlice => (Direction::AliceToBob, alice.handle(&frame)),
        };
        match reply {
            Ok(reply) => post(to, reply, &mut end, &mut queue),
            Err(abort) => {
                end.abort = Some(abort);
                break;
            }
        }
    }
    alice.give_up();
    bob.give_up();
    end
}
