//! What tests share: how long they may take, and from which seed.

use std::env;

/// Whether the long tests run: `TIELINE_SLOW=1`.
pub(crate) fn slow() -> bool {
    env::var("TIELINE_SLOW").is_ok_and(|value| value == "1")
}

/// The seed of `TIELINE_SEED`, or another.
pub(crate) fn seed_or(seed: u64) -> u64 {
    match env::var("TIELINE_SEED") {
        Ok(text) => text.parse().expect("TIELINE_SEED is a number"),
        Err(_) => seed,
    }
}
