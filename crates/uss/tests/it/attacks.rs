//! Every attack of the list that concerns signatures, run against whole epochs. The number of the item is in the name; what
//! is expected stands in the name and the comment.

mod bytes;
mod disputes;
mod keys;
mod liveness;
mod memory;
mod probing;
mod receivers;
mod resources;
mod secrecy;
mod signer;
mod timing;
