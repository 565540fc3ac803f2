//! The vector operations as x86-64 instructions.
//!
//! [`Avx512`] and [`Clmul`] are proofs: their fields are private, and only `detect` makes one, after it has asked the
//! processor. Every unsafe block here calls an instruction of the set whose proof is at hand, or reads and writes as
//! many bytes as the reference beside it has.
//!
//! All operations are inlined into `run`, the only function that is compiled for the instructions.

#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::lanes::{Lanes, Task, WORDS_MAX};

/// AVX-512F and VPCLMULQDQ: eight words.
#[derive(Clone, Copy)]
pub(super) struct Avx512(());

/// SSE2 and PCLMULQDQ: two words.
#[derive(Clone, Copy)]
pub(super) struct Clmul(());

impl Avx512 {
    /// A proof, if the processor has the instructions and the system saves the registers.
    #[inline]
    pub(super) fn detect() -> Option<Avx512> {
        let found = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("vpclmulqdq");
        found.then_some(Avx512(()))
    }

    /// Does `task`, compiled for these instructions.
    pub(super) fn run<T: Task>(self, task: T) -> T::Output {
        #[target_feature(enable = "avx512f,vpclmulqdq")]
        fn compiled<T: Task>(lanes: Avx512, task: T) -> T::Output {
            task.vectors(lanes)
        }
        // SAFETY: `self` proves that the processor has both features.
        unsafe { compiled(self, task) }
    }
}

impl Clmul {
    /// A proof, if the processor has the instruction; SSE2 is part of x86-64.
    #[inline]
    pub(super) fn detect() -> Option<Clmul> {
        is_x86_feature_detected!("pclmulqdq").then_some(Clmul(()))
    }

    /// Does `task`, compiled for these instructions.
    pub(super) fn run<T: Task>(self, task: T) -> T::Output {
        #[target_feature(enable = "pclmulqdq")]
        fn compiled<T: Task>(lanes: Clmul, task: T) -> T::Output {
            task.vectors(lanes)
        }
        // SAFETY: `self` proves that the processor has the feature.
        unsafe { compiled(self, task) }
    }
}

impl Lanes for Avx512 {
    type Vector = __m512i;
    const WORDS: usize = 8;

    #[inline(always)]
    fn load(self, words: &[u64]) -> __m512i {
        assert_eq!(words.len(), 8);
        // SAFETY: `self` proves AVX-512F; the slice has the 64 bytes that are read, at any alignment.
        unsafe { _mm512_loadu_si512(words.as_ptr().cast()) }
    }

    #[inline(always)]
    fn load_pairs(self, pairs: &[u128]) -> __m512i {
        assert_eq!(pairs.len(), 4);
        // SAFETY: `self` proves AVX-512F; the slice has the 64 bytes that are read, at any alignment.
        unsafe { _mm512_loadu_si512(pairs.as_ptr().cast()) }
    }

    #[inline(always)]
    fn words(self, a: __m512i) -> [u64; WORDS_MAX] {
        let mut words = [0; 8];
        // SAFETY: `self` proves AVX-512F; the array has the 64 bytes that are written, at any alignment.
        unsafe { _mm512_storeu_si512(words.as_mut_ptr().cast(), a) };
        words
    }

    #[inline(always)]
    fn pairs(self, a: __m512i) -> [u128; WORDS_MAX / 2] {
        let mut pairs = [0; 4];
        // SAFETY: `self` proves AVX-512F; the array has the 64 bytes that are written, at any alignment.
        unsafe { _mm512_storeu_si512(pairs.as_mut_ptr().cast(), a) };
        pairs
    }

    #[inline(always)]
    fn splat(self, word: u64) -> __m512i {
        // SAFETY: `self` proves AVX-512F.
        unsafe { _mm512_set1_epi64(word.cast_signed()) }
    }

    #[inline(always)]
    fn splat_pair(self, pair: &[u8; 16]) -> __m512i {
        // SAFETY: `self` proves AVX-512F; the array has the 16 bytes that are read, at any alignment.
        unsafe { _mm512_broadcast_i32x4(_mm_loadu_si128(pair.as_ptr().cast())) }
    }

    #[inline(always)]
    fn xor(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `self` proves AVX-512F.
        unsafe { _mm512_xor_si512(a, b) }
    }

    #[inline(always)]
    fn xor3(self, a: __m512i, b: __m512i, c: __m512i) -> __m512i {
        // SAFETY: `self` proves AVX-512F. 0x96 is the truth table of a ⊕ b ⊕ c.
        unsafe { _mm512_ternarylogic_epi64::<0x96>(a, b, c) }
    }

    #[inline(always)]
    fn and(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `self` proves AVX-512F.
        unsafe { _mm512_and_si512(a, b) }
    }

    #[inline(always)]
    fn shift_left(self, a: __m512i, bits: u32) -> __m512i {
        // SAFETY: `self` proves AVX-512F.
        unsafe { _mm512_sll_epi64(a, _mm_cvtsi32_si128(bits.cast_signed())) }
    }

    #[inline(always)]
    fn shift_right(self, a: __m512i, bits: u32) -> __m512i {
        // SAFETY: `self` proves AVX-512F.
        unsafe { _mm512_srl_epi64(a, _mm_cvtsi32_si128(bits.cast_signed())) }
    }

    #[inline(always)]
    fn multiply_low(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `self` proves VPCLMULQDQ.
        unsafe { _mm512_clmulepi64_epi128::<0x00>(a, b) }
    }

    #[inline(always)]
    fn multiply_high(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `self` proves VPCLMULQDQ.
        unsafe { _mm512_clmulepi64_epi128::<0x11>(a, b) }
    }

    #[inline(always)]
    fn swap(self, a: __m512i) -> __m512i {
        // SAFETY: `self` proves AVX-512F. 0x4e takes the 32-bit words of each pair in the order 2, 3, 0, 1.
        unsafe { _mm512_shuffle_epi32::<0x4e>(a) }
    }

    #[inline(always)]
    fn zip_low(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `self` proves AVX-512F.
        unsafe { _mm512_unpacklo_epi64(a, b) }
    }

    #[inline(always)]
    fn zip_high(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `self` proves AVX-512F.
        unsafe { _mm512_unpackhi_epi64(a, b) }
    }
}

impl Lanes for Clmul {
    type Vector = __m128i;
    const WORDS: usize = 2;

    #[inline(always)]
    fn load(self, words: &[u64]) -> __m128i {
        assert_eq!(words.len(), 2);
        // SAFETY: SSE2 is part of x86-64; the slice has the 16 bytes that are read, at any alignment.
        unsafe { _mm_loadu_si128(words.as_ptr().cast()) }
    }

    #[inline(always)]
    fn load_pairs(self, pairs: &[u128]) -> __m128i {
        assert_eq!(pairs.len(), 1);
        // SAFETY: SSE2 is part of x86-64; the slice has the 16 bytes that are read, at any alignment.
        unsafe { _mm_loadu_si128(pairs.as_ptr().cast()) }
    }

    #[inline(always)]
    fn words(self, a: __m128i) -> [u64; WORDS_MAX] {
        let mut words = [0; WORDS_MAX];
        // SAFETY: SSE2 is part of x86-64; the array has the 16 bytes that are written, at any alignment.
        unsafe { _mm_storeu_si128(words.as_mut_ptr().cast(), a) };
        words
    }

    #[inline(always)]
    fn pairs(self, a: __m128i) -> [u128; WORDS_MAX / 2] {
        let mut pairs = [0; WORDS_MAX / 2];
        // SAFETY: SSE2 is part of x86-64; the array has the 16 bytes that are written, at any alignment.
        unsafe { _mm_storeu_si128(pairs.as_mut_ptr().cast(), a) };
        pairs
    }

    #[inline(always)]
    fn splat(self, word: u64) -> __m128i {
        // SAFETY: SSE2 is part of x86-64.
        unsafe { _mm_set1_epi64x(word.cast_signed()) }
    }

    #[inline(always)]
    fn splat_pair(self, pair: &[u8; 16]) -> __m128i {
        // SAFETY: SSE2 is part of x86-64; the array has the 16 bytes that are read, at any alignment.
        unsafe { _mm_loadu_si128(pair.as_ptr().cast()) }
    }

    #[inline(always)]
    fn xor(self, a: __m128i, b: __m128i) -> __m128i {
        // SAFETY: SSE2 is part of x86-64.
        unsafe { _mm_xor_si128(a, b) }
    }

    #[inline(always)]
    fn xor3(self, a: __m128i, b: __m128i, c: __m128i) -> __m128i {
        // SAFETY: SSE2 is part of x86-64.
        unsafe { _mm_xor_si128(a, _mm_xor_si128(b, c)) }
    }

    #[inline(always)]
    fn and(self, a: __m128i, b: __m128i) -> __m128i {
        // SAFETY: SSE2 is part of x86-64.
        unsafe { _mm_and_si128(a, b) }
    }

    #[inline(always)]
    fn shift_left(self, a: __m128i, bits: u32) -> __m128i {
        // SAFETY: SSE2 is part of x86-64.
        unsafe { _mm_sll_epi64(a, _mm_cvtsi32_si128(bits.cast_signed())) }
    }

    #[inline(always)]
    fn shift_right(self, a: __m128i, bits: u32) -> __m128i {
        // SAFETY: SSE2 is part of x86-64.
        unsafe { _mm_srl_epi64(a, _mm_cvtsi32_si128(bits.cast_signed())) }
    }

    #[inline(always)]
    fn multiply_low(self, a: __m128i, b: __m128i) -> __m128i {
        // SAFETY: `self` proves PCLMULQDQ.
        unsafe { _mm_clmulepi64_si128::<0x00>(a, b) }
    }

    #[inline(always)]
    fn multiply_high(self, a: __m128i, b: __m128i) -> __m128i {
        // SAFETY: `self` proves PCLMULQDQ.
        unsafe { _mm_clmulepi64_si128::<0x11>(a, b) }
    }

    #[inline(always)]
    fn swap(self, a: __m128i) -> __m128i {
        // SAFETY: SSE2 is part of x86-64.
        unsafe { _mm_shuffle_epi32::<0x4e>(a) }
    }

    #[inline(always)]
    fn zip_low(self, a: __m128i, b: __m128i) -> __m128i {
        // SAFETY: SSE2 is part of x86-64.
        unsafe { _mm_unpacklo_epi64(a, b) }
    }

    #[inline(always)]
    fn zip_high(self, a: __m128i, b: __m128i) -> __m128i {
        // SAFETY: SSE2 is part of x86-64.
        unsafe { _mm_unpackhi_epi64(a, b) }
    }
}
