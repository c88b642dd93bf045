//! What a sweep varies, as columns of a table that programs read.
//!
//! A statistics program wants numbers: values that are numbers stay as they are written,
//! quantities become numbers with their unit in the column's name (`"20 MHz"` of
//! `links.air.bandwidth` is 20000000 in `links.air.bandwidth_hz`), all else is text. What kind a
//! column is follows from all values of its axis, so that every shard has the same columns.

use super::Sweep;
use crate::scenario::literal::Literal;
use crate::scenario::raw::{Path, Value};
use crate::units::{FieldFault, columns_of};

/// One field that a sweep varies.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// The number of its axis.
    pub axis: usize,
    /// The field's path, with the unit of its numbers if they have one.
    pub name: String,
    /// A cell for each value of the axis.
    pub cells: Vec<String>,
}

impl Column {
    fn of(axis: usize, path: &Path, values: &[Literal]) -> Self {
        let nodes: Vec<Value> = values.iter().map(|value| value.node().value).collect();
        let numbers: Option<Vec<String>> = nodes.iter().map(number).collect();
        let texts: Option<Vec<&str>> = nodes.iter().map(text).collect();
        if let Some(cells) = numbers {
            let name = path.to_string();
            return Self { axis, name, cells };
        }
        if let Some((numbers, unit)) = texts.and_then(|texts| columns_of(&texts)) {
            return Self {
                axis,
                name: format!("{path}_{unit}"),
                cells: numbers.iter().map(f64::to_string).collect(),
            };
        }
        let plain = |(node, value): (&Value, &Literal)| match text(node) {
            Some(text) => text.to_owned(),
            None => value.as_str().to_owned(),
        };
        Self {
            axis,
            name: path.to_string(),
            cells: nodes.iter().zip(values).map(plain).collect(),
        }
    }
}

/// A decimal number as CSV has it.
fn number(value: &Value) -> Option<String> {
    let Value::Number(written) = value else {
        return None;
    };
    let plain = written.replace('_', "");
    let plain = plain.strip_prefix('+').unwrap_or(&plain);
    plain.parse::<f64>().ok().map(|_| plain.to_owned())
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

impl Sweep {
    /// A column for every field that varies, in the order of the axes.
    ///
    /// # Errors
    /// If an axis is wrong by itself; a sweep of a resolved scenario is not.
    pub fn columns(&self) -> Result<Vec<Column>, FieldFault> {
        let mut columns = Vec::new();
        for (index, axis) in self.axes.iter().enumerate() {
            for (_, member) in axis.members() {
                let (path, values) = member.varied()?;
                columns.push(Column::of(index, path, &values));
            }
        }
        Ok(columns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(path: &str, values: &[&str]) -> (String, String) {
        let values = values.iter().map(|value| Literal::new(value).unwrap());
        let column = Column::of(0, &path.parse().unwrap(), &values.collect::<Vec<_>>());
        (column.name, column.cells.join(" | "))
    }

    #[test]
    fn quantities_are_numbers_with_their_unit_in_the_name() {
        for (path, values, name, cells) in [
            (
                "nodes.device.count",
                &["1", "+2", "1_000", "2.5e3"][..],
                "nodes.device.count",
                "1 | 2 | 1000 | 2.5e3",
            ),
            (
                "links.air.bandwidth",
                &["\"20 MHz\"", "\"1 GHz\""],
                "links.air.bandwidth_hz",
                "20000000 | 1000000000",
            ),
            (
                "links.air.budget.snr",
                &["\"-5 dB\"", "\"10dB\""],
                "links.air.budget.snr_db",
                "-5 | 10",
            ),
            ("p", &["\"23 dBm\"", "\"-3.5 dBm\""], "p_dbm", "23 | -3.5"),
            ("p", &["\"20 dBm\"", "\"1 W\""], "p_w", "0.1 | 1"),
            ("n", &["\"-174 dBm/Hz\""], "n_dbm_per_hz", "-174"),
            ("t", &["\"5 ms\"", "\"2 min\""], "t_s", "0.005 | 120"),
            (
                "m",
                &["\"16 GB\"", "\"1 GiB\""],
                "m_bytes",
                "16000000000 | 1073741824",
            ),
            ("b", &["\"50 GB/s\""], "b_bytes_per_s", "50000000000"),
            ("c", &["\"1 TFLOP/s\""], "c_flop_per_s", "1000000000000"),
            ("r", &["\"12 bit/s/Hz\""], "r_bit_per_s_hz", "12"),
            ("j", &["\"20 pJ/B\""], "j_j_per_byte", "0.00000000002"),
        ] {
            assert_eq!(column(path, values), (name.to_owned(), cells.to_owned()));
        }
    }

    #[test]
    fn all_else_is_text() {
        for (values, cells) in [
            (&["true", "false"][..], "true | false"),
            (
                &["Ideal", "AirComp(streams: 4)"],
                "Ideal | AirComp(streams: 4)",
            ),
            (&["1", "None"], "1 | None"),
            (&["\"1 W\"", "\"1 Hz\""], "1 W | 1 Hz"),
            (&["\"a.npy\"", "\"b, c\""], "a.npy | b, c"),
            (&["0x10"], "0x10"),
        ] {
            assert_eq!(column("x", values), ("x".to_owned(), cells.to_owned()));
        }
    }
}
