//! The same for several matrices at once, one per lane: a lane whose coupling is negligible
//! stands still while others turn, so that each gets the bits that it would get alone.

use super::super::lanes::{ComplexLanes, WIDTH, ZERO};
use super::MAX_SWEEPS;

/// The turn of every lane: c, s and φ; 1, 0 and 1 where it stands still.
struct Turn {
    cosine: [f64; WIDTH],
    sine: [f64; WIDTH],
    phase: ComplexLanes,
}

/// [`diagonalise`](super::diagonalise) for every lane of `a`.
///
/// # Panics
/// If a slice is shorter than n².
#[inline(always)]
pub(in crate::policy) fn diagonalise(
    n: usize,
    a: &mut [ComplexLanes],
    vectors: &mut [ComplexLanes],
) {
    // With the usual size known, loops over it unroll.
    match n {
        4 => diagonalise_sized(4, a, vectors),
        n => diagonalise_sized(n, a, vectors),
    }
}

#[inline(always)]
fn diagonalise_sized(n: usize, a: &mut [ComplexLanes], vectors: &mut [ComplexLanes]) {
    let (a, vectors) = (&mut a[..n * n], &mut vectors[..n * n]);
    vectors.fill(ZERO);
    for k in 0..n {
        vectors[k * (n + 1)].re = [1.0; WIDTH];
    }
    for _ in 0..MAX_SWEEPS {
        let mut turned = false;
        for p in 0..n {
            for q in p + 1..n {
                turned |= rotate(n, a, vectors, (p, q));
            }
        }
        if !turned {
            return;
        }
    }
}

/// Zeroes entries (p, q) and (q, p) by one rotation; false if they are negligible in all lanes.
#[inline(always)]
fn rotate(
    n: usize,
    a: &mut [ComplexLanes],
    vectors: &mut [ComplexLanes],
    (p, q): (usize, usize),
) -> bool {
    let coupling = a[p + n * q];
    let (first, second) = (a[p + n * p].re, a[q + n * q].re);
    let limit = f64::EPSILON * f64::EPSILON;
    let mut turns = [false; WIDTH];
    let mut turn = Turn {
        cosine: [1.0; WIDTH],
        sine: [0.0; WIDTH],
        phase: ZERO,
    };
    for k in 0..WIDTH {
        let squared = coupling.re[k] * coupling.re[k] + coupling.im[k] * coupling.im[k];
        let negligible =
            squared <= limit * (first[k] * second[k]).abs() || squared < f64::MIN_POSITIVE;
        let size = squared.sqrt();
        let cotangent = (second[k] - first[k]) / (2.0 * size);
        let sign = if cotangent >= 0.0 { 1.0 } else { -1.0 };
        let tangent = sign / (cotangent.abs() + (1.0 + cotangent * cotangent).sqrt());
        let cosine = 1.0 / (1.0 + tangent * tangent).sqrt();
        turns[k] = !negligible;
        turn.cosine[k] = if negligible { 1.0 } else { cosine };
        turn.sine[k] = if negligible { 0.0 } else { tangent * cosine };
        turn.phase.re[k] = if negligible {
            1.0
        } else {
            coupling.re[k] / size
        };
        turn.phase.im[k] = if negligible {
            0.0
        } else {
            coupling.im[k] / size
        };
    }
    if turns == [false; WIDTH] {
        return false;
    }
    turn_columns(n, a, (p, q), &turn);
    turn_columns(n, vectors, (p, q), &turn);
    for k in 0..n {
        let (x, y) = (
            a[p + n * k],
            ComplexLanes::product(&a[q + n * k], &turn.phase),
        );
        (a[p + n * k], a[q + n * k]) = turn.apply(&x, &y);
    }
    for lane in (0..WIDTH).filter(|lane| turns[*lane]) {
        for (i, j) in [(p, q), (q, p)] {
            a[i + n * j].re[lane] = 0.0;
            a[i + n * j].im[lane] = 0.0;
        }
        a[p + n * p].im[lane] = 0.0;
        a[q + n * q].im[lane] = 0.0;
    }
    true
}

impl Turn {
    /// c x − s y and s x + c y.
    #[inline(always)]
    fn apply(&self, x: &ComplexLanes, y: &ComplexLanes) -> (ComplexLanes, ComplexLanes) {
        let (mut first, mut second) = (*x, *y);
        for k in 0..WIDTH {
            let (c, s) = (self.cosine[k], self.sine[k]);
            first.re[k] = x.re[k] * c - y.re[k] * s;
            first.im[k] = x.im[k] * c - y.im[k] * s;
            second.re[k] = x.re[k] * s + y.re[k] * c;
            second.im[k] = x.im[k] * s + y.im[k] * c;
        }
        (first, second)
    }
}

/// Columns p and q become c x − s φ* y and s x + c φ* y.
#[inline(always)]
fn turn_columns(n: usize, a: &mut [ComplexLanes], (p, q): (usize, usize), turn: &Turn) {
    let back = turn.phase.conjugate();
    for k in 0..n {
        let (x, y) = (a[k + n * p], ComplexLanes::product(&a[k + n * q], &back));
        (a[k + n * p], a[k + n * q]) = turn.apply(&x, &y);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_complex::Complex;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Lane by lane the other file's bits, diagonal matrices and zero among them.
        #[test]
        fn every_lane_is_diagonalised_as_if_alone(
            n in 1usize..6,
            parts in prop::collection::vec((-1.0..1.0f64, -1.0..1.0f64), 36 * WIDTH),
            still in prop::collection::vec(0usize..3, WIDTH),
        ) {
            let entry = |lane: usize, i: usize, j: usize| {
                let (re, im) = parts[(lane * 6 + i.max(j)) * 6 + i.min(j)];
                match (still[lane], i.cmp(&j)) {
                    (0, _) => Complex::ZERO,
                    (1, std::cmp::Ordering::Less | std::cmp::Ordering::Greater) => Complex::ZERO,
                    (_, std::cmp::Ordering::Equal) => Complex::from(re),
                    (_, std::cmp::Ordering::Less) => Complex::new(re, im),
                    (_, std::cmp::Ordering::Greater) => Complex::new(re, -im),
                }
            };
            let mut a = vec![ZERO; n * n];
            let mut vectors = a.clone();
            for (place, lanes) in a.iter_mut().enumerate() {
                for lane in 0..WIDTH {
                    let entry = entry(lane, place % n, place / n);
                    lanes.re[lane] = entry.re;
                    lanes.im[lane] = entry.im;
                }
            }
            diagonalise(n, &mut a, &mut vectors);
            for lane in 0..WIDTH {
                let matrix = |place: usize| entry(lane, place % n, place / n);
                let mut alone: Vec<Complex<f64>> = (0..n * n).map(matrix).collect();
                let mut own = alone.clone();
                super::super::diagonalise(n, &mut alone, &mut own);
                let of = |lanes: &ComplexLanes| Complex::new(lanes.re[lane], lanes.im[lane]);
                prop_assert_eq!(&a.iter().map(of).collect::<Vec<_>>(), &alone);
                prop_assert_eq!(&vectors.iter().map(of).collect::<Vec<_>>(), &own);
            }
        }
    }
}
