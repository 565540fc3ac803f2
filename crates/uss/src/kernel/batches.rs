//! A message cut into blocks, and blocks cut into batches.

/// Blocks of `N` bytes: those that lie in the message, then those that had to be built.
pub(super) struct Blocks<'a, const N: usize> {
    message: &'a [[u8; N]],
    built: [[u8; N]; 2],
    built_count: usize,
}

impl<'a, const N: usize> Blocks<'a, N> {
    /// The blocks of `message`, zeros behind the last one, and the length block.
    #[inline(always)]
    pub(super) fn new(message: &'a [u8]) -> Blocks<'a, N> {
        let (full, rest) = message.as_chunks();
        let length = padded(&(message.len() as u64).to_le_bytes());
        let (built, built_count) = if rest.is_empty() {
            ([length; 2], 1)
        } else {
            ([padded(rest), length], 2)
        };
        Blocks {
            message: full,
            built,
            built_count,
        }
    }

    /// Blocks that were built elsewhere.
    #[inline(always)]
    pub(super) fn ready(blocks: &'a [[u8; N]]) -> Blocks<'a, N> {
        Blocks {
            message: blocks,
            built: [[0; N]; 2],
            built_count: 0,
        }
    }

    /// The same without the last block, which is returned too: the length block of [`Blocks::new`].
    #[inline(always)]
    pub(super) fn split_length(mut self) -> (Blocks<'a, N>, [u8; N]) {
        self.built_count -= 1;
        let length = self.built[self.built_count];
        (self, length)
    }

    /// How many.
    #[inline(always)]
    pub(super) fn len(&self) -> usize {
        self.message.len() + self.built_count
    }

    /// All of them in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = [u8; N]> {
        let built = &self.built[..self.built_count];
        self.message.iter().chain(built).copied()
    }
}

/// `bytes`, at most `N` of them, and zeros.
#[inline(always)]
fn padded<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut block = [0; N];
    block[..bytes.len()].copy_from_slice(bytes);
    block
}

/// Blocks in batches of `P`, 2 or more: perhaps a short one, full ones that lie in the message, one that was put together.
pub(super) struct Batches<'a, const N: usize, const P: usize> {
    pub(super) head: &'a [[u8; N]],
    pub(super) full: &'a [[[u8; N]; P]],
    end: [[u8; N]; P],
    end_count: usize,
}

impl<'a, const N: usize, const P: usize> Batches<'a, N, P> {
    #[inline(always)]
    pub(super) fn new(blocks: &Blocks<'a, N>) -> Batches<'a, N, P> {
        let end_count = blocks.len().min(P);
        let built = blocks.built_count.min(end_count);
        let (body, copied) = blocks
            .message
            .split_at(blocks.message.len() - (end_count - built));
        let mut end = [[0; N]; P];
        end[..copied.len()].copy_from_slice(copied);
        end[copied.len()..end_count].copy_from_slice(&blocks.built[..built]);
        let (head, full) = body.as_rchunks();
        Batches {
            head,
            full,
            end,
            end_count,
        }
    }

    /// The last batch, empty only if there is no block.
    #[inline(always)]
    pub(super) fn end(&self) -> &[[u8; N]] {
        &self.end[..self.end_count]
    }
}
