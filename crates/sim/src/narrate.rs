//! Runs as stories: numbered lines that a reader can follow without the program.

use tieline_contract::change::Change;
use tieline_contract::guard::Refusal;
use tieline_contract::payload::Kind;
use tieline_contract::state::Account;
use tieline_contract::trade::{BuyerState, SellerState, VppState};
use tieline_contract::transition::Transition;
use tieline_units::{Energy, Time};

use crate::model::{Counterexample, Limits, Scenario, explore};
use crate::properties::s1;
use crate::world::{Deed, Event, Label, Move, Outcome, Side, Universe, World};

/// A run that was played again.
#[derive(Clone, Debug)]
pub struct Story {
    /// What happened, numbered.
    pub lines: Vec<String>,
    /// Where it ended.
    pub world: World,
}

/// A schedule under the corrected protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// What happened, numbered; what was refused, and why; what then happened by itself; how it ended.
    pub lines: Vec<String>,
    /// How many steps of the schedule were refused or came to nothing.
    pub refused: usize,
    /// Whether both ledgers end with the same outcome (S1), and every order has come to its end.
    pub agree: bool,
}

/// The shortest run in which the protocol as printed binds the seller to an order whose buyer has its money back; found
/// here and now by the model checker. `None` would mean that it found none.
pub fn literal_counterexample() -> Option<Counterexample> {
    let limits = Limits {
        threads: 1,
        ..Limits::default()
    };
    let universe = Universe::new(&Scenario::Literal.plan());
    explore(universe, limits, |_| ()).violation
}

/// A run as a story, with its end.
pub fn narrate(universe: &Universe, events: &[Event]) -> Vec<String> {
    let mut story = play(universe, events);
    story.lines.extend(ends(universe, &story.world));
    story.lines
}

/// Plays a schedule from the beginning.
pub fn play(universe: &Universe, events: &[Event]) -> Story {
    let mut teller = Teller::new(universe);
    for event in events {
        teller.tell(*event);
    }
    Story {
        lines: teller.lines,
        world: teller.world,
    }
}

/// The same schedule under the corrected protocol, and then whatever happens by itself until nothing is left to happen.
pub fn replay_corrected(schedule: &[Event]) -> Replay {
    let universe = Universe::new(&Scenario::One.plan());
    let mut teller = Teller::new(&universe);
    for event in schedule {
        teller.tell(*event);
    }
    let refused = teller.refused;
    teller
        .lines
        .push("Then, with one relayer and time:".to_owned());
    while let Some(step) = universe.fair(&teller.world) {
        teller.tell(universe.event(step));
    }
    let world = teller.world;
    let mut lines = teller.lines;
    lines.extend(ends(&universe, &world));
    Replay {
        lines,
        refused,
        agree: s1(&universe, &world) && crate::properties::l1(&universe, &world),
    }
}

/// How every order stands on every chain.
pub fn ends(universe: &Universe, world: &World) -> Vec<String> {
    let each = (0..universe.plan.orders.len()).map(|order| {
        let on = |side| universe.standing(world, side, order);
        let none = "nothing is known of it";
        let x = on(Side::X).buyer.map_or(none, bought);
        let y = on(Side::Y).seller.map_or(none, sold);
        let z = match on(Side::Z).vpp {
            None => none,
            Some(VppState::Open) => "OPEN",
            Some(VppState::Settled) => "SETTLED",
        };
        let name = named(universe, order as u64);
        format!("In the end{name}: on chain-x {x}; on chain-y {y}; on chain-z {z}.")
    });
    each.collect()
}

fn bought(state: BuyerState) -> &'static str {
    match state {
        BuyerState::Locked => "LOCKED, the escrow is held",
        BuyerState::Committed => "COMMITTED, the escrow is held",
        BuyerState::Settled => "SETTLED, the seller is paid what was delivered",
        BuyerState::Refunded => "REFUNDED, the buyer has its money back",
    }
}

fn sold(state: SellerState) -> &'static str {
    match state {
        SellerState::Offered => "OFFERED",
        SellerState::Accepted => "ACCEPTED, capacity and bond are reserved",
        SellerState::Confirmed => "CONFIRMED, the seller is bound and delivers",
        SellerState::Settled => "SETTLED",
        SellerState::Rejected => "REJECTED, the seller is not bound",
        SellerState::Voided => "VOIDED, the seller is free and has its bond back",
    }
}

struct Teller<'a> {
    universe: &'a Universe,
    world: World,
    lines: Vec<String>,
    told: usize,
    refused: usize,
}

impl<'a> Teller<'a> {
    fn new(universe: &'a Universe) -> Teller<'a> {
        Teller {
            universe,
            world: universe.start(),
            lines: Vec::new(),
            told: 0,
            refused: 0,
        }
    }

    fn tell(&mut self, event: Event) {
        let outcome = self.universe.play(&self.world, event);
        self.told += 1;
        let what = self.what(event, &outcome);
        self.lines.push(format!("{}. {what}", self.told));
        match outcome {
            Outcome::Moved(moved) => self.world = moved.world,
            Outcome::Refused(_) | Outcome::Same | Outcome::Impossible(_) => self.refused += 1,
        }
    }

    fn what(&self, event: Event, outcome: &Outcome) -> String {
        let side = match event {
            Event::Submit(deed) => deed.side(),
            Event::Deliver(_, side) | Event::Tick(side) | Event::Die(side, _) => side,
        };
        let chain = side.chain();
        let now = clock(self.universe.now(&self.world, side));
        let act = match event {
            Event::Submit(deed) => self.deed(deed),
            Event::Deliver(label, _) => self.delivery(label),
            Event::Tick(_) => {
                return match outcome {
                    Outcome::Moved(moved) => {
                        let then = clock(self.universe.now(&moved.world, side));
                        format!("{chain}: its clock goes on to {then}")
                    }
                    _ => format!("{chain}: its clock stands at the last instant that matters"),
                };
            }
            Event::Die(_, true) => return format!("{chain} is gone for ever with all it said"),
            Event::Die(_, false) => return format!("{chain} makes no block any more, for ever"),
        };
        let then = match outcome {
            Outcome::Moved(moved) => effects(self.universe, moved),
            Outcome::Refused(refusal) => refused(refusal),
            Outcome::Same => ": it was there before, nothing changes".to_owned(),
            Outcome::Impossible(why) => format!(": cannot be, {why}"),
        };
        format!("{chain} at {now}: {act}{then}")
    }

    fn deed(&self, deed: Deed) -> String {
        let terms = &self.universe.plan.orders[0].terms;
        let (buyer, seller) = (&terms.buyer, &terms.seller);
        let order = |n: u8| named(self.universe, u64::from(n));
        match deed {
            Deed::Request(n) => {
                let quantity = kilowatt_hours(terms.quantity);
                format!("{buyer} requests {quantity} from {seller}{}", order(n))
            }
            Deed::Accept(n) => format!("{seller} accepts{}", order(n)),
            Deed::Decline(n) => format!("{seller} declines{}", order(n)),
            Deed::KeyReturn(n) => format!("{buyer} returns the key{}", order(n)),
            Deed::Meter(side, n) => {
                let plan = &self.universe.plan;
                let (who, readings) = match side {
                    Side::X => (buyer, &plan.taken),
                    Side::Y | Side::Z => (seller, &plan.delivered),
                };
                let energy = readings
                    .get(usize::from(n))
                    .copied()
                    .unwrap_or(Energy::ZERO);
                let size = kilowatt_hours(energy.max(-energy));
                format!("the meter of {who} reads {size}")
            }
            Deed::Timeout(n) => format!("somebody says that D is over{}", order(n)),
            Deed::TimeoutRequest(n) => {
                format!("somebody says that D is here for the request{}", order(n))
            }
            Deed::Void(n) => format!("somebody says that the gate is closed{}", order(n)),
            Deed::Default(n) => format!("somebody says that readings are overdue{}", order(n)),
            Deed::OpenEpoch(_) => "the verification nodes hand over to the next".to_owned(),
            Deed::CloseEpoch(_) => "somebody asks to close the old epoch".to_owned(),
            Deed::Evidence => "somebody shows two answers with one node's signature".to_owned(),
        }
    }

    fn delivery(&self, label: Label) -> String {
        let kind = kind(label.kind);
        let from = label.from.map_or("chain-w", Side::chain);
        let signers = label.signers;
        let epoch = match label.epoch {
            0 => String::new(),
            epoch => format!(", epoch {epoch}"),
        };
        let subject = match label.kind {
            Kind::Rotate | Kind::Freeze | Kind::Deposit | Kind::Net | Kind::Register => {
                format!(" {}", label.subject)
            }
            _ => named(self.universe, label.subject),
        };
        match label.forged {
            true => {
                format!("a forger brings {kind}{subject} of {from}, signed by {signers}{epoch}")
            }
            false => format!("a relayer brings {kind}{subject} of {from}{epoch}"),
        }
    }
}

fn named(universe: &Universe, order: u64) -> String {
    match universe.plan.orders.len() {
        1 => String::new(),
        _ => format!(" (order {})", order + 1),
    }
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Request => "REQ",
        Kind::Accept => "ACC",
        Kind::Reject => "REJ",
        Kind::Commit => "COM",
        Kind::Refund => "REF",
        Kind::Void => "VOID",
        Kind::Taken | Kind::Delivered => "MET",
        Kind::Settle => "SET",
        Kind::Rotate => "ROT",
        Kind::Deposit => "DEP",
        Kind::Net => "NET",
        Kind::Register => "REG",
        Kind::Freeze => "FRZ",
    }
}

fn refused(refusal: &Refusal) -> String {
    let (question, fact) = (refusal.guard.text(), &refusal.fact);
    format!(": refused, since not \"{question}\"{fact}")
}

fn effects(universe: &Universe, moved: &Move) -> String {
    let numbers = moved.transitions.iter().map(|transition| {
        let (number, phase) = (transition.number(), transition.phase());
        match phase {
            "" => number.to_owned(),
            _ => format!("{number}, phase {phase}"),
        }
    });
    let numbers: Vec<String> = numbers.collect();
    let mut parts: Vec<String> = moved.changes.iter().filter_map(effect).collect();
    if universe.plan.literal && moved.transitions.contains(&Transition::Accept) {
        parts.push("as printed, the trade is concluded: CONFIRMED on Y".to_owned());
    }
    let parts = match parts.is_empty() {
        true => "noted".to_owned(),
        false => parts.join(", "),
    };
    format!(" ({}): {parts}", numbers.join("; "))
}

fn effect(change: &Change) -> Option<String> {
    Some(match change {
        Change::Move(_, Account::Escrow(_), money) => format!("{money} into escrow"),
        Change::Move(_, Account::Bond(_), money) => format!("{money} into bond"),
        Change::Move(_, Account::Fees, money) => format!("{money} fee"),
        Change::Move(Account::Escrow(_), Account::Clearing(who), money) => {
            format!("{money} from escrow to {who}")
        }
        Change::Move(Account::Bond(_), Account::Clearing(who), money) => {
            format!("{money} from bond to {who}")
        }
        Change::Move(_, Account::Forfeited, money) => format!("a stake of {money} is lost"),
        Change::Reserve(_, _, energy) if *energy > Energy::ZERO => {
            format!("{} of capacity reserved", kilowatt_hours(*energy))
        }
        Change::Reserve(_, _, energy) => {
            format!("{} of capacity released", kilowatt_hours(-*energy))
        }
        Change::Purchase(_, purchase) => format!("{} on X", word(bought(purchase.state))),
        Change::Sale(_, sale) => format!("{} on Y", word(sold(sale.state))),
        Change::Settling(_, settling) => match settling.settlement {
            Some(done) => format!("SETTLED on Z, {}", kilowatt_hours(done.settled)),
            None => "OPEN on Z".to_owned(),
        },
        Change::Emit(payload) => format!("says {}", kind(payload.kind())),
        Change::Committee(committee) => format!("epoch {} is known", committee.epoch),
        Change::Close(chain, epoch) => format!("epoch {epoch} of {chain} is over"),
        Change::Freeze(chain, epoch) => format!("epoch {epoch} of {chain} is frozen"),
        Change::Acknowledge(epoch, chain) => format!("{chain} knows epoch {epoch}"),
        _ => return None,
    })
}

/// The first word of a state's description.
fn word(text: &str) -> &str {
    text.split(',').next().unwrap_or(text)
}

/// Decimal, without zeros that say nothing.
fn kilowatt_hours(energy: Energy) -> String {
    let text = energy.to_kilowatt_hours();
    let short = text.trim_end_matches('0').trim_end_matches('.');
    format!("{short} kWh")
}

/// Time of day.
fn clock(time: Time) -> String {
    let millis = time.as_millis() % 86_400_000;
    let seconds = millis / 1000;
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    let fraction = match millis % 1000 {
        0 => String::new(),
        rest => format!(".{rest:03}"),
    };
    format!("{hours:02}:{minutes:02}:{:02}{fraction}", seconds % 60)
}
