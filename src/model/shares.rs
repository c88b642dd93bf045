//! How much of a model each device shall hold, and whole parts of it.

/// Shares m_n of a model, one per device: each at least 0, together 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Shares(Vec<f64>);

/// Shares that do not divide a model.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SharesError {
    /// There is no device.
    #[error("there is no share; give one per device, together 1")]
    Empty,
    /// A share is negative, infinite or not a number.
    #[error("the share of device {device} is {share}; it must be a number from 0 to 1")]
    Invalid {
        /// The device, counted from 0.
        device: usize,
        /// Its share.
        share: f64,
    },
    /// The shares do not sum to one.
    #[error("the shares of {devices} devices sum to {sum}, not to 1; divide each by {sum}")]
    Sum {
        /// How many shares there are.
        devices: usize,
        /// Their sum.
        sum: f64,
    },
}

/// How far from 1 a sum of shares may be: decimal fractions written with ten
/// digits pass, a forgotten device does not.
const SUM_TOLERANCE: f64 = 1e-9;

impl Shares {
    /// Checks the shares of devices 0, 1, ….
    ///
    /// # Errors
    /// If there is none, one is not in [0, 1], or the sum is not 1 within 10⁻⁹.
    pub fn new(shares: Vec<f64>) -> Result<Self, SharesError> {
        if shares.is_empty() {
            return Err(SharesError::Empty);
        }
        for (device, &share) in shares.iter().enumerate() {
            if !(share.is_finite() && share >= 0.0) {
                return Err(SharesError::Invalid { device, share });
            }
        }
        let sum: f64 = shares.iter().sum();
        if (sum - 1.0).abs() > SUM_TOLERANCE {
            let devices = shares.len();
            return Err(SharesError::Sum { devices, sum });
        }
        Ok(Self(shares))
    }

    /// The same share for each of `devices` devices.
    ///
    /// # Errors
    /// If `devices` is 0.
    pub fn equal(devices: usize) -> Result<Self, SharesError> {
        Self::new(vec![1.0 / devices as f64; devices])
    }

    /// Number of devices.
    pub fn devices(&self) -> usize {
        self.0.len()
    }

    /// The shares in device order.
    pub fn as_slice(&self) -> &[f64] {
        &self.0
    }

    /// Divides `total` whole parts by largest remainder (Hamilton's method):
    /// device n gets ⌊m_n·total⌋, and the parts left over go one each to the
    /// largest fractional parts of m_n·total, the lower device first at a tie.
    /// A device with share 0 gets nothing.
    pub fn apportion(&self, total: usize) -> Vec<usize> {
        let sum: f64 = self.0.iter().sum();
        let quotas: Vec<f64> = self
            .0
            .iter()
            .map(|share| share / sum * total as f64)
            .collect();
        let mut parts: Vec<usize> = quotas.iter().map(|quota| quota.floor() as usize).collect();
        let mut by_remainder: Vec<usize> = (0..parts.len())
            .filter(|&device| self.0[device] > 0.0)
            .collect();
        by_remainder.sort_by(|&a, &b| {
            let remainder = |device: usize| quotas[device] - quotas[device].floor();
            remainder(b).total_cmp(&remainder(a)).then(a.cmp(&b))
        });
        // Rounding may lift a quota to the next whole number, so the floors can
        // in principle exceed the total; then the smallest remainders give back.
        let assigned: usize = parts.iter().sum();
        for &device in by_remainder
            .iter()
            .cycle()
            .take(total.saturating_sub(assigned))
        {
            parts[device] += 1;
        }
        by_remainder.retain(|&device| parts[device] > 0);
        for &device in by_remainder
            .iter()
            .rev()
            .cycle()
            .take(assigned.saturating_sub(total))
        {
            parts[device] -= 1;
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn shares_must_divide_the_whole() {
        assert_eq!(Shares::new(vec![]), Err(SharesError::Empty));
        assert_eq!(Shares::equal(0), Err(SharesError::Empty));
        assert!(matches!(
            Shares::new(vec![1.5, -0.5]),
            Err(SharesError::Invalid { device: 1, .. })
        ));
        assert!(matches!(
            Shares::new(vec![f64::NAN, 1.0]),
            Err(SharesError::Invalid { device: 0, .. })
        ));
        let error = Shares::new(vec![0.5, 0.4]).expect_err("sums to 0.9");
        assert!(error.to_string().contains("sum to 0.9"), "{error}");
        assert!(Shares::new(vec![0.1; 10]).is_ok());
    }

    #[test]
    fn the_largest_remainders_get_what_is_left_over() {
        // Quotas 3.2, 2.4, 2.4: one part is left and goes to the first of the tie.
        let shares = Shares::new(vec![0.4, 0.3, 0.3]).expect("sums to 1");
        assert_eq!(shares.apportion(8), [3, 3, 2]);
        // Quotas 7.92, 0.08: a small share holds nothing.
        let shares = Shares::new(vec![0.99, 0.01]).expect("sums to 1");
        assert_eq!(shares.apportion(8), [8, 0]);
        // 0.29 · 100 is 28.999999999999996 in f64 and must still become 29.
        let shares = Shares::new(vec![0.29, 0.71]).expect("sums to 1");
        assert_eq!(shares.apportion(100), [29, 71]);
    }

    proptest! {
        #[test]
        fn apportioning_is_exhaustive_and_off_by_less_than_one(
            weights in prop::collection::vec(prop_oneof![Just(0.0), 0.0..1.0f64], 1..70),
            total in 0usize..200_000,
        ) {
            let sum: f64 = weights.iter().sum();
            prop_assume!(sum > 1e-6);
            let shares = Shares::new(weights.iter().map(|w| w / sum).collect()).expect("sums to 1");
            let parts = shares.apportion(total);
            prop_assert_eq!(parts.iter().sum::<usize>(), total);
            for (part, share) in parts.iter().zip(shares.as_slice()) {
                prop_assert!((*part as f64 - share * total as f64).abs() < 1.0 + 1e-6);
                prop_assert!(*share > 0.0 || *part == 0);
            }
        }
    }
}
