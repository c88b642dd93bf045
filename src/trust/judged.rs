//! Whether a run lies inside of what was measured.

use super::mark::{Mark, Trust};
use crate::device::basis::{Evidence, Ground};

/// What a run asks of a device.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Asked {
    /// Weights of the model that a token uses, the whole model's.
    pub weights: f64,
    /// Bits per weight.
    pub weight_bits: f64,
    /// Devices among which layers are divided.
    pub devices: u32,
    /// The longest context.
    pub context: u32,
}

/// Ends of ranges are as round as tables print them.
const ROUNDING: f64 = 0.02;

/// How far what rests on `ground`, of the device called `who`, is known where a run asks that of it.
pub fn judge(ground: &Ground, who: &str, asked: &Asked) -> Trust {
    let measured = |mark, evidence: &Evidence| match outside(evidence, asked) {
        None => Trust {
            mark,
            error: evidence.error,
            reason: format!("{who}: {}", evidence.source),
        },
        Some(outside) => Trust {
            mark: Mark::Extrapolated,
            error: None,
            reason: format!("{who}: {outside}"),
        },
    };
    match ground {
        Ground::Measured(evidence) => measured(Mark::Measured, evidence),
        Ground::Fitted(evidence) => measured(Mark::Fitted, evidence),
        Ground::DataSheet { source } => Trust::assumed(format!("{who}: data sheet, {source}")),
        Ground::Assumed { reason } => Trust::assumed(format!("{who}: {reason}")),
    }
}

/// What lies outside of the range of `evidence`, in words.
fn outside(evidence: &Evidence, asked: &Asked) -> Option<String> {
    let range = &evidence.range;
    let beyond = |(least, most): (f64, f64), value: f64| {
        value < least * (1.0 - ROUNDING) || value > most * (1.0 + ROUNDING)
    };
    let whole = |(least, most): (u32, u32)| (f64::from(least), f64::from(most));
    let billions = |weights: f64| format!("{:.1} G weights", weights / 1e9);
    let count = |value: f64| format!("{value}");
    type Words<'a> = &'a dyn Fn(f64) -> String;
    type Check<'a> = (Option<(f64, f64)>, f64, Words<'a>, &'a str);
    let checks: [Check<'_>; 4] = [
        (range.weights, asked.weights, &billions, ""),
        (
            range.weight_bits,
            asked.weight_bits,
            &count,
            " bits per weight",
        ),
        (
            range.devices.map(whole),
            f64::from(asked.devices),
            &count,
            " devices",
        ),
        (
            range.context.map(whole),
            f64::from(asked.context),
            &count,
            " tokens of context",
        ),
    ];
    let mut found = checks.iter().filter_map(|(range, value, words, unit)| {
        let (least, most) = range.filter(|range| beyond(*range, *value))?;
        let measured = match least == most {
            true => words(least),
            false => format!("{} to {}", words(least), words(most)),
        };
        Some(format!("{}{unit}, measured at {measured}", words(*value)))
    });
    found.next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::basis::Range;

    const ASKED: Asked = Asked {
        weights: 6.6e9,
        weight_bits: 4.5,
        devices: 2,
        context: 64,
    };

    fn fitted() -> Ground {
        Ground::Fitted(Evidence {
            source: "a table".into(),
            error: Some(0.03),
            range: Range {
                weights: Some((6.607e9, 12.85e9)),
                weight_bits: Some((4.5, 4.5)),
                devices: Some((1, 2)),
                context: None,
            },
        })
    }

    #[test]
    fn inside_of_its_range_a_fit_has_its_error() {
        let trust = judge(&fitted(), "board", &ASKED);
        assert_eq!((trust.mark, trust.error), (Mark::Fitted, Some(0.03)));
        assert_eq!(trust.reason, "board: a table");
    }

    /// Each quantity beyond its range is told, with the range.
    #[test]
    fn outside_of_its_range_it_is_extrapolated() {
        for (asked, words) in [
            (
                Asked {
                    weights: 70e9,
                    ..ASKED
                },
                "70.0 G weights, measured at 6.6 G weights to 12.8 G weights",
            ),
            (
                Asked {
                    weight_bits: 16.0,
                    ..ASKED
                },
                "16 bits per weight, measured at 4.5",
            ),
            (
                Asked {
                    devices: 8,
                    ..ASKED
                },
                "8 devices, measured at 1 to 2",
            ),
        ] {
            let trust = judge(&fitted(), "board", &asked);
            assert_eq!((trust.mark, trust.error), (Mark::Extrapolated, None));
            assert_eq!(trust.reason, format!("board: {words}"));
        }
        // Nothing says at which context it was measured.
        let long = judge(
            &fitted(),
            "board",
            &Asked {
                context: 99_999,
                ..ASKED
            },
        );
        assert_eq!(long.mark, Mark::Fitted);
    }

    #[test]
    fn what_nobody_measured_is_assumed() {
        let sheet = Ground::DataSheet {
            source: "the maker".into(),
        };
        let trust = judge(&sheet, "board", &ASKED);
        assert_eq!((trust.mark, trust.error), (Mark::Assumed, None));
        assert_eq!(trust.reason, "board: data sheet, the maker");
    }
}
