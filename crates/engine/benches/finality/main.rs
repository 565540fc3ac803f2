//! A chain over TCP: how long until a block is final, what it carries, how fast an empty node follows, where time goes.
//!
//! `cargo bench -p tieline-engine --bench finality` measures all and prints the tables of `docs/benchmarks.md`; behind `--`
//! some of `finality`, `blocks`, `following`, `shares` can be named. Every row is measured in a process of its own (the
//! program starts itself), in which all validators run as `tieline node` runs one: `engine::tcp`, two threads each, loopback,
//! state and journals in files below the temporary folder.
//!
//! **Votes of either kind.** The hybrid rows run the library. The Ed25519 rows run the same sources, `application.rs`,
//! `node.rs`, `epochs.rs`, `finality.rs`, `floor.rs`, `tap.rs` and `tcp.rs`, compiled here once more with `scheme.rs` of this folder, the engine's
//! own Ed25519 scheme, in the place of ours. So nothing but the votes and certificates differs, and no build of the product
//! has such a mode.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    dead_code,
    unused_imports,
    unreachable_pub,
    missing_docs,
    reason = "a benchmark stops when something is wrong, has clock, disk and threads, and compiles sources of the library"
)]

#[path = "../../src/application.rs"]
mod application;
mod catch;
#[path = "../../src/epochs.rs"]
mod epochs;
#[path = "../../src/finality.rs"]
mod finality;
#[path = "../../src/floor.rs"]
mod floor;
mod ground;
mod load;
#[path = "../../src/node.rs"]
mod node;
mod parts;
mod scheme;
mod tables;
#[path = "../../src/tap.rs"]
mod tap;
#[path = "../../src/tcp.rs"]
mod tcp;
mod votes;
mod watch;

/// What does not depend on the scheme is the library's own.
mod block {
    pub use tieline_engine::block::*;
}
mod transport {
    pub use tieline_engine::transport::*;
}
mod validators {
    pub use tieline_engine::validators::*;
}

use std::path::Path;

use catch::Past;
use load::{Figures, Load};
use votes::{Ed25519, Hybrid};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if words.first() == Some(&"role") {
        for (name, value) in play(&words[1..]) {
            println!("{name}={value}");
        }
        // The validators run on in their threads.
        std::process::exit(0);
    }
    // What is compiled for tests is not measured.
    if words.contains(&"--test") || words.contains(&"--list") {
        return;
    }
    let named: Vec<&str> = words
        .into_iter()
        .filter(|it| !it.starts_with("--"))
        .collect();
    tables::print(&named);
}

/// One measurement, in this process.
fn play(words: &[&str]) -> Figures {
    let number = |at: usize| -> usize { words[at].parse().unwrap() };
    let ports = |at: usize| words[at].split(',').map(|it| it.parse().unwrap()).collect();
    let load = || Load {
        validators: number(2),
        transactions: number(3),
        blocks: number(4),
        fill: words[5] == "fill",
    };
    let past = || Past {
        blocks: number(2) as u64,
        full: words[3] == "full",
    };
    match words[0] {
        "hybrid" => load::measure::<Hybrid>(load(), Path::new(words[1])),
        "ed25519" => load::measure::<Ed25519>(load(), Path::new(words[1])),
        "build" => catch::build(past(), Path::new(words[1]), ports(4)),
        "serve" => catch::serve(Path::new(words[1]), ports(2)),
        "follow" => catch::follow(number(2) as u64, Path::new(words[1]), ports(3)),
        "parts" => parts::parts(number(1)),
        other => panic!("no role {other}"),
    }
}
