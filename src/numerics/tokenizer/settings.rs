//! What of a `tokenizer.json` is not obeyed, and what is refused before the tokenizers crate
//! sees it.

use super::bounded::flattened;
use serde_json::Value;

/// The most parts of a pre-tokenizer that write bytes as characters, each of which may double
/// a text.
const MOST_BYTE_LEVELS: usize = 4;

/// The most tokens around a document.
pub(super) const MOST_AROUND: usize = 1024;

/// Clears what is there for training and for batches: truncation, padding, and the dropout of
/// merges. A text is read whole, alone, and in one way.
pub(super) fn clear(file: &mut Value) {
    for path in ["/truncation", "/padding", "/model/dropout"] {
        if let Some(setting) = file.pointer_mut(path) {
            *setting = Value::Null;
        }
    }
}

/// Refuses what would make a text vanish or grow without end.
///
/// # Errors
/// What is wrong.
pub(super) fn refuse_unbounded(file: &Value) -> Result<(), String> {
    if let Some(pre_tokenizer) = file.get("pre_tokenizer") {
        let parts = flattened(pre_tokenizer, "pretokenizers");
        let byte_levels = parts
            .iter()
            .filter(|part| kind(part) == "ByteLevel")
            .count();
        if byte_levels > MOST_BYTE_LEVELS {
            return Err(format!(
                "its pre_tokenizer writes bytes as characters {byte_levels} times over, which \
                 can double a text each time"
            ));
        }
    }
    let Some(post_processor) = file.get("post_processor") else {
        return Ok(());
    };
    for part in flattened(post_processor, "processors") {
        let Some(pieces) = part.get("single").and_then(Value::as_array) else {
            continue;
        };
        let texts = pieces
            .iter()
            .filter(|piece| piece.get("Sequence").is_some());
        if texts.count() != 1 {
            return Err(
                "the template `single` of its post_processor must have the text (a Sequence) \
                 once"
                    .to_owned(),
            );
        }
        if pieces.len() > MOST_AROUND {
            return Err(format!(
                "the template `single` of its post_processor has {} pieces; at most {MOST_AROUND} \
                 are read",
                pieces.len()
            ));
        }
    }
    Ok(())
}

fn kind(part: &Value) -> &str {
    part.get("type").and_then(Value::as_str).unwrap_or_default()
}
