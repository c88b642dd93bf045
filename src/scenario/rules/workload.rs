//! What a request may ask for.

use super::{missing, streams};
use crate::scenario::model::Model;
use crate::scenario::workload::{
    Arrival, Choose, Generate, Request, Score, Text, Tokens, WorldText,
};
use crate::serving::lengths::MOST_TOKENS;
use crate::serving::trace::MOST_REQUESTS;
use crate::units::{Duration, FieldFault};
use std::path::Path;

/// More documents or questions are a slip of the pen.
const MOST_TEXTS: u64 = 1 << 20;

/// The most tokens of a text file in one request: they are held in memory.
const MOST_SCORED: usize = 1 << 24;

/// The longest text file that is scored whole, in bytes; of a longer one windows are
/// counted.
const LONGEST_TEXT: u64 = 32 << 20;

/// What is wrong with each request, by its path.
pub(super) fn faults(requests: &[Request], model: &Model, folder: &Path) -> Vec<FieldFault> {
    let mut faults = Vec::new();
    if requests.is_empty() {
        faults.push(FieldFault::new(
            "workload",
            "there is no request; add one, for example Generate(prompt: \"Mara\")",
        ));
    }
    for (index, request) in requests.iter().enumerate() {
        let path = format!("workload[{index}]");
        let checked = self::request(request, model, folder);
        faults.extend(checked.err().map(|fault| fault.under(&path)));
        let served = self::served(request, model).err();
        faults.extend(served.map(|fault| FieldFault::new(path.as_str(), fault.message)));
    }
    let streamed = requests.iter().map(|request| match request {
        Request::Arrivals(arrivals) => u64::from(arrivals.count),
        Request::Trace(recorded) => recorded.count.unwrap_or(1),
        _ => 1,
    });
    let total = streamed.fold(0, u64::saturating_add);
    if faults.is_empty() && total > MOST_REQUESTS {
        let message = format!("{total} requests in all; use at most {MOST_REQUESTS}");
        faults.push(FieldFault::new("workload", message));
    }
    faults
}

/// Text needs a model that computes, bare numbers of tokens one that does not.
fn served(request: &Request, model: &Model) -> Result<(), FieldFault> {
    let fault = |message| Err(FieldFault::new("", message));
    match (request, model) {
        (Request::Tokens(_), Model::Folder(_) | Model::Gguf(_)) => fault(
            "bare tokens have no text to compute with; use Score or Generate, or a model that is \
             a Shape",
        ),
        (Request::Tokens(_) | Request::Arrivals(_) | Request::Trace(_), Model::Shape(_)) => Ok(()),
        (_, Model::Shape(_)) => fault(
            "a Shape has no weights to read text with; use Tokens(prompt: 500), or a model's \
             Folder",
        ),
        _ => Ok(()),
    }
}

fn request(request: &Request, model: &Model, folder: &Path) -> Result<(), FieldFault> {
    match request {
        Request::Score(score) => self::score(score, folder)?,
        Request::Generate(Generate { max_tokens: 0, .. }) => {
            return Err(FieldFault::new(
                "max_tokens",
                "0 tokens are no answer; use 1 or more",
            ));
        }
        Request::Tokens(Tokens {
            prompt, generate, ..
        }) => {
            for (path, count, least) in [("prompt", *prompt, 1), ("generate", *generate, 0)] {
                if !(least..=MOST_TOKENS).contains(&count) {
                    let message = format!("{count} tokens; use {least} to {MOST_TOKENS}");
                    return Err(FieldFault::new(path, message));
                }
            }
        }
        Request::Generate(_) => {}
        Request::Choose(choose) => self::choose(choose)?,
        Request::Arrivals(arrivals) => streams::drawn(arrivals, model, folder)?,
        Request::Trace(recorded) => streams::recorded(recorded, folder)?,
    }
    if let Some(sampling) = request.sampling() {
        if matches!(model, Model::Shape(_)) {
            let message = "a Shape has no probabilities to draw tokens from; leave this out, or \
                           use a model's Folder";
            return Err(FieldFault::new("sampling", message));
        }
        let valid = sampling.validate();
        valid.map_err(|fault| fault.under("sampling"))?;
    }
    if let Some(Arrival::At(time)) = request.arrival() {
        Duration::from_seconds(time.0)
            .map_err(|error| FieldFault::new("arrival", error.to_string()))?;
    }
    Ok(())
}

fn choose(choose: &Choose) -> Result<(), FieldFault> {
    let Choose {
        questions, first, ..
    } = choose;
    if !(1..=MOST_TEXTS).contains(questions) {
        let message = format!("{questions} questions; use 1 to {MOST_TEXTS}");
        return Err(FieldFault::new("questions", message));
    }
    if first.checked_add(*questions).is_none() {
        return Err(FieldFault::new(
            "first",
            format!("{first} leaves no number for the last"),
        ));
    }
    Ok(())
}

fn score(score: &Score, folder: &Path) -> Result<(), FieldFault> {
    let fault = |path: &str, message: String| Err(FieldFault::new(path, message));
    match &score.text {
        Text::World(WorldText {
            documents, first, ..
        }) => {
            if !(1..=MOST_TEXTS).contains(documents) {
                let message = format!("{documents} documents; use 1 to {MOST_TEXTS}");
                return fault("text.documents", message);
            }
            if first.checked_add(*documents).is_none() {
                return fault(
                    "text.first",
                    format!("{first} leaves no number for the last"),
                );
            }
            for (path, given) in [("window", score.window), ("windows", score.windows)] {
                if given.is_some() {
                    return fault(
                        path,
                        "each document of the world is a window of its own; leave this out, and \
                         say how many with `documents`"
                            .to_owned(),
                    );
                }
            }
        }
        Text::File(written) => {
            let path = folder.join(written);
            if !path.is_file() {
                return fault("text", missing("file", &path, written));
            }
            if score.window.is_some_and(|window| window < 2) {
                return fault(
                    "window",
                    "a window needs 2 tokens or more: one to read, one to predict".to_owned(),
                );
            }
            if score.windows == Some(0) {
                return fault(
                    "windows",
                    "0 windows; use 1 or more, or leave it out".to_owned(),
                );
            }
            let window = score.window.unwrap_or(Score::DEFAULT_WINDOW);
            if window > MOST_TOKENS as usize {
                let message = format!("{window} tokens; use 2 to {MOST_TOKENS}");
                return fault("window", message);
            }
            let bytes = path.metadata().map_or(0, |file| file.len());
            match score.windows {
                Some(windows) if windows.saturating_mul(window) > MOST_SCORED => fault(
                    "windows",
                    format!(
                        "{windows} windows of {window} tokens; use at most {}",
                        MOST_SCORED / window
                    ),
                )?,
                None if bytes > LONGEST_TEXT => fault(
                    "text",
                    format!(
                        "{} has {bytes} bytes, and at most {LONGEST_TEXT} are scored whole; say \
                         with `windows` how many to take from its start",
                        path.display()
                    ),
                )?,
                _ => {}
            }
        }
    }
    Ok(())
}
