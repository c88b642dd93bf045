//! How much longer one step of a normaliser or decoder can make a text, known before it is
//! taken: forty steps that each write `a` as `aa` would fill any memory.

use serde_json::Value;
use tokenizers::normalizers::Precompiled;
use tokenizers::utils::SysRegex;

/// A text may grow by this factor, and by [`MOST_ADDED`] bytes beside. What is published
/// stays below: the longest decomposition of one character takes 11 times its bytes.
const MOST_FACTOR: usize = 64;
const MOST_ADDED: usize = 256;

/// The bytes that a text of `bytes` may grow to on its way through all steps.
pub(super) fn limit(bytes: usize) -> usize {
    bytes.saturating_mul(MOST_FACTOR).saturating_add(MOST_ADDED)
}

/// What bounds the growth by one step.
#[derive(Debug)]
pub(super) enum Growth {
    /// At most this many bytes for one.
    Factor(usize),
    /// At most this many bytes once.
    Added(usize),
    /// Every match of the pattern becomes this many bytes.
    Replace(Pattern, usize),
}

/// What is replaced.
#[derive(Debug)]
pub(super) enum Pattern {
    Literal(String),
    Expression(Box<SysRegex>),
}

impl Growth {
    /// That by the `step` of a `tokenizer.json`.
    ///
    /// # Errors
    /// If a step that replaces does not say what, or replaces nothing.
    pub(super) fn of(step: &Value) -> tokenizers::Result<Self> {
        let text = |field: &str| step.get(field).and_then(Value::as_str);
        Ok(match text("type") {
            Some("Replace") => {
                let pattern = |kind: &str| step.get("pattern")?.get(kind)?.as_str();
                let pattern = match (pattern("String"), pattern("Regex")) {
                    (Some(literal), _) => Pattern::Literal(literal.to_owned()),
                    (None, Some(regex)) => Pattern::Expression(Box::new(SysRegex::new(regex)?)),
                    (None, None) => return Err("Replace has no pattern".into()),
                };
                if pattern.matches("").0 > 0 {
                    // Between any two characters there is one: the library panics over it.
                    return Err("Replace has a pattern that matches the empty text".into());
                }
                Self::Replace(pattern, text("content").map_or(0, str::len))
            }
            Some("Prepend") => Self::Added(text("prepend").map_or(0, str::len)),
            // Compatibility decompositions, bytes as characters of two bytes, U+FFFD for what
            // is not UTF-8, spaces between characters or tokens.
            _ => Self::Factor(11),
        })
    }

    /// The most bytes that `text` has after the step.
    pub(super) fn most_after(&self, text: &str) -> usize {
        match self {
            Self::Factor(factor) => text.len().saturating_mul(*factor),
            Self::Added(bytes) => text.len().saturating_add(*bytes),
            Self::Replace(pattern, content) => {
                let (count, replaced) = pattern.matches(text);
                (text.len() - replaced).saturating_add(count.saturating_mul(*content))
            }
        }
    }
}

impl Pattern {
    /// How many matches there are in `text`, and their bytes.
    fn matches(&self, text: &str) -> (usize, usize) {
        match self {
            Self::Literal(literal) => {
                let count = text.matches(literal.as_str()).count();
                (count, count * literal.len())
            }
            Self::Expression(regex) => {
                let matches = regex.find_iter(text);
                matches.fold((0, 0), |(count, bytes), (from, to)| {
                    (count + 1, bytes + to - from)
                })
            }
        }
    }
}

/// The most bytes that `text` has after its graphemes or characters were looked up in
/// `table`, which sees up to five bytes of a grapheme at once: each place of the text
/// counts the longest of what can begin there.
pub(super) fn most_by_table(text: &str, table: &Precompiled) -> usize {
    const MOST_BYTES: usize = 5;
    let places = text.char_indices().map(|(start, first)| {
        let rest = &text[start..];
        let ends = rest.char_indices().map(|(end, c)| end + c.len_utf8());
        let looked_up = ends.take_while(|end| *end <= MOST_BYTES.max(first.len_utf8()));
        let lengths = looked_up.filter_map(|end| Some(table.transform(&rest[..end])?.len()));
        lengths.max().unwrap_or(0).max(first.len_utf8())
    });
    places.fold(0, usize::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn most(step: Value, text: &str) -> usize {
        Growth::of(&step).expect("a step").most_after(text)
    }

    #[test]
    fn replacing_is_known_exactly() {
        let literal = json!({"type": "Replace", "pattern": {"String": "aa"}, "content": "xyz"});
        assert_eq!(most(literal, "aaaaab"), "xyzxyzab".len());
        let regex = json!({"type": "Replace", "pattern": {"Regex": "[ab]+"}, "content": ""});
        assert_eq!(most(regex, "aba c a"), " c ".len());
        assert!(Growth::of(&json!({"type": "Replace", "content": ""})).is_err());
        for nothing in [
            json!({"String": ""}),
            json!({"Regex": ""}),
            json!({"Regex": "a*"}),
        ] {
            let step = json!({"type": "Replace", "pattern": nothing, "content": "x"});
            assert!(Growth::of(&step).is_err(), "{step}");
        }
    }

    #[test]
    fn other_steps_have_a_bound() {
        let prepend = json!({"type": "Prepend", "prepend": "\u{2581}"});
        assert_eq!(most(prepend, "ab"), 5);
        let longest = "\u{fdfa}";
        assert_eq!(longest.len(), 3);
        assert!(most(json!({"type": "NFKD"}), longest) >= 33);
        assert!(limit(longest.len()) >= 33);
    }
}
