//! What streams of requests may ask for.

use super::missing;
use crate::scenario::arrivals::{Arrivals, Prompts, Recorded};
use crate::scenario::model::Model;
use crate::serving::lengths::{Lengths, MOST_TOKENS};
use crate::serving::trace::MOST_REQUESTS;
use crate::units::{Duration, FieldFault, Seconds};
use std::path::Path;

/// What is wrong with a stream that is drawn.
pub(super) fn drawn(arrivals: &Arrivals, model: &Model, folder: &Path) -> Result<(), FieldFault> {
    let process = arrivals.process.validate();
    process.map_err(|fault| fault.under("process"))?;
    counted("count", u64::from(arrivals.count))?;
    start(arrivals.start)?;
    let lengths = |path: &str, lengths: &Lengths| {
        lengths.validate().map_err(|fault| fault.under(path))?;
        match lengths {
            Lengths::Empirical(written) => file(path, written, folder),
            _ => Ok(()),
        }
    };
    lengths("output", &arrivals.output)?;
    let word = |path: String, text: &str| match text.trim() {
        "" => Err(FieldFault::new(path, "there is no text; write a prompt")),
        _ => Ok(()),
    };
    match &arrivals.prompt {
        Prompts::Tokens(tokens) => lengths("prompt", tokens)?,
        Prompts::Text(text) => word("prompt".to_owned(), text)?,
        Prompts::Texts(texts) if texts.is_empty() => word("prompt".to_owned(), "")?,
        Prompts::Texts(texts) => texts
            .iter()
            .enumerate()
            .try_for_each(|(place, text)| word(format!("prompt[{place}]"), text))?,
        Prompts::World(world) => {
            if world.first.checked_add(u64::from(arrivals.count)).is_none() {
                let message = format!("{} leaves no number for the last", world.first);
                return Err(FieldFault::new("prompt.first", message));
            }
        }
    }
    let of_tokens = matches!(arrivals.prompt, Prompts::Tokens(_));
    if !of_tokens && matches!(model, Model::Shape(_)) {
        let message = "a Shape has no weights to read text with; use Tokens(Fixed(128)), or a \
                       model's Folder";
        return Err(FieldFault::new("prompt", message));
    }
    match arrivals.shared_prefix {
        0 => Ok(()),
        _ if !of_tokens => Err(FieldFault::new(
            "shared_prefix",
            "texts share what they have in common; write it into them, or use prompt: Tokens(…)",
        )),
        shared if shared > MOST_TOKENS => Err(FieldFault::new(
            "shared_prefix",
            format!("{shared} tokens; use at most {MOST_TOKENS}"),
        )),
        _ => Ok(()),
    }
}

/// What is wrong with a stream that is read from a file, as far as it is known before.
pub(super) fn recorded(recorded: &Recorded, folder: &Path) -> Result<(), FieldFault> {
    file("file", &recorded.file, folder)?;
    recorded
        .count
        .map_or(Ok(()), |count| counted("count", count))?;
    FieldFault::unless_positive("speed", recorded.speed)?;
    start(recorded.start)
}

fn counted(path: &str, count: u64) -> Result<(), FieldFault> {
    match count {
        1..=MOST_REQUESTS => Ok(()),
        _ => Err(FieldFault::new(
            path,
            format!("{count} requests; use 1 to {MOST_REQUESTS}"),
        )),
    }
}

fn start(time: Seconds) -> Result<(), FieldFault> {
    let held = Duration::from_seconds(time.0);
    held.map(|_| ())
        .map_err(|error| FieldFault::new("start", error.to_string()))
}

fn file(path: &str, written: &str, folder: &Path) -> Result<(), FieldFault> {
    let there = folder.join(written);
    match there.is_file() {
        true => Ok(()),
        false => Err(FieldFault::new(path, missing("file", &there, written))),
    }
}
