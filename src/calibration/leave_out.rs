//! How far off a row is when it is predicted from the others.

use super::fit::{Certainty, Fit, Observation};

/// A row predicted from the others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LeftOut {
    /// Seconds.
    pub predicted: f64,
    /// Whether the others determine all that the whole table does; else what they do not is
    /// assumed as the whole fit assumes it.
    pub determined: bool,
}

/// Each of `rows` from the others; `None` where there is but one of its bits.
pub(super) fn leave_one_out(
    rows: &[Observation],
    whole: &Fit,
    replicated: f64,
) -> Vec<Option<LeftOut>> {
    let others = |out: usize| -> Vec<Observation> {
        let kept = rows.iter().enumerate().filter(|(n, _)| *n != out);
        kept.map(|(_, row)| *row).collect()
    };
    let each = rows.iter().enumerate().map(|(n, row)| {
        let others = others(n);
        if !others.iter().any(|other| other.bits == row.bits) {
            return None;
        }
        let fit = Fit::of(&others, replicated);
        let lost = whole.fitted.iter().any(|known| {
            let matters = matches!(known.certainty, Certainty::Determined { .. });
            let now = fit
                .fitted
                .iter()
                .find(|now| now.parameter == known.parameter);
            let undetermined = now.is_none_or(|now| now.certainty == Certainty::Undetermined);
            matters && undetermined
        });
        Some(LeftOut {
            predicted: fit.predict(&row.counts, row.bits),
            determined: !lost,
        })
    });
    each.collect()
}
