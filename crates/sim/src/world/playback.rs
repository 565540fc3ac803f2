//! Events in words that mean the same in every universe, played one by one.

use tieline_contract::change::Change;
use tieline_contract::guard::Refusal;
use tieline_contract::transition::Transition;

use super::place::DEEDS;
use super::universe::{Universe, bits};
use super::{Event, Label, Step, World};

/// A step that changed a world.
#[derive(Clone, Debug)]
pub struct Move {
    /// The world after it.
    pub world: World,
    /// Transitions of the ledger; none for clocks and deaths.
    pub transitions: Vec<Transition>,
    /// What they changed.
    pub changes: Vec<Change>,
}

/// What became of a step.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The world went on.
    Moved(Move),
    /// A ledger refused.
    Refused(Refusal),
    /// Nothing changed: it came before.
    Same,
    /// It cannot happen here, and why.
    Impossible(&'static str),
}

impl Universe {
    /// A step in words that mean the same in every universe.
    pub fn event(&self, step: Step) -> Event {
        match step {
            Step::Do(side, number) => match usize::from(number).checked_sub(DEEDS) {
                None => Event::Submit(self.posts[usize::from(number)].deed),
                Some(certificate) => Event::Deliver(self.deck.get(certificate).label, side),
            },
            Step::Tick(side) => Event::Tick(side),
            Step::Die(side, lost) => Event::Die(side, lost),
        }
    }

    /// What becomes of an event in a world.
    pub fn play(&self, world: &World, event: Event) -> Outcome {
        let (side, step) = match event {
            Event::Tick(side) => (side, Ok(Step::Tick(side))),
            Event::Die(side, lost) => (side, Ok(Step::Die(side, lost))),
            Event::Submit(deed) => {
                let number = self.posts.iter().position(|post| post.deed == deed);
                let step = number.map(|number| Step::Do(deed.side(), number as u16));
                (deed.side(), step.ok_or("the plan has no such act"))
            }
            Event::Deliver(label, side) => {
                let number = self.find(world, label);
                let step = number.map(|number| Step::Do(side, (DEEDS + number) as u16));
                (side, step.ok_or("no such certificate was ever made"))
            }
        };
        let step = match step {
            Ok(step) if world.lives(side) => step,
            Ok(_) => return Outcome::Impossible("the chain is dead"),
            Err(why) => return Outcome::Impossible(why),
        };
        let (mut transitions, mut changes) = (Vec::new(), Vec::new());
        if let Step::Do(_, number) = step {
            let transaction = self.numbered(usize::from(number));
            match self.judge(side, self.place(world, side), transaction) {
                Err(refusal) => return Outcome::Refused(refusal),
                Ok(checked) => {
                    transitions.extend(checked.transitions());
                    changes.extend(checked.changes().cloned());
                }
            }
        }
        match self.next(world, step) {
            None => Outcome::Same,
            Some(world) => Outcome::Moved(Move {
                world,
                transitions,
                changes,
            }),
        }
    }

    /// The certificate that a label means: with that very entry, or else one that says as much.
    fn find(&self, world: &World, label: Label) -> Option<usize> {
        let exist = self.existing(world) | self.forged;
        let of = |number: usize| self.deck.get(number).label;
        let alike = |number: &usize| {
            Label {
                entry: label.entry,
                ..of(*number)
            } == label
        };
        let exact = bits(exist).find(|number| of(*number) == label);
        exact.or_else(|| bits(exist).find(alike))
    }
}
