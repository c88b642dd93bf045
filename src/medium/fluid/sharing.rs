//! How a band is divided among the transfers on it: what [`Sharing`] says, with parts decided
//! from what is known then.
//!
//! In proportion to the bits left is proportional fairness with these bits for weights, whatever
//! the rates are, as long as they are proportional to the parts; transfers of one spectral
//! efficiency then end together. Such that all end together is the earliest end of the last: rates
//! being concave in the part, no other division ends sooner within a block, not even one that
//! changes. There a transfer that gets nothing through in its block waits without a part; in every
//! other division it keeps its part.

use super::{Rate, Rates};
use crate::radio::{RadioError, Sharing};
use crate::units::Instant;

/// A root is found to this relative precision.
const PRECISION: f64 = 1e-14;
/// Steps after which a search for a root stops; ten are usual.
const MOST_STEPS: usize = 200;

const NOTHING: Rate = Rate {
    bits_per_second: 0.0,
    until: None,
};

/// What each of `transfers`, with the bits that it has left, gets at `at`.
pub(super) fn divided<K: Copy>(
    sharing: Sharing,
    transfers: &[(K, f64)],
    at: Instant,
    rates: &dyn Rates<K>,
) -> Result<Vec<Rate>, RadioError> {
    let on = |parts: Vec<f64>| -> Result<Vec<Rate>, RadioError> {
        let one = |((id, _), part): (&(K, f64), f64)| match part > 0.0 {
            true => rates.rate(*id, part, at),
            false => Ok(NOTHING),
        };
        transfers.iter().zip(parts).map(one).collect()
    };
    let count = transfers.len();
    match sharing {
        Sharing::Exclusive => on((0..count).map(|n| if n == 0 { 1.0 } else { 0.0 }).collect()),
        Sharing::Equal => on(vec![1.0 / count as f64; count]),
        Sharing::Proportional => {
            let whole: f64 = transfers.iter().map(|(_, left)| left).sum();
            on(transfers.iter().map(|(_, left)| left / whole).collect())
        }
        Sharing::MinMax => {
            let alone = on(vec![1.0; count])?;
            let mut found = on(meeting(transfers, &alone, at, rates)?)?;
            // What waits for its next block is asked again when that comes.
            for (found, alone) in found.iter_mut().zip(alone) {
                found.until = alone.until;
            }
            Ok(found)
        }
    }
}

/// Parts of the band on which all transfers that get anything through take equally long.
///
/// With s_i(T) the part on which transfer i takes T, T solves Σ s_i(T) = 1. It lies between
/// the longest time with the whole band and the longest with even parts. Rates grow with the
/// part, so both searches are for the root of a monotonic function, in logarithms, where rates
/// that are nearly proportional to the part make it nearly a line.
fn meeting<K: Copy>(
    transfers: &[(K, f64)],
    alone: &[Rate],
    at: Instant,
    rates: &dyn Rates<K>,
) -> Result<Vec<f64>, RadioError> {
    let heard: Vec<usize> = (0..transfers.len())
        .filter(|n| alone[*n].bits_per_second > 0.0)
        .collect();
    let mut parts = vec![0.0; transfers.len()];
    match heard[..] {
        [] => return Ok(parts),
        [only] => {
            parts[only] = 1.0;
            return Ok(parts);
        }
        _ => {}
    }
    let rate = |n: usize, part: f64| {
        let rate = rates.rate(transfers[n].0, part, at);
        rate.map(|rate| rate.bits_per_second)
    };
    let even = 1.0 / heard.len() as f64;
    let (mut shortest, mut longest) = (0.0f64, 0.0f64);
    for n in &heard {
        shortest = shortest.max(transfers[*n].1 / alone[*n].bits_per_second);
        longest = longest.max(transfers[*n].1 / rate(*n, even)?);
    }
    let mut divide = |seconds: f64| -> Result<f64, RadioError> {
        let mut sum = 0.0;
        for n in &heard {
            let needs = transfers[*n].1 / seconds;
            // R(s) ≥ s R(1), R being concave: this part is enough.
            let enough = (needs / alone[*n].bits_per_second).min(1.0);
            parts[*n] = narrowest(enough, needs, |part| rate(*n, part))?;
            sum += parts[*n];
        }
        Ok(libm::log(sum))
    };
    root([shortest, longest].map(libm::log), |log| {
        divide(libm::exp(log))
    })?;
    let sum: f64 = parts.iter().sum();
    for part in &mut parts {
        *part /= sum;
    }
    Ok(parts)
}

/// The part, at most `enough`, whose rate is `needs`.
fn narrowest(
    enough: f64,
    needs: f64,
    rate: impl Fn(f64) -> Result<f64, RadioError>,
) -> Result<f64, RadioError> {
    let mut less = enough;
    loop {
        less *= 0.5;
        if less < f64::MIN_POSITIVE || rate(less)? < needs {
            break;
        }
    }
    let log = root([less, enough].map(libm::log), |log| {
        Ok(libm::log(rate(libm::exp(log))? / needs))
    })?;
    Ok(libm::exp(log))
}

/// Where a monotonic `value` changes its sign within `bracket`; the last place asked for.
///
/// Regula falsi, with the value of an end that stays halved (Illinois): it keeps the bracket
/// and converges superlinearly.
fn root(
    bracket: [f64; 2],
    mut value: impl FnMut(f64) -> Result<f64, RadioError>,
) -> Result<f64, RadioError> {
    let [mut a, mut b] = bracket;
    let mut at_a = value(a)?;
    let mut at_b = value(b)?;
    let mut last = b;
    for _ in 0..MOST_STEPS {
        if at_b == 0.0 || (b - a).abs() < PRECISION || at_a.signum() == at_b.signum() {
            break;
        }
        let between = b - at_b * (b - a) / (at_b - at_a);
        last = if between.is_finite() {
            between
        } else {
            0.5 * (a + b)
        };
        let at_last = value(last)?;
        if at_last.signum() == at_b.signum() {
            at_a *= 0.5;
        } else {
            (a, at_a) = (b, at_b);
        }
        let step = (last - b).abs();
        (b, at_b) = (last, at_last);
        if step < PRECISION {
            break;
        }
    }
    Ok(last)
}
