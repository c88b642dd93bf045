//! How people spell a quantity: characters that look like those meant, and where the number
//! ends.

use std::borrow::Cow;

/// `c` as quantities are written here, where it only looks so: the Greek letter mu for the
/// micro sign, the typographic minus and dashes for the hyphen.
fn meant(c: char) -> char {
    match c {
        'μ' | '𝜇' | '𝛍' => 'µ',
        '−' | '‐' | '‑' | '‒' | '–' | '﹣' | '－' => '-',
        '＋' => '+',
        c => c,
    }
}

/// `text` with every look-alike replaced by the character that is meant.
pub fn plain(text: &str) -> Cow<'_, str> {
    match text.chars().any(|c| meant(c) != c) {
        true => Cow::Owned(text.chars().map(meant).collect()),
        false => Cow::Borrowed(text),
    }
}

/// The number at the start of `text`, a sign, digits with a point and an exponent, and
/// what follows it: in `1e3 Hz` the e is no unit. Reads `text` once.
pub fn leading_number(text: &str) -> Option<(f64, &str)> {
    let bytes = text.as_bytes();
    let digits = |from: usize| {
        bytes[from..]
            .iter()
            .take_while(|b| b.is_ascii_digit())
            .count()
    };
    let sign = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    let mut end = sign + digits(sign);
    if bytes.get(end) == Some(&b'.') {
        end += 1 + digits(end + 1);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let signed = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits(end + 1 + signed);
        if exponent > 0 {
            end += 1 + signed + exponent;
        }
    }
    let number = text[..end].parse().ok()?;
    Some((number, &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_number_ends_where_its_unit_begins() {
        for (text, number, rest) in [
            ("10MHz", 10.0, "MHz"),
            ("1e3 Hz", 1000.0, " Hz"),
            ("1e Hz", 1.0, "e Hz"),
            ("-3. dB", -3.0, " dB"),
            (".5s", 0.5, "s"),
            ("1E-2eV", 0.01, "eV"),
            ("1.2.3", 1.2, ".3"),
        ] {
            assert_eq!(leading_number(text), Some((number, rest)), "{text}");
        }
        for text in ["", "-", ".", "e3", "NaN", "inf", "MHz", "--1"] {
            assert_eq!(leading_number(text), None, "{text}");
        }
    }

    proptest! {
        /// The standard library's parser, asked about every part in front.
        #[test]
        fn it_is_the_longest_part_in_front_that_is_a_number(text in "[-+]?[0-9.eE+-]{0,9}[a-z ]{0,3}") {
            let numeric = |end: &usize| {
                let front = &text[..*end];
                front.ends_with(|c: char| c.is_ascii_digit() || c == '.') && front.parse::<f64>().is_ok()
            };
            let longest = (1..=text.len()).rev().find(numeric);
            let expected = longest.map(|end| (text[..end].parse().unwrap(), &text[end..]));
            prop_assert_eq!(leading_number(&text), expected);
        }
    }
}
