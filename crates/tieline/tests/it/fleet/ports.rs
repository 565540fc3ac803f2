//! Ports on loopback that no other fleet takes.
//!
//! Fleets of several test processes run at once. Each chain takes a block of ports: who listens on the first port of a block
//! has the block. Blocks lie below the ports that the system gives to outgoing connections, so that no connection of a node
//! sits where a killed one has to listen again.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

/// First port of the first block, ports of a block, blocks.
const FIRST: u16 = 12_000;
const SIZE: u16 = 40;
const BLOCKS: u16 = 500;

/// Where a search begins, counted on in this process.
static NEXT: AtomicU16 = AtomicU16::new(0);

/// A block of ports, as long as this lives.
pub(crate) struct Ports {
    _held: TcpListener,
    /// The first of 39 ports in a row that were free.
    pub(crate) first: u16,
}

impl Ports {
    pub(crate) fn take() -> Ports {
        let start = u16::try_from(std::process::id() % u32::from(BLOCKS)).unwrap();
        for _ in 0..BLOCKS {
            let turn = NEXT.fetch_add(1, Ordering::Relaxed);
            let block = start.wrapping_mul(7).wrapping_add(turn) % BLOCKS;
            let guard = FIRST + block * SIZE;
            let Ok(_held) = TcpListener::bind(("127.0.0.1", guard)) else {
                continue;
            };
            let all = guard + 1..guard + SIZE;
            let free = |port| TcpListener::bind(("127.0.0.1", port)).is_ok();
            let first = all.start;
            if all.into_iter().all(free) {
                return Ports { _held, first };
            }
        }
        panic!("no {SIZE} free ports in a row from {FIRST}");
    }
}
