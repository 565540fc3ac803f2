//! From a folder to a key manager's state.

use std::collections::BTreeMap;
use std::path::Path;

use crate::etsi::{KmeId, SaeId};

use super::core::{Direction, Ledger, Limits, LinkId, Manager, Peer, Quota, Record};
use super::disk::{DiskError, Folder};

/// Who a key manager is and whom it knows.
#[derive(Clone, Debug)]
pub(crate) struct Who {
    pub(crate) kme: KmeId,
    pub(crate) limits: Limits,
    pub(crate) saes: BTreeMap<SaeId, Quota>,
    pub(crate) peers: Vec<Peer>,
}

/// Opens the folder and rebuilds the state; peers that are new get their numbers. The log then starts with a summary.
pub(crate) fn recover(
    path: &Path,
    who: &Who,
    sync: bool,
) -> Result<(Folder, Manager, BTreeMap<KmeId, LinkId>), DiskError> {
    let (mut folder, records) = Folder::open(path, sync)?;
    let (mut ledgers, seq) = replay(path, &who.kme, &records)?;
    load_blocks(&folder, &mut ledgers)?;
    let mut links = Vec::new();
    let mut numbers = BTreeMap::new();
    for peer in &who.peers {
        let known = ledgers
            .iter()
            .find(|(_, ledger)| ledger.peer == peer.kme)
            .map(|(id, _)| *id);
        let id = known.unwrap_or_else(|| {
            let next = ledgers.keys().next_back().map_or(0, |last| last.0 + 1);
            LinkId(next)
        });
        let ledger = ledgers
            .entry(id)
            .or_insert_with(|| Ledger::new(who.kme.clone(), peer.kme.clone()));
        let bytes = ledger.settle();
        if bytes > 0 {
            return Err(DiskError::BitsMissing {
                path: path.to_owned(),
                peer: peer.kme.to_string(),
                bytes,
            });
        }
        (ledger.discarded, ledger.expired) = (0, 0);
        numbers.insert(peer.kme.clone(), id);
    }
    // Links that the settings no longer name keep their number and their state.
    for (id, ledger) in ledgers {
        let named = who.peers.iter().find(|peer| peer.kme == ledger.peer);
        let peer = named.cloned().unwrap_or_else(|| Peer {
            kme: ledger.peer.clone(),
            saes: Vec::new(),
            origin: super::source::Origin::Simulated,
        });
        links.push((id, ledger, peer));
    }
    let manager = Manager::new(who.kme.clone(), who.limits.clone(), &who.saes, links, seq);
    folder.log.sum_up(&manager.summary())?;
    Ok((folder, manager, numbers))
}

/// The state after these records.
pub(crate) fn replay(
    path: &Path,
    kme: &KmeId,
    records: &[Record],
) -> Result<(BTreeMap<LinkId, Ledger>, u64), DiskError> {
    let mut ledgers: BTreeMap<LinkId, Ledger> = BTreeMap::new();
    let mut seq = 0;
    for record in records {
        let link = match record {
            Record::Kme(found) if found != kme => {
                return Err(DiskError::OtherKme {
                    path: path.to_owned(),
                    found: found.to_string(),
                    expected: kme.to_string(),
                });
            }
            Record::Kme(_) => continue,
            Record::Seq(counted) => {
                seq = *counted;
                continue;
            }
            Record::Link { link, peer } => {
                let ledger = Ledger::new(kme.clone(), peer.clone());
                ledgers.insert(*link, ledger);
                continue;
            }
            Record::Pool { link, .. }
            | Record::Filled { link, .. }
            | Record::Allocated { link, .. }
            | Record::Announced { link, .. }
            | Record::Collected { link, .. }
            | Record::Expired { link, .. }
            | Record::Aligned { link, .. } => {
                seq += 1;
                link
            }
            Record::PeerSeq { link, .. } => link,
        };
        if let Some(ledger) = ledgers.get_mut(link) {
            ledger.apply(record);
        }
    }
    Ok((ledgers, seq))
}

/// Puts the bits back that the records speak of and removes all others.
fn load_blocks(folder: &Folder, ledgers: &mut BTreeMap<LinkId, Ledger>) -> Result<(), DiskError> {
    let mut next: Option<(LinkId, Direction, u64)> = None;
    // From the end, so that a block that was cut short ends where its successor begins.
    for name in folder.blocks.list()?.into_iter().rev() {
        let ledger = ledgers
            .get_mut(&name.link)
            .filter(|ledger| ledger.pool == Some(name.pool));
        let Some(ledger) = ledger else {
            folder.blocks.drop(&name)?;
            continue;
        };
        let bits = folder.blocks.read(&name)?;
        let end = match next {
            Some((link, direction, at)) if (link, direction) == (name.link, name.direction) => at,
            _ => u64::MAX,
        };
        let kept = bits.is_some_and(|mut bits| {
            let room = usize::try_from(end - name.at).unwrap_or(usize::MAX);
            bits.truncate(room);
            ledger.load(name.direction, name.at, bits)
        });
        if kept {
            next = Some((name.link, name.direction, name.at));
        } else {
            folder.blocks.drop(&name)?;
        }
    }
    Ok(())
}
