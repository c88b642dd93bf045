//! Frequencies of rotary position embeddings, and how longer contexts scale them.
//!
//! Su et al. 2021 (arXiv:2104.09864), (34), in the half-split arrangement of the
//! published LLaMA checkpoints: entries i and i + d/2 of a head form a pair that
//! position p turns by the angle p·ω_i with ω_i = θ^(−2i/d). Llama 3.1 slows the
//! low frequencies down (Dubey et al. 2024, arXiv:2407.21783, section 3.2; the
//! rule is part of its published configuration).
//!
//! Frequencies and angles are rounded to f32 where the reference implementation
//! rounds them: at position 10⁴ an angle that skips those roundings is off by
//! 10⁻³ rad, which would not be the published model.

/// How the frequencies differ from θ^(−2i/d).
#[derive(Debug, Clone, PartialEq)]
pub enum RopeScaling {
    /// Not at all.
    None,
    /// All are divided by `factor` (position interpolation, Chen et al. 2023,
    /// arXiv:2306.15595).
    Linear {
        /// The divisor, at least 1.
        factor: f64,
    },
    /// Wavelengths beyond `original_positions / low` are stretched by `factor`,
    /// those below `original_positions / high` stay, between them the two are
    /// blended linearly in 1/wavelength.
    Llama3 {
        /// The divisor of low frequencies.
        factor: f64,
        /// `low_freq_factor`.
        low: f64,
        /// `high_freq_factor`, above `low`.
        high: f64,
        /// `original_max_position_embeddings`.
        original_positions: f64,
    },
    /// θ grows with the text ("dynamic NTK"): for n > `original_positions` positions it becomes
    /// θ (f n / n₀ − (f − 1))^(d/(d−2)). A text has the θ of the longest one that its cache has
    /// room for, so that a token's place in a batch changes nothing.
    Dynamic {
        /// f.
        factor: f64,
        /// n₀.
        original_positions: f64,
    },
    /// YaRN (Peng et al. 2023, arXiv:2309.00071, sections 3.2 and 3.4): frequencies that turn
    /// less than `slow` times within `original_positions` are divided by `factor`, those that
    /// turn more than `fast` times stay, between them the two are blended linearly in i;
    /// cosines and sines are multiplied by `stretch`.
    Yarn {
        /// The divisor of low frequencies.
        factor: f64,
        /// β, `beta_fast`.
        fast: f64,
        /// α, `beta_slow`.
        slow: f64,
        /// `original_max_position_embeddings`.
        original_positions: f64,
        /// Whether the ends of the blend are whole numbers.
        truncate: bool,
        /// The square root of what scores are multiplied by.
        stretch: f64,
    },
    /// LongRoPE (Ding et al. 2024, arXiv:2402.13753): each frequency has a divisor of its own,
    /// one for texts within `original_positions` and one for longer ones; cosines and sines are
    /// multiplied by `stretch`. A text counts as long as the longest one that its cache has room
    /// for.
    Long {
        /// Divisors within `original_positions`.
        short_factors: Vec<f64>,
        /// Divisors beyond.
        long_factors: Vec<f64>,
        /// `original_max_position_embeddings`.
        original_positions: f64,
        /// The square root of what scores are multiplied by.
        stretch: f64,
    },
}

/// The rotary embedding of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Rope {
    /// The base θ.
    pub theta: f64,
    /// The scaling of the frequencies.
    pub scaling: RopeScaling,
}

/// The base of the original model, and of configurations that name none.
pub const DEFAULT_THETA: f64 = 10_000.0;

impl Default for Rope {
    fn default() -> Self {
        Self {
            theta: DEFAULT_THETA,
            scaling: RopeScaling::None,
        }
    }
}

impl Rope {
    /// The frequencies ω_0 … ω_{d/2−1} in rad per position for heads of
    /// `head_dim` = d entries, in texts of up to `positions`.
    pub fn frequencies(&self, head_dim: usize, positions: usize) -> Vec<f32> {
        let theta = self.base(head_dim, positions);
        let plain = (0..head_dim / 2).map(|pair| {
            let exponent = (2 * pair) as f32 / head_dim as f32;
            libm::pow(theta, f64::from(exponent)) as f32
        });
        match &self.scaling {
            RopeScaling::None | RopeScaling::Dynamic { .. } => {
                plain.map(|base| 1.0 / base).collect()
            }
            RopeScaling::Linear { factor } => {
                plain.map(|base| 1.0 / base / *factor as f32).collect()
            }
            &RopeScaling::Llama3 {
                factor,
                low,
                high,
                original_positions,
            } => plain
                .map(|base| slowed(1.0 / base, factor, [low, high], original_positions))
                .collect(),
            RopeScaling::Yarn { factor, .. } => {
                let ramp = self.yarn_ramp(head_dim);
                let blend = |(pair, base): (usize, f32)| {
                    let kept = 1.0 - ramp(pair);
                    let interpolated = 1.0 / (*factor as f32 * base);
                    interpolated * (1.0 - kept) + 1.0 / base * kept
                };
                plain.enumerate().map(blend).collect()
            }
            RopeScaling::Long {
                short_factors,
                long_factors,
                original_positions,
                ..
            } => {
                let factors = match positions as f64 > *original_positions {
                    true => long_factors,
                    false => short_factors,
                };
                let pairs = plain.zip(factors);
                pairs
                    .map(|(base, factor)| 1.0 / (*factor as f32 * base))
                    .collect()
            }
        }
    }

    /// What cosines and sines are multiplied by.
    pub fn stretch(&self) -> f32 {
        match self.scaling {
            RopeScaling::Yarn { stretch, .. } | RopeScaling::Long { stretch, .. } => stretch as f32,
            _ => 1.0,
        }
    }

    fn base(&self, head_dim: usize, positions: usize) -> f64 {
        let RopeScaling::Dynamic {
            factor,
            original_positions,
        } = self.scaling
        else {
            return self.theta;
        };
        let longer = positions as f64 / original_positions;
        if longer <= 1.0 || head_dim <= 2 {
            return self.theta;
        }
        let dim = head_dim as f64;
        self.theta * libm::pow(factor * longer - (factor - 1.0), dim / (dim - 2.0))
    }

    /// How much pair i is interpolated, from 0 (it turns fast) to 1.
    fn yarn_ramp(&self, head_dim: usize) -> impl Fn(usize) -> f32 {
        let dim = head_dim as f64;
        let (low, high) = match self.scaling {
            RopeScaling::Yarn {
                fast,
                slow,
                original_positions,
                truncate,
                ..
            } => {
                let turns = |rotations: f64| {
                    let ratio = original_positions / (rotations * std::f64::consts::TAU);
                    dim * libm::log(ratio) / (2.0 * libm::log(self.theta))
                };
                match truncate {
                    true => (turns(fast).floor(), turns(slow).ceil()),
                    false => (turns(fast), turns(slow)),
                }
            }
            _ => (0.0, 0.0),
        };
        let low = low.max(0.0);
        let high = high.min(dim - 1.0);
        // A blend of no width would divide by nothing.
        let high = if low == high { high + 0.001 } else { high };
        move |pair| ((pair as f32 - low as f32) / (high - low) as f32).clamp(0.0, 1.0)
    }
}

/// Llama 3's rule for one frequency.
fn slowed(frequency: f32, factor: f64, [low, high]: [f64; 2], original_positions: f64) -> f32 {
    let wavelength = std::f32::consts::TAU / frequency;
    let slowed = frequency / factor as f32;
    if f64::from(wavelength) > original_positions / low {
        slowed
    } else if f64::from(wavelength) < original_positions / high {
        frequency
    } else {
        let blend = (original_positions as f32 / wavelength - low as f32) / (high - low) as f32;
        (1.0 - blend) * slowed + blend * frequency
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_of_four_turns_by_one_and_by_a_hundredth_per_position() {
        let rope = Rope::default();
        assert_eq!(rope.frequencies(4, 9), [1.0, 0.01]);
    }

    /// The published Llama 3.1 values: factor 8, low 1, high 4, 8192 positions.
    #[test]
    fn llama_3_scaling_keeps_fast_and_slows_slow_frequencies() {
        let plain = Rope {
            theta: 500_000.0,
            scaling: RopeScaling::None,
        };
        let scaled = Rope {
            scaling: RopeScaling::Llama3 {
                factor: 8.0,
                low: 1.0,
                high: 4.0,
                original_positions: 8192.0,
            },
            ..plain
        };
        let (plain, scaled) = (plain.frequencies(128, 9), scaled.frequencies(128, 9));
        for (pair, (before, after)) in plain.iter().zip(&scaled).enumerate() {
            let wavelength = std::f64::consts::TAU / f64::from(*before);
            let ratio = f64::from(*before) / f64::from(*after);
            if wavelength < 2048.0 {
                assert_eq!(ratio, 1.0, "pair {pair}");
            } else if wavelength > 8192.0 {
                assert_eq!(ratio, 8.0, "pair {pair}");
            } else {
                assert!(ratio > 1.0 && ratio < 8.0, "pair {pair}");
            }
        }
        assert!(scaled.windows(2).all(|pair| pair[0] > pair[1]));
    }

    #[test]
    fn what_stretches_long_texts_leaves_short_ones_alone() {
        let plain = Rope::default().frequencies(8, 9);
        let with = |scaling| Rope {
            theta: DEFAULT_THETA,
            scaling,
        };
        let dynamic = with(RopeScaling::Dynamic {
            factor: 2.0,
            original_positions: 100.0,
        });
        assert_eq!(dynamic.frequencies(8, 100), plain);
        // (2 · 2 − 1)^(8/6) times the base.
        let longer = dynamic.frequencies(8, 200);
        let expected = with(RopeScaling::None);
        let expected = Rope {
            theta: DEFAULT_THETA * libm::pow(3.0, 8.0 / 6.0),
            ..expected
        };
        assert_eq!(longer, expected.frequencies(8, 9));
        let long = with(RopeScaling::Long {
            short_factors: vec![1.0; 4],
            long_factors: vec![2.0; 4],
            original_positions: 100.0,
            stretch: 1.5,
        });
        assert_eq!(long.frequencies(8, 100), plain);
        let halves = long.frequencies(8, 101);
        assert!(
            halves
                .iter()
                .zip(&plain)
                .all(|(half, whole)| 2.0 * half == *whole)
        );
        assert_eq!(long.stretch(), 1.5);
    }

    #[test]
    fn linear_scaling_interpolates_positions() {
        let scaled = Rope {
            theta: DEFAULT_THETA,
            scaling: RopeScaling::Linear { factor: 4.0 },
        };
        let (long, short) = (scaled.frequencies(8, 9), Rope::default().frequencies(8, 9));
        for (long, short) in long.iter().zip(&short) {
            assert_eq!(4.0 * long, *short);
        }
    }
}
