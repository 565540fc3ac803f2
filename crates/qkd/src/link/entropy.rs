//! Entropy of a bit.

/// h(p) = −p·log₂p − (1−p)·log₂(1−p), bits; 0 outside of 0 < p < 1.
pub fn binary_entropy(probability: f64) -> f64 {
    let (p, q) = (probability, 1.0 - probability);
    if p <= 0.0 || q <= 0.0 {
        return 0.0;
    }
    -p * p.log2() - q * q.log2()
}
