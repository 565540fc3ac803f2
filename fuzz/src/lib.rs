//! What the fuzz targets share: small epochs, one per family, and edits of the contract's samples.

pub mod contract;

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use tieline_uss::committee::Committee;
use tieline_uss::family::{Family, Small};
use tieline_uss::parameters::{Epoch, Limits, Parameters};
use tieline_uss::party::EpochId;

/// A generator that always starts alike: a crash is found again from its input alone.
pub fn random() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(7)
}

/// Which family `choice` selects: the one whose keys take longest to draw is rare.
pub fn kind(choice: u8) -> u8 {
    if choice == u8::MAX { 3 } else { choice % 3 }
}

/// Three receivers, two functions per pair, two counters; `choice` selects the family.
pub fn epoch(choice: u8) -> Epoch {
    let small = Small::new(5, 8).expect("a field of 13 bits");
    let family = [
        Family::Small(small),
        Family::Gf64,
        Family::Gf128,
        Family::Lfsr128,
    ][usize::from(kind(choice))];
    let committee = Committee::new(3, 1, 0).expect("three honest receivers");
    let limits = Limits {
        messages: 2,
        message_bytes: 200,
    };
    let parameters =
        Parameters::new(committee, family, 2, vec![0, 1], limits).expect("small parameters");
    Epoch::new(EpochId(1), "s", &["x"], parameters).expect("short names")
}
