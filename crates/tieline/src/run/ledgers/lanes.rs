//! Where the chains of a run are: in threads of this process, led in step.

use std::sync::Arc;
use std::time::Duration;

use tieline_chain::ledger::Ledger;
use tieline_chain::replica::Attester;
use tieline_engine::application::Pace;
use tieline_engine::lockstep::{Lanes, Plan, Report, Step};
use tieline_engine::simulated::{Line, Validator};
use tieline_engine::transport::NodeKeys;
use tieline_seal::hybrid::{Remembering, Strict};
use tieline_units::Time;

use super::book::Book;
use super::founding::Founding;
use super::place::Place;
use crate::input::Scenario;
use crate::node::keys::signing_key;

/// Chains that go on in step.
pub trait Lead {
    /// All chains go on.
    ///
    /// # Errors
    /// A chain that cannot.
    fn step(&mut self, steps: Vec<Step>) -> anyhow::Result<Vec<Report>>;

    /// All chains begin anew from the last final block: what their validators held in memory is gone.
    ///
    /// # Errors
    /// A chain that cannot.
    fn renew(&mut self, places: &[Place], now: Time) -> anyhow::Result<()>;

    /// Whether what is reported was recorded earlier.
    fn replays(&self) -> bool {
        false
    }
}

/// Validators of all chains in this process, in virtual time.
pub struct Embedded<'a> {
    scenario: &'a Scenario,
    nodes: Vec<Vec<Keys>>,
    book: Arc<Book>,
    lanes: Option<Lanes>,
    renewed: u64,
}

/// Of a node: its network identity's seed, its voting key's, its attestation key's.
struct Keys {
    node: NodeKeys,
    attestation: crate::node::keys::Seed,
}

impl<'a> Embedded<'a> {
    /// Nothing runs yet.
    pub fn new(scenario: &'a Scenario, founding: &Founding, book: Arc<Book>) -> Embedded<'a> {
        let nodes = founding.chains.iter().map(|founded| {
            let keys = founded.nodes.iter().map(|seeds| Keys {
                node: NodeKeys::new(&seeds.identity, Arc::new(signing_key(&seeds.voting))),
                attestation: seeds.attestation.clone(),
            });
            keys.collect()
        });
        Embedded {
            nodes: nodes.collect(),
            scenario,
            book,
            lanes: None,
            renewed: 0,
        }
    }

    /// Starts all chains at their genesis.
    ///
    /// # Errors
    /// A chain that does not start.
    pub fn begin(&mut self, founding: &Founding, now: Time) -> anyhow::Result<()> {
        let ledgers = founding.chains.iter();
        let ledgers = ledgers.map(|it| (Ledger::genesis(&it.genesis), None));
        self.run(ledgers.collect(), now)
    }

    /// Starts all chains from their last final blocks.
    ///
    /// # Errors
    /// A chain that does not start.
    pub fn go_on(&mut self, places: &[Place], now: Time) -> anyhow::Result<()> {
        let ledgers = places.iter();
        let ledgers = ledgers.map(|place| (place.ledger.clone(), place.last.clone()));
        self.run(ledgers.collect(), now)
    }

    /// Counts a renewal that was recorded earlier: what is random afterwards depends on their number.
    pub fn count_renewal(&mut self) {
        self.renewed += 1;
    }

    fn run(
        &mut self,
        ledgers: Vec<(Ledger, Option<tieline_chain::files::Entry>)>,
        now: Time,
    ) -> anyhow::Result<()> {
        let plans = ledgers.into_iter().enumerate();
        let plans = plans.map(|(on, (ledger, floor))| self.plan(on, (ledger, floor), now));
        self.lanes = Some(Lanes::start(plans.collect())?);
        Ok(())
    }

    fn plan(
        &self,
        on: usize,
        (founding, floor): (Ledger, Option<tieline_chain::files::Entry>),
        start: Time,
    ) -> Plan {
        let config = &self.scenario.config;
        let chain = founding.home().chain.clone();
        let validators = self.nodes[on].iter().zip(0_u8..).map(|(keys, seat)| {
            let silent = config.trouble.silent_node(&chain, seat);
            let (book, chain) = (self.book.clone(), chain.clone());
            let seed = keys.attestation.clone();
            let make = move || {
                let (book, chain) = (book.clone(), chain.clone());
                let approve = move |payload: &_| book.approves(&chain, seat, payload);
                Attester::new(signing_key(&seed), Box::new(approve))
            };
            Validator {
                keys: keys.node.clone(),
                attester: (!silent).then(|| Box::new(make) as _),
            }
        });
        Plan {
            seed: config.seed ^ (self.renewed << 16) ^ on as u64,
            validators: validators.collect(),
            pace: Pace {
                heartbeat: Duration::from_millis(config.chains.heartbeat_ms),
                ..Pace::default()
            },
            line: Line::default(),
            start,
            founding,
            floor,
            verify: || Box::new(Remembering::new(Strict)),
        }
    }
}

impl Lead for Embedded<'_> {
    fn step(&mut self, steps: Vec<Step>) -> anyhow::Result<Vec<Report>> {
        let lanes = self
            .lanes
            .as_mut()
            .expect("lanes are there between renewals");
        Ok(lanes.step(steps)?)
    }

    fn renew(&mut self, places: &[Place], now: Time) -> anyhow::Result<()> {
        if let Some(lanes) = self.lanes.take() {
            lanes.stop();
        }
        self.count_renewal();
        self.go_on(places, now)
    }
}
