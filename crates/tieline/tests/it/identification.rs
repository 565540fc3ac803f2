//! `tieline id`: what is issued can be drawn, what is drawn can be scanned, what is scanned verifies.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use tempfile::TempDir;
use tieline::identification::{Symbol, half_blocks};

use crate::support::{Ran, tieline_in};

const GENESIS: &str = "aeebad4a796fcc2e15dc4c6061b45ed9b373f26adfc798ca7d2d8cc58182718e";
const REQUEST: &str = "3eeb7e96e59ce40f9cb1a089daba079fd699f6867a30f6634af8570967b2375a";

/// A folder with a seed, its public key and a certificate.
fn issued() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    seed(&folder, "seed", 7);
    run(&folder, &["key", "--seed-file", "seed", "--out", "key"]).expect(0);
    issue(&folder, &["--issued", "2026-01-02T03:04:05Z"]).expect(0);
    folder
}

fn seed(folder: &TempDir, name: &str, byte: u8) {
    let path = folder.path().join(name);
    fs::write(&path, [byte; 32]).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
}

fn issue(folder: &TempDir, more: &[&str]) -> Ran {
    let mut arguments = vec!["issue", "--node", "mg-1", "--chain", "chain-1"];
    arguments.extend([
        "--genesis",
        GENESIS,
        "--request",
        REQUEST,
        "--seed-file",
        "seed",
    ]);
    arguments.extend(more);
    run(folder, &arguments)
}

fn run(folder: &TempDir, arguments: &[&str]) -> Ran {
    let arguments: Vec<&str> = [&["id"], arguments].concat();
    tieline_in(folder.path(), &arguments, &[])
}

/// The parts, as a scanner that works would read them.
fn parts(folder: &TempDir) -> Vec<String> {
    let text = run(folder, &["show", "id.bin", "--text"]).expect(0).stdout;
    text.lines().map(str::to_owned).collect()
}

fn scan(folder: &TempDir, parts: &[String]) -> Ran {
    fs::write(folder.path().join("parts.txt"), parts.join("\n")).unwrap();
    run(folder, &["scan", "parts.txt", "--key", "key"])
}

/// What a scanner reads in a picture: all symbols it finds, each with its version.
fn read_symbols(
    width: usize,
    height: usize,
    dark: impl Fn(usize, usize) -> bool,
) -> Vec<(usize, String)> {
    let shade = |x, y| if dark(x, y) { 20 } else { 235 };
    let mut picture = rqrr::PreparedImage::prepare_from_greyscale(width, height, shade);
    let grids = picture.detect_grids();
    let read = grids.iter().map(|grid| grid.decode().unwrap());
    read.map(|(meta, text)| (meta.version.0, text)).collect()
}

/// Modules of a symbol drawn in half blocks, back from the text.
fn modules(lines: &[&str]) -> Vec<Vec<bool>> {
    let rows = lines.iter().flat_map(|line| {
        let upper = line
            .chars()
            .map(|block| matches!(block, ' ' | '▄'))
            .collect();
        let lower = line
            .chars()
            .map(|block| matches!(block, ' ' | '▀'))
            .collect();
        [upper, lower]
    });
    rows.collect()
}

/// What a scanner reads of a symbol in half blocks, four pixels a module.
fn read_blocks(lines: &[&str]) -> Vec<(usize, String)> {
    let modules = modules(lines);
    let (width, height) = (modules[0].len(), modules.len());
    assert!(modules.iter().all(|row| row.len() == width));
    read_symbols(width * 4, height * 4, |x, y| modules[y / 4][x / 4])
}

#[test]
fn the_file_of_the_secret_seed_is_not_overwritten() {
    let folder = issued();
    let seed = std::fs::read(folder.path().join("seed")).unwrap();
    let ran = run(&folder, &["key", "--seed-file", "seed", "--out", "./seed"]).expect(2);
    assert!(
        ran.stderr.contains("would be overwritten"),
        "{}",
        ran.stderr
    );
    assert_eq!(std::fs::read(folder.path().join("seed")).unwrap(), seed);
}

#[test]
fn the_terminals_symbols_scan_to_the_parts_and_verify() {
    let folder = issued();
    let shown = run(&folder, &["show", "id.bin"]).expect(0).stdout;
    assert!(
        !shown.contains('\u{1b}'),
        "no colour where stdout is no terminal"
    );
    let drawn: Vec<&str> = shown.split("\npart ").skip(1).collect();
    let mut scanned = Vec::new();
    for (index, symbol) in drawn.iter().enumerate() {
        let lines: Vec<&str> = symbol.lines().collect();
        assert_eq!(lines[0], format!("{} of 6", index + 1));
        // 97 modules and the quiet zone; two to a line.
        assert_eq!((lines[1].chars().count(), lines.len() - 1), (105, 53));
        let read = read_blocks(&lines[1..]);
        assert_eq!(read.len(), 1);
        assert_eq!(read[0].0, 20, "version");
        scanned.push(read[0].1.clone());
    }
    assert_eq!(scanned, parts(&folder));
    scan(&folder, &scanned).expect(0);
}

#[test]
fn the_sheets_symbols_scan_to_the_parts_and_verify() {
    let folder = issued();
    run(&folder, &["show", "id.bin", "--svg", "sheet.svg"]).expect(0);
    let svg = fs::read_to_string(folder.path().join("sheet.svg")).unwrap();
    let symbols = drawn_on(&svg);
    assert_eq!(symbols.len(), 6);
    // 8 pixels a millimetre are 200 dpi: no module begins at a whole pixel, as on paper.
    let dark = |x: usize, y: usize| {
        let (x, y) = (x as f64 / 8.0, y as f64 / 8.0);
        symbols.iter().any(|symbol| symbol.is_dark(x, y))
    };
    let mut read: Vec<String> = read_symbols(210 * 8, 297 * 8, dark)
        .into_iter()
        .map(|(_, text)| text)
        .collect();
    read.sort();
    assert_eq!(read, parts(&folder));
    read.reverse();
    scan(&folder, &read).expect(0);
    for word in [
        "mg-1 on chain-1",
        "<text x=\"10\" y=\"25\">node</text>",
        GENESIS,
        REQUEST,
        "2026-01-02T03:04:05Z",
        "part 6 of 6",
    ] {
        assert!(svg.contains(word), "{word}");
    }
}

/// A symbol on a sheet, in millimetres.
struct Drawn {
    at: (f64, f64),
    side: f64,
    modules: Vec<Vec<bool>>,
}

impl Drawn {
    fn is_dark(&self, x: f64, y: f64) -> bool {
        let size = self.modules.len() as f64;
        let module = |at: f64, from: f64| (at - from) / self.side * size;
        let (x, y) = (module(x, self.at.0), module(y, self.at.1));
        (0.0..size).contains(&x) && (0.0..size).contains(&y) && self.modules[y as usize][x as usize]
    }
}

/// The symbols of a sheet, back from its text.
fn drawn_on(svg: &str) -> Vec<Drawn> {
    let between = |text: &str, before: &str, after: &str| -> String {
        let rest = text.split_once(before).unwrap().1;
        rest.split_once(after).unwrap().0.to_owned()
    };
    let number = |text: &str, name: &str| -> f64 {
        between(text, &format!(" {name}=\""), "\"").parse().unwrap()
    };
    let symbols = svg.split("<svg x=").skip(1).map(|rest| {
        let symbol = format!("<svg x={rest}");
        let size: usize = between(&symbol, "viewBox=\"0 0 ", " ").parse().unwrap();
        let mut modules = vec![vec![false; size]; size];
        for run in between(&symbol, " d=\"", "\"").split('M').skip(1) {
            let (at, shape) = run.split_once('h').unwrap();
            let (x, y) = at.split_once(' ').unwrap();
            let (x, y): (usize, usize) = (x.parse().unwrap(), y.parse().unwrap());
            let length: usize = shape.split_once('v').unwrap().0.parse().unwrap();
            assert_eq!(shape, format!("{length}v1h-{length}z"));
            modules[y][x..x + length].fill(true);
        }
        Drawn {
            at: (number(&symbol, "x"), number(&symbol, "y")),
            side: number(&symbol, "width"),
            modules,
        }
    });
    symbols.collect()
}

#[test]
fn a_coloured_symbol_is_the_plain_one_in_white_on_black() {
    let symbol = Symbol::new("TIELINE:1:1/1:0123456789ABCDEF:BB8:").unwrap();
    let (plain, coloured) = (half_blocks(&symbol, false), half_blocks(&symbol, true));
    let lines = coloured.lines().map(|line| {
        let inner = line.strip_prefix("\u{1b}[97;40m").unwrap();
        inner.strip_suffix("\u{1b}[0m").unwrap()
    });
    let lines: Vec<&str> = lines.collect();
    assert_eq!(lines, plain.lines().collect::<Vec<_>>());
    assert_eq!(read_blocks(&lines), vec![(20, symbol.text().to_owned())]);
}

#[test]
fn a_scan_says_who_asks_for_what() {
    let folder = issued();
    let parts = parts(&folder);
    let ran = scan(&folder, &parts).expect(0);
    insta::assert_snapshot!(ran.stdout, @"
    valid: mg-1 on chain-1 made this certificate
    node        mg-1
    chain       chain-1
    genesis     aeebad4a796fcc2e15dc4c6061b45ed9b373f26adfc798ca7d2d8cc58182718e
    request     3eeb7e96e59ce40f9cb1a089daba079fd699f6867a30f6634af8570967b2375a
    issued      2026-01-02T03:04:05Z
    certificate f8a1333c45a7265b51b9da04460fed02c113c7dc1d65f61a8787be8a9a8efc84
    key         cd5e6344beb38e8704fefd701a142275ba57733049d1946d1c06a9156454aa32
    ");
    let json = run(&folder, &["scan", "parts.txt", "--key", "key", "--json"]).expect(0);
    insta::assert_json_snapshot!(json.json(), @r#"
    {
      "certificate": "f8a1333c45a7265b51b9da04460fed02c113c7dc1d65f61a8787be8a9a8efc84",
      "chain": "chain-1",
      "genesis": "aeebad4a796fcc2e15dc4c6061b45ed9b373f26adfc798ca7d2d8cc58182718e",
      "issued": "2026-01-02T03:04:05Z",
      "keys": [
        "cd5e6344beb38e8704fefd701a142275ba57733049d1946d1c06a9156454aa32"
      ],
      "node": "mg-1",
      "request": "3eeb7e96e59ce40f9cb1a089daba079fd699f6867a30f6634af8570967b2375a",
      "schema": "tieline.id-scan/1",
      "valid": true
    }
    "#);
}

#[test]
fn the_standard_input_is_read_as_well() {
    let folder = issued();
    let text = parts(&folder).join("\r\n");
    let mut child = Command::new(env!("CARGO_BIN_EXE_tieline"))
        .args(["id", "scan", "--key", "key"])
        .current_dir(folder.path())
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert!(output.stdout.starts_with(b"valid: mg-1 on chain-1"));
}

#[test]
fn what_is_not_valid_ends_with_1_and_says_why_and_what_to_do() {
    let folder = issued();
    let parts = parts(&folder);
    let refused = scan(&folder, &parts[1..]).expect(1);
    assert_eq!(refused.stdout, "");
    insta::assert_snapshot!(refused.stderr, @"
    error: not valid: 1 part of 6 missing: scan 1

    hint: one line per symbol, in any order; symbols can be scanned again
    ");
    let mut changed = parts.clone();
    let last = changed[3].len() - 20;
    let other = if &changed[3][last..=last] == "7" {
        "8"
    } else {
        "7"
    };
    changed[3].replace_range(last..=last, other);
    let refused = scan(&folder, &changed).expect(1).stderr;
    assert!(
        refused.contains("at least one was changed") || refused.contains("damaged"),
        "{refused}"
    );
    let foreign = scan(&folder, &["https://example.org".to_owned()]).expect(1);
    insta::assert_snapshot!(foreign.stderr, @"
    error: not valid: 'https://example.org' is not a part of an identification certificate

    hint: a part begins with TIELINE:1: and ends with a colon
    ");
    let json = run(&folder, &["scan", "parts.txt", "--key", "key", "--json"]).expect(1);
    insta::assert_json_snapshot!(json.json(), @r#"
    {
      "reason": "'https://example.org' is not a part of an identification certificate",
      "schema": "tieline.id-scan/1",
      "valid": false
    }
    "#);
}

#[test]
fn another_key_than_the_signers_is_refused() {
    let folder = issued();
    seed(&folder, "other-seed", 8);
    run(
        &folder,
        &["key", "--seed-file", "other-seed", "--out", "key"],
    )
    .expect(0);
    let refused = scan(&folder, &parts(&folder)).expect(1).stderr;
    insta::assert_snapshot!(refused, @"
    error: not valid: the key 211352ff58f34e04a4c430331373ab89a898f7cd67abcf51065bbe824a9d5277 is none of the keys that the certificate of mg-1 lists

    hint: give the registry's key of this node; if it is that key, the node did not make this certificate
    ");
}

#[test]
fn a_certificate_with_another_request_under_the_same_signature_is_refused() {
    let folder = issued();
    let file = folder.path().join("id.bin");
    let mut bytes = fs::read(&file).unwrap();
    let request: Vec<usize> = (0..bytes.len())
        .filter(|at| bytes[*at..].starts_with(&[0x3e, 0xeb, 0x7e, 0x96]))
        .collect();
    bytes[request[0]] ^= 1;
    fs::write(&file, bytes).unwrap();
    // The parts fit together: whoever changed the certificate cut it again.
    let refused = scan(&folder, &parts(&folder)).expect(1).stderr;
    insta::assert_snapshot!(refused, @"
    error: not valid: the signature on the certificate of mg-1 is not by the key cd5e6344beb38e8704fefd701a142275ba57733049d1946d1c06a9156454aa32

    hint: do not deal with whoever shows it: the owner of the key did not sign this
    ");
}

#[test]
fn the_same_seed_and_time_give_the_same_certificate_and_the_time_is_now_by_default() {
    let folder = issued();
    let first = fs::read(folder.path().join("id.bin")).unwrap();
    let again = issue(&folder, &["--issued", "2026-01-02T03:04:05Z", "--json"])
        .expect(0)
        .json();
    assert_eq!(fs::read(folder.path().join("id.bin")).unwrap(), first);
    assert_eq!(again["schema"], "tieline.id-issue/1");
    let now = issue(&folder, &["--json"]).expect(0).json();
    assert!(now["issued"].as_str().unwrap() > "2026-01-02T03:04:05Z");
    let shown = run(&folder, &["show", "id.bin", "--json"]).expect(0).json();
    assert_eq!(shown["schema"], "tieline.id-show/1");
    assert_eq!(shown["parts"].as_array().unwrap().len(), 6);
    let key = run(
        &folder,
        &["key", "--seed-file", "seed", "--out", "key", "--json"],
    )
    .expect(0)
    .json();
    assert_eq!(key["schema"], "tieline.id-key/1");
    assert_eq!(key["key"], shown["keys"][0]);
}

#[test]
fn seeds_that_others_can_read_and_files_that_hold_something_else_are_refused() {
    let folder = issued();
    let path = folder.path().join("seed");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    insta::assert_snapshot!(issue(&folder, &[]).expect(2).stderr, @"
    error: the key file seed has mode 644; others can read it: chmod 600 seed

    hint: a seed is 32 random bytes: (umask 077; head -c 32 /dev/urandom > FILE)
    ");
    let no_key = run(&folder, &["scan", "seed", "--key", "id.bin"]).expect(1);
    assert!(
        no_key.stderr.contains("id.bin: not a public key"),
        "{}",
        no_key.stderr
    );
    let no_certificate = run(&folder, &["show", "key"]).expect(1);
    assert!(
        no_certificate
            .stderr
            .contains("key: not an identification certificate"),
        "{}",
        no_certificate.stderr
    );
    let short = issue(&folder, &["--request", "3eeb"]).expect(2);
    assert!(short.stderr.contains("error"), "{}", short.stderr);
}
