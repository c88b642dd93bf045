//! Named random streams.
//!
//! Every consumer of randomness draws from a ChaCha8 stream of its own, named by
//! a [`StreamKey`]: who draws (the purpose), for which device, and which one of
//! its draws (the index). No draw depends on how many another consumer took, so
//! adding a consumer changes nobody's bits.
//!
//! # Key layout
//!
//! The 32 bytes of the ChaCha key, little-endian:
//!
//! | bytes | field | meaning |
//! | --- | --- | --- |
//! | 0..8 | `seed` | names the experiment |
//! | 8..12 | `run` | picks the substream: one repetition of it |
//! | 12..16 | `device` | the device, or [`NO_DEVICE`] |
//! | 16..24 | `purpose` | first 8 bytes of BLAKE3 of the purpose's name |
//! | 24..32 | `index` | e.g. the coherence block or the request |
//!
//! The ChaCha stream number and block counter start at zero.
//!
//! # Draws
//!
//! A word is 64 consecutive bits of the keystream, little-endian. Uniforms, integers
//! and normals are made of words by rules written here, never by a library's
//! distributions, whose bits may change with its version.

mod normal;
mod normal_single;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// The `device` of a stream that belongs to no device in particular.
pub const NO_DEVICE: u32 = u32::MAX;

/// What names one stream; see the [module](self) for the layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StreamKey {
    /// The experiment.
    pub seed: u64,
    /// The repetition within the experiment.
    pub run: u32,
    /// The device, or [`NO_DEVICE`].
    pub device: u32,
    /// Who draws, as a name such as `"radio.fading"`.
    pub purpose: &'static str,
    /// Which one of that consumer's streams.
    pub index: u64,
}

/// The (seed, run) pair from which a run's streams are opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Streams {
    /// The experiment.
    pub seed: u64,
    /// The repetition within the experiment.
    pub run: u32,
}

impl Streams {
    /// Opens the stream of `purpose` for `device`, number `index`.
    pub fn open(self, purpose: &'static str, device: u32, index: u64) -> Stream {
        Stream::new(StreamKey {
            seed: self.seed,
            run: self.run,
            device,
            purpose,
            index,
        })
    }
}

/// One stream of random numbers whose bits are defined here, not by a library's
/// changeable distributions.
#[derive(Debug, Clone)]
pub struct Stream {
    source: ChaCha8Rng,
}

impl Stream {
    /// Opens the stream that `key` names.
    pub fn new(key: StreamKey) -> Self {
        let mut bytes = [0u8; 32];
        bytes[0..8].copy_from_slice(&key.seed.to_le_bytes());
        bytes[8..12].copy_from_slice(&key.run.to_le_bytes());
        bytes[12..16].copy_from_slice(&key.device.to_le_bytes());
        bytes[16..24].copy_from_slice(&blake3::hash(key.purpose.as_bytes()).as_bytes()[..8]);
        bytes[24..32].copy_from_slice(&key.index.to_le_bytes());
        Self {
            source: ChaCha8Rng::from_seed(bytes),
        }
    }

    /// Leaves out the next `words` words, at once.
    pub fn skip(&mut self, words: u64) {
        let here = self.source.get_word_pos();
        self.source.set_word_pos(here + 2 * u128::from(words));
    }

    /// 64 uniform bits.
    pub fn bits(&mut self) -> u64 {
        self.source.next_u64()
    }

    /// Fills `out` with words of 64 uniform bits, as as many calls of [`bits`](Self::bits)
    /// would.
    pub fn fill_bits(&mut self, out: &mut [u64]) {
        let mut bytes = [0u8; 8 * 32];
        for chunk in out.chunks_mut(32) {
            let bytes = &mut bytes[..8 * chunk.len()];
            self.source.fill_bytes(bytes);
            for (word, eight) in chunk.iter_mut().zip(bytes.chunks_exact(8)) {
                *word = u64::from_le_bytes(eight.try_into().expect("chunks of eight"));
            }
        }
    }

    /// Uniform on [0, 1): the top 53 bits times 2⁻⁵³.
    pub fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Uniform on 0..n without bias (Lemire's multiply-and-reject).
    ///
    /// # Panics
    /// If `n` is zero.
    pub fn below(&mut self, n: u64) -> u64 {
        assert!(n > 0, "cannot draw below zero");
        let threshold = n.wrapping_neg() % n;
        loop {
            let product = u128::from(self.bits()) * u128::from(n);
            if product as u64 >= threshold {
                return (product >> 64) as u64;
            }
        }
    }
}
