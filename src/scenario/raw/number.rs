//! What RON calls a number, and its value: decimal with an optional fraction and
//! exponent, or whole with the prefix `0x`, `0o` or `0b`; `_` separates digits.

/// A whole number, or why the text is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::scenario) enum Whole {
    Value(i128),
    Fraction,
    TooLarge,
}

/// Whether `text` is a number at all.
pub(super) fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if let Some((radix, digits)) = prefixed(unsigned) {
        let digits = digits.replace('_', "");
        return !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
    }
    let starts = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    let plain = unsigned.replace('_', "");
    // `f64` also reads words such as `inf`; the first digit excludes them.
    starts && plain.contains(|c: char| c.is_ascii_digit()) && plain.parse::<f64>().is_ok()
}

fn prefixed(unsigned: &str) -> Option<(u32, &str)> {
    [("0x", 16), ("0o", 8), ("0b", 2)]
        .into_iter()
        .find_map(|(prefix, radix)| Some((radix, unsigned.strip_prefix(prefix)?)))
}

/// The number that `text` names, when it is whole.
pub(in crate::scenario) fn whole(text: &str) -> Whole {
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let plain = unsigned.replace('_', "");
    let (radix, digits) = prefixed(&plain).unwrap_or((10, &plain));
    if !digits.chars().all(|c| c.is_digit(radix)) {
        return Whole::Fraction;
    }
    match i128::from_str_radix(digits, radix) {
        Ok(value) => Whole::Value(sign * value),
        Err(_) => Whole::TooLarge,
    }
}

/// The value of `text` as a floating-point number; possibly infinite.
pub(in crate::scenario) fn float(text: &str) -> f64 {
    match whole(text) {
        Whole::Value(value) => value as f64,
        _ => text.replace('_', "").parse().unwrap_or(f64::NAN),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_numbers_from_words() {
        for text in [
            "0", "-1", "+1", "1_000", "0x1F", "0b10", "1.5", "1e-3", ".5", "5.", "-0.0",
        ] {
            assert!(is_number(text), "{text}");
        }
        for text in [
            "", "-", ".", "0x", "inf", "NaN", "1MHz", "1e", "--1", "0b2", "_1",
        ] {
            assert!(!is_number(text), "{text}");
        }
    }

    #[test]
    fn whole_numbers_are_told_from_fractions_and_giants() {
        assert_eq!(whole("-0x10"), Whole::Value(-16));
        assert_eq!(whole("1_000"), Whole::Value(1000));
        assert_eq!(whole("4.0"), Whole::Fraction);
        assert_eq!(whole("1e3"), Whole::Fraction);
        assert_eq!(whole(&"9".repeat(60)), Whole::TooLarge);
        assert_eq!(float("1_0.5"), 10.5);
    }
}
