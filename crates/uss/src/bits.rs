//! Strings of bits, most significant bit first: descriptions of functions, index lists and tags travel packed, without a
//! bit between them.

use zeroize::Zeroize as _;

/// Bits that are read or written in one step: with those before them in their first byte they fit in 128.
const WHOLE: u32 = 120;

/// Bits that are written one field after another.
///
/// The buffer is wiped when it is dropped, for what is written may be a key.
#[derive(Default)]
pub struct BitWriter {
    bytes: Vec<u8>,
    bits: usize,
}

impl BitWriter {
    /// An empty string with room for `bits` bits: a buffer that never grows leaves no copy behind.
    pub fn with_capacity(bits: usize) -> BitWriter {
        BitWriter {
            bytes: Vec::with_capacity(bits.div_ceil(8)),
            bits: 0,
        }
    }

    /// Appends the low `width` bits of `value`, 0 to 128.
    pub fn write(&mut self, value: u128, width: u32) {
        debug_assert!(width <= 128);
        if width > WHOLE {
            self.write(value >> WHOLE, width - WHOLE);
            return self.write(value, WHOLE);
        }
        if width == 0 {
            return;
        }
        let used = (self.bits % 8) as u32;
        if used == 0 && width == 64 {
            self.bytes.extend_from_slice(&(value as u64).to_be_bytes());
            self.bits += 64;
            return;
        }
        let bytes = (value << (128 - width) >> used).to_be_bytes();
        let mut new = &bytes[..(used + width).div_ceil(8) as usize];
        if let (true, Some(last)) = (used > 0, self.bytes.last_mut()) {
            *last |= new[0];
            new = &new[1..];
        }
        self.bytes.extend_from_slice(new);
        self.bits += width as usize;
    }

    /// Number of bits so far.
    pub fn bits(&self) -> usize {
        self.bits
    }

    /// The bytes; unused low bits of the last one are zero.
    pub fn into_bytes(mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }
}

impl Drop for BitWriter {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

/// Reads fields from a string of bits.
pub struct BitReader<'a> {
    bytes: &'a [u8],
    next: usize,
}

impl<'a> BitReader<'a> {
    /// Reads from the first bit of `bytes`.
    pub fn new(bytes: &'a [u8]) -> BitReader<'a> {
        BitReader { bytes, next: 0 }
    }

    /// Bits not read yet, padding of the last byte included.
    pub fn left(&self) -> usize {
        self.bytes.len() * 8 - self.next
    }

    /// Passes over `bits` bits, or all that are left.
    pub fn skip(&mut self, bits: usize) {
        self.next += bits.min(self.left());
    }

    /// The next `width` bits, 0 to 128, or `None` when fewer are left; then nothing is read.
    pub fn read(&mut self, width: u32) -> Option<u128> {
        debug_assert!(width <= 128);
        if (width as usize) > self.left() {
            return None;
        }
        if width > WHOLE {
            let high = self.read(width - WHOLE)?;
            return Some(high << WHOLE | self.read(WHOLE)?);
        }
        if width == 0 {
            return Some(0);
        }
        let used = self.next % 8;
        let covered = &self.bytes[self.next / 8..(self.next + width as usize).div_ceil(8)];
        let mut bytes = [0; 16];
        bytes[..covered.len()].copy_from_slice(covered);
        self.next += width as usize;
        Some(u128::from_be_bytes(bytes) << used >> (128 - width))
    }

    /// True when nothing but zero padding of the last byte is left.
    pub fn is_finished(mut self) -> bool {
        let left = self.left();
        left < 8 && self.read(left as u32) == Some(0)
    }
}
