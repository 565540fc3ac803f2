//! A chain as its nodes show it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hyper::Method;
use serde::Deserialize;
use tieline_chain::relay::{Attested, ChainView};
use tieline_chain::replica::Signed;
use tieline_contract::certificate::Certificate;
use tieline_contract::payload::Payload;
use tieline_contract::threshold::Committee;
use tieline_units::ChainId;
use tieline_units::canonical::Canonical;
use tokio::runtime::Handle;

use super::super::api::Said;
use super::{Node, Status};

/// After so many passes signatures of all nodes are asked again: the verification nodes may have changed.
const WHOLE_PASSES: u64 = 60;

/// Most pages that are read at once; the next pass reads on.
const PAGES_MAX: usize = 256;

/// After so many passes all is read anew.
const READ_AGAIN: u64 = 64;

/// What is known of a chain.
pub(super) struct Chain {
    id: ChainId,
    /// Those that answer, farthest first.
    nodes: Vec<Arc<Node>>,
    /// Heights that they claim.
    claims: Vec<u64>,
    /// All that ever did.
    known: BTreeSet<String>,
    /// Root of the state that [`Chain::kept`] and [`Chain::said`] are of, and the node's.
    read: String,
    root: String,
    said: BTreeMap<u64, Vec<Arc<Payload>>>,
    kept: Vec<Arc<Certificate>>,
    pass: u64,
    committees: Mutex<BTreeMap<u64, Committee>>,
    attested: Mutex<BTreeMap<u64, Asked>>,
}

/// Signatures on a block.
#[derive(Clone)]
struct Asked {
    pass: u64,
    /// Every node has signed.
    whole: bool,
    all: Vec<Attested>,
}

#[derive(Deserialize)]
struct Takes {
    takes: bool,
}

impl Chain {
    pub(super) fn new(id: ChainId) -> Chain {
        Chain {
            id,
            nodes: Vec::new(),
            claims: Vec::new(),
            known: BTreeSet::new(),
            read: String::new(),
            root: String::new(),
            said: BTreeMap::new(),
            kept: Vec::new(),
            pass: 0,
            committees: Mutex::default(),
            attested: Mutex::default(),
        }
    }

    /// Before a pass.
    pub(super) fn forget_nodes(&mut self) {
        self.nodes.clear();
        self.claims.clear();
    }

    /// A node that answered, farthest first.
    pub(super) fn meet(&mut self, node: Arc<Node>, status: &Status) {
        if self.nodes.is_empty() {
            self.root.clone_from(&status.state_root);
        }
        self.known.insert(node.wire.address().to_string());
        self.nodes.push(node);
        self.claims.push(status.height);
    }

    /// Nodes that may lie: the largest f with n ≥ 3f + 1.
    fn faults(&self) -> usize {
        self.nodes.len().saturating_sub(1) / 3
    }

    /// Whether a node answers.
    pub(super) fn is_seen(&self) -> bool {
        !self.nodes.is_empty()
    }

    pub(super) fn nodes(&self) -> &[Arc<Node>] {
        &self.nodes
    }

    /// Reads what is new.
    pub(super) async fn refresh(&mut self, pass: u64) {
        self.pass = pass;
        lock(&self.committees).clear();
        if pass.is_multiple_of(READ_AGAIN) {
            // Whoever lied about it is not the one who is asked now.
            self.said.clear();
            self.read.clear();
        }
        // Some other node is at least there, or an honest one is. Each pass asks another.
        let Some(&top) = self.claims.get(self.faults()) else {
            return;
        };
        let turn = usize::try_from(pass).unwrap_or_default() % self.nodes.len();
        let Some(node) = self.nodes.get(turn).cloned() else {
            return;
        };
        if self.read == self.root {
            return;
        }
        let mut whole = false;
        for _ in 0..PAGES_MAX {
            let last = self.said.keys().next_back();
            let Some(from) = last.map_or(Some(0), |last| last.checked_add(1)) else {
                break;
            };
            let path = format!("/v1/relay/outbox?from={from}");
            let Some(page) = octets::<Vec<Said>>(&node, &path).await else {
                return;
            };
            whole = page.is_empty();
            let risen = page.iter().all(|said| (from..=top).contains(&said.height));
            if whole || !risen {
                break;
            }
            let page = page.into_iter();
            self.said
                .extend(page.map(|said| (said.height, said.entries)));
        }
        let mut kept = Vec::new();
        for _ in 0..PAGES_MAX {
            let path = format!("/v1/relay/kept?from={}", kept.len());
            let Some(page) = octets::<Vec<Arc<Certificate>>>(&node, &path).await else {
                return;
            };
            if page.is_empty() {
                break;
            }
            kept.extend(page);
        }
        self.kept = kept;
        // One that is behind has not said all.
        let there = self.claims.get(turn).is_some_and(|height| *height >= top);
        if whole && there {
            self.read.clone_from(&self.root);
        }
    }

    /// Signatures of all nodes, by what they signed.
    async fn signatures(&self, height: u64) -> Asked {
        let mut by_statement: BTreeMap<Vec<u8>, Attested> = BTreeMap::new();
        let mut signers = 0;
        let path = format!("/v1/relay/attestations/{height}");
        for node in &self.nodes {
            let signed = octets::<Vec<Signed>>(node, &path).await;
            let signed = signed.unwrap_or_default();
            signers += usize::from(!signed.is_empty());
            for one in signed {
                let statement = one.statement;
                let of = (&statement.chain, statement.height);
                if of != (&self.id, height) {
                    continue;
                }
                let attested = by_statement.entry(statement.to_bytes());
                let attested = attested.or_insert_with(|| Attested {
                    statement,
                    signatures: BTreeMap::new(),
                });
                attested.signatures.insert(one.seat, one.signature);
            }
        }
        Asked {
            pass: self.pass,
            whole: signers >= self.known.len(),
            all: by_statement.into_values().collect(),
        }
    }

    /// The first answer of a node that could be read.
    async fn takes(&self, certificate: Vec<u8>) -> bool {
        for node in &self.nodes {
            let body = Some(certificate.clone());
            let answer = node.ask(Method::POST, "/v1/relay/takes", body).await;
            if let Some((200, body)) = answer
                && let Ok(found) = serde_json::from_slice::<Takes>(&body)
            {
                return found.takes;
            }
        }
        false
    }

    async fn committee(&self, epoch: u64) -> Option<Committee> {
        let path = format!("/v1/relay/committees/{epoch}");
        for node in &self.nodes {
            if let Some(found) = octets(node, &path).await {
                return Some(found);
            }
        }
        None
    }
}

/// For a moment: nothing is asked while it is held.
fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A value in canonical bytes.
async fn octets<T: Canonical>(node: &Node, path: &str) -> Option<T> {
    match node.ask(Method::GET, path, None).await {
        Some((200, body)) => T::decode(&body).ok(),
        _ => None,
    }
}

/// A chain for [`tieline_chain::relay`]; what is not known is asked, and waited for.
pub(super) struct View<'a> {
    pub(super) chain: &'a Chain,
    pub(super) handle: &'a Handle,
}

impl ChainView for View<'_> {
    fn chain(&self) -> &ChainId {
        &self.chain.id
    }

    fn heights(&self) -> Vec<u64> {
        self.chain.said.keys().copied().collect()
    }

    fn entries(&self, height: u64) -> Vec<Arc<Payload>> {
        self.chain.said.get(&height).cloned().unwrap_or_default()
    }

    fn attested(&self, height: u64) -> Vec<Attested> {
        let chain = self.chain;
        let known = lock(&chain.attested).get(&height).cloned();
        if let Some(asked) = known {
            let age = chain.pass - asked.pass;
            if age == 0 || asked.whole && age < WHOLE_PASSES {
                return asked.all;
            }
        }
        let asked = self.handle.block_on(chain.signatures(height));
        lock(&chain.attested).insert(height, asked.clone());
        asked.all
    }

    fn committee(&self, epoch: u64) -> Option<Committee> {
        let known = lock(&self.chain.committees).get(&epoch).cloned();
        if known.is_some() {
            return known;
        }
        let found = self.handle.block_on(self.chain.committee(epoch))?;
        let mut committees = lock(&self.chain.committees);
        committees.insert(epoch, found.clone());
        Some(found)
    }

    fn kept(&self) -> Vec<Arc<Certificate>> {
        self.chain.kept.clone()
    }

    fn takes(&self, unsigned: &Arc<Certificate>) -> bool {
        self.handle.block_on(self.chain.takes(unsigned.to_bytes()))
    }
}
