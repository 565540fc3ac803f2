//! The document around the sections: policy, style, script.

use sha2::{Digest as _, Sha256};

use super::html::escape;
use super::view::View;
use crate::plot::theme;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The document.
pub(super) fn document(view: &View<'_>, sections: &[String], footer: &str) -> String {
    let data = view.data;
    let style = format!("{}{}{STYLE}", theme::colours_css(), theme::plot_css());
    // Only this very style and script may run: not even text that slipped through could.
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; img-src data:; base-uri 'none'; form-action 'none'",
        sha256_base64(&style),
        sha256_base64(SCRIPT)
    );
    let days = match (data.days.first(), data.days.last()) {
        (Some(first), Some(last)) if first.day != last.day => {
            format!("{} to {}", first.day, last.day)
        }
        (Some(first), _) => first.day.clone(),
        _ => "no day".to_owned(),
    };
    let mut page =
        String::from("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    page.push_str(&format!(
        "<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n"
    ));
    page.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    page.push_str(
        "<meta name=\"referrer\" content=\"no-referrer\">\n<link rel=\"icon\" href=\"data:,\">\n",
    );
    page.push_str(&format!(
        "<title>{}, {} · Tieline report</title>\n",
        escape(&data.scenario),
        escape(&days)
    ));
    page.push_str(&format!("<style>{style}</style>\n</head>\n<body>\n"));
    page.push_str("<a class=\"skip\" href=\"#main\">Skip to the results</a>\n");
    page.push_str(&format!(
        "<svg class=\"defs\" width=\"0\" height=\"0\" aria-hidden=\"true\" focusable=\"false\">{}</svg>\n",
        theme::PATTERNS
    ));
    let mut rest = sections.iter();
    if let Some(header) = rest.next() {
        page.push_str(header);
    }
    page.push_str("<main id=\"main\" tabindex=\"-1\">\n");
    rest.for_each(|section| page.push_str(section));
    page.push_str("</main>\n");
    page.push_str(footer);
    page.push_str(&format!("<script>{SCRIPT}</script>\n</body>\n</html>\n"));
    page
}

/// The hash by which a content security policy names an inline style or script.
fn sha256_base64(text: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digest = Sha256::digest(text.as_bytes());
    let mut coded = String::with_capacity(44);
    for group in digest.chunks(3) {
        let byte = |index: usize| u32::from(group.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * place) & 63) as usize];
            coded.push(if place > group.len() {
                '='
            } else {
                char::from(letter)
            });
        }
    }
    coded
}
