//! Quantities as numbers of a column whose name ends with their unit.

use super::quantity::DIMENSIONS;

/// The numbers of `texts` and the unit to put at the end of their column's name, if all of
/// them are quantities of one dimension: in the SI unit, or in decibels over a milliwatt if
/// all are written so.
pub fn columns_of(texts: &[&str]) -> Option<(Vec<f64>, String)> {
    let dimension = DIMENSIONS
        .iter()
        .find(|dimension| texts.iter().all(|text| dimension.parse(text).is_ok()))?;
    let unit = match dimension.unit {
        "W" => "dBm",
        "W/Hz" => "dBm/Hz",
        _ => "",
    };
    let level = |text: &&str| -> Option<f64> {
        let number = text
            .trim()
            .strip_suffix(unit)
            .filter(|_| !unit.is_empty())?;
        number.trim().parse().ok()
    };
    if let Some(levels) = texts.iter().map(level).collect() {
        return Some((levels, suffix(unit)));
    }
    let value = |text: &&str| dimension.parse(text).ok();
    let values = texts.iter().map(value).collect::<Option<_>>()?;
    Some((values, suffix(dimension.unit)))
}

/// A unit as the end of a name: `hz`, `bytes_per_s`, `bit_per_s_hz`.
fn suffix(unit: &str) -> String {
    let mut parts = unit.split('/');
    let word = |part: &str, bytes: &str| match part {
        "B" => bytes.to_owned(),
        part => part.to_lowercase(),
    };
    let first = word(parts.next().unwrap_or_default(), "bytes");
    let below: Vec<String> = parts.map(|part| word(part, "byte")).collect();
    match (first.as_str(), below.is_empty()) {
        (_, true) => first,
        ("", false) => format!("per_{}", below.join("_")),
        (_, false) => format!("{first}_per_{}", below.join("_")),
    }
}
