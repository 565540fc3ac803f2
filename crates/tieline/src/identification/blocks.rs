//! Symbols in a terminal: two modules per character, one above the other.

use super::Symbol;

/// A symbol as lines of text.
///
/// A light module is drawn and a dark one left out, because most terminals are dark and a scanner wants dark on light. With
/// `colour` every line says that it is white on black, and the terminal's own colours do not matter.
pub fn half_blocks(symbol: &Symbol, colour: bool) -> String {
    let size = symbol.framed();
    // Below the last line of an odd number of lines there is light.
    let light = |x, y| y >= size || !symbol.is_dark(x, y);
    let (before, after) = match colour {
        true => ("\u{1b}[97;40m", "\u{1b}[0m"),
        false => ("", ""),
    };
    let mut text = String::with_capacity(size * size * 2);
    for y in (0..size).step_by(2) {
        text.push_str(before);
        text.extend((0..size).map(|x| match (light(x, y), light(x, y + 1)) {
            (true, true) => '█',
            (true, false) => '▀',
            (false, true) => '▄',
            (false, false) => ' ',
        }));
        text.push_str(after);
        text.push('\n');
    }
    text
}
