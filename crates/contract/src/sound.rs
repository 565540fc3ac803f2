//! What holds of every state that a ledger can be in, so that records which are none are not taken for one.

use tieline_units::canonical::{DecodeError, Decoder};
use tieline_units::{Energy, Money};

use crate::credibility;
use crate::registry::record_digest;
use crate::state::{Account, State};
use crate::terms::OrderId;

impl State {
    /// Whether every record stands under the key that its value has, no record says nothing, and the books balance.
    ///
    /// # Errors
    /// [`DecodeError::Invalid`] with the table.
    pub(crate) fn sound(&self) -> Result<(), DecodeError> {
        let tables = [
            ("member under its id", self.names_fit()),
            ("order under its id", self.orders_fit()),
            ("certificate under its subject", self.certificates_fit()),
            ("outbox in one piece", self.outbox_is_whole()),
            ("state without empty records", self.nothing_is_empty()),
            ("state whose books balance", self.books_balance()),
        ];
        match tables.into_iter().find(|(_, fits)| !fits) {
            Some((what, _)) => Err(Decoder::invalid(0, what, self.rules.chain.as_str())),
            None => Ok(()),
        }
    }

    fn names_fit(&self) -> bool {
        let mut applied = self.applications.iter();
        let mut committees = self.committees.iter();
        self.members.iter().all(|(id, member)| *id == member.id)
            && applied.all(|(record, member)| *record == record_digest(member))
            && committees.all(|((chain, epoch), c)| (chain, *epoch) == (&c.chain, c.epoch))
    }

    fn orders_fit(&self) -> bool {
        let bought = self.purchases.iter().map(|(id, p)| (id, Some(&p.request)));
        let sold = self.sales.iter().map(|(id, s)| (id, s.request.as_ref()));
        let settled = self.settlings.iter().map(|(id, s)| (id, Some(&s.request)));
        let fits = |(id, request): (&OrderId, Option<&std::sync::Arc<crate::terms::Request>>)| {
            request.is_none_or(|request| request.order() == *id)
        };
        bought.chain(sold).chain(settled).all(fits)
    }

    fn certificates_fit(&self) -> bool {
        self.kept.iter().all(|((chain, kind, subject), c)| {
            (chain, *kind, *subject) == (&c.chain, c.payload.kind(), c.payload.subject())
        })
    }

    fn outbox_is_whole(&self) -> bool {
        self.outbox.keys().all(|&(height, index)| {
            let before = index.checked_sub(1).map(|before| (height, before));
            height <= self.block.height
                && before.is_none_or(|before| self.outbox.contains_key(&before))
        })
    }

    /// What is nothing is not there, so that equal states have equal bytes.
    fn nothing_is_empty(&self) -> bool {
        self.accounts.values().all(|money| *money != Money::ZERO)
            && self.imbalances.values().all(|it| !it.is_empty())
            && self.positions.values().all(|money| *money != Money::ZERO)
            && self.exposure.values().all(|money| *money > Money::ZERO)
            && self.reserved.values().all(|energy| *energy > Energy::ZERO)
            && self.sequences.values().all(|count| *count > 0)
            && self.credibility.values().all(|s| *s <= credibility::MAX)
    }

    fn books_balance(&self) -> bool {
        let owned = |(account, money): (&Account, &Money)| {
            *account == Account::Outside || *money > Money::ZERO
        };
        let amounts = self.accounts.values();
        let sum: i128 = amounts.map(|money| i128::from(money.as_millionths())).sum();
        sum == 0 && self.accounts.iter().all(owned)
    }
}
