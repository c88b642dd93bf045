//! Attention: its definition, a prompt against token by token, grouped queries,
//! threads.

use airloom::numerics::kernels::{Cache, Kernels, Path, Queries};

use crate::values::{KINDS, Kind, all_bits, bits, values};

/// A pass of `rows` queries after `before` cached positions.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    pub before: usize,
    pub rows: usize,
    pub heads: usize,
    pub caches: usize,
    pub head_dim: usize,
}

impl Shape {
    fn positions(self) -> usize {
        self.before + self.rows
    }

    pub fn width(self) -> usize {
        self.heads * self.head_dim
    }

    /// Query head h looks into the cache of its group.
    fn groups(self) -> Vec<usize> {
        (0..self.heads)
            .map(|h| h * self.caches / self.heads)
            .collect()
    }
}

/// Queries, and each cache's keys and values, position by position.
pub struct Data {
    pub shape: Shape,
    queries: Vec<f32>,
    keys: Vec<Vec<f32>>,
    values: Vec<Vec<f32>>,
    scale: f32,
}

impl Data {
    pub fn new(shape: Shape, kind: Kind) -> Self {
        let cached = shape.positions() * shape.head_dim;
        let several = |seed| {
            let seeds = (0..shape.caches).map(|c| seed + c as u32);
            seeds.map(|seed| values(cached, seed, kind)).collect()
        };
        Self {
            shape,
            queries: values(shape.rows * shape.width(), 71, kind),
            keys: several(100),
            values: several(200),
            scale: 1.0 / (shape.head_dim as f32).sqrt(),
        }
    }

    /// A cache of the first `positions` positions, and its memory, which another text has used.
    fn cache(&self, positions: usize) -> (Cache, Vec<f32>) {
        let d = self.shape.head_dim;
        let mut cache = Cache::new(self.shape.caches, d, positions);
        let mut memory = vec![f32::NAN; cache.memory()];
        for position in 0..positions {
            let row = |heads: &[Vec<f32>]| -> Vec<f32> {
                let entries = heads.iter().map(|head| &head[position * d..][..d]);
                entries.flatten().copied().collect()
            };
            cache.push(&mut memory, &row(&self.keys), &row(&self.values));
        }
        (cache, memory)
    }

    /// `rows` rows from row `first` on, in one pass over the positions before them.
    pub fn attend(&self, kernels: Kernels, first: usize, rows: usize) -> Vec<u32> {
        let width = self.shape.width();
        let (cache, memory) = self.cache(self.shape.before + first + rows);
        let groups = self.shape.groups();
        let queries = Queries {
            data: &self.queries[first * width..],
            stride: width,
            rows,
            heads: &groups,
            cache: &cache,
            memory: &memory,
            scale: self.scale,
            cap: None,
            window: None,
        };
        let mut scratch = vec![f32::NAN; queries.scratch_len()];
        let mut out = vec![f32::NAN; rows * width];
        kernels.attention(queries, &mut scratch, &mut out);
        all_bits(&out)
    }

    /// What the module's documentation says, one query after the other.
    pub fn definition(&self) -> Vec<u32> {
        let Shape {
            before,
            rows,
            heads,
            head_dim: d,
            ..
        } = self.shape;
        let kernels = Kernels::with_path(Path::Portable).unwrap();
        let mut out = Vec::new();
        for (row, head) in (0..rows).flat_map(|r| (0..heads).map(move |h| (r, h))) {
            let q = &self.queries[row * self.shape.width() + head * d..][..d];
            let cache = self.shape.groups()[head];
            let seen = (before + row + 1) * d;
            let (keys, values) = (&self.keys[cache][..seen], &self.values[cache][..seen]);
            let score = |key: &[f32]| {
                let pairs = q.iter().zip(key);
                pairs.fold(0.0f32, |acc, (q, k)| q.mul_add(*k, acc)) * self.scale
            };
            let scores: Vec<_> = keys.chunks(d).map(score).collect();
            let greatest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let mut e: Vec<_> = scores.iter().map(|s| s - greatest).collect();
            kernels.exp(&mut e);
            let mut partial = [0.0f32; 16];
            for (j, e) in e.iter().enumerate() {
                partial[j % 16] += e;
            }
            for half in [8, 4, 2, 1] {
                for i in 0..half {
                    partial[i] += partial[i + half];
                }
            }
            let inverse = 1.0 / partial[0];
            for i in 0..d {
                let column = e.iter().zip(values.iter().skip(i).step_by(d));
                let sum = column.fold(0.0f32, |acc, (e, v)| e.mul_add(*v, acc));
                out.push(bits(sum * inverse));
            }
        }
        out
    }
}

pub fn paths() -> impl Iterator<Item = Kernels> {
    Path::available().map(|path| Kernels::with_path(path).unwrap())
}

const SHAPES: [Shape; 7] = [
    Shape {
        before: 0,
        rows: 1,
        heads: 1,
        caches: 1,
        head_dim: 1,
    },
    Shape {
        before: 0,
        rows: 7,
        heads: 2,
        caches: 2,
        head_dim: 3,
    },
    Shape {
        before: 5,
        rows: 13,
        heads: 3,
        caches: 3,
        head_dim: 16,
    },
    Shape {
        before: 63,
        rows: 3,
        heads: 4,
        caches: 2,
        head_dim: 17,
    },
    Shape {
        before: 0,
        rows: 65,
        heads: 2,
        caches: 1,
        head_dim: 32,
    },
    Shape {
        before: 254,
        rows: 1,
        heads: 8,
        caches: 2,
        head_dim: 80,
    },
    Shape {
        before: 31,
        rows: 2,
        heads: 1,
        caches: 1,
        head_dim: 128,
    },
];

#[test]
fn attention_has_the_bits_of_its_definition() {
    for shape in SHAPES {
        for kind in KINDS {
            let data = Data::new(shape, kind);
            let expected = data.definition();
            for kernels in paths() {
                let found = data.attend(kernels, 0, shape.rows);
                assert!(found == expected, "{}: {shape:?}, {kind:?}", kernels.path());
            }
        }
    }
}

#[test]
fn a_prompt_has_the_bits_of_token_by_token() {
    for shape in SHAPES {
        let data = Data::new(shape, Kind::Ordinary);
        for kernels in paths() {
            let whole = data.attend(kernels, 0, shape.rows);
            let singly = (0..shape.rows).flat_map(|row| data.attend(kernels, row, 1));
            assert!(
                whole == singly.collect::<Vec<_>>(),
                "{}: {shape:?}",
                kernels.path()
            );
        }
    }
}

#[test]
fn threads_do_not_change_a_bit() {
    let shape = Shape {
        before: 3,
        rows: 130,
        heads: 4,
        caches: 2,
        head_dim: 32,
    };
    let long = Shape {
        before: 4096,
        rows: 1,
        heads: 9,
        caches: 3,
        head_dim: 32,
    };
    for shape in [shape, long] {
        let data = Data::new(shape, Kind::Ordinary);
        let expected = data.definition();
        for threads in [1, 2, 4] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            pool.build().unwrap().install(|| {
                for kernels in paths() {
                    let found = data.attend(kernels, 0, shape.rows);
                    assert!(found == expected, "{}, {threads} threads", kernels.path());
                }
            });
        }
    }
}

#[test]
fn equal_scores_average_the_values() {
    let shape = Shape {
        before: 40,
        rows: 1,
        heads: 1,
        caches: 1,
        head_dim: 8,
    };
    let mut data = Data::new(shape, Kind::Ordinary);
    data.queries.fill(0.0);
    let found = data.attend(Kernels::active().unwrap(), 0, 1);
    for (i, found) in found.into_iter().enumerate() {
        let column = data.values[0].iter().skip(i).step_by(8);
        let mean = column.map(|&v| f64::from(v)).sum::<f64>() / 41.0;
        assert!((f64::from(f32::from_bits(found)) - mean).abs() < 1e-6);
    }
}

#[test]
fn attention_agrees_with_double_precision() {
    let shape = SHAPES[4];
    let data = Data::new(shape, Kind::Ordinary);
    let (d, row) = (shape.head_dim, shape.rows - 1);
    let found = data.attend(Kernels::active().unwrap(), 0, shape.rows);
    for head in 0..shape.heads {
        let wide = |x: &f32| f64::from(*x);
        let q = &data.queries[row * shape.width() + head * d..][..d];
        let scores = data.keys[0].chunks(d).map(|key| {
            let dot: f64 = q.iter().zip(key).map(|(q, k)| wide(q) * wide(k)).sum();
            libm::exp(dot / libm::sqrt(d as f64))
        });
        let weights: Vec<_> = scores.collect();
        let sum: f64 = weights.iter().sum();
        for i in 0..d {
            let column = data.values[0].iter().skip(i).step_by(d);
            let exact: f64 = weights
                .iter()
                .zip(column)
                .map(|(w, v)| w / sum * wide(v))
                .sum();
            let found = f32::from_bits(found[row * shape.width() + head * d + i]);
            assert!((f64::from(found) - exact).abs() < 2e-6);
        }
    }
}
