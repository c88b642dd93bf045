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
#[derive(Debug, Clone, Copy, PartialEq)]
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
}

/// The rotary embedding of a model.
#[derive(Debug, Clone, Copy, PartialEq)]
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
    /// `head_dim` = d entries.
    pub fn frequencies(&self, head_dim: usize) -> Vec<f32> {
        (0..head_dim / 2)
            .map(|pair| {
                let exponent = (2 * pair) as f32 / head_dim as f32;
                let base = libm::pow(self.theta, f64::from(exponent)) as f32;
                self.scale(1.0 / base)
            })
            .collect()
    }

    fn scale(&self, frequency: f32) -> f32 {
        match self.scaling {
            RopeScaling::None => frequency,
            RopeScaling::Linear { factor } => frequency / factor as f32,
            RopeScaling::Llama3 {
                factor,
                low,
                high,
                original_positions,
            } => {
                let wavelength = std::f32::consts::TAU / frequency;
                let slowed = frequency / factor as f32;
                if f64::from(wavelength) > original_positions / low {
                    slowed
                } else if f64::from(wavelength) < original_positions / high {
                    frequency
                } else {
                    let blend =
                        (original_positions as f32 / wavelength - low as f32) / (high - low) as f32;
                    (1.0 - blend) * slowed + blend * frequency
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_of_four_turns_by_one_and_by_a_hundredth_per_position() {
        let rope = Rope::default();
        assert_eq!(rope.frequencies(4), [1.0, 0.01]);
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
        let (plain, scaled) = (plain.frequencies(128), scaled.frequencies(128));
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
    fn linear_scaling_interpolates_positions() {
        let scaled = Rope {
            theta: DEFAULT_THETA,
            scaling: RopeScaling::Linear { factor: 4.0 },
        };
        let (long, short) = (scaled.frequencies(8), Rope::default().frequencies(8));
        for (long, short) in long.iter().zip(&short) {
            assert_eq!(4.0 * long, *short);
        }
    }
}
