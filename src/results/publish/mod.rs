//! The tables that a sweep publishes, beside the numbers of a paper, and what its figures show.
//!
//! [`Plan::of`] checks before anything is simulated which metrics and units are meant;
//! [`Plan::files`] makes the files once every point is there. What the entries mean is said by
//! their types: [`Table`](crate::scenario::Table), [`Changes`](crate::scenario::Changes),
//! [`Figure`](crate::scenario::Figure), [`Tradeoff`](crate::scenario::Tradeoff),
//! [`SpeedUp`](crate::scenario::SpeedUp) and
//! [`LoadCurve`](crate::scenario::LoadCurve).

mod changes;
mod figure;
mod load_curve;
mod measure;
mod sheet;
mod speed_up;
mod table;
mod tradeoff;

pub use changes::Comparison;
pub use load_curve::{Loads, Point};
pub use measure::Measure;
pub use speed_up::Ratios;
pub use tradeoff::{Pair, Pairs};

use super::outcomes::Outcomes;
use crate::scenario::{Publication, Sweep};
use crate::units::FieldFault;

/// A file's name and its bytes.
pub type File = (String, Vec<u8>);

/// What a sweep publishes, checked.
#[derive(Debug)]
pub struct Plan<'a>(Vec<Entry<'a>>);

/// One publication with the metrics it shows.
#[derive(Debug)]
pub enum Entry<'a> {
    /// A metric at every configuration.
    Table(&'a crate::scenario::Table, Measure),
    /// How much a metric changes along an axis.
    Changes(Comparison<'a>),
    /// A metric over an axis.
    Figure(&'a crate::scenario::Figure, Measure),
    /// One metric against another.
    Tradeoff(&'a crate::scenario::Tradeoff, [Measure; 2]),
    /// How many times less a metric is.
    SpeedUp(&'a crate::scenario::SpeedUp, Measure),
    /// A latency over the load.
    LoadCurve(&'a crate::scenario::LoadCurve, [Measure; 2]),
}

impl<'a> Plan<'a> {
    /// The plan of a sweep whose scenario is good.
    ///
    /// # Errors
    /// If an entry names a metric or a unit that does not exist; the nearest is suggested.
    pub fn of(sweep: &'a Sweep) -> Result<Self, FieldFault> {
        let entries = sweep.publish.iter().enumerate();
        let entries = entries.map(|(index, publication)| {
            let under = |fault: FieldFault| fault.under(&format!("sweep.publish[{index}]"));
            Entry::of(publication, sweep).map_err(under)
        });
        Ok(Self(entries.collect::<Result<_, _>>()?))
    }

    /// Whether nothing is published.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is published, in the order of the scenario.
    pub fn entries(&self) -> &[Entry<'a>] {
        &self.0
    }

    /// The tables, of a sweep of which every point is done, infeasible or failed.
    ///
    /// # Errors
    /// What the CSV writer says.
    pub fn files(&self, outcomes: &Outcomes<'_>) -> csv::Result<Vec<File>> {
        let mut files = Vec::new();
        for entry in &self.0 {
            files.extend(match entry {
                Entry::Table(table, measure) => table::files(table, measure, outcomes)?,
                Entry::Changes(changes) => changes.files(outcomes)?,
                Entry::Figure(figure, measure) => vec![figure::file(figure, measure, outcomes)?],
                Entry::Tradeoff(tradeoff, both) => vec![tradeoff::file(tradeoff, both, outcomes)?],
                Entry::SpeedUp(gain, measure) => vec![speed_up::file(gain, measure, outcomes)?],
                Entry::LoadCurve(curve, both) => vec![load_curve::file(curve, both, outcomes)?],
            });
        }
        Ok(files)
    }
}

impl<'a> Entry<'a> {
    fn of(publication: &'a Publication, sweep: &'a Sweep) -> Result<Self, FieldFault> {
        Ok(match publication {
            Publication::Table(table) => {
                let unit = ("unit", table.unit.as_deref());
                Self::Table(table, Measure::of("metric", &table.metric, unit)?)
            }
            Publication::Changes(changes) => {
                let measure = Measure::of("metric", &changes.metric, ("unit", None))?;
                Self::Changes(Comparison::of(changes, measure, sweep))
            }
            Publication::Figure(figure) => {
                let unit = ("unit", figure.unit.as_deref());
                Self::Figure(figure, Measure::of("metric", &figure.metric, unit)?)
            }
            Publication::Tradeoff(tradeoff) => {
                let x = ("x_unit", tradeoff.x_unit.as_deref());
                let y = ("y_unit", tradeoff.y_unit.as_deref());
                let both = [
                    Measure::of("x", &tradeoff.x, x)?,
                    Measure::of("y", &tradeoff.y, y)?,
                ];
                Self::Tradeoff(tradeoff, both)
            }
            Publication::SpeedUp(gain) => {
                Self::SpeedUp(gain, Measure::of("metric", &gain.metric, ("unit", None))?)
            }
            Publication::LoadCurve(curve) => {
                let load = ("load_unit", curve.load_unit.as_deref());
                let latency = ("unit", curve.unit.as_deref());
                let both = [
                    Measure::of("load", &curve.load, load)?,
                    Measure::of("metric", &curve.metric, latency)?,
                ];
                Self::LoadCurve(curve, both)
            }
        })
    }
}
