//! Robust least squares on relative error.
//!
//! Minimised is Σ ρ(r_i) with r_i = predicted/measured − 1 and Cauchy's ρ, by least squares with
//! weights 1/(1 + (r/(2.385 s))²), made again until they stay (Holland and Welsch, "Robust
//! regression using iteratively reweighted least-squares", 1977); s is 1.4826 times the median of
//! |r|, and at least one per cent, so that rows which nearly agree all count. No parameter is
//! negative. All of it is in one order, so that the same rows give the same bits.

use super::bounded;
use super::determined::{determined, parameters};
use super::equation::{CACHE_OVER_WEIGHT, Counts};
use crate::results::student;
use nalgebra::{DMatrix, DVector};

/// The residual at which a row counts half.
const TUNING: f64 = 2.385;

/// The least scale of residuals.
const LEAST_SCALE: f64 = 0.01;

const MOST_ROUNDS: usize = 200;

/// What a row measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Observation {
    pub(super) counts: Counts,
    pub(super) bits: f64,
    /// Seconds.
    pub(super) measured: f64,
}

/// What a parameter is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Parameter {
    /// Seconds per weight of so many bits.
    Weight {
        /// Bits per weight.
        bits: f64,
    },
    /// α.
    Replicated,
    /// Seconds per task.
    Overhead,
    /// Seconds per byte of the cache.
    Cache,
}

/// How well a parameter is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Certainty {
    /// Rows determine it.
    Determined {
        /// Half the width of its 95 % confidence interval; none where there are as many
        /// parameters as rows.
        half_width: Option<f64>,
    },
    /// Rows would have it below zero.
    AtZero,
    /// No row tells it from the others.
    Undetermined,
}

/// A parameter's value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fitted {
    /// Which.
    pub parameter: Parameter,
    /// In its unit.
    pub value: f64,
    /// How well it is known.
    pub certainty: Certainty,
}

/// The parameters that rows determine.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fit {
    pub(super) fitted: Vec<Fitted>,
}

impl Fit {
    /// Fits `rows`; what they do not determine is `replicated` and no overhead, and the cache's rate
    /// half the weights'.
    pub(super) fn of(rows: &[Observation], replicated: f64) -> Self {
        let parameters = parameters(rows);
        let determined = determined(rows, &parameters);
        let start = |parameter: &Parameter| match parameter {
            Parameter::Weight { bits } => {
                let mut own = rows.iter().filter(|row| row.bits == *bits);
                own.next().map_or(0.0, |row| row.measured / row.counts.own)
            }
            Parameter::Replicated => replicated,
            Parameter::Overhead | Parameter::Cache => 0.0,
        };
        let mut fit = Self {
            fitted: parameters
                .iter()
                .map(|parameter| Fitted {
                    parameter: *parameter,
                    value: start(parameter),
                    certainty: Certainty::Undetermined,
                })
                .collect(),
        };
        let places: Vec<usize> = (0..parameters.len()).filter(|n| determined[*n]).collect();
        for _ in 0..MOST_ROUNDS {
            let (matrix, constant) = fit.linear(rows, &places, &determined);
            let weights = fit.weights(rows, &determined);
            let root = |n: usize| weights[n].sqrt();
            let a = DMatrix::from_fn(rows.len(), places.len(), |i, j| root(i) * matrix[(i, j)]);
            let b = DVector::from_fn(rows.len(), |i, _| root(i) * (1.0 - constant[i]));
            let solved = bounded::solve(&a, &b);
            let mut change: f64 = 0.0;
            for (place, x) in places.iter().zip(solved.iter()) {
                let value = &mut fit.fitted[*place].value;
                change = change.max((*value - x).abs() / x.abs().max(1e-30));
                *value = *x;
            }
            if change < 1e-10 {
                break;
            }
        }
        fit.judge(rows, &places, &determined);
        fit
    }

    fn value(&self, wanted: impl Fn(&Parameter) -> bool) -> Option<&Fitted> {
        self.fitted.iter().find(|fitted| wanted(&fitted.parameter))
    }

    pub(super) fn replicated(&self) -> &Fitted {
        let found = self.value(|parameter| *parameter == Parameter::Replicated);
        found.expect("every fit has it")
    }

    pub(super) fn overhead(&self) -> &Fitted {
        let found = self.value(|parameter| *parameter == Parameter::Overhead);
        found.expect("every fit has it")
    }

    /// Seconds per byte of the cache, where rows tell.
    pub(super) fn cache(&self) -> Option<&Fitted> {
        let found = self.value(|parameter| *parameter == Parameter::Cache);
        found.filter(|fitted| fitted.certainty != Certainty::Undetermined)
    }

    /// Bits and seconds per weight, in ascending order of bits.
    pub(super) fn weights_by_bits(&self) -> impl Iterator<Item = (f64, &Fitted)> {
        self.fitted
            .iter()
            .filter_map(|fitted| match fitted.parameter {
                Parameter::Weight { bits } => Some((bits, fitted)),
                _ => None,
            })
    }

    /// Seconds per weight of `bits`; between those that were measured, linearly.
    pub(super) fn seconds_per_weight(&self, bits: f64) -> f64 {
        let known: Vec<(f64, f64)> = self
            .weights_by_bits()
            .map(|(bits, fitted)| (bits, fitted.value))
            .collect();
        let next = known.partition_point(|(known, _)| *known < bits);
        match (next.checked_sub(1).map(|n| known[n]), known.get(next)) {
            (_, Some((exact, seconds))) if *exact == bits => *seconds,
            (None, Some((_, seconds))) => *seconds,
            (Some((low, start)), Some((high, end))) => {
                start + (end - start) * (bits - low) / (high - low)
            }
            (Some((last, seconds)), None) => seconds * bits / last,
            (None, None) => 0.0,
        }
    }

    /// What it makes of `counts` of weights of `bits`, in seconds.
    pub(super) fn predict(&self, counts: &Counts, bits: f64) -> f64 {
        let weight = self.seconds_per_weight(bits);
        let read = counts.own + self.replicated().value * counts.others;
        let cache = match self.cache() {
            Some(cache) => cache.value,
            None => weight * CACHE_OVER_WEIGHT,
        };
        weight * read + self.overhead().value * counts.tasks + cache * counts.cache_bytes
    }

    /// The derivatives of predicted/measured by the parameters at `places`, and what is left of it
    /// where they are zero, of the model made linear here.
    fn linear(
        &self,
        rows: &[Observation],
        places: &[usize],
        determined: &[bool],
    ) -> (DMatrix<f64>, DVector<f64>) {
        let replicated = self.replicated().value;
        let has_cache = self.fitted.iter().zip(determined);
        let has_cache = has_cache
            .filter(|(fitted, _)| fitted.parameter == Parameter::Cache)
            .any(|(_, known)| *known);
        let derivative = |row: &Observation, parameter: Parameter| match parameter {
            Parameter::Weight { bits } if bits == row.bits => {
                let cache = match has_cache {
                    true => 0.0,
                    false => CACHE_OVER_WEIGHT * row.counts.cache_bytes,
                };
                row.counts.own + replicated * row.counts.others + cache
            }
            Parameter::Weight { .. } => 0.0,
            Parameter::Replicated => self.seconds_per_weight(row.bits) * row.counts.others,
            Parameter::Overhead => row.counts.tasks,
            Parameter::Cache => row.counts.cache_bytes,
        };
        let matrix = DMatrix::from_fn(rows.len(), places.len(), |i, j| {
            derivative(&rows[i], self.fitted[places[j]].parameter) / rows[i].measured
        });
        let alpha = self
            .fitted
            .iter()
            .position(|f| f.parameter == Parameter::Replicated);
        let bilinear = alpha.is_some_and(|alpha| determined[alpha]);
        let constant = DVector::from_fn(rows.len(), |i, _| match bilinear {
            // τ α stands in both columns.
            true => {
                let row = &rows[i];
                let weight = self.seconds_per_weight(row.bits);
                -weight * replicated * row.counts.others / row.measured
            }
            false => 0.0,
        });
        (matrix, constant)
    }

    fn residual(&self, row: &Observation, determined: &[bool]) -> f64 {
        // Until they are judged, parameters that are being solved for count as known.
        let mut known = self.clone();
        for (fitted, determined) in known.fitted.iter_mut().zip(determined) {
            if *determined {
                fitted.certainty = Certainty::AtZero;
            }
        }
        known.predict(&row.counts, row.bits) / row.measured - 1.0
    }

    fn weights(&self, rows: &[Observation], determined: &[bool]) -> Vec<f64> {
        let residuals: Vec<f64> = rows
            .iter()
            .map(|row| self.residual(row, determined))
            .collect();
        let mut sizes: Vec<f64> = residuals.iter().map(|r| r.abs()).collect();
        sizes.sort_by(f64::total_cmp);
        let median = sizes.get(sizes.len() / 2).copied().unwrap_or(0.0);
        let scale = (1.4826 * median).max(LEAST_SCALE);
        let weight = |r: &f64| 1.0 / (1.0 + (r / (TUNING * scale)) * (r / (TUNING * scale)));
        residuals.iter().map(weight).collect()
    }

    /// Says how well the parameters at `places` are known: σ² (Jᵀ W J)⁻¹ of those above zero, with
    /// σ² = Σ w r²/(rows − parameters).
    fn judge(&mut self, rows: &[Observation], places: &[usize], determined: &[bool]) {
        let free: Vec<usize> = places
            .iter()
            .copied()
            .filter(|place| self.fitted[*place].value > 0.0)
            .collect();
        let weights = self.weights(rows, determined);
        let (matrix, _) = self.linear(rows, &free, determined);
        let information = DMatrix::from_fn(free.len(), free.len(), |i, j| {
            let row = |n: usize| weights[n] * matrix[(n, i)] * matrix[(n, j)];
            (0..rows.len()).fold(0.0, |sum, n| sum + row(n))
        });
        let squares = rows.iter().zip(&weights).fold(0.0, |sum, (row, weight)| {
            let r = self.residual(row, determined);
            sum + weight * r * r
        });
        let freedom = rows.len().saturating_sub(free.len()) as u32;
        let scales: Vec<f64> = (0..free.len())
            .map(|n| information[(n, n)].sqrt())
            .collect();
        let scaled = DMatrix::from_fn(free.len(), free.len(), |i, j| {
            information[(i, j)] / scales[i] / scales[j]
        });
        let covariance = scaled.try_inverse().filter(|_| freedom > 0);
        for place in places {
            let own = free.iter().position(|free| free == place);
            self.fitted[*place].certainty = match own {
                None => Certainty::AtZero,
                Some(n) => Certainty::Determined {
                    half_width: covariance.as_ref().map(|covariance| {
                        let variance = covariance[(n, n)] / scales[n] / scales[n];
                        let variance = variance * squares / f64::from(freedom);
                        student::quantile(freedom) * variance.max(0.0).sqrt()
                    }),
                },
            };
        }
    }
}
