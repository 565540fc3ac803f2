//! A checker for the markup that the report writes: tags, links, numbers.

use std::collections::BTreeSet;

const VOID: [&str; 4] = ["meta", "link", "br", "img"];

/// Every element that is opened is closed, in order.
pub(crate) fn assert_balanced(page: &str) {
    let mut open: Vec<&str> = Vec::new();
    for tag in tags(page) {
        let name = tag
            .trim_start_matches('/')
            .split([' ', '/', '\n'])
            .next()
            .unwrap();
        if tag.starts_with('!') || tag.ends_with('/') || VOID.contains(&name) {
            continue;
        }
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "closed by </{name}>");
        } else {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "left open: {open:?}");
}

/// No element, style or script refers to anything outside the page but relative links.
pub(crate) fn assert_loads_nothing(page: &str) {
    for tag in tags(page) {
        for (name, value) in attributes(tag) {
            assert!(
                !["src", "srcset", "action", "style", "data"].contains(&name),
                "{tag}"
            );
            assert!(!name.starts_with("on"), "{tag}");
            if name == "href" {
                let inside = ["#", "./", "data:,"]
                    .iter()
                    .any(|start| value.starts_with(start));
                assert!(inside, "{tag}");
            }
        }
    }
    let style = page
        .split_once("<style>")
        .unwrap()
        .1
        .split_once("</style>")
        .unwrap()
        .0;
    assert!(!style.contains("@import"));
    assert!(
        style
            .split("url(")
            .skip(1)
            .all(|rest| rest.starts_with('#')),
        "the style loads something"
    );
}

/// Attributes that hold coordinates hold finite numbers.
pub(crate) fn assert_numbers_are_numbers(page: &str) {
    const NUMBERS: [&str; 10] = [
        "x",
        "y",
        "width",
        "height",
        "cx",
        "cy",
        "r",
        "d",
        "viewBox",
        "transform",
    ];
    for tag in tags(page) {
        for (name, value) in attributes(tag)
            .into_iter()
            .filter(|(name, _)| NUMBERS.contains(name))
        {
            assert!(!value.contains("NaN") && !value.contains("inf"), "{tag}");
            if ["width", "height", "r"].contains(&name) {
                assert!(!value.starts_with('-'), "{tag}");
            }
        }
    }
}

/// No id occurs twice.
pub(crate) fn assert_ids_are_unique(page: &str) {
    let all = tags(page)
        .filter(|tag| attributes(tag).iter().any(|(name, _)| *name == "id"))
        .count();
    assert_eq!(all, ids(page).len());
}

/// All ids.
pub(crate) fn ids(page: &str) -> BTreeSet<&str> {
    values(page, "id").collect()
}

/// Targets of links inside the page.
pub(crate) fn inner_links(page: &str) -> Vec<&str> {
    values(page, "href")
        .filter_map(|value| value.strip_prefix('#'))
        .collect()
}

/// Values of the choices, in order.
pub(crate) fn choices(page: &str) -> Vec<&str> {
    let options = tags(page).filter(|tag| tag.starts_with("option "));
    options
        .flat_map(attributes)
        .filter(|(name, _)| *name == "value")
        .map(|(_, value)| value)
        .collect()
}

/// The drawings whose title begins so.
pub(crate) fn drawings<'a>(page: &'a str, title: &str) -> Vec<&'a str> {
    let wanted = format!("<title>{title}");
    let all = page.split("<svg ").skip(1);
    all.filter_map(|rest| rest.split("</svg>").next())
        .filter(|drawing| {
            let after = drawing.split_once('>').map_or("", |(_, after)| after);
            after.starts_with(&wanted)
        })
        .collect()
}

/// No two texts of a drawing lie on each other, by an estimate of their widths.
pub(crate) fn assert_texts_apart(drawing: &str) {
    let mut boxes: Vec<(f64, f64, f64, f64, &str)> = Vec::new();
    for rest in drawing.split("<text ").skip(1) {
        let (tag, rest) = rest.split_once('>').unwrap();
        let text = rest.split_once('<').unwrap().0;
        let all = attributes(tag);
        let value = |wanted: &str| {
            let found = all.iter().find(|(name, _)| *name == wanted);
            found.map_or("", |(_, value)| *value)
        };
        let number = |name: &str| value(name).parse::<f64>().unwrap();
        let size = if value("class").contains("small") {
            10.5
        } else {
            12.0
        };
        let width = text.chars().count() as f64 * size * 0.5;
        let left = match value("text-anchor") {
            "middle" => number("x") - width / 2.0,
            "end" => number("x") - width,
            _ => number("x"),
        };
        // Capitals reach three quarters of the size above the baseline.
        boxes.push((
            left,
            left + width,
            number("y") - 0.75 * size,
            number("y"),
            text,
        ));
    }
    for (index, one) in boxes.iter().enumerate() {
        for other in &boxes[..index] {
            let across = one.0 < other.1 && other.0 < one.1;
            let upright = one.2 < other.3 && other.2 < one.3;
            assert!(!(across && upright), "{one:?} lies on {other:?}");
        }
    }
}

fn values<'a>(page: &'a str, wanted: &'a str) -> impl Iterator<Item = &'a str> {
    tags(page)
        .flat_map(attributes)
        .filter(move |(name, _)| *name == wanted)
        .map(|(_, value)| value)
}

/// The inside of every tag; the content of style and script is skipped.
fn tags(page: &str) -> impl Iterator<Item = &str> {
    let mut rest = page;
    let mut raw: Option<&str> = None;
    std::iter::from_fn(move || {
        let start = match raw.take() {
            Some(end) => rest.find(end)?,
            None => rest.find('<')?,
        };
        let (tag, after) = rest[start + 1..].split_once('>')?;
        rest = after;
        raw = match tag {
            "style" => Some("</style"),
            "script" => Some("</script"),
            _ => None,
        };
        Some(tag)
    })
}

fn attributes(tag: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut rest = tag;
    while let Some((before, after)) = rest.split_once("=\"") {
        let (value, after) = after.split_once('"').expect("a quoted attribute ends");
        found.push((before.rsplit(' ').next().unwrap(), value));
        rest = after;
    }
    found
}
