//! Traces of one JSON object a line.

use super::columns::Origin;
use super::fault::RowFault;
use super::lines::Lines;
use super::{TracedPrompt, TracedRequest};
use crate::serving::lengths::MOST_TOKENS;
use crate::text::Visible;
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::fmt;
use std::io::BufRead;

/// Users by their names, numbered as they appear.
#[derive(Default)]
pub(super) struct Users(BTreeMap<String, u32>);

impl Users {
    pub(super) fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.0.get(name) {
            return *number;
        }
        let number = self.0.len() as u32;
        self.0.insert(name.to_owned(), number);
        number
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Object {
    arrival_s: f64,
    prompt_tokens: Option<u64>,
    prompt: Option<String>,
    output_tokens: u64,
    user: Option<User>,
    priority: Option<u32>,
}

/// A name, or a number that stands for one.
struct User(String);

impl<'de> Deserialize<'de> for User {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameOrNumber;

        impl Visitor<'_> for NameOrNumber {
            type Value = User;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a user's name or number")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<User, E> {
                Ok(User(name.to_owned()))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<User, E> {
                Ok(User(number.to_string()))
            }
        }

        deserializer.deserialize_any(NameOrNumber)
    }
}

/// The request of the line.
pub(super) fn read(
    lines: &Lines<'_, impl BufRead>,
    users: &mut Users,
    origin: &mut Option<Origin>,
    from_first: bool,
) -> Result<TracedRequest, RowFault> {
    let text = lines.text();
    let object: Object = serde_json::from_str(text).map_err(|error| {
        let message = error.to_string();
        // Its own place counts lines of this line alone.
        let end = message.rfind(" at line ").unwrap_or(message.len());
        let mut fault = lines.fault(
            0,
            format!(
                "{}; write an object such as {{\"arrival_s\": 0, \"prompt_tokens\": 100, \
                 \"output_tokens\": 20}}",
                Visible(&message[..end])
            ),
        );
        fault.column = error.column().max(1);
        fault
    })?;
    let fault = |field: &str, message: String| Err(lines.fault(place_of(text, field), message));
    if object.arrival_s < 0.0 {
        let message = format!("arrival_s is {}; write 0 or more", object.arrival_s);
        return fault("arrival_s", message);
    }
    let tokens = |field: &str, count: u64| match u32::try_from(count) {
        Ok(count @ 1..=MOST_TOKENS) => Ok(count),
        _ => {
            let message =
                format!("{field} is {count}; write 1 to {MOST_TOKENS}, or take the line out");
            Err(lines.fault(place_of(text, field), message))
        }
    };
    let prompt = match (object.prompt, object.prompt_tokens) {
        (Some(prompt), None) if !prompt.trim().is_empty() => TracedPrompt::Text(prompt),
        (Some(_), None) => {
            let message = "prompt holds no word; write one, or take the line out";
            return fault("prompt", message.to_owned());
        }
        (None, Some(count)) => TracedPrompt::Tokens(tokens("prompt_tokens", count)?),
        (Some(_), Some(_)) => {
            let message = "prompt and prompt_tokens; write one of them";
            return fault("prompt", message.to_owned());
        }
        (None, None) => {
            let message = "there is neither prompt nor prompt_tokens; write one of them";
            return fault("", message.to_owned());
        }
    };
    let start = match from_first {
        true => object.arrival_s,
        false => 0.0,
    };
    let at_s = match origin.get_or_insert(Origin::Seconds(start)) {
        Origin::Seconds(origin) => object.arrival_s - *origin,
        Origin::Date(_) => 0.0,
    };
    Ok(TracedRequest {
        line: lines.number(),
        at_s,
        prompt,
        output: tokens("output_tokens", object.output_tokens)?,
        user: object.user.map(|user| users.number(&user.0)),
        priority: object.priority,
    })
}

/// Where the value of `field` is announced in the object `text`.
pub(super) fn place_of(text: &str, field: &str) -> usize {
    text.find(&format!("\"{field}\"")).unwrap_or(0)
}
