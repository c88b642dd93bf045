//! Numbers as people read them, four significant digits and a unit that fits, and prose
//! in lines that fit.

/// A number of seconds in the unit in which it reads best.
pub fn seconds(value: f64) -> String {
    let (scale, unit) = match value.abs() {
        v if v >= 1.0 => (1.0, "s"),
        v if v >= 1e-3 => (1e3, "ms"),
        v if v >= 1e-6 => (1e6, "µs"),
        v if v >= 1e-9 => (1e9, "ns"),
        0.0 => (1.0, "s"),
        _ => (1e12, "ps"),
    };
    format!("{} {unit}", significant(value * scale))
}

/// A number of joules in the unit in which it reads best.
pub fn joules(value: f64) -> String {
    let (scale, unit) = match value.abs() {
        v if v >= 1.0 => (1.0, "J"),
        v if v >= 1e-3 => (1e3, "mJ"),
        v if v >= 1e-6 => (1e6, "µJ"),
        0.0 => (1.0, "J"),
        _ => (1e9, "nJ"),
    };
    format!("{} {unit}", significant(value * scale))
}

/// A number of bytes in the unit in which it reads best.
pub fn bytes(count: u64) -> String {
    let (scale, unit) = match count {
        0..1_000 => return format!("{count} B"),
        1_000..1_000_000 => (1e3, "kB"),
        1_000_000..1_000_000_000 => (1e6, "MB"),
        _ => (1e9, "GB"),
    };
    format!("{:.2} {unit}", count as f64 / scale)
}

/// Four significant digits.
pub fn significant(value: f64) -> String {
    if !value.is_finite() {
        return value.to_string();
    }
    let magnitude = if value == 0.0 {
        0.0
    } else {
        libm::floor(libm::log10(value.abs()))
    };
    if !(-4.0..7.0).contains(&magnitude) {
        return format!("{value:.3e}");
    }
    let decimals = (3 - magnitude as i32).max(0) as usize;
    format!("{value:.decimals$}")
}

/// `text` in lines of at most `width` columns, broken between words; a longer word has a
/// line of its own.
pub fn lines(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut room = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        match lines.last_mut() {
            Some(line) if length < room => {
                line.push(' ');
                line.push_str(word);
                room -= length + 1;
            }
            _ => {
                lines.push(word.to_owned());
                room = width.saturating_sub(length);
            }
        }
    }
    lines
}
