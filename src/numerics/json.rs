//! JSON as Python writes and reads it, for that is what wrote the files of a model folder.
//!
//! Beyond the standard it has `NaN`, `Infinity` and `-Infinity`; of a field given twice the
//! last counts; and editors put a byte order mark before it. Such a number is no setting:
//! it is read as a string, so that a field that is used refuses it and any other may have it.

use serde_json::Value;
use std::borrow::Cow;

const NOT_NUMBERS: [&[u8]; 3] = [b"-Infinity", b"Infinity", b"NaN"];

/// Reads a file's content.
///
/// # Errors
/// What is wrong, with line and column.
pub(super) fn parse(content: &[u8]) -> Result<Value, String> {
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    serde_json::from_slice(content)
        .or_else(|error| match quote_not_numbers(content) {
            Cow::Owned(quoted) => serde_json::from_slice(&quoted),
            Cow::Borrowed(_) => Err(error),
        })
        .map_err(|error| format!("not JSON: {error}"))
}

/// `content` with quotation marks in place of the first and last letter of what stands for a
/// number that is not finite: no place in the file moves.
fn quote_not_numbers(content: &[u8]) -> Cow<'_, [u8]> {
    let mut quoted = Cow::Borrowed(content);
    let (mut place, mut in_string) = (0, false);
    while place < content.len() {
        match content[place] {
            b'"' => in_string = !in_string,
            b'\\' if in_string => place += 1,
            _ if !in_string => {
                let rest = &content[place..];
                if let Some(word) = NOT_NUMBERS.iter().find(|word| rest.starts_with(word)) {
                    let last = place + word.len() - 1;
                    quoted.to_mut()[place] = b'"';
                    quoted.to_mut()[last] = b'"';
                    place = last;
                }
            }
            _ => {}
        }
        place += 1;
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_are_none_stay_where_they_are_not_read() {
        let text = br#"{"a": [0.0, Infinity, -Infinity], "b": NaN, "c \" NaN": "NaN", "d": 1}"#;
        let value = parse(text).expect("as Python reads it");
        assert_eq!(value["d"], 1);
        assert_eq!(value["c \" NaN"], "NaN");
        assert!(value["b"].is_string() && value["a"][2].is_string());
    }

    #[test]
    fn of_a_field_given_twice_the_last_counts() {
        assert_eq!(parse(br#"{"a": 1, "a": 2}"#).expect("valid")["a"], 2);
    }

    #[test]
    fn a_byte_order_mark_is_no_fault() {
        assert_eq!(
            parse(b"\xef\xbb\xbf{}").expect("valid"),
            serde_json::json!({})
        );
    }

    #[test]
    fn a_fault_has_its_place() {
        let fault = parse(b"{\"a\": NaN,\n \"b\" 1}").expect_err("a colon is missing");
        assert!(fault.contains("line 2 column 6"), "{fault}");
        let fault = parse(b"{\"a\": Na}").expect_err("no word of JSON");
        assert!(fault.contains("line 1 column"), "{fault}");
    }
}
