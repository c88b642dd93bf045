//! How many times less a metric is than at one label of an axis.

use super::File;
use super::measure::Measure;
use super::sheet::{Cell, Sheet};
use crate::results::outcomes::{Configuration, Estimate, Outcomes};
use crate::scenario::SpeedUp;

/// The ratios of a speed-up.
#[derive(Debug)]
pub struct Ratios<'a> {
    outcomes: &'a Outcomes<'a>,
    measure: &'a Measure,
    axis: usize,
    from: usize,
}

impl<'a> Ratios<'a> {
    /// Those of `gain`, of a sweep that was checked.
    pub fn of(gain: &SpeedUp, measure: &'a Measure, outcomes: &'a Outcomes<'a>) -> Self {
        let along = outcomes
            .heading(&gain.along)
            .expect("the sweep was checked");
        let from = along.labels.iter().position(|label| *label == gain.from);
        Self {
            outcomes,
            measure,
            axis: along.axis,
            from: from.expect("the sweep was checked"),
        }
    }

    fn base(&self, configuration: &Configuration<'_>) -> Option<&'a Configuration<'a>> {
        if configuration.choice[self.axis] == self.from {
            return None;
        }
        let mut choice = configuration.choice.clone();
        choice[self.axis] = self.from;
        let mut all = self.outcomes.configurations.iter();
        all.find(|other| other.choice == choice)
    }

    /// m(from)/m over the runs that both have; `None` at `from` itself, and where none is there or
    /// m is 0.
    pub fn estimate(&self, configuration: &Configuration<'_>) -> Option<Estimate> {
        let base = self.base(configuration)?;
        let name = self.measure.metric.name;
        let own = configuration.rows.iter();
        let ratios: Vec<f64> = own
            .filter_map(|own| {
                let base = base.rows.iter().find(|base| base.run == own.run)?;
                Some(base.metrics.as_ref()?.get(name)? / own.metrics.as_ref()?.get(name)?)
            })
            .filter(|ratio| ratio.is_finite())
            .collect();
        Estimate::of(&ratios)
    }
}

pub(super) fn file(
    gain: &SpeedUp,
    measure: &Measure,
    outcomes: &Outcomes<'_>,
) -> csv::Result<File> {
    let ratios = Ratios::of(gain, measure, outcomes);
    let mut sheet = Sheet::default();
    for heading in &outcomes.headings {
        sheet.column(&heading.name, &heading.name);
    }
    sheet.column("speed_up", "speed-up");
    let mut configurations = outcomes.configurations.iter();
    let repeated = configurations.any(|configuration| configuration.rows.len() > 1);
    if repeated {
        sheet.column("speed_up_ci95", "± 95 %");
    }
    sheet.column("note", "note");
    for configuration in &outcomes.configurations {
        if ratios.base(configuration).is_none() {
            continue;
        }
        let labels = outcomes.labels(configuration);
        let ours = ratios.estimate(configuration);
        let mut row: Vec<Cell> = labels.into_iter().map(Cell::Words).collect();
        row.push(Cell::Number(ours.map(|ours| ours.mean)));
        if repeated {
            row.push(Cell::Number(ours.and_then(|ours| ours.half_width)));
        }
        row.push(Cell::Words(configuration.note(measure.metric.name)));
        sheet.rows.push(row);
    }
    Ok((format!("{}.csv", gain.file), sheet.csv()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::metrics::Metrics;
    use crate::results::points::Row;
    use crate::results::publish::{Entry, Plan};
    use crate::scenario::sweep_of;

    #[test]
    fn runs_of_the_same_weather_are_compared() {
        let text = "Scenario(model: Shape(\"llama-2-7b\"), nodes: {\"device\": (count: 1)}, \
            workload: [Tokens(prompt: 9)], sweep: (axes: [\
                (path: \"seed_of_world\", name: \"way\", values: [1, 2], labels: [\"plain\", \"fast\"]), \
                (path: \"nodes.device.count\", name: \"count\", values: [1, 2])], runs: 2, \
            publish: [SpeedUp(file: \"gain\", metric: \"tpot_s\", along: \"way\", from: \"plain\", \
                over: \"count\")]))";
        let sweep = sweep_of(text, "test").unwrap();
        let seconds = [8.0, 12.0, 1.0, 0.0, 2.0, 4.0, 0.5, 0.0];
        let rows: Vec<Row> = (seconds.iter().enumerate())
            .map(|(point, tpot)| Row {
                point,
                run: point as u32 % 2,
                folder: String::new(),
                settings: Vec::new(),
                status: "done".to_owned(),
                reason: String::new(),
                metrics: Metrics::from_json(&format!("{{\"tpot_s\": {tpot}}}")),
            })
            .collect();
        let outcomes = Outcomes::of(&sweep, &rows).unwrap();
        let plan = Plan::of(&sweep).unwrap();
        let [Entry::SpeedUp(gain, measure)] = plan.entries() else {
            panic!("one entry")
        };
        let ratios = Ratios::of(gain, measure, &outcomes);
        let found: Vec<Option<f64>> = (outcomes.configurations.iter())
            .map(|configuration| ratios.estimate(configuration).map(|it| it.mean))
            .collect();
        // 8/2 and 12/4; of 0/0 nothing is said.
        assert_eq!(found, [None, None, Some(3.5), Some(2.0)]);
        let (name, bytes) = file(gain, measure, &outcomes).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!(name, "gain.csv");
        assert!(
            text.starts_with("way,count,speed_up,speed_up_ci95,note\nfast,1,3.5,"),
            "{text}"
        );
        assert_eq!(text.lines().count(), 3);
    }
}
