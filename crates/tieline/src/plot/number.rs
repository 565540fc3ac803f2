//! Numbers as text: few decimals, a true minus sign, never NaN.

/// What stands where there is no number.
pub const NOTHING: &str = "–";

/// `value` with `decimals` digits after the point, thousands grouped from 10 000 on.
///
/// A value that is not finite becomes [`NOTHING`]; a value that rounds to zero carries no sign.
pub fn fixed(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return NOTHING.to_owned();
    }
    let plain = format!("{:.decimals$}", value.abs());
    let zero = plain.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    let sign = if value < 0.0 && !zero { "\u{2212}" } else { "" };
    format!("{sign}{}", grouped(&plain))
}

/// `value` with a sign also when it is positive.
pub fn signed(value: f64, decimals: usize) -> String {
    let text = fixed(value, decimals);
    let positive = value > 0.0 && text.bytes().any(|byte| (b'1'..=b'9').contains(&byte));
    if positive { format!("+{text}") } else { text }
}

/// `value` with about three significant digits; powers of ten below a thousandth.
pub fn short(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() || size == 0.0 {
        return fixed(value, 0);
    }
    if size < 1e-3 {
        let power = size.log10().floor();
        let mantissa = value / 10f64.powf(power);
        return format!("{}·10{}", fixed(mantissa, 1), superscript(power as i32));
    }
    let decimals = (2.0 - size.log10().floor()).clamp(0.0, 4.0);
    fixed(value, decimals as usize)
}

/// A share `0..=1` as percent with one decimal.
pub fn percent(share: f64) -> String {
    format!("{}\u{202f}%", fixed(share * 100.0, 1))
}

/// An exponent in raised digits: `⁻³`.
fn superscript(power: i32) -> String {
    power
        .to_string()
        .chars()
        .map(|digit| match digit {
            '-' => '⁻',
            '0' => '⁰',
            '1' => '¹',
            '2' => '²',
            '3' => '³',
            '4' => '⁴',
            '5' => '⁵',
            '6' => '⁶',
            '7' => '⁷',
            '8' => '⁸',
            _ => '⁹',
        })
        .collect()
}

/// A coordinate: one decimal at most, bounded, zero when not finite.
pub(crate) fn coord(value: f64) -> String {
    const FAR: f64 = 100_000.0;
    if !value.is_finite() {
        return "0".to_owned();
    }
    let tenths = (value.clamp(-FAR, FAR) * 10.0).round() as i64;
    let sign = if tenths < 0 { "-" } else { "" };
    let (whole, rest) = (tenths.abs() / 10, tenths.abs() % 10);
    if rest == 0 {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{rest}")
    }
}

/// Puts a narrow space between groups of three digits of numbers with five digits or more.
fn grouped(plain: &str) -> String {
    let (whole, rest) = plain
        .split_once('.')
        .map_or((plain, None), |(w, r)| (w, Some(r)));
    let mut text = String::with_capacity(plain.len() + 4);
    for (index, digit) in whole.chars().enumerate() {
        let left = whole.len() - index;
        if index > 0 && left % 3 == 0 && whole.len() > 4 {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    if let Some(rest) = rest {
        text.push('.');
        text.push_str(rest);
    }
    text
}
