//! Finite-key length of decoy-state BB84 from counts.
//!
//! Two decoys beside the signal, all intensities give key, basis X gives the key and basis Z the phase errors.
//! Every deviation is Hoeffding's with failure chance ε_sec/21.
//!
//! Source: Lim et al., Phys. Rev. A 89, 022307 (2014), eq. (1)-(5).
//!
//! **Deviations**: e_k has η_sys in its exponent, where the paper prints η_ch: a photon that does not click makes no
//! error (`docs/link-model.md`). λ_EC is n_X·f·h(e), where the paper prints f·h(e).

use super::channel::{Device, INTENSITIES, Settings};
use super::entropy::binary_entropy;

/// Number of error terms that share ε_sec.
const TERMS: f64 = 21.0;

/// Most steps towards the length whose ε_sec belongs to itself; some five are needed.
const FIXED_POINT_STEPS_MAX: usize = 60;

/// How secure the key shall be, and how good error correction is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Security {
    /// κ = ε_sec/ℓ, chance of a leak per bit of key.
    pub secrecy_per_bit: f64,
    /// ε_cor, chance that the two ends differ.
    pub correctness: f64,
    /// f, bits revealed by error correction over the least possible, for planning.
    pub correction_efficiency: f64,
}

impl Security {
    /// The values of Lim et al. 2014: κ = ε_cor = 1e-15, f = 1.16.
    pub const LIM_2014: Security = Security {
        secrecy_per_bit: 1e-15,
        correctness: 1e-15,
        correction_efficiency: 1.16,
    };
}

/// Clicks and errors of one basis by intensity; whole numbers when observed, any when expected.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BasisCounts {
    /// n_k, clicks where both chose this basis.
    pub clicks: [f64; INTENSITIES],
    /// m_k, wrong ones among them.
    pub errors: [f64; INTENSITIES],
}

impl BasisCounts {
    /// n, all clicks.
    pub fn clicks_total(&self) -> f64 {
        self.clicks.iter().sum()
    }

    /// m, all errors.
    pub fn errors_total(&self) -> f64 {
        self.errors.iter().sum()
    }

    /// m/n; 0 without clicks.
    pub fn error_rate(&self) -> f64 {
        let clicks = self.clicks_total();
        if clicks > 0.0 {
            self.errors_total() / clicks
        } else {
            0.0
        }
    }
}

/// What a block counted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counts {
    /// Basis X: the key.
    pub x: BasisCounts,
    /// Basis Z: the check.
    pub z: BasisCounts,
}

impl Counts {
    /// What `pulses` pulses give on average.
    pub fn expected(device: &Device, loss_db: f64, settings: &Settings, pulses: f64) -> Counts {
        let both_x = pulses * settings.basis_x_probability.powi(2);
        let both_z = pulses * (1.0 - settings.basis_x_probability).powi(2);
        let mut counts = Counts::default();
        for (index, (chance, mean)) in settings.pairs().enumerate() {
            let response = device.response(loss_db, mean);
            for (basis, sent) in [(&mut counts.x, both_x), (&mut counts.z, both_z)] {
                basis.clicks[index] = sent * chance * response.clicks;
                basis.errors[index] = sent * chance * response.errors;
            }
        }
        counts
    }
}

/// Bounds on what the eavesdropper cannot know.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bounds {
    /// s_X,0, least clicks of basis X from empty pulses.
    pub vacuum_x: f64,
    /// s_X,1, least clicks of basis X from single photons.
    pub single_x: f64,
    /// s_Z,1, least clicks of basis Z from single photons.
    pub single_z: f64,
    /// v_Z,1, most errors among those.
    pub single_errors_z: f64,
    /// φ_X, largest phase error rate, `0..=0.5`.
    pub phase_error: f64,
}

/// A key length with what it rests on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FiniteKey {
    /// ℓ before rounding down, bits; zero or less when there is no key.
    pub length_bits: f64,
    /// ε_sec = κ·max(ℓ, 1).
    pub secrecy: f64,
    /// λ_EC, bits revealed by error correction.
    pub leaked_bits: f64,
    /// The bounds at that ε_sec.
    pub bounds: Bounds,
}

impl FiniteKey {
    /// ⌊ℓ⌋, bits; 0 when there is no key.
    pub fn whole_bits(&self) -> u64 {
        self.length_bits.max(0.0).floor() as u64
    }
}

/// ℓ of a block, with λ_EC = n_X·f·h(e). Source: eq. (1).
pub fn key_length(settings: &Settings, counts: &Counts, security: &Security) -> FiniteKey {
    let leaked_bits = counts.x.clicks_total()
        * security.correction_efficiency
        * binary_entropy(counts.x.error_rate());
    key_length_with_leak(settings, counts, security, leaked_bits)
}

/// ℓ of a block after error correction revealed `leaked_bits`. Source: eq. (1).
///
/// ε_sec = κ·ℓ makes the length appear on both sides; the largest solution is taken.
pub fn key_length_with_leak(
    settings: &Settings,
    counts: &Counts,
    security: &Security,
    leaked_bits: f64,
) -> FiniteKey {
    let at = |secrecy: f64| {
        let bounds = bounds(settings, counts, secrecy);
        let length_bits = bounds.vacuum_x
            + bounds.single_x * (1.0 - binary_entropy(bounds.phase_error))
            - leaked_bits
            - 6.0 * (TERMS / secrecy).log2()
            - (2.0 / security.correctness).log2();
        FiniteKey {
            length_bits,
            secrecy,
            leaked_bits,
            bounds,
        }
    };
    let secrecy_of = |length: f64| (security.secrecy_per_bit * length.max(1.0)).min(1.0);
    // The length grows with ε_sec, so that steps from above come down to the largest solution.
    let mut key = at(secrecy_of(counts.x.clicks_total()));
    for _ in 0..FIXED_POINT_STEPS_MAX {
        let next = at(secrecy_of(key.length_bits));
        let settled = (next.length_bits - key.length_bits).abs() <= 1e-9 * key.length_bits.abs();
        key = next;
        if settled {
            break;
        }
    }
    key
}

/// The bounds at one ε_sec. Source: eq. (2)-(5).
pub fn bounds(settings: &Settings, counts: &Counts, secrecy: f64) -> Bounds {
    let (vacuum_x, single_x) = vacuum_and_single(settings, &counts.x.clicks, secrecy);
    let (_, single_z) = vacuum_and_single(settings, &counts.z.clicks, secrecy);
    let [_, weak, dim] = settings.intensity;
    let errors = deviated(settings, &counts.z.errors, secrecy);
    // eq. (4)
    let single_errors_z = (settings.photon_number_probability(1) * (errors[1].1 - errors[2].0)
        / (weak - dim))
        .max(0.0);
    let share = single_errors_z / single_z;
    let phase_error = if single_x <= 0.0 || single_z <= 0.0 || share >= 0.5 {
        0.5
    } else {
        // eq. (5)
        (share + sampling_deviation(secrecy, share, single_z, single_x)).min(0.5)
    };
    Bounds {
        vacuum_x,
        single_x: single_x.max(0.0),
        single_z: single_z.max(0.0),
        single_errors_z,
        phase_error,
    }
}

/// s_0 (at least 0) and s_1 (of any sign). Source: eq. (2) and (3).
fn vacuum_and_single(settings: &Settings, clicks: &[f64; INTENSITIES], secrecy: f64) -> (f64, f64) {
    let [strong, weak, dim] = settings.intensity;
    let around = deviated(settings, clicks, secrecy);
    let chance_vacuum = settings.photon_number_probability(0);
    let vacuum = (chance_vacuum * (weak * around[2].0 - dim * around[1].1) / (weak - dim)).max(0.0);
    let multi =
        (weak * weak - dim * dim) / (strong * strong) * (around[0].1 - vacuum / chance_vacuum);
    let single =
        settings.photon_number_probability(1) * strong * (around[1].0 - around[2].1 - multi)
            / (strong * (weak - dim) - weak * weak + dim * dim);
    (vacuum, single)
}

/// Lower and upper e^k/p_k·(count ± √(total/2·ln(21/ε_sec))) of each intensity.
fn deviated(
    settings: &Settings,
    counts: &[f64; INTENSITIES],
    secrecy: f64,
) -> [(f64, f64); INTENSITIES] {
    let total: f64 = counts.iter().sum();
    let deviation = (total / 2.0 * (TERMS / secrecy).ln()).sqrt();
    std::array::from_fn(|index| {
        let scale = settings.intensity[index].exp() / settings.intensity_probability[index];
        (
            scale * (counts[index] - deviation),
            scale * (counts[index] + deviation),
        )
    })
}

/// γ(ε, b, c, d): how far the errors of an unseen sample of size d can lie above those of one of size c.
fn sampling_deviation(secrecy: f64, share: f64, seen: f64, unseen: f64) -> f64 {
    let variance = (1.0 - share) * share;
    if variance <= 0.0 {
        return 0.0;
    }
    let sizes = (seen + unseen) / (seen * unseen);
    let log = (sizes / variance * TERMS * TERMS / (secrecy * secrecy)).log2();
    (sizes * variance / std::f64::consts::LN_2 * log.max(0.0)).sqrt()
}
