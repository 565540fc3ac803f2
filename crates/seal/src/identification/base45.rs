//! Base45 (RFC 9285): two bytes in three characters of the alphanumeric mode of QR codes.

const ALPHABET: &[u8; 45] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

pub(super) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(2) * 3);
    for group in bytes.chunks(2) {
        let mut value = group
            .iter()
            .fold(0, |value, byte| value << 8 | usize::from(*byte));
        for _ in 0..=group.len() {
            text.push(char::from(ALPHABET[value % 45]));
            value /= 45;
        }
    }
    text
}

/// The bytes; `None` for every text that [`encode`] does not write: one value, one text.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 3 * 2 + 1);
    for group in text.as_bytes().chunks(3) {
        let digit = |found: &u8| ALPHABET.iter().position(|letter| letter == found);
        let mut value = 0;
        for found in group.iter().rev() {
            value = value * 45 + digit(found)?;
        }
        match group.len() {
            3 => bytes.extend(u16::try_from(value).ok()?.to_be_bytes()),
            2 => bytes.push(u8::try_from(value).ok()?),
            _ => return None,
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_rfc_9285_hold_both_ways() {
        for (plain, text) in [
            ("", ""),
            ("AB", "BB8"),
            ("Hello!!", "%69 VD92EX0"),
            ("base-45", "UJCLQE7W581"),
            ("ietf!", "QED8WEX0"),
        ] {
            assert_eq!(encode(plain.as_bytes()), text);
            assert_eq!(decode(text).as_deref(), Some(plain.as_bytes()));
        }
        assert_eq!(decode("FGW"), Some(vec![255, 255]));
    }

    #[test]
    fn every_value_of_one_and_two_bytes_comes_back() {
        for value in 0..=u16::MAX {
            let bytes = value.to_be_bytes();
            assert_eq!(decode(&encode(&bytes)).as_deref(), Some(&bytes[..]));
            assert_eq!(decode(&encode(&bytes[1..])).as_deref(), Some(&bytes[1..]));
        }
    }

    #[test]
    fn values_above_two_bytes_or_one_lone_letters_and_foreign_letters_are_refused() {
        for text in [
            "GGW", ":::", "::", "V5", "B", "BB8B", "bb8", "B,8", "B\u{e9}",
        ] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
