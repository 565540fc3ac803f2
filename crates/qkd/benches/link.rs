//! Blocks per second of the analytic engine, and optima per second.

use divan::Bencher;
use divan::counter::ItemsCount;
use tieline_qkd::link::block::{LinkConfig, LinkModel};
use tieline_qkd::link::channel::Device;
use tieline_qkd::link::conditions::Conditions;
use tieline_qkd::link::optimum::Optimiser;
use tieline_qkd::link::preset::{DeviceClass, Preset};
use tieline_qkd::link::rate::Security;
use tieline_qkd::link::wire::{Alice, AuthPool, Bob, WireConfig, exchange, pulse};

fn main() {
    divan::main();
}

/// A day of a high-end link over 50 km.
#[divan::bench(sample_count = 10)]
fn day_of_blocks(bencher: Bencher) {
    const DAY_MS: u64 = 86_400_000;
    let config = LinkConfig::new(DeviceClass::HighEnd.preset(), 50.0);
    let model = LinkModel::new(config, [1; 32]).expect("a link with key");
    let blocks = model.clone().advance(DAY_MS).len();
    bencher
        .counter(ItemsCount::new(blocks))
        .with_inputs(|| model.clone())
        .bench_local_values(|mut model| model.advance(DAY_MS));
}

/// Best settings of one block size and length, from scratch.
#[divan::bench(sample_count = 10, args = [1e5, 1e7])]
fn optimum(bencher: Bencher, block_bits: f64) {
    let optimiser = Optimiser {
        device: Device::LIM_2014,
        security: Security::LIM_2014,
    };
    bencher.bench_local(|| optimiser.optimum(divan::black_box(block_bits), 10.0));
}

/// A link of the entry class over a kilometre, 300,000 sifted bits.
fn wire_config() -> WireConfig {
    let preset = Preset {
        block_bits: 3e5,
        ..DeviceClass::Entry.preset()
    };
    WireConfig::new(&LinkConfig::new(preset, 1.0)).expect("a block with key")
}

/// Wire mode: pulses per second.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn wire_pulses(bencher: Bencher) {
    let config = wire_config();
    bencher
        .counter(ItemsCount::new(config.setup.pulses))
        .bench_local(|| pulse::transmit(&config.setup, &Conditions::QUIET, [1; 32]));
}

/// Wire mode: both ends' work for one block, from clicks to key; items are sifted bits.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn wire_exchange(bencher: Bencher) {
    let config = wire_config();
    bencher
        .counter(ItemsCount::new(300_000u32))
        .with_inputs(|| {
            let pulses = pulse::transmit(&config.setup, &Conditions::QUIET, [1; 32]);
            let pool = || AuthPool::new(&[9; 16 + 32 * 300], 100).expect("whole pads");
            let alice = Alice::new(config, pool(), [1; 32]);
            (alice, Bob::new(config, pool()), pulses)
        })
        .bench_local_values(|(mut alice, mut bob, pulses)| {
            exchange((&mut alice, &mut bob), 1, pulses, &mut |_, _| ())
        });
}
