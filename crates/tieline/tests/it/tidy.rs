//! Rules about the repository itself: sizes, dependencies of the pure crates, the paper map, left-overs.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Longest source file, lines.
const LINES_MAX: usize = 500;

/// What the pure crates may depend on; an addition needs a page in docs/adr.
const PURE: [(&str, &[&str]); 5] = [
    ("units", &["jiff", "sha2", "thiserror"]),
    (
        "market",
        &["microlp", "serde", "thiserror", "tieline-units"],
    ),
    (
        "uss",
        &[
            "polyval",
            "rand_core",
            "subtle",
            "thiserror",
            "tieline-units",
            "zeroize",
        ],
    ),
    (
        "contract",
        &["imbl", "thiserror", "tieline-seal", "tieline-units"],
    ),
    (
        "seal",
        &[
            "chacha20poly1305",
            "ed25519-dalek",
            "hkdf",
            "libcrux-ml-dsa",
            "sha2",
            "thiserror",
            "tieline-units",
            "zeroize",
        ],
    ),
];

/// The one file that may hold unsafe code.
const UNSAFE_HOME: &str = "crates/uss/src/kernel/x86.rs";

/// What the pure crates never see.
const EFFECTS: [&str; 7] = [
    "std::net",
    "std::fs",
    "std::thread",
    "std::time",
    "std::env",
    "std::process",
    "async fn",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn no_source_file_is_longer_than_five_hundred_lines() {
    let long: Vec<String> = sources(&root().join("crates"))
        .iter()
        .map(|path| (path, read(path).lines().count()))
        .filter(|(_, lines)| *lines > LINES_MAX)
        .map(|(path, lines)| format!("{}: {lines}", path.display()))
        .collect();
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn pure_crates_depend_on_the_allow_list_only() {
    for (name, allowed) in PURE {
        let manifest: toml::Table = read(&root().join(format!("crates/{name}/Cargo.toml")))
            .parse()
            .unwrap();
        let dependencies = manifest["dependencies"].as_table().unwrap().keys();
        let foreign: Vec<&String> = dependencies
            .filter(|dependency| !allowed.contains(&dependency.as_str()))
            .collect();
        assert!(foreign.is_empty(), "{name} depends on {foreign:?}");
    }
}

#[test]
fn pure_crates_see_no_effects() {
    for (name, _) in PURE {
        for path in sources(&root().join(format!("crates/{name}/src"))) {
            let text = read(&path);
            for effect in EFFECTS {
                assert!(
                    !text.contains(effect),
                    "{} mentions {effect}",
                    path.display()
                );
            }
        }
    }
}

#[test]
fn unsafe_code_is_forbidden_but_in_the_kernel_of_the_signatures() {
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        let path = entry.unwrap().path().join("src/lib.rs");
        let word = if path.ends_with("uss/src/lib.rs") {
            "#![deny(unsafe_code)]"
        } else {
            "#![forbid(unsafe_code)]"
        };
        assert!(read(&path).contains(word), "{}", path.display());
    }
    for path in sources(&root().join("crates/uss/src")) {
        let text = read(&path);
        let allowed = path.ends_with(UNSAFE_HOME);
        let allows = text.contains("allow(unsafe_code)") || text.contains("expect(unsafe_code");
        assert!(allowed || !allows, "{} allows unsafe code", path.display());
        let blocks = text.matches("unsafe {").count();
        let reasons = text.matches("// SAFETY:").count();
        assert!(
            blocks == 0 || allowed && reasons >= blocks,
            "{}: {blocks} unsafe blocks, {reasons} reasons",
            path.display()
        );
    }
}

#[test]
fn every_equation_of_the_paper_has_one_row_and_a_home_that_names_it() {
    let map = read(&root().join("docs/paper-map.md"));
    let mut seen = BTreeSet::new();
    for line in map.lines().filter(|line| line.starts_with("| (")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let number: u32 = cells[1].trim_matches(['(', ')']).parse().unwrap();
        assert!(seen.insert(number), "equation ({number}) has two rows");
        if cells[3] == "not yet" {
            continue;
        }
        let home = root().join(cells[3].trim_matches('`'));
        let text = read(&home);
        let named = [
            format!("({number})"),
            format!("eq. {number}"),
            format!("-{number})"),
        ];
        assert!(
            named.iter().any(|name| text.contains(name)),
            "{} does not name ({number})",
            cells[3]
        );
    }
    assert_eq!(
        seen,
        (1..=19).collect(),
        "docs/paper-map.md lists all equations"
    );
}

#[test]
fn every_path_that_a_document_names_exists() {
    let documents = [
        "README.md",
        "ARCHITECTURE.md",
        "docs/paper-map.md",
        "THIRD-PARTY.md",
    ];
    for document in documents {
        let text = read(&root().join(document));
        for quoted in text.split('`').skip(1).step_by(2) {
            let is_path = ["crates/", "scenarios/", "docs/"]
                .iter()
                .any(|start| quoted.starts_with(start));
            let is_plain = !quoted.contains(['*', ' ', '{', '<']);
            if is_path && is_plain {
                assert!(root().join(quoted).exists(), "{document} names {quoted}");
            }
        }
    }
}

#[test]
fn every_link_between_documents_leads_somewhere() {
    for document in ["README.md", "ARCHITECTURE.md"] {
        let text = read(&root().join(document));
        for link in text.split("](").skip(1) {
            let target = link.split(')').next().unwrap();
            assert!(
                target.starts_with("http") || root().join(target).exists(),
                "{document} links {target}"
            );
        }
    }
}

#[test]
fn nothing_is_left_to_do_in_the_sources() {
    for path in sources(&root().join("crates")) {
        if path.ends_with("tests/it/tidy.rs") {
            continue;
        }
        let text = read(&path);
        for mark in [
            "TODO",
            "FIXME",
            "XXX",
            "todo!(",
            "unimplemented!(",
            "#[ignore",
            "#[should_panic",
        ] {
            assert!(!text.contains(mark), "{} has {mark}", path.display());
        }
    }
}
