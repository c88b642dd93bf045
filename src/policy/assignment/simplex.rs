//! Euclidean projection onto the capped simplex: problem (21) in closed form.

/// The point of {m : 0 ≤ m_n ≤ c_n, Σ m_n = 1} nearest to `point`.
///
/// It is clamp(v_n − θ, 0, c_n) with the θ that makes the sum 1. The sum falls in θ and is
/// linear between the 2N points v_n and v_n − c_n, so that θ is found exactly: the segment
/// first, then its root. For the quadratic surrogate (19) of Zhang et al., uᵀ(m − m^τ) +
/// η‖m − m^τ‖², the minimiser over this set is the projection of m^τ − u/(2η).
///
/// `point` v and `caps` c have one length; c_n ≥ 0 and Σ c_n ≥ 1, else the caps themselves
/// are returned.
pub fn project_to_capped_simplex(point: &[f64], caps: &[f64]) -> Vec<f64> {
    let pairs = || point.iter().zip(caps);
    let at = |theta: f64| pairs().map(move |(v, c)| (v - theta).clamp(0.0, *c));
    let sum = |theta: f64| at(theta).sum::<f64>();
    let mut kinks: Vec<f64> = pairs().flat_map(|(v, c)| [*v, v - c]).collect();
    kinks.sort_by(f64::total_cmp);
    // The last kink at which the sum is at least 1.
    let reached = kinks.partition_point(|theta| sum(*theta) >= 1.0);
    let Some(low) = reached.checked_sub(1).map(|index| kinks[index]) else {
        return caps.to_vec();
    };
    let Some(&high) = kinks.get(reached) else {
        return at(low).collect();
    };
    let (above, below) = (sum(low), sum(high));
    let theta = low + (high - low) * ((above - 1.0) / (above - below));
    at(theta).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The same point by trying every set of variables at their bounds: 3^N candidates, of
    /// which the nearest feasible one is it.
    fn by_enumeration(point: &[f64], caps: &[f64]) -> Vec<f64> {
        let n = point.len();
        let mut best = (f64::INFINITY, Vec::new());
        for code in 0..3usize.pow(n as u32) {
            let state = |k: usize| code / 3usize.pow(k as u32) % 3;
            let fixed: f64 = (0..n).filter(|k| state(*k) == 1).map(|k| caps[k]).sum();
            let free: Vec<usize> = (0..n).filter(|k| state(*k) == 2).collect();
            let total: f64 = free.iter().map(|k| point[*k]).sum();
            let shift = (total + fixed - 1.0) / free.len().max(1) as f64;
            let m: Vec<f64> = (0..n)
                .map(|k| [0.0, caps[k], point[k] - shift][state(k)])
                .collect();
            let feasible = m
                .iter()
                .zip(caps)
                .all(|(m, c)| (-1e-9..=c + 1e-9).contains(m))
                && (m.iter().sum::<f64>() - 1.0).abs() < 1e-9;
            let distance: f64 = m.iter().zip(point).map(|(m, v)| (m - v) * (m - v)).sum();
            if feasible && distance < best.0 {
                best = (distance, m);
            }
        }
        best.1
    }

    proptest! {
        #[test]
        fn the_projection_is_the_nearest_feasible_point(
            pairs in prop::collection::vec((-3.0..3.0f64, prop_oneof![Just(0.0), 0.01..1.0f64]), 1..6),
        ) {
            let point: Vec<f64> = pairs.iter().map(|pair| pair.0).collect();
            let caps: Vec<f64> = pairs.iter().map(|pair| pair.1).collect();
            prop_assume!(caps.iter().sum::<f64>() > 1.0);
            let found = project_to_capped_simplex(&point, &caps);
            for (found, expected) in found.iter().zip(by_enumeration(&point, &caps)) {
                prop_assert!((found - expected).abs() < 1e-8, "{found} {expected}");
            }
        }

        /// Far-off points and many devices keep the constraints.
        #[test]
        fn the_constraints_hold_at_any_scale(
            point in prop::collection::vec(-1e6..1e6f64, 1..100), slack in 1.0..3.0f64,
        ) {
            let caps = vec![slack / point.len() as f64; point.len()];
            let found = project_to_capped_simplex(&point, &caps);
            prop_assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-6);
            prop_assert!(found.iter().zip(&caps).all(|(m, c)| (0.0..=*c).contains(m)));
        }
    }

    #[test]
    fn caps_that_only_just_hold_the_model_are_all_used() {
        assert_eq!(
            project_to_capped_simplex(&[5.0, -5.0], &[0.5, 0.5]),
            [0.5, 0.5]
        );
        assert_eq!(project_to_capped_simplex(&[5.0], &[1.0]), [1.0]);
    }
}
