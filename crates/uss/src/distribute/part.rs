//! Parts on the wire and off it: encoded, sealed, opened, decoded.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use super::{DistributeError, PartMessage, others, read_pads};
use crate::bits::{BitReader, BitWriter};
use crate::channel::{self, ChannelError, Opening};
use crate::family::HashKeys;
use crate::key::{ItsKey, KeyError};
use crate::parameters::{Epoch, Round};
use crate::party::{Counter, Link, Party, Receiver};
use crate::sign::Pads;

/// k functions that one receiver got from another, with the pads of the first counter.
pub(crate) struct Part {
    pub(crate) indices: Zeroizing<Vec<u32>>,
    pub(crate) keys: HashKeys,
    pub(crate) pads: Pads,
}

/// Keys that wait for the parts of all others.
pub(crate) fn expect_parts(
    epoch: &Epoch,
    me: Receiver,
    mut keys: BTreeMap<Receiver, ItsKey>,
    bits: usize,
) -> Result<BTreeMap<Receiver, Opening>, DistributeError> {
    let mut openings = BTreeMap::new();
    for from in others(epoch, me) {
        let link = Link {
            from: from.into(),
            to: me.into(),
        };
        let key = keys.remove(&from).ok_or(DistributeError::Key {
            link,
            cause: KeyError::Empty,
        })?;
        let opening =
            Opening::new(bits, key).map_err(|cause| DistributeError::Key { link, cause })?;
        openings.insert(from, opening);
    }
    Ok(openings)
}

/// Seals `plain` for the other end of `link` with the link's key out of `keys`.
pub(crate) fn seal_part(
    epoch: &Epoch,
    link: Link,
    counter: Counter,
    plain: &Plain,
    keys: &mut BTreeMap<Receiver, ItsKey>,
) -> Result<PartMessage, DistributeError> {
    let (Party::Receiver(from), Party::Receiver(to)) = (link.from, link.to) else {
        return Err(DistributeError::Key {
            link,
            cause: KeyError::Empty,
        });
    };
    let key = keys.remove(&to).ok_or(DistributeError::Key {
        link,
        cause: KeyError::Empty,
    })?;
    let context = epoch.round_context(Round::Part, link, counter);
    let sealed =
        channel::seal(&context, &plain.bytes, plain.bits, key).map_err(|cause| match cause {
            ChannelError::Key(cause) => DistributeError::Key { link, cause },
            cause => DistributeError::Channel {
                from: link.from,
                cause,
            },
        })?;
    Ok(PartMessage { from, to, sealed })
}

/// Opens a message with the key that waits for it.
pub(crate) fn open_part(
    epoch: &Epoch,
    me: Receiver,
    counter: Counter,
    message: &PartMessage,
    openings: &mut BTreeMap<Receiver, Opening>,
) -> Result<Zeroizing<Vec<u8>>, DistributeError> {
    let from = message.from;
    let link = Link {
        from: from.into(),
        to: me.into(),
    };
    let opening = openings
        .get_mut(&from)
        .ok_or(DistributeError::BadPart { from })?;
    let context = epoch.round_context(Round::Part, link, counter);
    opening
        .open(&context, &message.sealed)
        .map_err(|cause| DistributeError::Channel {
            from: from.into(),
            cause,
        })
}

/// Bits on their way into a sealed message.
pub(crate) struct Plain {
    pub(crate) bytes: Zeroizing<Vec<u8>>,
    pub(crate) bits: usize,
}

/// k indices in ascending order, k hash keys, k pads.
pub(crate) fn encode_part(epoch: &Epoch, indices: &[u32], keys: &HashKeys, pads: &[u128]) -> Plain {
    let parameters = epoch.parameters();
    let mut writer = BitWriter::with_capacity(parameters.set_bits());
    indices
        .iter()
        .for_each(|index| writer.write(u128::from(*index), parameters.index_bits()));
    indices
        .iter()
        .for_each(|index| keys.write(*index as usize, &mut writer));
    indices
        .iter()
        .for_each(|index| writer.write(pads[*index as usize], parameters.family().tag_bits()));
    let bits = writer.bits();
    Plain {
        bytes: Zeroizing::new(writer.into_bytes()),
        bits,
    }
}

/// A part breaks the rules; which one stays here.
#[derive(Debug)]
pub(crate) struct BrokenPart;

pub(crate) fn decode_part(epoch: &Epoch, plain: &Zeroizing<Vec<u8>>) -> Result<Part, BrokenPart> {
    let parameters = epoch.parameters();
    let (family, count) = (parameters.family(), parameters.functions());
    let mut reader = BitReader::new(plain);
    let mut indices = Zeroizing::new(Vec::with_capacity(count));
    for _ in 0..count {
        indices.push(reader.read(parameters.index_bits()).ok_or(BrokenPart)? as u32);
    }
    let keys = HashKeys::read(family, &mut reader, count).map_err(|_| BrokenPart)?;
    let pads = Pads(read_pads(&mut reader, family.tag_bits(), count));
    let ascending = indices.windows(2).all(|pair| pair[0] < pair[1]);
    let possible = indices
        .last()
        .is_some_and(|last| (*last as usize) < parameters.functions_per_receiver());
    if !ascending || !possible || !reader.is_finished() {
        return Err(BrokenPart);
    }
    Ok(Part {
        indices,
        keys,
        pads,
    })
}
