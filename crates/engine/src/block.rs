//! Our blocks as the engine carries them.
//!
//! A block travels as its canonical bytes, and is named by its header. So a decoded one is a block only when body and
//! header belong together: everything else would let two bodies pass under one name.

use std::sync::Arc;

use bytes::{BufMut, Bytes};
use commonware_codec::{
    Buf, DecodeExt as _, EncodeSize, Error, FixedSize as _, RangeCfg, Read, Write,
};
use commonware_codec::{MaxEncodeSize as _, ReadExt as _};
use commonware_consensus::simplex::types::Context;
use commonware_consensus::types::{Epoch, Height, Round, View};
use commonware_consensus::{BoundedBlock, CertifiableBlock, Heightable};
use commonware_cryptography::sha256::Digest as Name;
use commonware_cryptography::{Digest as _, Digestible};
use tieline_chain::Home;
use tieline_chain::block::{BLOCK_BYTES_MAX, Block};
use tieline_units::Digest;
use tieline_units::canonical::Canonical as _;

use crate::validators::Identity;

/// Where the engine agrees on a block: round, leader, parent.
pub type Place = Context<Name, Identity>;

/// The engine's name of our digest.
pub fn name(digest: Digest) -> Name {
    Name::from(*digest.as_bytes())
}

/// Our digest of the engine's name.
pub fn digest(name: &Name) -> Digest {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(name.as_ref());
    Digest::from_bytes(bytes)
}

#[derive(Debug, PartialEq, Eq)]
enum What {
    /// The document that the chain is founded on: height 0, and nothing to execute.
    Genesis,
    /// A block.
    Block(Box<Block>),
}

/// A block, or what the first one follows. Clones share everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carried {
    what: Arc<What>,
    bytes: Bytes,
    name: Name,
    place: Place,
}

impl Carried {
    /// What the first block follows: named by the genesis.
    pub fn genesis(genesis: Digest, leader: Identity) -> Carried {
        Carried {
            what: Arc::new(What::Genesis),
            bytes: Bytes::new(),
            name: name(genesis),
            place: Place {
                round: Round::new(Epoch::zero(), View::zero()),
                leader,
                parent: (View::zero(), Name::EMPTY),
            },
        }
    }

    /// A block of this chain.
    ///
    /// # Errors
    /// Where its context is not the engine's.
    pub fn new(block: Block, home: &Home) -> Result<Carried, Error> {
        let place = Place::decode(Bytes::copy_from_slice(&block.header.context))?;
        Ok(Carried {
            bytes: Bytes::from(block.to_bytes()),
            name: name(block.digest(home)),
            what: Arc::new(What::Block(Box::new(block))),
            place,
        })
    }

    /// The block; `None` for the genesis.
    pub fn block(&self) -> Option<&Block> {
        match &*self.what {
            What::Genesis => None,
            What::Block(block) => Some(block),
        }
    }
}

impl Write for Carried {
    fn write(&self, out: &mut impl BufMut) {
        self.place.write(out);
        self.name.write(out);
        self.bytes.write(out);
    }
}

impl EncodeSize for Carried {
    fn encode_size(&self) -> usize {
        self.place.encode_size() + Name::SIZE + self.bytes.encode_size()
    }
}

impl Read for Carried {
    type Cfg = Home;

    fn read_cfg(from: &mut impl Buf, home: &Home) -> Result<Carried, Error> {
        let place = Place::read(from)?;
        let claimed = Name::read(from)?;
        let bytes = Bytes::read_cfg(from, &RangeCfg::new(..=BLOCK_BYTES_MAX))?;
        if bytes.is_empty() {
            // Only the name of the genesis can be no block's: nobody finds a block of that name.
            if claimed != name(home.genesis) {
                return Err(Error::Invalid("block", "empty, and not the genesis"));
            }
            return Ok(Carried {
                what: Arc::new(What::Genesis),
                bytes,
                name: claimed,
                place,
            });
        }
        let wrong = |_| Error::Invalid("block", "not canonical");
        let block = Block::decode(&bytes).map_err(wrong)?;
        if block.check_body().is_err() {
            return Err(Error::Invalid("block", "the body is not the header's"));
        }
        let found = Carried::new(block, home)?;
        if found.name != claimed || found.place != place || found.bytes != bytes {
            return Err(Error::Invalid("block", "not the one that it claims to be"));
        }
        Ok(found)
    }
}

impl Digestible for Carried {
    type Digest = Name;

    fn digest(&self) -> Name {
        self.name
    }
}

impl Heightable for Carried {
    fn height(&self) -> Height {
        Height::new(self.block().map_or(0, |block| block.header.height))
    }
}

impl commonware_consensus::Block for Carried {
    fn parent(&self) -> Name {
        let parent = self.block().map(|block| block.header.parent);
        parent.map_or(Name::EMPTY, name)
    }
}

impl CertifiableBlock for Carried {
    type Context = Place;

    fn context(&self) -> Place {
        self.place.clone()
    }
}

impl BoundedBlock for Carried {
    fn max_encode_size(_: &Home) -> usize {
        // The length of the bytes is a varint of at most five bytes.
        Place::MAX_ENCODE_SIZE + Name::SIZE + 5 + BLOCK_BYTES_MAX
    }
}
