//! How many times less a metric is than at one label of an axis, over another.

use crate::figures::chart::{Direction, Look, Mark, Plot, Series};
use crate::figures::sweep::{BARS, has_bars, over};
use crate::results::outcomes::Outcomes;
use crate::results::publish::{Measure, Ratios};
use crate::scenario::{Scale, SpeedUp};

/// What `gain` shows: the ratios, and a line where nothing is gained.
pub(super) fn plot(gain: &SpeedUp, measure: &Measure, outcomes: &Outcomes<'_>) -> Plot {
    let heading = outcomes.heading(&gain.over).expect("the sweep was checked");
    let ratios = Ratios::of(gain, measure, outcomes);
    let (mut series, x) = over(outcomes, heading, |configuration| {
        ratios.estimate(configuration)
    });
    let places = series.iter().flat_map(|series| &series.marks);
    let ends = places.fold([f64::INFINITY, f64::NEG_INFINITY], |[least, most], mark| {
        [least.min(mark.x), most.max(mark.x)]
    });
    let mut notes = vec![format!("above the grey line: faster than {}", gain.from)];
    if has_bars(&series) {
        notes.push(BARS.to_owned());
    }
    if !series.is_empty() {
        series.push(Series {
            name: String::new(),
            marks: ends
                .map(|x| Mark {
                    x,
                    y: 1.0,
                    ..Mark::default()
                })
                .to_vec(),
            look: Look::Front,
            style: 0,
        });
    }
    let by_range = match heading.logarithmic {
        true => Scale::Log,
        false => Scale::Linear,
    };
    let name = format!("speed-up over {}", gain.from);
    let name = gain.metric_label.as_deref().unwrap_or(&name);
    Plot {
        title: gain.title.clone(),
        x: Direction {
            label: gain.label.clone().unwrap_or(x.label),
            scale: Some(gain.scale.unwrap_or(by_range)),
            ..x
        },
        y: Direction {
            scale: gain.metric_scale,
            ..Direction::numbers(name)
        },
        series,
        note: Some(notes.join("; ")),
    }
}
