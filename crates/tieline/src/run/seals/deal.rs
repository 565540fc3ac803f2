//! Deals the key blocks of the sites' pools out to the links between gateway and verification nodes.
//!
//! Every pool gives one block for all links across it. The two key managers cut it front to back in the order of the links
//! (signer to P_1..P_n, then P_1 to the others, and so on), so both ends of a link hold the same bits and no two links share
//! one.

use std::collections::BTreeMap;

use tieline_units::SiteId;
use tieline_uss::key::{ItsKey, MemoryStore};
use tieline_uss::party::{Link, Party, Receiver};
use zeroize::Zeroizing;

use crate::run::keys::{Drawn, Pair, Want};

/// Where the parties of an epoch are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// The gateway's site.
    pub signer: SiteId,
    /// The sites of P_1..P_n.
    pub receivers: Vec<SiteId>,
}

/// What every link takes, in bits.
type BitsOf<'a> = &'a dyn Fn(Link) -> usize;

impl Places {
    /// All parties, the signer first.
    fn parties(&self) -> Vec<Party> {
        let receivers = Receiver::first(self.receivers.len() as u8).map(Party::from);
        std::iter::once(Party::Signer).chain(receivers).collect()
    }

    fn site(&self, party: Party) -> &SiteId {
        match party {
            Party::Signer => &self.signer,
            Party::Receiver(receiver) => &self.receivers[receiver.index()],
        }
    }

    /// Every link that takes key, with its bits, in the order in which key is dealt.
    fn links(&self, bits_of: BitsOf<'_>) -> Vec<(Link, usize)> {
        let parties = self.parties();
        let ends = |from: Party| parties.iter().map(move |to| Link { from, to: *to });
        let links = parties.iter().flat_map(|from| ends(*from));
        links
            .filter(|link| link.from != link.to)
            .map(|link| (link, bits_of(link)))
            .filter(|(_, bits)| *bits > 0)
            .collect()
    }

    fn pair(&self, link: Link) -> Pair {
        Pair::new(self.site(link.from), self.site(link.to))
    }

    /// What all links take of every pool: each link whole bytes.
    pub fn wants(&self, bits_of: BitsOf<'_>) -> BTreeMap<Pair, Want> {
        let mut wants: BTreeMap<Pair, Want> = BTreeMap::new();
        for (link, bits) in self.links(bits_of) {
            let want = wants.entry(self.pair(link)).or_default();
            want.bits += bits.div_ceil(8) as u64 * 8;
            want.links += 1;
        }
        wants
    }

    /// Empty stores, the signer's first.
    pub fn stores(&self) -> Vec<MemoryStore> {
        self.parties()
            .iter()
            .map(|_| MemoryStore::default())
            .collect()
    }

    /// Fills both ends of every link with exactly its bits out of the blocks that were drawn for [`Places::wants`].
    pub fn fill(
        &self,
        stores: &mut [MemoryStore],
        drawn: &BTreeMap<Pair, Drawn>,
        bits_of: BitsOf<'_>,
    ) {
        let mut dealt: BTreeMap<Pair, usize> = BTreeMap::new();
        for (link, bits) in self.links(bits_of) {
            let pair = self.pair(link);
            let block = &drawn[&pair].bits;
            let from = dealt.entry(pair).or_default();
            let share = &block[*from..][..bits.div_ceil(8)];
            *from += share.len();
            for end in [link.from, link.to] {
                stores[place(end)].fill(link, key_of(share, bits));
            }
        }
    }
}

/// A party's place among the stores.
fn place(party: Party) -> usize {
    match party {
        Party::Signer => 0,
        Party::Receiver(receiver) => receiver.index() + 1,
    }
}

/// The first `bits` bits of a share.
fn key_of(share: &[u8], bits: usize) -> ItsKey {
    let raw = Zeroizing::new(share.to_vec());
    let mut whole = ItsKey::from_qkd_bits(raw.to_vec()).expect("the generator gives bits");
    whole.take(bits).expect("a share has its bits")
}
