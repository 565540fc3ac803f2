//! Two key managers without IO, with crashes at every step between record, message and delivery.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;

use proptest::prelude::*;
use zeroize::Zeroizing;

use crate::etsi::{KeyId, KeyRequest, SaeId};

use super::core::{
    Answer, Ask, Direction, Effect, Frame, Input, Ledger, Limits, LinkId, Manager, News, Peer,
    PoolId, Quota, Record, Ticket,
};
use super::recover::replay;
use super::source::{Drawn, Origin};

const LINK: LinkId = LinkId(0);

/// What survives a crash.
#[derive(Clone, Default)]
struct Disk {
    records: Vec<Record>,
    blocks: BTreeMap<(PoolId, Direction, u64), Zeroizing<Vec<u8>>>,
}

struct Node {
    manager: Manager,
    disk: Disk,
}

fn names(end: usize) -> [&'static str; 2] {
    [["kme-1", "sae-1"], ["kme-2", "sae-2"]][end]
}

fn sae(end: usize) -> SaeId {
    names(end)[1].parse().unwrap()
}

fn limits() -> Limits {
    Limits {
        key_bits: 128,
        key_bits_min: 64,
        key_bits_max: 4_096,
        number_max: 128,
        slaves_max: 4,
        pool_bits: 128 * 2_000,
        reserve_bits: 0,
        uncollected_ms: 1_000_000,
        uncollected_keys: 1_000_000,
    }
}

impl Node {
    fn start(end: usize, disk: Disk) -> Node {
        let kme = names(end)[0].parse().unwrap();
        let (mut ledgers, seq) = replay(Path::new("sim"), &kme, &disk.records).unwrap();
        let peer = Peer {
            kme: names(1 - end)[0].parse().unwrap(),
            saes: vec![sae(1 - end)],
            origin: Origin::Simulated,
        };
        let mut ledger = ledgers
            .remove(&LINK)
            .unwrap_or_else(|| Ledger::new(kme.clone(), peer.kme.clone()));
        let mut ends = BTreeMap::new();
        for (&(pool, direction, at), bits) in disk.blocks.iter().rev() {
            if ledger.pool != Some(pool) {
                continue;
            }
            let mut bits = bits.clone();
            let end = ends.get(&direction).copied().unwrap_or(u64::MAX);
            bits.truncate(usize::try_from(end - at).unwrap_or(usize::MAX));
            if ledger.load(direction, at, bits) {
                ends.insert(direction, at);
            }
        }
        assert_eq!(ledger.settle(), 0, "no bits are missing");
        let quotas = [(sae(end), Quota::default())].into();
        let links = vec![(LINK, ledger, peer)];
        let manager = Manager::new(kme, limits(), &quotas, links, seq);
        // A start begins with a summary.
        let records = manager.summary();
        let disk = Disk { records, ..disk };
        Node { manager, disk }
    }
}

/// What goes wrong with one batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Luck {
    Good,
    CrashBeforeRecord,
    CrashAfterRecord,
}

struct World {
    nodes: [Node; 2],
    wires: [VecDeque<Frame>; 2],
    session: u64,
    now: u64,
    random: u64,
    tickets: u64,
    enc: BTreeMap<KeyId, Vec<u8>>,
    bits: BTreeSet<Vec<u8>>,
    dec: BTreeSet<KeyId>,
    open: [Vec<KeyId>; 2],
    delivered: usize,
}

impl World {
    fn new() -> World {
        let mut world = World {
            nodes: [0, 1].map(|end| Node::start(end, Disk::default())),
            wires: Default::default(),
            session: 0,
            now: 1_000,
            random: 0x9e37_79b9_7f4a_7c15,
            tickets: 0,
            enc: BTreeMap::new(),
            bits: BTreeSet::new(),
            dec: BTreeSet::new(),
            open: Default::default(),
            delivered: 0,
        };
        world.reconnect();
        world
    }

    fn next(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }

    fn input(&mut self, end: usize, input: Input, luck: Luck) {
        let mut effects = Vec::new();
        let now = self.now;
        let node = &mut self.nodes[end];
        node.manager.handle(now, input, &mut effects);
        node.manager.finish(now, &mut effects);
        let mut rest = Vec::new();
        let mut records = Vec::new();
        for effect in effects {
            match effect {
                Effect::Append(record) => records.push(record),
                other => rest.push(other),
            }
        }
        if luck == Luck::CrashBeforeRecord {
            return self.crash(end);
        }
        node.disk.records.extend(records);
        if luck == Luck::CrashAfterRecord {
            return self.crash(end);
        }
        for effect in rest {
            self.let_out(end, effect);
        }
    }

    fn let_out(&mut self, end: usize, effect: Effect) {
        match effect {
            Effect::Send { session, frame, .. } if session == self.session => {
                // What is sent is what is read.
                let frame = Frame::decode(&frame.encode()).unwrap();
                self.wires[end].push_back(frame);
            }
            Effect::WriteBlock {
                write,
                direction,
                at,
                bits,
                ..
            } => {
                let pool = self.nodes[end].manager.pool(LINK).unwrap();
                let blocks = &mut self.nodes[end].disk.blocks;
                blocks.insert((pool, direction, at), bits);
                let written = Input::Written { link: LINK, write };
                self.input(end, written, Luck::Good);
            }
            Effect::DropBlock { direction, at, .. } => {
                if let Some(pool) = self.nodes[end].manager.pool(LINK) {
                    self.nodes[end].disk.blocks.remove(&(pool, direction, at));
                }
            }
            Effect::Draw { bits_max, .. } => {
                let mut bits = Zeroizing::new(Vec::new());
                while (bits.len() as u64 + 8) * 8 <= bits_max && bits.len() < 9_000 {
                    bits.extend_from_slice(&self.next().to_be_bytes());
                }
                let drawn = Drawn::Bits(bits);
                let input = Input::Drawn { link: LINK, drawn };
                self.input(end, input, Luck::Good);
            }
            Effect::Answer {
                answer: Answer::Keys { keys, .. },
                ticket,
            } => {
                for key in keys {
                    self.received(end, ticket, key.key_id, key.expose().to_vec());
                }
            }
            Effect::Disconnect { why, .. } => panic!("{why}"),
            Effect::Tell {
                news: News::SetBack,
                ..
            } => panic!("nobody was set back: a crash loses no record that the other end knows of"),
            _ => {}
        }
    }

    /// Even tickets are of masters.
    fn received(&mut self, end: usize, ticket: Ticket, id: KeyId, bits: Vec<u8>) {
        self.delivered += 1;
        if ticket.0.is_multiple_of(2) {
            self.open[end].push(id);
            assert!(self.bits.insert(bits.clone()), "bits given twice");
            assert!(self.enc.insert(id, bits).is_none(), "{id} given twice");
        } else {
            assert!(self.dec.insert(id), "{id} fetched twice");
            assert_eq!(self.enc.get(&id), Some(&bits), "the ends differ");
        }
    }

    fn crash(&mut self, end: usize) {
        let disk = self.nodes[end].disk.clone();
        self.nodes[end] = Node::start(end, disk);
        self.reconnect();
    }

    /// A new connection; what was under way is lost.
    fn reconnect(&mut self) {
        let old = self.session;
        self.session += 1;
        self.wires = Default::default();
        for end in [0, 1] {
            let down = Input::PeerDown {
                link: LINK,
                session: old,
            };
            self.input(end, down, Luck::Good);
        }
        for end in [0, 1] {
            let mut fresh = [0; 16];
            fresh[..8].copy_from_slice(&self.next().to_be_bytes());
            let up = Input::PeerUp {
                link: LINK,
                session: self.session,
                dialled: end == 0,
                fresh,
            };
            self.input(end, up, Luck::Good);
        }
    }

    /// The next message to an end arrives.
    fn arrive(&mut self, end: usize, luck: Luck) {
        if let Some(frame) = self.wires[1 - end].pop_front() {
            let session = self.session;
            let input = Input::Peer {
                link: LINK,
                session,
                frame,
            };
            self.input(end, input, luck);
        }
    }

    fn settle(&mut self) {
        for _ in 0..20 {
            while self.wires.iter().any(|wire| !wire.is_empty()) {
                self.arrive(0, Luck::Good);
                self.arrive(1, Luck::Good);
            }
            self.now += 100;
            self.input(0, Input::Tick, Luck::Good);
            self.input(1, Input::Tick, Luck::Good);
        }
    }

    fn draw(&mut self, end: usize, number: u64, luck: Luck) {
        let request = KeyRequest {
            number: Some(number),
            ..KeyRequest::default()
        };
        self.tickets += 1;
        let ask = Input::Ask {
            ticket: Ticket(self.tickets * 2),
            caller: sae(end),
            ask: Ask::Encrypt {
                slave: sae(1 - end),
                request,
            },
        };
        self.input(end, ask, luck);
    }

    /// The slave at `end` fetches some of what the master at the other end has.
    fn fetch(&mut self, end: usize, luck: Luck) {
        let open = &mut self.open[1 - end];
        let ids: Vec<KeyId> = open.split_off(open.len().saturating_sub(100));
        if ids.is_empty() {
            return;
        }
        // And once more on purpose.
        for _ in 0..2 {
            self.tickets += 1;
            let ask = Input::Ask {
                ticket: Ticket(self.tickets * 2 + 1),
                caller: sae(end),
                ask: Ask::Decrypt {
                    master: sae(1 - end),
                    ids: ids.clone(),
                },
            };
            self.input(end, ask, luck);
        }
    }
}

fn luck(number: u8) -> Luck {
    match number {
        0 => Luck::CrashBeforeRecord,
        1 => Luck::CrashAfterRecord,
        _ => Luck::Good,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn attack_03_crashes_between_record_message_and_delivery_never_give_a_key_twice(
        steps in prop::collection::vec((0u8..6, 0usize..2, 1u64..40, 0u8..24), 1..250)
    ) {
        let mut world = World::new();
        world.settle();
        for (what, end, number, chance) in steps {
            match what {
                0 | 1 => world.draw(end, number, luck(chance)),
                2 => world.fetch(end, luck(chance)),
                3 => world.arrive(end, luck(chance)),
                4 => world.input(end, Input::Tick, luck(chance)),
                _ => { world.arrive(0, Luck::Good); world.arrive(1, Luck::Good); }
            }
            world.now += 10;
        }
        // Afterwards both ends agree and go on.
        world.settle();
        let before = world.delivered;
        for end in [0, 1] {
            world.draw(end, 3, Luck::Good);
            world.settle();
            world.fetch(1 - end, Luck::Good);
        }
        prop_assert!(world.delivered >= before + 12, "{} {before}", world.delivered);
    }
}

#[test]
fn attack_05_a_million_keys_drawn_at_both_ends_at_once_are_all_different() {
    let mut world = World::new();
    world.settle();
    while world.enc.len() < 1_000_000 {
        for _ in 0..4 {
            world.draw(0, 128, Luck::Good);
            world.draw(1, 128, Luck::Good);
        }
        for _ in 0..12 {
            world.arrive(0, Luck::Good);
            world.arrive(1, Luck::Good);
        }
        world.now += 100;
        world.input(0, Input::Tick, Luck::Good);
        world.input(1, Input::Tick, Luck::Good);
        for end in [0, 1] {
            world.fetch(end, Luck::Good);
            world.open[end].clear();
        }
    }
    assert_eq!(world.bits.len(), world.enc.len());
}
