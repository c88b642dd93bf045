//! What a calibration has to say, as `airloom calibrate` prints it.

use super::fit::{Certainty, Parameter};
use super::{Calibration, Compared};
use std::fmt;

fn milliseconds(seconds: f64) -> String {
    format!("{:.2}", seconds * 1e3)
}

fn percent(part: f64) -> String {
    format!("{:+.1} %", part * 100.0)
}

/// Name, value and unit as people read them; the half-width in the same unit.
fn readable(parameter: Parameter, value: f64, half_width: f64) -> (String, f64, f64, &'static str) {
    match parameter {
        Parameter::Weight { bits } => {
            let name = format!("rate of weights of {} bits", (bits * 100.0).round() / 100.0);
            // Of a rate 1/τ the interval is τ's, relative to it.
            (
                name,
                1e-9 / value,
                1e-9 / value * (half_width / value),
                "Gparam/s",
            )
        }
        Parameter::Replicated => ("replicated fraction".to_owned(), value, half_width, ""),
        Parameter::Overhead => ("overhead".to_owned(), value * 1e6, half_width * 1e6, "µs"),
        Parameter::Cache => {
            let part = half_width / value;
            (
                "rate of the cache".to_owned(),
                1e-9 / value,
                1e-9 / value * part,
                "GB/s",
            )
        }
    }
}

impl fmt::Display for Calibration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}: {} rows fitted",
            self.calibrated.name,
            self.compared.len()
        )?;
        writeln!(f, "\nparameters")?;
        for fitted in &self.parameters {
            let half_width = match fitted.certainty {
                Certainty::Determined { half_width } => half_width,
                Certainty::AtZero => None,
                Certainty::Undetermined => continue,
            };
            let (name, value, half_width, unit) = {
                let (name, value, width, unit) =
                    readable(fitted.parameter, fitted.value, half_width.unwrap_or(0.0));
                (name, value, half_width.map(|_| width), unit)
            };
            let certainty = match (fitted.certainty, half_width) {
                (Certainty::AtZero, _) => "rows would have it below zero".to_owned(),
                (_, Some(width)) => format!("± {width:.3} (95 %)"),
                (_, None) => "as many parameters as rows: no interval".to_owned(),
            };
            writeln!(f, "  {name:<28} {value:>10.4} {unit:<9} {certainty}")?;
        }
        if self.calibrated.profile.per_token.0 > 0.0 {
            let between = milliseconds(self.calibrated.profile.per_token.0);
            writeln!(f, "  {:<28} {between:>10} ms", "time between tokens")?;
        }
        if let Some(messages) = self.messages {
            let total = messages.costs.total() * 1e6;
            writeln!(
                f,
                "  {:<28} {total:>10.1} µs        send + receive + go on",
                "cost of a message"
            )?;
        }
        writeln!(f, "\nrows, ms per token")?;
        writeln!(
            f,
            "  {:<34} {:<10} {:>10} {:>10} {:>8} {:>12} {:>8}",
            "", "", "measured", "fitted", "off by", "left out", "off by"
        )?;
        for row in &self.compared {
            writeln!(f, "{}", line(row))?;
        }
        for (row, measured, predicted) in &self.exchanged {
            writeln!(
                f,
                "  {:<34} {:<10} {:>10} {:>10} {:>8}",
                row.words(),
                "network",
                milliseconds(*measured),
                milliseconds(*predicted),
                percent(predicted / measured - 1.0)
            )?;
        }
        match self.error() {
            Some((mean, worst, count)) => writeln!(
                f,
                "\npredicted from the others: {:.1} % off in the mean, {:.1} % at most, of {count} rows",
                mean * 100.0,
                worst * 100.0
            )?,
            None => writeln!(
                f,
                "\ntoo few rows to predict one from the others: the error is not known"
            )?,
        }
        if !self.undetermined.is_empty() {
            writeln!(f, "\nnot determined by the rows")?;
        }
        for words in &self.undetermined {
            writeln!(f, "  {words}")?;
        }
        Ok(())
    }
}

fn line(row: &Compared) -> String {
    let left_out = row.left_out.map_or(String::new(), |left_out| {
        let note = match left_out.determined {
            true => "",
            false => "  (not determined without it)",
        };
        format!(
            " {:>12} {:>8}{note}",
            milliseconds(left_out.predicted),
            percent(left_out.predicted / row.measured - 1.0)
        )
    });
    format!(
        "  {:<34} {:<10} {:>10} {:>10} {:>8}{left_out}",
        row.row.words(),
        row.what,
        milliseconds(row.measured),
        milliseconds(row.fitted),
        percent(row.fitted / row.measured - 1.0)
    )
}
