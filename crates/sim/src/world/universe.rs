//! All worlds of one plan: where each step leads.

use std::sync::Arc;

use tieline_contract::change::Checked;
use tieline_contract::guard::Refusal;
use tieline_contract::literal::conclude_as_printed;
use tieline_contract::payload::Kind;
use tieline_contract::state::{Block, State};
use tieline_contract::terms::OrderId;
use tieline_contract::transaction::Transaction;
use tieline_contract::transition::Transition;
use tieline_units::{Digest, Encoder, Time};

use super::arena::Arena;
use super::certificates::{Deck, Held, content};
use super::place::{CLOCK, DEEDS, Place, Standing, Survey};
use super::stage::{Plan, Post, Stage};
use super::{Deed, Life, Side, Step, World};
use crate::properties::{Broken, books, edge};
use crate::symbol::Symbolic;

/// Remembers every place that a plan leads to.
pub struct Universe {
    /// What it is made of.
    pub plan: Plan,
    pub(super) posts: Vec<Post>,
    ids: Vec<OrderId>,
    arena: Arena,
    pub(super) deck: Deck,
    pub(super) forged: u128,
    /// Z at the beginning: it hears evidence.
    pub(super) court: State,
    start: World,
}

impl std::fmt::Debug for Universe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a universe of {} places", self.arena.len())
    }
}

impl Universe {
    /// The worlds of a plan.
    pub fn new(plan: &Plan) -> Universe {
        Universe::with(plan, |state| state)
    }

    /// The worlds of a plan whose ledgers are changed before they begin: with deliberate bugs, in tests.
    ///
    /// # Panics
    /// When the plan has more deeds than a universe numbers.
    pub fn with(plan: &Plan, change: impl Fn(State) -> State) -> Universe {
        let stage = Stage::new(plan);
        assert!(stage.posts.len() <= DEEDS, "more deeds than are numbered");
        let ids: Vec<OrderId> = plan.orders.iter().map(|r| r.order()).collect();
        let mut universe = Universe {
            plan: plan.clone(),
            posts: stage.posts,
            arena: Arena::new(),
            deck: Deck::new(ids.clone()),
            ids,
            forged: 0,
            court: change(stage.ledgers[Side::Z.index()].clone()),
            start: World {
                places: [0; 3],
                lives: [Life::Alive; 3],
            },
        };
        for forged in stage.forgeries {
            let number = universe
                .deck
                .number(content(&forged), true, || forged.clone());
            universe.forged |= number.map_or(0, |number| 1 << number);
        }
        let ledgers = stage.ledgers.map(|state| Arc::new(change(state)));
        let sides = Side::ALL.into_iter().zip(ledgers);
        for (side, state) in sides {
            universe.start.places[side.index()] =
                universe.intern(side, state, 0, Broken::default());
        }
        universe
    }

    /// Before anything happened.
    pub fn start(&self) -> World {
        self.start
    }

    /// How many different ledgers were reached so far.
    pub fn places(&self) -> usize {
        self.arena.len()
    }

    /// Whether some ledger was reached of which this is so.
    pub fn reached(&self, is_so: impl Fn(&State) -> bool) -> bool {
        (0..self.arena.len()).any(|number| is_so(&self.arena.get(number as u32).state))
    }

    /// What is compared of a ledger: everything but heights.
    pub fn content(&self, side: Side, ledger: &State) -> Digest {
        self.survey(side, ledger).content
    }

    /// The ids of the plan's orders.
    pub fn orders(&self) -> &[OrderId] {
        &self.ids
    }

    /// A ledger.
    pub fn ledger(&self, world: &World, side: Side) -> &State {
        &self.place(world, side).state
    }

    /// The block time of a chain.
    pub fn now(&self, world: &World, side: Side) -> Time {
        self.instant(side, self.place(world, side).clock)
    }

    /// Where an order stands on a ledger.
    pub fn standing(&self, world: &World, side: Side, order: usize) -> Standing {
        self.place(world, side).standings[order]
    }

    pub(crate) fn place(&self, world: &World, side: Side) -> &Place {
        self.arena.get(world.places[side.index()])
    }

    fn instant(&self, side: Side, clock: usize) -> Time {
        self.plan.clocks.0[side.index()][clock]
    }

    /// Every step that changes a world.
    pub fn steps(&self, world: &World, out: &mut Vec<Step>) {
        let exist = self.existing(world) | self.forged;
        for side in Side::ALL.into_iter().filter(|side| world.lives(*side)) {
            for number in 0..self.posts.len() {
                let post = &self.posts[number];
                if post.side == side && self.may(post.deed, exist) {
                    self.list(world, side, number, out);
                }
            }
            for number in bits(exist).filter(|n| self.deck.get(*n).to[side.index()]) {
                self.list(world, side, DEEDS + number, out);
            }
            if self.after(world, side, CLOCK).is_some() {
                out.push(Step::Tick(side));
            }
        }
        if world.lives == [Life::Alive; 3] {
            let deaths = self.plan.deaths.iter();
            out.extend(deaths.map(|&(side, lost)| Step::Die(side, lost)));
        }
    }

    fn list(&self, world: &World, side: Side, transaction: usize, out: &mut Vec<Step>) {
        if self.after(world, side, transaction).is_some() {
            out.push(Step::Do(side, transaction as u16));
        }
    }

    /// Evidence needs the certificate that was contradicted; everything else can be tried at any time.
    fn may(&self, deed: Deed, exist: u128) -> bool {
        let accepted = |held: &Held| held.label.kind == Kind::Accept && !held.label.forged;
        deed != Deed::Evidence || bits(exist).any(|number| accepted(self.deck.get(number)))
    }

    /// Where a step leads; `None` when it changes nothing.
    pub fn next(&self, world: &World, step: Step) -> Option<World> {
        let mut next = *world;
        match step {
            Step::Do(side, transaction) => {
                next.places[side.index()] = self.after(world, side, usize::from(transaction))?;
            }
            Step::Tick(side) => next.places[side.index()] = self.after(world, side, CLOCK)?,
            Step::Die(side, lost) => {
                next.lives[side.index()] = if lost { Life::Lost } else { Life::Dead };
            }
        }
        Some(next)
    }

    /// Whether nothing that must happen sooner or later changes this world: clocks stand at their last instants, what is up
    /// in time was submitted, what relayers can deliver was delivered. Parties need do nothing.
    ///
    /// `empty_hands`: relayers have nothing but what can be attested now and what chains kept.
    pub fn is_quiescent(&self, world: &World, empty_hands: bool) -> bool {
        let mut fair = self.derivable(world);
        if !empty_hands {
            fair |= self.existing(world);
        }
        Side::ALL
            .into_iter()
            .filter(|side| world.lives(*side))
            .all(|side| {
                let still = |transaction| self.after(world, side, transaction).is_none();
                let mut posts = self.posts.iter().enumerate();
                still(CLOCK)
                    && posts.all(|(n, post)| post.side != side || !post.deed.is_fair() || still(n))
                    && bits(fair).all(|n| !self.deck.get(n).to[side.index()] || still(DEEDS + n))
            })
    }

    /// The first fair step that changes a world.
    pub fn fair(&self, world: &World) -> Option<Step> {
        let fair = self.derivable(world);
        let mut steps = Vec::new();
        self.steps(world, &mut steps);
        let is_fair = |step: &Step| match *step {
            Step::Do(_, n) if usize::from(n) < DEEDS => self.posts[usize::from(n)].deed.is_fair(),
            Step::Do(_, n) => fair & (1 << (usize::from(n) - DEEDS)) != 0,
            Step::Tick(_) | Step::Die(..) => false,
        };
        let tick = steps.iter().find(|step| matches!(step, Step::Tick(_)));
        steps.iter().find(|s| is_fair(s)).or(tick).copied()
    }

    /// Certificates that somebody may have in hand.
    pub(super) fn existing(&self, world: &World) -> u128 {
        self.gather(world, |place| place.survey.said)
    }

    /// Certificates that a relayer with empty hands can make now.
    fn derivable(&self, world: &World) -> u128 {
        self.gather(world, |place| place.survey.fresh)
    }

    fn gather(&self, world: &World, own: impl Fn(&Place) -> u128) -> u128 {
        let sides = Side::ALL.into_iter();
        let each = sides.map(|side| {
            let place = self.place(world, side);
            match world.life(side) {
                Life::Alive => own(place) | place.survey.kept,
                Life::Dead => place.survey.said,
                Life::Lost => 0,
            }
        });
        each.fold(0, |all, these| all | these)
    }

    fn after(&self, world: &World, side: Side, transaction: usize) -> Option<u32> {
        let number = world.places[side.index()];
        let place = self.arena.get(number);
        if let Some(known) = place.known(transaction) {
            return known;
        }
        let next = match transaction {
            CLOCK => self.tick(side, place),
            _ => self.carry_out(side, place, transaction),
        };
        let next = next.filter(|next| *next != number);
        place.learn(transaction, next);
        next
    }

    fn tick(&self, side: Side, place: &Place) -> Option<u32> {
        let clock = place.clock + 1;
        let goes_on = clock < self.plan.clocks.0[side.index()].len();
        goes_on.then(|| {
            self.settle(
                (side, clock),
                place.state.clone(),
                place.broken,
                place.survey,
            )
        })
    }

    /// What a step submits to a ledger.
    pub fn transaction(&self, step: Step) -> Option<&Transaction> {
        match step {
            Step::Do(_, number) => Some(self.numbered(usize::from(number))),
            Step::Tick(_) | Step::Die(..) => None,
        }
    }

    pub(super) fn numbered(&self, number: usize) -> &Transaction {
        match number.checked_sub(DEEDS) {
            None => &self.posts[number].transaction,
            Some(certificate) => &self.deck.get(certificate).delivery,
        }
    }

    /// Judges a transaction in the next block of a place.
    pub(super) fn judge(
        &self,
        side: Side,
        place: &Place,
        transaction: &Transaction,
    ) -> Result<Checked, Refusal> {
        // A certificate was made on another way here, perhaps a longer one.
        let made = match transaction {
            Transaction::Certificate(certificate) => certificate.height,
            _ => 0,
        };
        let block = Block {
            height: place.state.block().height.max(made) + 1,
            time: self.instant(side, place.clock),
        };
        place.state.check(transaction, block, &Symbolic)
    }

    fn carry_out(&self, side: Side, place: &Place, number: usize) -> Option<u32> {
        let transaction = self.numbered(number);
        let checked = self.judge(side, place, transaction).ok()?;
        let mut state = State::clone(&place.state);
        let transitions = state.apply(checked);
        if self.plan.literal && transitions.contains(&Transition::Accept) {
            for order in &self.ids {
                conclude_as_printed(&mut state, *order);
            }
        }
        let broken = edge(
            (&place.state, &state),
            (transaction, &transitions),
            self.instant(side, place.clock),
        );
        let state = Arc::new(state);
        Some(self.intern(side, state, place.clock, place.broken | broken))
    }

    /// The number of a ledger at a time of its clock.
    fn intern(&self, side: Side, state: Arc<State>, clock: usize, broken: Broken) -> u32 {
        let survey = self.survey(side, &state);
        self.settle((side, clock), state, broken | survey.broken, survey)
    }

    fn settle(
        &self,
        (side, clock): (Side, usize),
        state: Arc<State>,
        broken: Broken,
        survey: Survey,
    ) -> u32 {
        let mut encoder = Encoder::new("tieline.place/1");
        encoder.bytes(survey.content.as_bytes());
        encoder.u8(side as u8).u64(clock as u64).u32(broken.bits());
        self.arena.number(*encoder.digest().as_bytes(), || {
            let standings = self.plan.orders.iter();
            Place {
                standings: standings.map(|r| Standing::of(&state, r)).collect(),
                paid: books::paid(&state, &self.plan.orders[0].terms),
                state,
                clock,
                broken,
                survey,
                next: Place::unknown(),
            }
        })
    }
}

pub(crate) fn bits(mut mask: u128) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = (mask != 0).then(|| mask.trailing_zeros() as usize)?;
        mask &= mask - 1;
        Some(bit)
    })
}
