//! Strings of bits.

use proptest::prelude::*;
use tieline_uss::bits::{BitReader, BitWriter};

fn low(value: u128, width: u32) -> u128 {
    if width == 0 {
        0
    } else {
        value << (128 - width) >> (128 - width)
    }
}

proptest! {
    #[test]
    fn fields_are_read_as_they_were_written(fields in prop::collection::vec((any::<u128>(), 0_u32..=128), 0..40)) {
        let bits: usize = fields.iter().map(|(_, width)| *width as usize).sum();
        let mut writer = BitWriter::with_capacity(bits);
        fields.iter().for_each(|(value, width)| writer.write(*value, *width));
        prop_assert_eq!(writer.bits(), bits);
        let bytes = writer.into_bytes();
        prop_assert_eq!(bytes.len(), bits.div_ceil(8));
        let mut reader = BitReader::new(&bytes);
        for (value, width) in fields {
            prop_assert_eq!(reader.read(width), Some(low(value, width)));
        }
        prop_assert!(reader.is_finished());
    }

    #[test]
    fn fields_are_the_bits_of_the_bytes_from_the_most_significant_on(
        bytes in prop::collection::vec(any::<u8>(), 0..40),
        skip in 0_usize..64,
        width in 0_u32..=128,
    ) {
        let bit = |place: usize| u128::from(bytes[place / 8] >> (7 - place % 8) & 1);
        let mut reader = BitReader::new(&bytes);
        reader.skip(skip);
        let end = skip.min(bytes.len() * 8) + width as usize;
        let expected = (end <= bytes.len() * 8).then(|| (skip..end).fold(0, |value, place| value << 1 | bit(place)));
        prop_assert_eq!(reader.read(width), expected);
    }
}

#[test]
fn padding_that_is_not_zero_is_no_end() {
    for (byte, finished) in [(0b1010_0000, true), (0b1010_0001, false)] {
        let bytes = [byte];
        let mut reader = BitReader::new(&bytes);
        assert_eq!(reader.read(3), Some(0b101));
        assert_eq!(reader.is_finished(), finished);
    }
    assert!(
        !BitReader::new(&[0]).is_finished(),
        "a whole byte is no padding"
    );
}
