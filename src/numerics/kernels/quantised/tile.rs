//! A few rows times sixteen outputs: what fits the registers. The order of additions is that of
//! [`product`](super::product).

use super::integers::{GROUPS, Integers, exact_groups};
use super::matrix::{Line, ScaleLayout};
use super::rows::{RoundedBlock, RoundedRows};
use crate::numerics::kernels::lanes::{LANES, Lanes};

/// Scales d of whole blocks.
pub(super) const PLAIN: u8 = 0;
/// Scales d s and minima d′ m of whole blocks.
pub(super) const MINIMUM: u8 = 1;
/// Scales d s of half blocks.
pub(super) const HALVES: u8 = 2;

/// Sixteen outputs' weights.
pub(super) struct Panel<'a> {
    pub codes: &'a [Line],
    pub scales: &'a [u8],
    pub layout: ScaleLayout,
    /// Blocks of the first span that were cut off.
    pub cut: usize,
    pub span_blocks: usize,
}

/// A few rows of sixteen outputs.
pub(super) struct Tile<'a> {
    pub x: &'a RoundedRows,
    pub first_row: usize,
    /// Rows stand `width` values apart.
    pub out: &'a mut [f32],
    pub width: usize,
    /// Outputs stored, at most sixteen.
    pub columns: usize,
}

impl Tile<'_> {
    /// Computes `R` rows.
    #[inline(always)]
    pub fn compute<I: Integers, const R: usize, const BITS: usize, const SCALES: u8>(
        self,
        integers: I,
        panel: &Panel<'_>,
    ) {
        let lanes = integers.floats();
        let zero = lanes.splat(0.0);
        let mut acc = [zero; R];
        let blocks = panel.codes.len() / BITS;
        let x: [&[RoundedBlock]; R] =
            std::array::from_fn(|r| &self.x.row(self.first_row + r)[..blocks]);
        let (shared, own) = panel
            .scales
            .split_at(panel.layout.spans * panel.layout.shared);
        let mut spans = shared.chunks_exact(panel.layout.shared);
        let mut left = 0;
        let (mut d, mut least) = (zero, zero);
        let own_len = panel.layout.own;
        for (index, codes) in panel.codes.chunks_exact(BITS).enumerate() {
            if left == 0 {
                left = match index {
                    0 => panel.span_blocks - panel.cut,
                    _ => panel.span_blocks,
                };
                let span = spans.next().expect("a span per so many blocks");
                d = integers.halves(span.first_chunk().expect("sixteen d"));
                if SCALES == MINIMUM {
                    least = integers.halves(span[32..].first_chunk().expect("sixteen d′"));
                }
            }
            left -= 1;
            let own = &own[index * own_len..(index + 1) * own_len];
            let x: [&RoundedBlock; R] = std::array::from_fn(|r| &x[r][index]);
            let codes: &[Line; BITS] = codes.try_into().expect("as many lines as bits");
            match SCALES {
                HALVES => {
                    for half in 0..2 {
                        let s = own[16 * half..].first_chunk().expect("sixteen s");
                        let scale = lanes.mul(d, integers.small_signed(s));
                        let sums = std::array::from_fn(|r| x[r].negative_sums[half]);
                        let words = dots::<I, R, BITS>(
                            integers,
                            codes,
                            4 * half..4 * half + 4,
                            x,
                            sums,
                            true,
                        );
                        add_scaled(integers, &mut acc, scale, words, x);
                    }
                }
                _ => {
                    let biased = if BITS == 8 {
                        I::BIASED
                    } else {
                        SCALES == PLAIN
                    };
                    let mut scale = d;
                    let mut minimum = zero;
                    if SCALES == MINIMUM {
                        let (s, m) = six_bits(own.first_chunk().expect("sixteen s and m"));
                        scale = lanes.mul(d, integers.small(&s));
                        minimum = lanes.mul(least, integers.small(&m));
                    }
                    let sums = std::array::from_fn(|r| x[r].negative_whole);
                    let words = dots::<I, R, BITS>(integers, codes, 0..GROUPS, x, sums, biased);
                    add_scaled(integers, &mut acc, scale, words, x);
                    if SCALES == MINIMUM {
                        for (acc, x) in acc.iter_mut().zip(x) {
                            *acc = lanes.mul_add(minimum, lanes.splat(x.negative_sum), *acc);
                        }
                    }
                }
            }
        }
        for (r, acc) in acc.into_iter().enumerate() {
            let row = &mut self.out[r * self.width..][..self.columns];
            lanes.store_up_to(lanes.canonical(acc), row);
        }
    }
}

/// acc ← fma(scale, words · σ, acc).
#[inline(always)]
fn add_scaled<I: Integers, const R: usize>(
    integers: I,
    acc: &mut [<I::Floats as Lanes>::Vector; R],
    scale: <I::Floats as Lanes>::Vector,
    words: [I::Words; R],
    x: [&RoundedBlock; R],
) {
    let lanes = integers.floats();
    for r in 0..R {
        let products = lanes.mul(integers.to_floats(words[r]), lanes.splat(x[r].scale));
        acc[r] = lanes.mul_add(scale, products, acc[r]);
    }
}

/// I of every row: Σ (q − o) x̂ over some groups of a block.
#[inline(always)]
fn dots<I: Integers, const R: usize, const BITS: usize>(
    integers: I,
    lines: &[Line; BITS],
    groups: std::ops::Range<usize>,
    x: [&RoundedBlock; R],
    negative_sums: [i32; R],
    biased: bool,
) -> [I::Words; R] {
    let mut words = [integers.start(0, 0); R];
    if biased {
        // No closure: the library's code that would call it has none of the path's instructions.
        for r in 0..R {
            words[r] = integers.start(negative_sums[r], BITS as u32 - 1);
        }
    }
    let together = match I::WIDE {
        true => groups.len(),
        false => exact_groups(BITS).min(groups.len()),
    };
    let mut first = groups.start;
    while first < groups.end {
        let mut parts = [integers.none(); R];
        for g in first..first + together {
            let codes = group::<I, BITS>(integers, lines, g);
            let unsigned = integers.unsigned(codes);
            for r in 0..R {
                let x = x[r].codes[g];
                parts[r] = match BITS {
                    8 => integers.add_signed(parts[r], codes, unsigned, x),
                    _ => integers.add(parts[r], codes, x),
                };
            }
        }
        for r in 0..R {
            words[r] = integers.add_part(words[r], parts[r]);
        }
        first += together;
    }
    words
}

/// The codes of group `g`, put together from their planes.
#[inline(always)]
fn group<I: Integers, const BITS: usize>(integers: I, lines: &[Line; BITS], g: usize) -> I::Bytes {
    if BITS == 8 {
        return integers.bytes(&lines[g].0);
    }
    let plane = |first: usize, width: usize, mask: u8| {
        let line = integers.bytes(&lines[first + g % width].0);
        integers.bits(line, (g / width * width) as u32, mask)
    };
    match BITS {
        2 => plane(0, 2, 3),
        3 => integers.above(plane(0, 2, 3), plane(2, 1, 1), 2),
        4 => plane(0, 4, 15),
        5 => integers.above(plane(0, 4, 15), plane(4, 1, 1), 4),
        6 => integers.above(plane(0, 4, 15), plane(4, 2, 3), 4),
        _ => {
            let lower = integers.above(plane(0, 4, 15), plane(4, 2, 3), 4);
            integers.above(lower, plane(6, 1, 1), 6)
        }
    }
}

/// s and m of sixteen outputs.
#[inline(always)]
fn six_bits(own: &[u8; 24]) -> ([u8; LANES], [u8; LANES]) {
    let mut s = [0; LANES];
    let mut m = [0; LANES];
    for lane in 0..8 {
        let upper = own[LANES + lane];
        s[lane] = own[lane] & 63;
        s[lane + 8] = own[lane + 8] & 63;
        m[lane] = own[lane] >> 6 | (upper & 15) << 2;
        m[lane + 8] = own[lane + 8] >> 6 | upper >> 4 << 2;
    }
    (s, m)
}
