//! The log of a training run: losses by step, as CSV and as a picture.

use plotters::prelude::*;

use super::TrainError;

/// Training loss of a few steps.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct LossRow {
    /// The last of the steps.
    pub(super) step: u64,
    /// Predicted tokens so far.
    pub(super) tokens: u64,
    /// Learning rate of that step.
    pub(super) rate: f64,
    /// Mean nats per predicted token over the steps since the last row.
    pub(super) nats: f64,
}

/// An evaluation on the way.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct HeldOutRow {
    pub(super) step: u64,
    /// The model's nats per token.
    pub(super) model: f64,
    /// The generator's own.
    pub(super) generator: f64,
}

/// All rows so far.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Log {
    pub(super) losses: Vec<LossRow>,
    pub(super) held_out: Vec<HeldOutRow>,
}

impl Log {
    /// `step,tokens,learning_rate,train_nats_per_token,held_out_nats_per_token,
    /// generator_nats_per_token`; the last two only where there was an evaluation.
    pub(super) fn csv(&self) -> String {
        let mut text = String::from(
            "step,tokens,learning_rate,train_nats_per_token,\
             held_out_nats_per_token,generator_nats_per_token\n",
        );
        for row in &self.losses {
            let held_out = self.held_out.iter().find(|other| other.step == row.step);
            let (model, generator) = held_out.map_or_else(Default::default, |held_out| {
                (
                    format!("{:.5}", held_out.model),
                    format!("{:.5}", held_out.generator),
                )
            });
            text.push_str(&format!(
                "{},{},{:.3e},{:.5},{model},{generator}\n",
                row.step, row.tokens, row.rate, row.nats
            ));
        }
        text
    }

    /// The loss curves as SVG: training, held-out and the generator's entropy, in
    /// nats per token over steps, the vertical axis logarithmic.
    pub(super) fn svg(&self) -> Result<String, TrainError> {
        let mut svg = String::new();
        self.draw(&mut svg)
            .map_err(|error| TrainError::Figure(error.to_string()))?;
        Ok(svg)
    }

    fn draw(&self, svg: &mut String) -> Result<(), Box<dyn std::error::Error>> {
        let last = self.losses.last().map_or(1, |row| row.step);
        let floor = self.held_out.last().map_or(1.0, |row| row.generator);
        let highest = self.losses.iter().map(|row| row.nats).fold(1.0, f64::max);
        let root = SVGBackend::with_string(svg, (800, 480)).into_drawing_area();
        root.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&root)
            .caption("Training loss", ("sans-serif", 20))
            .margin(16)
            .margin_right(32)
            .x_label_area_size(44)
            .y_label_area_size(60)
            .build_cartesian_2d(
                0..last,
                (0.8 * floor..1.2 * highest)
                    .log_scale()
                    .with_key_points(vec![0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 2.0, 3.0, 5.0, 7.0]),
            )?;
        chart
            .configure_mesh()
            .x_desc("step")
            .y_desc("nats per token")
            .label_style(("sans-serif", 14))
            .light_line_style(WHITE)
            .draw()?;
        let blue = RGBColor(31, 119, 180);
        let orange = RGBColor(214, 94, 0);
        let grey = RGBColor(90, 90, 90);
        let train = self.losses.iter().map(|row| (row.step, row.nats));
        chart
            .draw_series(LineSeries::new(train, blue.stroke_width(1)))?
            .label("training text")
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 24, y)], blue.stroke_width(2)));
        let held_out = self.held_out.iter().map(|row| (row.step, row.model));
        chart
            .draw_series(LineSeries::new(held_out, orange.stroke_width(2)).point_size(3))?
            .label("held-out text")
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 24, y)], orange.stroke_width(2)));
        chart
            .draw_series(LineSeries::new(
                [(0, floor), (last, floor)],
                grey.stroke_width(2),
            ))?
            .label("the generator's entropy")
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 24, y)], grey.stroke_width(2)));
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperRight)
            .background_style(WHITE)
            .border_style(BLACK.mix(0.3))
            .label_font(("sans-serif", 14))
            .margin(10)
            .draw()?;
        root.present()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_a_row_per_loss_and_held_out_columns_where_evaluated() {
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
        let csv = log.csv();
        let rows: Vec<&str> = csv.lines().skip(1).collect();
        assert_eq!(
            rows,
            [
                "10,1000,1.000e-3,2.00000,,",
                "20,2000,1.000e-3,1.50000,1.25000,0.50000"
            ]
        );
        let svg = log.svg().unwrap();
        for label in [
            "training text",
            "held-out text",
            "entropy",
            "nats per token",
        ] {
            assert!(svg.contains(label), "{label} is missing");
        }
    }
}
