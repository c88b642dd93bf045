//! Keys and values of fewer bits: attention over them has the bits that it has over a full cache
//! of the numbers that they stand for, on every path.

use airloom::numerics::kernels::{Cache, CacheFormat, Kernels, Path, Queries};

use crate::values::{KINDS, Kind, all_bits, values};

const HEADS: usize = 2;

/// What the documentation says that an entry becomes.
fn rounded(x: &[f32], greatest: f32) -> Vec<f32> {
    if !x.iter().all(|x| x.is_finite()) {
        return vec![f32::NAN; x.len()];
    }
    let scale = x.iter().fold(0f32, |most, x| most.max(x.abs())) / greatest;
    let code = |x: &f32| match scale == 0.0 {
        true => 0.0,
        false => (x / scale).round_ties_even().clamp(-greatest, greatest),
    };
    x.iter().map(|x| scale * code(x)).collect()
}

/// A cache of some positions, and its memory, which another text has used.
struct Text {
    cache: Cache,
    memory: Vec<f32>,
}

impl Text {
    fn new(format: CacheFormat, (dim, value_dim): (usize, usize), capacity: usize) -> Self {
        let cache = Cache::divided(HEADS, dim, value_dim, capacity).in_format(format);
        let memory = vec![f32::from_bits(0x7f93_9191); cache.memory()];
        Self { cache, memory }
    }

    fn push(&mut self, keys: &[f32], values: &[f32]) {
        self.cache.push(&mut self.memory, keys, values);
    }

    fn attend(&self, path: Path, queries: &[f32], rows: usize, window: Option<usize>) -> Vec<u32> {
        let dim = self.cache.head_dim();
        let queries = Queries {
            data: queries,
            stride: 3 * dim,
            rows,
            heads: &[0, 0, 1],
            cache: &self.cache,
            memory: &self.memory,
            scale: 1.0 / (dim as f32).sqrt(),
            cap: None,
            window,
        };
        let mut scratch = vec![f32::NAN; queries.scratch_len()];
        let mut out = vec![f32::NAN; rows * 3 * self.cache.value_dim()];
        let kernels = Kernels::with_path(path).expect("available");
        kernels.attention(queries, &mut scratch, &mut out);
        all_bits(&out)
    }
}

/// A text in few bits, and the numbers that it stands for in full.
fn pair(
    format: CacheFormat,
    sizes: (usize, usize),
    positions: usize,
    capacity: usize,
    kind: Kind,
) -> [Text; 2] {
    let greatest = if format == CacheFormat::Int8 {
        127.0
    } else {
        7.0
    };
    let mut few = Text::new(format, sizes, capacity);
    let mut full = Text::new(CacheFormat::Full, sizes, capacity);
    let keys = values(positions * HEADS * sizes.0, 3, kind);
    let held = values(positions * HEADS * sizes.1, 4, kind);
    for (keys, held) in keys
        .chunks(HEADS * sizes.0)
        .zip(held.chunks(HEADS * sizes.1))
    {
        few.push(keys, held);
        let of = |x: &[f32], dim: usize| -> Vec<f32> {
            x.chunks(dim).flat_map(|x| rounded(x, greatest)).collect()
        };
        full.push(&of(keys, sizes.0), &of(held, sizes.1));
    }
    [few, full]
}

#[test]
fn attention_has_the_bits_of_a_full_cache_of_the_rounded_numbers() {
    for format in [CacheFormat::Int8, CacheFormat::Int4] {
        for sizes in [(24, 24), (16, 7), (5, 5), (64, 33)] {
            for (positions, rows) in [(1, 1), (63, 1), (64, 5), (65, 65), (130, 1), (200, 31)] {
                let [few, full] = pair(format, sizes, positions, positions + 3, Kind::Ordinary);
                let queries = values(rows * 3 * sizes.0, 5, Kind::Ordinary);
                for window in [None, Some(9)] {
                    let expected = full.attend(Path::Portable, &queries, rows, window);
                    for path in Path::available() {
                        let found = few.attend(path, &queries, rows, window);
                        assert!(
                            found == expected,
                            "{path}: {format:?}, {sizes:?}, {rows} of {positions}, {window:?}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn every_kind_of_number_is_alike_on_every_path() {
    for format in [CacheFormat::Int8, CacheFormat::Int4] {
        for kind in KINDS {
            let [few, full] = pair(format, (24, 24), 70, 80, kind);
            let queries = values(7 * 3 * 24, 5, Kind::Ordinary);
            let expected = full.attend(Path::Portable, &queries, 7, None);
            for path in Path::available() {
                assert!(
                    few.attend(path, &queries, 7, None) == expected,
                    "{path}, {kind:?}"
                );
            }
        }
    }
}

#[test]
fn a_prompt_has_the_bits_of_token_by_token_and_of_a_cache_cut_back() {
    for format in [CacheFormat::Int8, CacheFormat::Int4] {
        let (dim, positions) = (24, 70);
        let [whole, _] = pair(format, (dim, dim), positions, 90, Kind::Ordinary);
        let queries = values(positions * 3 * dim, 5, Kind::Ordinary);
        let expected = whole.attend(Path::best(), &queries, positions, None);
        for position in [0, 1, 63, 64, 69] {
            let mut text = Text {
                cache: whole.cache.clone(),
                memory: whole.memory.clone(),
            };
            text.cache.truncate(&mut text.memory, position + 1);
            let row = &queries[position * 3 * dim..][..3 * dim];
            let found = text.attend(Path::best(), row, 1, None);
            assert_eq!(
                found,
                expected[position * 3 * dim..][..3 * dim],
                "{position}"
            );
        }
    }
}

#[test]
fn memory_shrinks_by_four_and_by_eight() {
    let words = |format| Cache::new(4, 128, 1024).in_format(format).memory() as f64;
    let full = words(CacheFormat::Full);
    // One scale of 32 bits for 128 elements.
    assert_eq!(words(CacheFormat::Int8) / full, (8.0 + 0.25) / 32.0);
    assert_eq!(words(CacheFormat::Int4) / full, (4.0 + 0.25) / 32.0);
}
