//! The figures that a sweep publishes, beside the numbers of a paper.

mod curve;
mod load_curve;
mod tradeoff;

use super::Width;
use super::chart;
use super::sweep::Named;
use crate::results::outcomes::Outcomes;
use crate::results::publish::{Entry, Plan};

/// The width for which they are drawn if nobody asks for another.
pub const WIDTH: Width = Width::Column;

/// The figures of `plan`, of a sweep of which every point is done, infeasible or failed.
pub fn figures(plan: &Plan<'_>, outcomes: &Outcomes<'_>, width: Option<Width>) -> Vec<Named> {
    let plots = plan.entries().iter().filter_map(|entry| match entry {
        Entry::Table(..) | Entry::Changes(_) => None,
        Entry::Figure(figure, measure) => {
            Some((&figure.file, curve::plot(figure, measure, outcomes)))
        }
        Entry::Tradeoff(tradeoff, both) => {
            Some((&tradeoff.file, tradeoff::plot(tradeoff, both, outcomes)))
        }
        Entry::LoadCurve(curve, both) => {
            Some((&curve.file, load_curve::plot(curve, both, outcomes)))
        }
    });
    let width = width.unwrap_or(WIDTH);
    plots
        .map(|(file, plot)| (file.clone(), chart::draw(&plot, width)))
        .collect()
}
