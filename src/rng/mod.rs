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
//! # Links
//!
//! What a link draws comes from [`Streams::of_link`], whose seed is the first 8 bytes of
//! BLAKE3 of `seed` (8 bytes, little-endian) followed by the link's name. The link named
//! [`PLAIN_LINK`], the only one of the simplest systems, keeps the seed as it is.
//!
//! # Draws
//!
//! A [`Stream`] is one of `rand`'s generators ([`rand::Rng`], [`SeedableRng`]), and
//! everything is drawn from it as there: `stream.sample(distribution)`,
//! `stream.random::<f64>()`. A word is 64 consecutive bits of the keystream,
//! little-endian. Whose rule makes numbers of words follows from what it promises:
//!
//! | draw | rule |
//! | --- | --- |
//! | the keystream | `rand_chacha`: the cipher's specification |
//! | uniform on [0, 1) | `rand`'s [`StandardUniform`](rand::distr::StandardUniform): the top 53 bits times 2⁻⁵³ |
//! | true with probability p | `rand`'s [`Bernoulli`](rand::distr::Bernoulli): a word below 2⁶⁴p |
//! | words in bulk | `rand`'s [`Fill`](rand::Fill): as one by one |
//! | an integer below n, a permutation | ours: [`Below`], [`Permutation`] |
//! | normals, real and complex | ours: [`StandardNormal`] |
//!
//! `rand` keeps the bits of its distributions within one minor version only, and those
//! of its ranges (on which its shuffles and choices stand) depend on its feature
//! `unbiased` too, which any crate of a build may switch on; the usual ziggurat for
//! normals asks the platform for logarithms. So its rules are used where there is but
//! one sensible rule, which the known answers in `tests/rng_streams.rs` pin, and ours,
//! behind its [`Distribution`], everywhere else.

mod integers;
mod normal;
mod normal_single;

pub use integers::{Below, Permutation};
pub use normal::StandardNormal;

use rand::distr::Distribution;
use rand::rand_core::Infallible;
use rand::{Rng, SeedableRng, TryRng};
use rand_chacha::ChaCha8Rng;

/// The `device` of a stream that belongs to no device in particular.
pub const NO_DEVICE: u32 = u32::MAX;

/// The link that draws from the streams of the run itself.
pub const PLAIN_LINK: &str = "air";

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
    /// What the link named `link` draws from, and no other link does; see the
    /// [module](self#links).
    #[must_use]
    pub fn of_link(self, link: &str) -> Self {
        if link == PLAIN_LINK {
            return self;
        }
        let name = [&self.seed.to_le_bytes(), link.as_bytes()].concat();
        let mut seed = [0u8; 8];
        seed.copy_from_slice(&blake3::hash(&name).as_bytes()[..8]);
        Self {
            seed: u64::from_le_bytes(seed),
            ..self
        }
    }

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

impl StreamKey {
    /// The ChaCha key; see the [module](self) for the layout.
    fn bytes(self) -> [u8; 32] {
        let mut bytes = [0u8; 32];
        bytes[0..8].copy_from_slice(&self.seed.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.run.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.device.to_le_bytes());
        bytes[16..24].copy_from_slice(&blake3::hash(self.purpose.as_bytes()).as_bytes()[..8]);
        bytes[24..32].copy_from_slice(&self.index.to_le_bytes());
        bytes
    }
}

/// A distribution that fills a slice faster than number by number.
pub trait BulkDistribution<T>: Distribution<T> {
    /// Fills `out` with independent draws.
    fn fill<R: Rng + ?Sized>(&self, rng: &mut R, out: &mut [T]);
}

/// One stream of random numbers: ChaCha8 under the key that names it.
#[derive(Debug, Clone)]
pub struct Stream {
    source: ChaCha8Rng,
}

impl Stream {
    /// Opens the stream that `key` names.
    pub fn new(key: StreamKey) -> Self {
        Self::from_seed(key.bytes())
    }

    /// Leaves out the next `words` words of 64 bits, at once.
    pub fn skip(&mut self, words: u64) {
        let here = self.source.get_word_pos();
        self.source.set_word_pos(here + 2 * u128::from(words));
    }
}

impl SeedableRng for Stream {
    /// A key, laid out as the [module](self) says.
    type Seed = [u8; 32];

    fn from_seed(key: Self::Seed) -> Self {
        Self {
            source: ChaCha8Rng::from_seed(key),
        }
    }
}

impl TryRng for Stream {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.source.try_next_u32()
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.source.try_next_u64()
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        self.source.try_fill_bytes(out)
    }
}
