//! The local API of a node: what its owner's programs, clients and relayers ask over HTTP.
//!
//! **Parties.** Whoever reaches the port, which is the owner's own; a relayer. **Rules.** What is read is final. A
//! transaction is taken as from anybody: the contract asks who signed it. Nothing that is read here needs to be trusted:
//! proofs and certificates say it themselves. **Bounds.** Connections, heads, bodies, pages and time.
//!
//! The document [`OPENAPI`] describes every route.

mod metrics;
mod read;
mod relay;
mod routes;
mod validators;
mod write;

use std::sync::Arc;

use tieline_chain::mempool::AddError;
use tieline_chain::replica::Replica;
use tieline_chain::validators::Handover;
use tieline_contract::transaction::Transaction;
use tieline_units::{Digest, Time};
use tokio::net::TcpListener;

use super::http::{self, Ask, Reply};
use metrics::Counts;
use routes::Place;

pub use relay::{ENTRIES_MAX, PAGE_MAX, Said};

/// The OpenAPI 3.1 document of this API, JSON.
pub const OPENAPI: &str = include_str!("api/openapi.json");

/// What the API needs of a running node.
pub trait Access: Send + Sync {
    /// Calls `look` once with the node's copy of the chain; not at all when the node is stopping.
    fn with(&self, look: &mut dyn FnMut(&mut Replica));

    /// Takes a transaction that waits for a block, and tells the other validators; its name.
    ///
    /// # Errors
    /// [`AddError`].
    fn submit(&self, transaction: Transaction) -> Result<Digest, AddError>;

    /// Takes an approved change of validators for the end of the epoch, and tells the other validators.
    ///
    /// # Errors
    /// Why it is none, in words.
    fn hand_over(&self, handover: Handover) -> Result<(), String>;

    /// The node's identity.
    fn identity(&self) -> [u8; 32];

    /// The node's clock.
    fn now(&self) -> Time;
}

/// Method and path of every route, as in [`OPENAPI`].
pub fn routes() -> Vec<(&'static str, &'static str)> {
    routes::all()
}

/// Answers requests until `stop`, then waits a little for those under way.
///
/// # Errors
/// What the listener cannot recover from.
pub async fn serve(
    listener: TcpListener,
    access: Arc<dyn Access>,
    stop: impl Future<Output = ()>,
) -> std::io::Result<()> {
    let counts = Counts::default();
    let answer = move |ask: Ask| {
        let reply = answer(&*access, &counts, &ask);
        counts.add(reply.code);
        reply
    };
    http::serve(listener, Arc::new(answer), stop).await
}

fn answer(access: &dyn Access, counts: &Counts, ask: &Ask) -> Reply {
    let (place, part) = match routes::find(&ask.method, &ask.path) {
        Ok(found) => found,
        Err(refused) => return refused,
    };
    let answered = match place {
        Place::Status => read::status(access),
        Place::Block => read::block(access, ask, part),
        Place::Certificate => read::certificate(access, part),
        Place::Proof => read::proof(access, part),
        Place::Submit => write::submit(access, ask),
        Place::Validators => validators::present(access, ask),
        Place::Handover => validators::hand_over(access, ask),
        Place::Transaction => write::whereabouts(access, part),
        Place::Outbox => relay::outbox(access, &ask.query),
        Place::Attestations => relay::attestations(access, part),
        Place::Committee => relay::committee(access, part),
        Place::Kept => relay::kept(access, &ask.query),
        Place::Takes => relay::takes(access, &ask.body),
        Place::OpenApi => Ok(Reply::of(200, "application/json", OPENAPI.into())),
        Place::Metrics => metrics::page(access, counts),
    };
    answered.unwrap_or_else(|refused| refused)
}

/// Looks at the node's copy of the chain.
fn look<T>(access: &dyn Access, look: impl FnOnce(&mut Replica) -> T) -> Result<T, Reply> {
    let (mut look, mut seen) = (Some(look), None);
    access.with(&mut |replica| {
        if let Some(look) = look.take() {
            seen = Some(look(replica));
        }
    });
    seen.ok_or_else(|| Reply::wrong(503, "the node is stopping", "ask another node"))
}

/// A number of a path or query.
fn number(what: &str, text: &str) -> Result<u64, Reply> {
    // Not "+1": one number, one text.
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let found = text.parse().ok().filter(|_| digits);
    found.ok_or_else(|| Reply::wrong(400, &format!("{what} is no number"), "write it as 17"))
}

/// A disk that cannot be read.
fn disk(error: impl std::fmt::Display) -> Reply {
    let next = "ask another node; the log of this one says more";
    Reply::wrong(503, &error.to_string(), next)
}
