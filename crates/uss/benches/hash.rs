//! Hashes of one message under many keys, beside the `polyval` crate with a new key each and beside a loop of nothing but
//! carry-less products.
//!
//! `cargo bench -p tieline-uss --bench hash`; the table at the end takes the least of many short runs that take turns.

use std::hint::black_box;
use std::time::Instant;

use divan::Bencher;
use divan::counter::BytesCount;
use polyval::Polyval;
use polyval::universal_hash::UniversalHash as _;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use tieline_uss::bits::BitReader;
use tieline_uss::family::{Backend, Family, HashKeys, Small, lfsr, raw_clmul512};

fn main() {
    divan::main();
    // `cargo bench` says so; a test run of the benchmarks does not.
    if std::env::args().any(|argument| argument == "--bench") {
        table();
    }
}

/// Lengths of messages, bytes.
const LENGTHS: [usize; 3] = [256, 1 << 10, 64 << 10];
/// Hash keys per call.
const KEYS: usize = 128;
/// Hash keys per call without vectors, which is slow.
const KEYS_PORTABLE: usize = 8;
/// Turns of the table.
const ROUNDS: usize = 150;
/// Products per run of the limit.
const PRODUCTS: usize = 320_000;
/// Bits of a tag of the small family.
const TAG_BITS: u32 = 8;

fn family(name: &str, bytes: usize) -> Family {
    let small = || Small::for_message(TAG_BITS, bytes).map(Family::Small);
    name.parse().ok().or_else(small).expect("lengths are short")
}

fn random(bytes: usize) -> Vec<u8> {
    let mut random = vec![0; bytes];
    ChaCha20Rng::seed_from_u64(bytes as u64).fill_bytes(&mut random);
    random
}

fn keys(family: Family, count: usize) -> HashKeys {
    let raw = random((family.hash_key_bits() as usize * count).div_ceil(8));
    HashKeys::read(family, &mut BitReader::new(&raw), count).expect("as many bits as asked for")
}

fn bench(bencher: Bencher<'_, '_>, name: &str, backend: Backend, bytes: usize) {
    let count = count(backend);
    let (keys, message) = (keys(family(name, bytes), count), random(bytes));
    let mut hashes = Vec::with_capacity(count);
    bencher
        .counter(BytesCount::new(bytes * count))
        .bench_local(move || {
            hashes.clear();
            keys.hash_with(backend, black_box(&message), &mut hashes)
                .expect("a message that the family admits");
            hashes.len()
        });
}

fn count(backend: Backend) -> usize {
    match backend {
        Backend::Portable => KEYS_PORTABLE,
        Backend::Avx512 | Backend::Clmul => KEYS,
    }
}

#[divan::bench(args = LENGTHS, consts = [0, 1, 2])]
fn gf128<const BACKEND: usize>(bencher: Bencher<'_, '_>, bytes: usize) {
    bench(bencher, "gf128", Backend::ALL[BACKEND], bytes);
}

#[divan::bench(args = LENGTHS, consts = [0, 1, 2])]
fn gf64<const BACKEND: usize>(bencher: Bencher<'_, '_>, bytes: usize) {
    bench(bencher, "gf64", Backend::ALL[BACKEND], bytes);
}

#[divan::bench(args = LENGTHS, consts = [0, 1, 2])]
fn small<const BACKEND: usize>(bencher: Bencher<'_, '_>, bytes: usize) {
    bench(bencher, "small", Backend::ALL[BACKEND], bytes);
}

#[divan::bench(args = LENGTHS, consts = [0, 1, 2])]
fn lfsr128<const BACKEND: usize>(bencher: Bencher<'_, '_>, bytes: usize) {
    bench(bencher, "lfsr128", Backend::ALL[BACKEND], bytes);
}

/// A hash key of `lfsr128` costs one such draw.
#[divan::bench]
fn draw_irreducible(bencher: Bencher<'_, '_>) {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    bencher.bench_local(|| lfsr::draw_irreducible(&mut rng));
}

#[divan::bench(args = LENGTHS)]
fn polyval_crate(bencher: Bencher<'_, '_>, bytes: usize) {
    let (keys, blocks) = polyval_input(bytes);
    bencher
        .counter(BytesCount::new(bytes * KEYS))
        .bench_local(|| polyval_hashes(&keys, black_box(&blocks)));
}

/// Keys, and the message with its length block: whole blocks, which the crate takes fastest.
fn polyval_input(bytes: usize) -> (Vec<[u8; 16]>, Vec<[u8; 16]>) {
    let mut blocks = random(bytes).as_chunks().0.to_vec();
    blocks.push((bytes as u128).to_le_bytes());
    (random(16 * KEYS).as_chunks().0.to_vec(), blocks)
}

fn polyval_hashes(keys: &[[u8; 16]], blocks: &[[u8; 16]]) -> u128 {
    keys.iter().fold(0, |sum, key| {
        let mut hash = Polyval::new(&(*key).into());
        hash.update(polyval::Block::cast_slice_from_core(blocks));
        sum ^ u128::from_le_bytes(hash.finalize().into())
    })
}

/// One line of the table: what runs, and the least time it took.
struct Row {
    family: &'static str,
    backend: &'static str,
    bytes: usize,
    tags: usize,
    /// Products of 64-bit words that one tag of the message cannot do without, zero if not said.
    products: f64,
    run: Box<dyn FnMut()>,
    least_ns: f64,
}

impl Row {
    fn new(
        family: &'static str,
        backend: &'static str,
        bytes: usize,
        run: Box<dyn FnMut()>,
    ) -> Row {
        Row {
            family,
            backend,
            bytes,
            tags: KEYS,
            products: 0.0,
            run,
            least_ns: f64::INFINITY,
        }
    }

    fn ns_per_tag(&self) -> f64 {
        self.least_ns / self.tags as f64
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn measure(row: &mut Row) {
    let start = Instant::now();
    (row.run)();
    row.least_ns = row.least_ns.min(start.elapsed().as_nanos() as f64);
}

fn rows(bytes: usize) -> Vec<Row> {
    let (polyval_keys, blocks) = polyval_input(bytes);
    let limit = Box::new(|| {
        black_box(raw_clmul512(PRODUCTS));
    });
    let crate_run = Box::new(move || {
        black_box(polyval_hashes(&polyval_keys, &blocks));
    });
    let mut rows = vec![
        Row::new("limit", "avx512", bytes, limit),
        Row::new("polyval", "crate", bytes, crate_run),
    ];
    // Karatsuba's product of 128-bit elements has three products of words, one of 64-bit elements has one.
    let counted = [
        ("gf128", 3.0 / 16.0),
        ("gf64", 1.0 / 8.0),
        ("small", 0.0),
        ("lfsr128", 3.0 / 16.0),
    ];
    for (name, products_per_byte) in counted {
        for (backend, label) in Backend::ALL
            .into_iter()
            .zip(["avx512", "clmul", "portable"])
        {
            if !backend.is_available() {
                eprintln!("skipped: this processor has no {label}");
                continue;
            }
            let tags = count(backend);
            let keys = keys(family(name, bytes), tags);
            let message = random(bytes);
            let mut hashes = Vec::with_capacity(tags);
            let run = Box::new(move || {
                hashes.clear();
                keys.hash_with(backend, black_box(&message), &mut hashes)
                    .expect("a message that the family admits");
                black_box(&hashes);
            });
            let mut row = Row::new(name, label, bytes, run);
            row.tags = tags;
            row.products = products_per_byte * bytes as f64;
            rows.push(row);
        }
    }
    rows
}

/// The limit counts as many products as a hash cannot do without; reductions, powers and the length block come on top.
#[expect(clippy::print_stdout, reason = "the table is the result")]
fn table() {
    println!("\nfamily   backend   bytes    ns/tag    GB/s  of limit  x polyval");
    for bytes in LENGTHS {
        let mut rows = rows(bytes);
        for _ in 0..ROUNDS {
            rows.iter_mut().for_each(measure);
        }
        let products = raw_clmul512(PRODUCTS).unwrap_or(0) as f64;
        let products_per_ns = products / rows[0].least_ns;
        let polyval_ns = rows[1].ns_per_tag();
        println!("{products_per_ns:.2} G products/s");
        for row in &rows[1..] {
            let ns = row.ns_per_tag();
            let share = match row.products / products_per_ns / ns * 100.0 {
                share if share.is_normal() => format!("{share:.0} %"),
                _ => "-".to_owned(),
            };
            println!(
                "{:8} {:8} {:6} {ns:9.1} {:7.2}  {share:>8}  {:9.2}",
                row.family,
                row.backend,
                row.bytes,
                row.bytes as f64 / ns,
                polyval_ns / ns
            );
        }
    }
}
