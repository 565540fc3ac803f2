//! T2 and its like: a verification node signs what its own replica has finalised, and nothing else.

use tieline_contract::certificate::Statement;
use tieline_contract::payload::Payload;
use tieline_contract::threshold::Committee;
use tieline_seal::hybrid::{Domain, PublicKey, Purpose, Signature, SigningKey};
use tieline_units::canonical;

use crate::ledger::Ledger;
use crate::store::{Store, StoreError};

/// Asks of an entry whether to attest it: the unconditional signature of a request is tested here.
pub type Approve = Box<dyn Fn(&Payload) -> bool + Send + Sync>;

/// Signs a message in a domain, the same bytes whenever it is asked.
pub type Sign = Box<dyn Fn(&Domain, &[u8]) -> Signature + Send + Sync>;

/// A verification node's key, and its own questions.
pub struct Attester {
    key: PublicKey,
    sign: Sign,
    approve: Approve,
}

/// A verification node's signature on a block's outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// What it signs.
    pub statement: Statement,
    /// Its seat in the epoch of the statement.
    pub seat: u8,
    /// The signature.
    pub signature: Signature,
}

canonical!(Signed {
    statement,
    seat,
    signature
});

impl Attester {
    /// A node with this key; `approve` is asked of every entry, and one no keeps it silent on the block.
    pub fn new(key: SigningKey, approve: Approve) -> Attester {
        let public = key.public_key().clone();
        let sign = Box::new(move |domain: &Domain, message: &[u8]| key.sign(domain, message));
        Attester::with(public, sign, approve)
    }

    /// A node whose key is somewhere else.
    pub fn with(key: PublicKey, sign: Sign, approve: Approve) -> Attester {
        Attester { key, sign, approve }
    }

    /// Signs the same bytes whenever it is asked.
    pub(super) fn sign(
        &self,
        store: &Store,
        ledger: &Ledger,
        height: u64,
    ) -> Result<Vec<Signed>, StoreError> {
        let (state, tip) = (ledger.state(), ledger.tip().height);
        let mut entries = state.outbox(height).peekable();
        if height > tip || entries.peek().is_none() || !entries.all(|entry| (self.approve)(entry)) {
            return Ok(Vec::new());
        }
        let state_root = if height == tip {
            ledger.roots().state_root
        } else {
            let Some(child) = store.block(height + 1)? else {
                return Ok(Vec::new());
            };
            child.header.before.state_root
        };
        let chain = &ledger.home().chain;
        let last = state.current(chain).map_or(0, |committee| committee.epoch);
        let epochs =
            (last.saturating_sub(1)..=last).filter_map(|epoch| state.committee(chain, epoch));
        let seats = epochs.filter(|committee| !state.is_closed(chain, committee.epoch));
        let signed = seats.filter_map(|committee| {
            let statement = state.statement(height, committee.epoch, state_root);
            self.sign_as(committee, statement)
        });
        Ok(signed.collect())
    }

    fn sign_as(&self, committee: &Committee, statement: Statement) -> Option<Signed> {
        let mut seats = committee.seats.iter();
        let seat = seats.position(|seat| seat.key == self.key)?;
        let domain = statement.domain(Purpose::Attestation);
        let signature = (self.sign)(&domain, &statement.message());
        Some(Signed {
            seat: u8::try_from(seat).ok()?,
            statement,
            signature,
        })
    }
}
