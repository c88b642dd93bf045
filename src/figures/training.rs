//! `loss`: the losses of a training run over its steps.

use super::Width;
use super::chart::{Direction, Look, Mark, Plot, Series, draw as draw_plot};
use super::scene::Scene;
use crate::numerics::train::Log;
use crate::scenario::Scale;

/// Training and held-out loss and the generator's entropy, in nats per token over steps, the
/// vertical axis logarithmic.
pub fn draw(log: &Log, width: Width) -> Scene {
    let mark = |step: u64, nats: f64| Mark {
        x: step as f64,
        y: nats,
        ..Mark::default()
    };
    let last = log.losses.last().map_or(1, |row| row.step);
    let floor = log.held_out.last().map(|row| row.generator);
    let series = |name: &str, marks: Vec<Mark>, look: Look, style: usize| Series {
        name: name.to_owned(),
        marks,
        look,
        style,
    };
    let losses = log.losses.iter().map(|row| mark(row.step, row.nats));
    let held_out = log.held_out.iter().map(|row| mark(row.step, row.model));
    let floor = floor.map(|floor| vec![mark(0, floor), mark(last, floor)]);
    draw_plot(
        &Plot {
            title: Some("Training loss".to_owned()),
            x: Direction::numbers("optimiser step"),
            y: Direction {
                scale: Some(Scale::Log),
                ..Direction::numbers("loss (nats per token)")
            },
            series: vec![
                series("training text", losses.collect(), Look::Line, 0),
                series("held-out text", held_out.collect(), Look::Curve, 1),
                series(
                    "the generator's entropy",
                    floor.unwrap_or_default(),
                    Look::Line,
                    2,
                ),
            ],
            note: None,
        },
        width,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numerics::train::{HeldOutRow, LossRow};

    #[test]
    fn the_curves_are_named_and_their_axes_too() {
        let loss = |step, nats| LossRow {
            step,
            tokens: step * 100,
            rate: 1e-3,
            nats,
        };
        let log = Log {
            losses: vec![loss(10, 2.0), loss(20, 1.5)],
            held_out: vec![HeldOutRow {
                step: 20,
                model: 1.25,
                generator: 0.5,
            }],
        };
        for width in Width::ALL {
            let scene = draw(&log, width);
            let words: Vec<&str> = scene
                .texts()
                .iter()
                .map(|text| text.words.as_str())
                .collect();
            for label in [
                "training text",
                "held-out text",
                "the generator's entropy",
                "loss (nats per token)",
                "optimiser step",
            ] {
                assert!(words.contains(&label), "{label} is missing in {words:?}");
            }
        }
    }
}
