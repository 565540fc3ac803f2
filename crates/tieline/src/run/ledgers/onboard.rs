//! Before the first gate: everybody registers on Z (T11), stands for verification nodes (T12), and is made known to all chains.

use anyhow::ensure;
use tieline_contract::member::Member;
use tieline_contract::transaction::Transaction;
use tieline_seal::hybrid::SigningKey;

use super::founding::stakes;
use super::world::{Credit, World};
use crate::node::keys::signing_key;

impl World<'_> {
    /// Registers members and chains, until every chain knows them.
    ///
    /// # Errors
    /// A chain that does not get to know somebody.
    pub(super) fn onboard(&mut self) -> anyhow::Result<()> {
        let z = self.places[0].genesis.home();
        let mut applications = vec![self.operator.aggregator_applies()];
        applications.extend(self.desks.iter().map(|desk| desk.apply(&z)));
        self.tell_z(applications)?;
        let members: Vec<Member> = self.desks.iter().map(|desk| desk.member.clone()).collect();
        let approvals = self.operator.approve(&members);
        self.tell_z(approvals)?;
        for founded in &self.founding.chains[1..] {
            for committee in founded.genesis.committees().iter().take(1) {
                let owners = stakes(committee).into_iter();
                self.credits.extend(owners.map(|(member, amount)| Credit {
                    member,
                    amount,
                    is_stake: true,
                }));
            }
        }
        self.settle()?;
        let chains: Vec<Transaction> = self.founding.chains[1..]
            .iter()
            .filter_map(|founded| {
                let committee = founded.genesis.committees().into_iter().next()?;
                let nodes = founded.nodes.iter();
                let keys: Vec<SigningKey> =
                    nodes.map(|seeds| signing_key(&seeds.attestation)).collect();
                Some(self.operator.register_chain(committee, &keys))
            })
            .collect();
        self.tell_z(chains)?;
        self.check_known()
    }

    fn tell_z(&mut self, acts: Vec<Transaction>) -> anyhow::Result<()> {
        for act in acts {
            self.places[0].give(act);
        }
        self.settle()
    }

    fn check_known(&self) -> anyhow::Result<()> {
        for place in &self.places {
            let state = place.ledger.state();
            for member in &self.founding.members {
                ensure!(
                    state.member(&member.id) == Some(member),
                    "chain {} does not know {}",
                    place.chain,
                    member.id
                );
            }
            for other in &self.places {
                ensure!(
                    state.current(&other.chain).is_some(),
                    "chain {} does not know the verification nodes of {}",
                    place.chain,
                    other.chain
                );
            }
        }
        Ok(())
    }
}
