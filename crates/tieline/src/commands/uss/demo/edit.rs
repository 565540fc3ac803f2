//! Signatures with tags that no signer made: the wire form taken apart and put together again.

use tieline_uss::bits::BitWriter;
use tieline_uss::parameters::Epoch;
use tieline_uss::party::Receiver;
use tieline_uss::signature::{DecodeError, Signature, SignedMessage};

/// The tags of a signature, row by row of the receiver that shares the functions with the signer.
pub(super) struct Edit {
    epoch: Epoch,
    body: Vec<u8>,
    header: Vec<u8>,
    tags: Vec<u128>,
}

impl Edit {
    /// Takes a signature apart.
    pub(super) fn of(epoch: &Epoch, signed: &SignedMessage) -> Result<Edit, DecodeError> {
        let signature = Signature::decode(epoch, &signed.signature)?;
        let tag_bytes = epoch.parameters().tags_bits().div_ceil(8);
        let header_bytes = signed.signature.len() - tag_bytes;
        Ok(Edit {
            epoch: epoch.clone(),
            body: signed.body.clone(),
            header: signed.signature[..header_bytes].to_vec(),
            tags: signature.tags(),
        })
    }

    /// Tags of one row.
    pub(super) fn row(&mut self, of: Receiver) -> &mut [u128] {
        let width = self.epoch.parameters().functions_per_receiver();
        &mut self.tags[of.index() * width..][..width]
    }

    /// Makes one tag of a row wrong.
    pub(super) fn spoil(&mut self, row: Receiver, place: usize) {
        self.row(row)[place] ^= 1;
    }

    /// Makes all tags of a row wrong.
    pub(super) fn spoil_row(&mut self, row: Receiver) {
        self.row(row).iter_mut().for_each(|tag| *tag ^= 1);
    }

    /// Takes the row of another signature.
    pub(super) fn take_row(&mut self, row: Receiver, other: &mut Edit) {
        let from = other.row(row).to_vec();
        self.row(row).copy_from_slice(&from);
    }

    /// Puts it together, under another body if one is given.
    pub(super) fn signed(&self, body: Option<&[u8]>) -> SignedMessage {
        let parameters = self.epoch.parameters();
        let width = parameters.family().tag_bits();
        let mut writer = BitWriter::with_capacity(parameters.tags_bits());
        self.tags.iter().for_each(|tag| writer.write(*tag, width));
        let mut signature = self.header.clone();
        signature.extend(writer.into_bytes());
        SignedMessage {
            epoch: self.epoch.id(),
            body: body.unwrap_or(&self.body).to_vec(),
            signature,
        }
    }
}
