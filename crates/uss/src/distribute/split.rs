//! The secret split of one receiver's functions.

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::parameters::Parameters;
use crate::party::Receiver;

/// A uniform permutation of nk functions, cut in n parts of k; each part in ascending order.
pub(crate) struct Split {
    order: Zeroizing<Vec<u32>>,
    functions: usize,
}

impl Split {
    /// Draws a split (Fisher and Yates, with unbiased draws).
    pub(crate) fn draw(parameters: &Parameters, random: &mut impl CryptoRng) -> Split {
        let count = parameters.functions_per_receiver() as u32;
        let mut order = Zeroizing::new(Vec::with_capacity(count as usize));
        order.extend(0..count);
        for last in (1..count).rev() {
            order.swap(last as usize, below(last + 1, random) as usize);
        }
        let functions = parameters.functions();
        order.chunks_mut(functions).for_each(<[u32]>::sort_unstable);
        Split { order, functions }
    }

    /// The functions that `to` tests, ascending.
    pub(crate) fn part(&self, to: Receiver) -> &[u32] {
        let first = to.index() * self.functions;
        &self.order[first..first + self.functions]
    }
}

/// A uniform number below `bound`: draws that would favour small numbers are thrown away.
fn below(bound: u32, random: &mut impl CryptoRng) -> u32 {
    let fair = u32::MAX - u32::MAX % bound;
    loop {
        let draw = random.next_u32();
        if draw < fair {
            return draw % bound;
        }
    }
}
