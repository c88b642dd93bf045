//! What a key of a GGUF file says.

/// A value; lists as they are used, and no list of a kind that nobody here reads.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Whole(i128),
    Number(f64),
    Flag(bool),
    Text(String),
    Texts(Vec<String>),
    /// Of 32 bits, as types of tokens are.
    Integers(Vec<i64>),
    /// Of 32 bits, as scores of tokens are.
    Numbers(Vec<f32>),
    Flags(Vec<bool>),
    /// A list that was passed over, of so many elements.
    Passed(u64),
}

impl Value {
    /// What it is, for errors.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Whole(value) => value.to_string(),
            Self::Number(value) => value.to_string(),
            Self::Flag(value) => value.to_string(),
            Self::Text(text) => {
                let short: String = text.chars().take(40).collect();
                format!("{short:?}")
            }
            Self::Texts(all) => format!("a list of {} texts", all.len()),
            Self::Integers(all) => format!("a list of {} whole numbers", all.len()),
            Self::Numbers(all) => format!("a list of {} numbers", all.len()),
            Self::Flags(all) => format!("a list of {} flags", all.len()),
            Self::Passed(count) => format!("a list of {count}"),
        }
    }
}
