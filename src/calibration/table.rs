//! Tables of measurements, read from CSV. Every fault is told with its line and column.

use super::columns::{COLUMNS, Column, Field};
use super::error::CalibrationError;
use super::row::Row;
use crate::files;
use crate::model::ModelShape;
use std::collections::BTreeMap;
use std::path::Path;

/// No table is longer.
const MOST_BYTES: u64 = 16 << 20;

/// A name is suggested if it is at least this similar (Jaro–Winkler, 0 to 1).
const SIMILAR: f64 = 0.6;

/// Reads the tables `paths`, and holds rows to themselves and to each other.
///
/// # Errors
/// The first fault: an unreadable file, a column or model that nobody knows, a cell that is no
/// number above zero, rows that contradict each other.
pub fn read_all(paths: &[impl AsRef<Path>]) -> Result<Vec<Row>, CalibrationError> {
    let mut rows = Vec::new();
    for path in paths {
        let path = path.as_ref();
        let label = path.display().to_string();
        let fault = |fault: String| CalibrationError::Table {
            place: label.clone(),
            fault,
        };
        let bytes = files::read(path, MOST_BYTES)
            .map_err(|error| fault(format!("cannot read it: {error}")))?;
        let text =
            String::from_utf8(bytes).map_err(|_| fault("it is not a text in UTF-8".into()))?;
        rows.extend(read(&text, &label)?);
    }
    agree(&rows)?;
    Ok(rows)
}

/// Holds every row to every other.
pub(super) fn agree(rows: &[Row]) -> Result<(), CalibrationError> {
    for (place, row) in rows.iter().enumerate() {
        for other in &rows[..place] {
            other.agrees_with(row)?;
        }
    }
    Ok(())
}

/// Reads the table `text`, which errors call `label`.
///
/// # Errors
/// As [`read_all`].
pub fn read(text: &str, label: &str) -> Result<Vec<Row>, CalibrationError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let fault = |place: String, fault: String| CalibrationError::Table { place, fault };
    let broken = |error: csv::Error| {
        let line = error
            .position()
            .map_or(String::new(), |at| format!(":{}", at.line()));
        fault(format!("{label}{line}"), format!("it is no CSV: {error}"))
    };
    let header = reader.headers().map_err(broken)?.clone();
    let mut columns: Vec<&Column> = Vec::new();
    for (place, name) in header.iter().enumerate() {
        let at = || format!("{label}:1: column {}", place + 1);
        let column = COLUMNS.iter().find(|column| column.name == name);
        let column = column.ok_or_else(|| fault(at(), unknown(name)))?;
        if columns.iter().any(|other| other.name == column.name) {
            return Err(fault(at(), format!("`{name}` is there twice")));
        }
        columns.push(column);
    }
    for needed in [Field::Board, Field::Model] {
        if !columns.iter().any(|column| column.field == needed) {
            let name = COLUMNS.iter().find(|column| column.field == needed);
            let name = name.map_or("", |column| column.name);
            let message = format!("the column `{name}` is missing");
            return Err(fault(format!("{label}:1"), message));
        }
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(broken)?;
        let start = record.position().map_or(0, csv::Position::byte);
        let line = line_of(text, start as usize);
        let cells = columns.iter().zip(record.iter()).enumerate();
        let mut given: BTreeMap<Field, (usize, &Column, &str)> = BTreeMap::new();
        for (place, (column, cell)) in cells {
            if !cell.is_empty() {
                given.insert(column.field, (place + 1, column, cell));
            }
        }
        rows.push(row(&given, &format!("{label}:{line}"))?);
    }
    Ok(rows)
}

/// The line of the row that begins at byte `start` of `text`, or after empty lines there.
fn line_of(text: &str, start: usize) -> usize {
    let rest = &text[start..];
    let empty = rest.len() - rest.trim_start_matches(['\r', '\n']).len();
    1 + text[..start + empty].matches('\n').count()
}

fn unknown(name: &str) -> String {
    let nearest = COLUMNS
        .iter()
        .map(|column| (strsim::jaro_winkler(name, column.name), column))
        .max_by(|x, y| x.0.total_cmp(&y.0))
        .filter(|(similarity, _)| *similarity >= SIMILAR);
    let names: Vec<&str> = COLUMNS.iter().map(|column| column.name).collect();
    let suggestion = nearest.map_or(String::new(), |(_, column)| match column.unit {
        "" => format!("did you mean `{}`? ", column.name),
        unit => format!("did you mean `{}`, whose unit is {unit}? ", column.name),
    });
    format!(
        "there is no column `{name}`; {suggestion}known are {}",
        names.join(", ")
    )
}

type Cells<'a> = BTreeMap<Field, (usize, &'a Column, &'a str)>;

fn row(cells: &Cells<'_>, place: &str) -> Result<Row, CalibrationError> {
    let fault = |fault: String| CalibrationError::Table {
        place: place.to_owned(),
        fault,
    };
    let word = |field: Field| cells.get(&field).map(|(_, _, text)| *text);
    let mut values = BTreeMap::new();
    for (field, (column, known, text)) in cells {
        let is_word = matches!(
            field,
            Field::Board | Field::Model | Field::Network | Field::Quantisation
        );
        if is_word {
            continue;
        }
        let at = |message: String| CalibrationError::Table {
            place: format!("{place}: column {column} ({})", known.name),
            fault: message,
        };
        let value: f64 = text.parse().map_err(|_| {
            let unit = match known.unit {
                "" => String::new(),
                unit => format!(" in {unit}, which is not written"),
            };
            at(format!(
                "`{text}` is no number; write one{unit}, or leave the cell empty"
            ))
        })?;
        let counts = matches!(
            field,
            Field::Devices | Field::Context | Field::PrefillTokens | Field::DecodeTokens
        );
        let least_is_zero = matches!(field, Field::Context | Field::Transfer);
        if !value.is_finite() || value < 0.0 || (value == 0.0 && !least_is_zero) {
            return Err(at(format!("{text}; write a finite number above zero")));
        }
        if counts && (value.fract() != 0.0 || value > 1e7) {
            return Err(at(format!("{text}; write a whole number")));
        }
        values.insert(*field, value);
    }
    let board = word(Field::Board).ok_or_else(|| fault("its board is not named".into()))?;
    let model = word(Field::Model).ok_or_else(|| fault("its model is not named".into()))?;
    let mut shape = ModelShape::named(model).ok_or_else(|| {
        let names: Vec<&str> = ModelShape::names().collect();
        fault(format!(
            "there is no model `{model}`; known are {}",
            names.join(", ")
        ))
    })?;
    shape.weight_bits = bits(&values, word(Field::Quantisation), &shape).map_err(fault)?;
    shape.cache_bits = values.get(&Field::CacheBits).copied().unwrap_or(16.0);
    shape.validate().map_err(|error| fault(error.to_string()))?;
    let count = |field: Field| values.get(&field).map(|value| *value as u32);
    let halfway = count(Field::DecodeTokens).map(|tokens| tokens / 2);
    let row = Row {
        place: place.to_owned(),
        board: board.to_owned(),
        shape,
        devices: count(Field::Devices).unwrap_or(1),
        context: count(Field::Context).or(halfway).unwrap_or(0),
        link_rate: word(Field::Network).and_then(link_rate),
        values,
    };
    row.check()?;
    Ok(row)
}

/// Bits per second of a network of that name, one way.
fn link_rate(network: &str) -> Option<f64> {
    match network.to_lowercase().as_str() {
        "fast ethernet" => Some(1e8),
        "gigabit ethernet" => Some(1e9),
        "2.5 gigabit ethernet" => Some(2.5e9),
        "10 gigabit ethernet" => Some(1e10),
        _ => None,
    }
}

/// Bits per weight, as the row says most exactly.
fn bits(
    values: &BTreeMap<Field, f64>,
    quantisation: Option<&str>,
    shape: &ModelShape,
) -> Result<f64, String> {
    if let Some(bits) = values.get(&Field::WeightBits) {
        return Ok(*bits);
    }
    if let Some(size) = values.get(&Field::ModelGib) {
        let bits = size * 8.0 * f64::from(1 << 30) / shape.parameters() as f64;
        if !(1.0..=33.0).contains(&bits) {
            return Err(format!(
                "{size} GiB would be {bits:.3} bits per weight of {}; is it the size in GiB?",
                shape.name
            ));
        }
        return Ok(bits);
    }
    let Some(name) = quantisation else {
        // What llama.cpp's and ollama's models have where nobody says.
        return Ok(5.0);
    };
    // Bits per weight of llama.cpp's block formats; of its mixtures, those of a LLaMA of some
    // billions of weights.
    match name.to_uppercase().as_str() {
        "F32" => Ok(32.0),
        "F16" | "BF16" => Ok(16.0),
        "Q8_0" => Ok(8.5),
        "Q6_K" => Ok(6.5625),
        "Q5_K_M" => Ok(5.7),
        "Q5_0" => Ok(5.5),
        "Q4_K_M" => Ok(4.9),
        "Q4_0" | "Q40" => Ok(4.5),
        other => Err(format!(
            "nobody knows the bits of `{other}`; give weight_bits or model_gib"
        )),
    }
}
