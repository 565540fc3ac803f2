//! Error correction by Cascade: Bob asks for parities of stretches of Alice's key and halves those that differ.
//!
//! Pass 1 runs over the key as it is, every later one over a shuffle. An error found in one pass makes the blocks of the
//! other passes that hold it odd, and those are searched again. Blocks of pass 1 hold 0.73 errors on average, those of
//! the next four double each time, those of the last seven are halves of the key. Every parity that Alice tells counts
//! as leaked.
//!
//! Source: Brassard, Salvail, EUROCRYPT '93, section 4.
//!
//! **Deviations**, all to need fewer messages, each of which costs an authentication pad of 128 bits:
//! * odd blocks of all passes are searched side by side; two of them may find one error twice, which costs parities;
//! * a pass begins while the one before has a few odd blocks left, and the last passes begin together;
//! * more passes than four: an error left behind costs the whole block.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};

use super::bits::Bits;
use super::message::Stretch;

/// Passes of half of the key.
const HALF_PASSES: usize = 7;

/// Passes in all.
const PASSES: usize = SMALL_PASSES + HALF_PASSES;

/// Passes of growing blocks.
const SMALL_PASSES: usize = 5;

/// Errors in a block of pass 1, on average.
const FIRST_BLOCK_ERRORS: f64 = 0.73;

/// The next pass begins when fewer than one in so many of its blocks' number are odd.
const FEW_ODD: usize = 8;

/// Lowest error rate that blocks are made for.
const ERROR_RATE_MIN: f64 = 1e-3;

/// The passes of a block: both ends have the same.
pub(crate) struct Plan {
    len: usize,
    sizes: [usize; PASSES],
    shuffle: [u8; 32],
}

impl Plan {
    pub(crate) fn new(len: usize, error_rate: f64, shuffle: [u8; 32]) -> Plan {
        let half = len.div_ceil(2).max(1);
        let first = (FIRST_BLOCK_ERRORS / error_rate.clamp(ERROR_RATE_MIN, 0.5)).ceil() as usize;
        let size = |pass| match pass {
            0..SMALL_PASSES => (first << pass).min(half),
            _ => half,
        };
        Plan {
            len,
            sizes: std::array::from_fn(size),
            shuffle,
        }
    }

    /// Which bit of the key stands at each place of a pass.
    fn order(&self, pass: usize) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.len as u32).collect();
        if pass == 0 {
            return order;
        }
        let mut random = ChaCha8Rng::from_seed(self.shuffle);
        random.set_stream(pass as u64);
        for last in (1..order.len()).rev() {
            let high = u64::from(random.next_u32()) * (last as u64 + 1);
            order.swap(last, (high >> 32) as usize);
        }
        order
    }
}

/// Alice's side: tells parities.
pub(crate) struct Teller {
    plan: Plan,
    orders: Vec<Vec<u32>>,
}

impl Teller {
    pub(crate) fn new(plan: Plan) -> Teller {
        Teller {
            plan,
            orders: Vec::new(),
        }
    }

    /// The parities of stretches; none when one lies outside of the key.
    pub(crate) fn parities(&mut self, key: &Bits, stretches: &[Stretch]) -> Option<Bits> {
        let fits = |stretch: &Stretch| {
            usize::from(stretch.pass) < PASSES
                && stretch.start < stretch.end
                && stretch.end as usize <= self.plan.len
        };
        if !stretches.iter().all(fits) {
            return None;
        }
        let passes = stretches
            .iter()
            .map(|stretch| usize::from(stretch.pass) + 1);
        for pass in self.orders.len()..passes.max().unwrap_or(0) {
            self.orders.push(self.plan.order(pass));
        }
        let parity =
            |stretch: &Stretch| parity_of(key, &self.orders[usize::from(stretch.pass)], stretch);
        Some(stretches.iter().map(parity).collect())
    }
}

/// Bob's side: asks and corrects.
pub(crate) struct Corrector {
    plan: Plan,
    key: Bits,
    passes: Vec<Pass>,
    searches: Vec<Stretch>,
    asked: Vec<Stretch>,
    found: Vec<u32>,
    errors: u64,
}

/// A pass that was opened.
struct Pass {
    order: Vec<u32>,
    /// Place of each bit of the key.
    place: Vec<u32>,
    /// Which blocks differ from Alice's in parity.
    odd: Vec<bool>,
}

impl Corrector {
    pub(crate) fn new(plan: Plan, key: Bits) -> Corrector {
        Corrector {
            plan,
            key,
            passes: Vec::new(),
            searches: Vec::new(),
            asked: Vec::new(),
            found: Vec::new(),
            errors: 0,
        }
    }

    /// What to ask next; none when all is done.
    pub(crate) fn ask(&mut self) -> Option<Vec<Stretch>> {
        if self.searches.is_empty() {
            let odd = self.odd_blocks();
            let next = self.plan.sizes.get(self.passes.len());
            let few = next.is_some_and(|size| odd.len() < self.plan.len / size / FEW_ODD);
            if odd.is_empty() || few {
                self.asked = self.open_passes()?;
                return Some(self.asked.clone());
            }
            self.searches = odd;
        }
        self.asked = self.searches.iter().map(first_half).collect();
        Some(self.asked.clone())
    }

    /// Takes Alice's parities; false when they are not as many as were asked for.
    pub(crate) fn answer(&mut self, parities: &Bits) -> bool {
        if parities.len() != self.asked.len() {
            return false;
        }
        let asked = std::mem::take(&mut self.asked);
        let differs = |(stretch, parity): (&Stretch, bool)| {
            let pass = &self.passes[usize::from(stretch.pass)];
            parity_of(&self.key, &pass.order, stretch) != parity
        };
        let differ: Vec<bool> = asked.iter().zip(parities.iter()).map(differs).collect();
        if self.searches.is_empty() {
            for (stretch, differs) in asked.iter().zip(differ) {
                let pass = usize::from(stretch.pass);
                let block = stretch.start as usize / self.plan.sizes[pass];
                self.passes[pass].odd[block] = differs;
            }
            return true;
        }
        let mut open = Vec::new();
        for ((search, half), differs) in self.searches.drain(..).zip(asked).zip(differ) {
            let search = Stretch {
                start: if differs { half.start } else { half.end },
                end: if differs { half.end } else { search.end },
                pass: search.pass,
            };
            if search.end - search.start == 1 {
                let order = &self.passes[usize::from(search.pass)].order;
                self.found.push(order[search.start as usize]);
            } else {
                open.push(search);
            }
        }
        self.searches = open;
        if self.searches.is_empty() {
            self.correct();
        }
        true
    }

    /// The corrected key and the number of errors it had.
    pub(crate) fn finish(mut self) -> (Bits, u64) {
        (std::mem::take(&mut self.key), self.errors)
    }

    /// Turns the bits found; until then all searches saw the same key.
    fn correct(&mut self) {
        self.found.sort_unstable();
        self.found.dedup();
        for index in self.found.drain(..) {
            self.key.flip(index as usize);
            self.errors += 1;
            for (pass, size) in self.passes.iter_mut().zip(self.plan.sizes) {
                let block = pass.place[index as usize] as usize / size;
                pass.odd[block] ^= true;
            }
        }
    }

    fn odd_blocks(&self) -> Vec<Stretch> {
        let mut odd = Vec::new();
        for (index, pass) in self.passes.iter().enumerate() {
            let blocks = (0..pass.odd.len()).filter(|&block| pass.odd[block]);
            odd.extend(blocks.map(|block| self.block(index, block)));
        }
        odd
    }

    /// Opens the next pass, or all that are left when they are as large as they get.
    fn open_passes(&mut self) -> Option<Vec<Stretch>> {
        let first = self.passes.len();
        let last = if first < SMALL_PASSES {
            first
        } else {
            PASSES - 1
        };
        if first >= PASSES {
            return None;
        }
        let mut asked = Vec::new();
        for index in first..=last {
            let order = self.plan.order(index);
            let mut place = vec![0; order.len()];
            for (at, &bit) in order.iter().enumerate() {
                place[bit as usize] = at as u32;
            }
            let blocks = self.plan.len.div_ceil(self.plan.sizes[index]);
            self.passes.push(Pass {
                order,
                place,
                odd: vec![false; blocks],
            });
            asked.extend((0..blocks).map(|block| self.block(index, block)));
        }
        Some(asked)
    }

    fn block(&self, pass: usize, block: usize) -> Stretch {
        let size = self.plan.sizes[pass];
        Stretch {
            pass: pass as u8,
            start: (block * size) as u32,
            end: ((block + 1) * size).min(self.plan.len) as u32,
        }
    }
}

fn first_half(stretch: &Stretch) -> Stretch {
    Stretch {
        end: stretch.start + (stretch.end - stretch.start).div_ceil(2),
        ..*stretch
    }
}

fn parity_of(key: &Bits, order: &[u32], stretch: &Stretch) -> bool {
    let bits = &order[stretch.start as usize..stretch.end as usize];
    bits.iter()
        .fold(false, |parity, &bit| parity ^ key.get(bit as usize))
}
