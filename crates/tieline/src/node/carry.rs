//! A relayer over the API of nodes ([`super::api`]): any number of nodes of any number of chains.
//!
//! **Rules.** Which chain a node is of, it says itself. What a chain said is asked of one node after the other, a pass each,
//! and now and then anew, so that no liar hides it for long; signatures of
//! all its nodes are joined; a certificate goes to the first node that answers. A node that does not answer is left alone for
//! a while, longer each time. **Guarantee.** As of [`tieline_chain::relay`]: whatever is lost here, an empty one goes on from
//! what chains say.

mod totals;
mod view;
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hyper::Method;
use serde::{Deserialize, Serialize};
use tieline_chain::relay::{ChainView, Limits, Relayer, Submission};
use tieline_contract::transaction::Transaction;
use tieline_seal::hybrid::Verify;
use tieline_units::canonical::Canonical as _;
use tieline_units::{ChainId, Time};
use tokio::runtime::Handle;

use view::{Chain, View};
use wire::Wire;

pub use totals::{Totals, serve_metrics};
pub use wire::{Address, AddressError, ask_once};

/// First pause of a node that does not answer, and the longest, milliseconds.
const PAUSE_MS: std::ops::RangeInclusive<u64> = 1_000..=60_000;

/// Most chains that are remembered although no node of theirs answers.
const CHAINS_MAX: usize = 256;

/// What one pass did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Pass {
    /// Nodes that answered.
    pub nodes: usize,
    /// Chains that could be seen.
    pub chains: usize,
    /// Certificates that were to be carried.
    pub planned: usize,
    /// Those that now wait for a block.
    pub taken: usize,
    /// Those that the contract refused meanwhile.
    pub refused: usize,
    /// Those that no node of the chain answered to; they are tried again.
    pub lost: usize,
    /// What an owner should know: nodes that went away or are of another genesis.
    pub warnings: Vec<String>,
}

/// Verifies signatures of verification nodes, from any thread.
pub type Verifier = Arc<dyn Verify + Send + Sync>;

/// A node's state as a relayer uses it.
#[derive(Clone, Debug, Deserialize)]
struct Status {
    chain: String,
    genesis: String,
    height: u64,
    state_root: String,
}

/// A node.
#[derive(Debug)]
struct Node {
    wire: Wire,
    /// It did not answer in this pass.
    down: AtomicBool,
}

impl Node {
    /// Code and body of an answer; `None` where there is none, and then for the rest of the pass.
    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Option<(u16, Vec<u8>)> {
        if self.down.load(Ordering::Relaxed) {
            return None;
        }
        match self.wire.ask(method, path, body).await {
            Ok(answer) => Some(answer),
            Err(_) => {
                self.down.store(true, Ordering::Relaxed);
                None
            }
        }
    }
}

/// When to ask a node again.
#[derive(Clone, Copy, Debug, Default)]
struct Rest {
    until: Time,
    length_ms: u64,
}

/// A relayer with its connections. All that it holds may be lost at any moment.
pub struct Carrier {
    nodes: Vec<(Arc<Node>, Rest)>,
    verify: Verifier,
    limits: Limits,
    held: Option<Held>,
    passes: u64,
}

impl std::fmt::Debug for Carrier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Carrier")
            .field("nodes", &self.nodes)
            .field("passes", &self.passes)
            .finish_non_exhaustive()
    }
}

/// What only spares work.
struct Held {
    relayer: Relayer,
    /// By name and genesis; of one name at most one has nodes.
    chains: BTreeMap<(ChainId, String), Chain>,
    /// Warnings that lasting states gave already.
    told: BTreeSet<String>,
}

impl Carrier {
    /// One that knows nothing but where nodes are.
    pub fn new(nodes: Vec<Address>, verify: Verifier, limits: Limits) -> Carrier {
        let node = |address| {
            let (wire, down) = (Wire::new(address), AtomicBool::new(false));
            (Arc::new(Node { wire, down }), Rest::default())
        };
        Carrier {
            nodes: nodes.into_iter().map(node).collect(),
            verify,
            limits,
            held: None,
            passes: 0,
        }
    }

    /// Looks at all chains once, and carries what is due.
    ///
    /// `now`: the relayer's clock; pauses and losses are counted in it.
    pub async fn pass(&mut self, now: Time) -> Pass {
        self.passes += 1;
        let mut pass = Pass::default();
        let answers = self.look_around(now, &mut pass).await;
        let limits = self.limits;
        let mut held = self.held.take().unwrap_or_else(|| Held {
            relayer: Relayer::new(limits),
            chains: BTreeMap::new(),
            told: BTreeSet::new(),
        });
        held.meet(answers, &mut pass);
        for chain in held.chains.values_mut() {
            chain.refresh(self.passes).await;
        }
        let seen = held.chains.values().filter(|chain| chain.is_seen());
        pass.chains = seen.count();
        let (verify, handle) = (self.verify.clone(), Handle::current());
        // Views wait for answers, and signatures take time.
        let planning = tokio::task::spawn_blocking(move || {
            let plan = held.plan(now, &handle, &*verify);
            (held, plan)
        });
        let Ok((mut held, plan)) = planning.await else {
            pass.warnings
                .push("a pass was given up; the next one begins empty".to_owned());
            return pass;
        };
        pass.planned = plan.len();
        for submission in &plan {
            held.submit(submission, &mut pass).await;
        }
        self.held = Some(held);
        pass
    }

    /// Asks every node that does not rest where its chain stands, farthest first.
    async fn look_around(&mut self, now: Time, pass: &mut Pass) -> Vec<(Arc<Node>, Status)> {
        let mut asked = Vec::new();
        for (index, (node, rest)) in self.nodes.iter().enumerate() {
            if now < rest.until {
                continue;
            }
            let node = node.clone();
            node.down.store(false, Ordering::Relaxed);
            let asking = tokio::spawn(async move {
                let answer = node.ask(Method::GET, "/v1/status", None).await?;
                let status = serde_json::from_slice(&answer.1).ok();
                Some((node, status.filter(|_| answer.0 == 200)?))
            });
            asked.push((index, asking));
        }
        let mut answers: Vec<(Arc<Node>, Status)> = Vec::new();
        for (index, asking) in asked {
            let found = asking.await.ok().flatten();
            let Some((node, rest)) = self.nodes.get_mut(index) else {
                continue;
            };
            match found {
                Some(found) => {
                    *rest = Rest::default();
                    answers.push(found);
                }
                None => {
                    let (least, most) = (*PAUSE_MS.start(), *PAUSE_MS.end());
                    let length_ms = (rest.length_ms * 2).clamp(least, most);
                    let until = now.plus_millis(length_ms);
                    *rest = Rest { until, length_ms };
                    pass.warnings.push(format!(
                        "{} does not answer as a node; asked again in {} s",
                        node.wire.address(),
                        length_ms / 1_000
                    ));
                }
            }
        }
        pass.nodes = answers.len();
        answers.sort_by_key(|(_, status)| std::cmp::Reverse(status.height));
        answers
    }
}

impl Held {
    /// Which nodes can be asked of which chain now.
    fn meet(&mut self, answers: Vec<(Arc<Node>, Status)>, pass: &mut Pass) {
        if self.chains.len() > CHAINS_MAX {
            self.chains.retain(|_, chain| chain.is_seen());
            self.told.clear();
        }
        self.chains.values_mut().for_each(Chain::forget_nodes);
        for (node, status) in answers {
            let Ok(id) = ChainId::parse(&status.chain) else {
                continue;
            };
            let chain = self.chains.entry((id.clone(), status.genesis.clone()));
            let chain = chain.or_insert_with(|| Chain::new(id));
            chain.meet(node, &status);
        }
        self.outvote(pass);
    }

    /// Leaves nodes out whose genesis is not that of most nodes of the name.
    fn outvote(&mut self, pass: &mut Pass) {
        let mut most: BTreeMap<ChainId, usize> = BTreeMap::new();
        for ((id, _), chain) in &self.chains {
            let votes = most.entry(id.clone()).or_default();
            *votes = chain.nodes().len().max(*votes);
        }
        for ((id, genesis), chain) in &mut self.chains {
            let votes = chain.nodes().len();
            if votes > 0 && most.get(id) == Some(&votes) {
                // One of them, where as many say something else.
                most.remove(id);
                continue;
            }
            for node in chain.nodes() {
                let warning = format!(
                    "{} is a node of another {id}, genesis {genesis}: left out",
                    node.wire.address(),
                );
                if self.told.insert(warning.clone()) {
                    pass.warnings.push(warning);
                }
            }
            chain.forget_nodes();
        }
    }

    fn plan(&mut self, now: Time, handle: &Handle, verify: &dyn Verify) -> Vec<Submission> {
        let seen = self.chains.values().filter(|chain| chain.is_seen());
        let views: Vec<View<'_>> = seen.map(|chain| View { chain, handle }).collect();
        let views: Vec<&dyn ChainView> = views.iter().map(|view| view as &dyn ChainView).collect();
        self.relayer.plan(now, &views, verify)
    }

    /// To the first node that answers.
    async fn submit(&mut self, submission: &Submission, pass: &mut Pass) {
        let bytes = Transaction::Certificate(submission.certificate.clone()).to_bytes();
        let of_target = self.chains.iter().filter(|(key, _)| key.0 == submission.to);
        for node in of_target.flat_map(|(_, chain)| chain.nodes()) {
            let body = Some(bytes.clone());
            match node.ask(Method::POST, "/v1/transactions", body).await {
                Some((200 | 202, _)) => {
                    pass.taken += 1;
                    return;
                }
                Some((422, _)) => {
                    pass.refused += 1;
                    return;
                }
                _ => {}
            }
        }
        self.relayer.lost(submission);
        pass.lost += 1;
    }
}
