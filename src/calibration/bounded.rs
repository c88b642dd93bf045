//! Least squares with no negative unknown.

use nalgebra::{DMatrix, DVector};

/// No more unknowns are solved for: every subset is tried.
pub(super) const MOST_UNKNOWNS: usize = 10;

/// Singular values below this part of the largest count as zero.
const RANK: f64 = 1e-10;

/// Finds x ≥ 0 that minimises |A x − b|².
///
/// At the minimum some unknowns are zero and the others solve the unconstrained problem without
/// them (Lawson and Hanson, *Solving Least Squares Problems*, 1974, chapter 23). There are few, so
/// all choices of those are tried, in one order: the first of the best is the answer.
pub(super) fn solve(a: &DMatrix<f64>, b: &DVector<f64>) -> DVector<f64> {
    let unknowns = a.ncols();
    assert!(
        unknowns <= MOST_UNKNOWNS,
        "{unknowns} unknowns are too many"
    );
    let mut best = DVector::zeros(unknowns);
    let mut least = b.norm_squared();
    for chosen in 1u32..1 << unknowns {
        let places: Vec<usize> = (0..unknowns).filter(|n| chosen >> n & 1 == 1).collect();
        let Some(part) = unconstrained(&a.select_columns(&places), b) else {
            continue;
        };
        if part.iter().any(|x| *x < 0.0) {
            continue;
        }
        let mut whole = DVector::zeros(unknowns);
        for (place, x) in places.iter().zip(part.iter()) {
            whole[*place] = *x;
        }
        let square = (a * &whole - b).norm_squared();
        // By more than rounding, so that an unknown of no use stays zero.
        if square < least * (1.0 - 1e-9) - 1e-24 {
            (best, least) = (whole, square);
        }
    }
    best
}

/// The x that minimises |A x − b|², if there is just one.
fn unconstrained(a: &DMatrix<f64>, b: &DVector<f64>) -> Option<DVector<f64>> {
    let scales: Vec<f64> = a.column_iter().map(|column| column.norm()).collect();
    if scales.contains(&0.0) || a.nrows() < a.ncols() {
        return None;
    }
    let mut scaled = a.clone();
    for (mut column, scale) in scaled.column_iter_mut().zip(&scales) {
        column.unscale_mut(*scale);
    }
    let svd = scaled.svd(true, true);
    if svd.rank(RANK * svd.singular_values.max()) < a.ncols() {
        return None;
    }
    let mut x = svd.solve(b, 0.0).ok()?;
    for (x, scale) in x.iter_mut().zip(&scales) {
        *x /= scale;
    }
    Some(x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_would_be_negative_is_zero() {
        // x + y = 1, x = 2: unconstrained y = −1; with y = 0, x = 3/2.
        let a = DMatrix::from_row_slice(2, 2, &[1.0, 1.0, 1.0, 0.0]);
        let x = solve(&a, &DVector::from_row_slice(&[1.0, 2.0]));
        assert!((x[0] - 1.5).abs() < 1e-12 && x[1] == 0.0, "{x}");
    }

    proptest! {
        /// The conditions of Karush, Kuhn and Tucker: no way down that stays above zero.
        #[test]
        fn nothing_near_is_better(
            a in proptest::collection::vec(-2.0..2.0f64, 15),
            b in proptest::collection::vec(-2.0..2.0f64, 5),
        ) {
            let a = DMatrix::from_row_slice(5, 3, &a);
            let b = DVector::from_vec(b);
            let x = solve(&a, &b);
            let slope = a.transpose() * (&a * &x - &b);
            for (x, slope) in x.iter().zip(slope.iter()) {
                prop_assert!(*x >= 0.0 && *slope > -1e-6, "{x} {slope}");
                prop_assert!(*x == 0.0 || slope.abs() < 1e-6, "{x} {slope}");
            }
        }
    }
}
