//! What is said to arguments that name no verb.
//!
//! Without any argument airloom says how to begin, on stderr and with exit code 2: nobody
//! reads that by accident, and a script that lost its verb fails with nothing on stdout. A
//! path where a verb belongs is told the verbs that take it. All else is clap's.

use super::output::tell;
use crate::text::Visible;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use std::path::Path;
use std::process::ExitCode;

const BEGIN: &str = "\
airloom co-simulates LLM inference spread over a wireless
network: one run yields latency, energy and accuracy.

Begin with:
  airloom new first        write a scenario, first.ron
  airloom run first.ron    simulate it, write its results
  airloom explain DIR      say where that run's time went

Help:
  airloom help             every verb
  airloom VERB --help      its options, with examples
  airloom fields           every field of a scenario
  The manual is README.md with src/manual, or
  `cargo doc --open`.
";

/// Answers arguments that clap refuses, or that ask for help.
pub(super) fn answer(error: &clap::Error) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand if std::env::args_os().len() == 1 => {
            tell(BEGIN.trim_end());
            ExitCode::from(2)
        }
        ErrorKind::InvalidSubcommand => match error.get(ContextKind::InvalidSubcommand) {
            Some(ContextValue::String(word)) if is_path(word) => {
                tell(format_args!("error: {}", verb_missing(word)));
                ExitCode::from(2)
            }
            _ => error.exit(),
        },
        _ => error.exit(),
    }
}

fn is_path(word: &str) -> bool {
    word.contains(['/', '\\']) || word.ends_with(".ron") || Path::new(word).exists()
}

/// What may be done with `path`, which stands where a verb belongs.
fn verb_missing(path: &str) -> String {
    let verbs: &[(&str, &str)] = if Path::new(path).join("manifest.json").is_file() {
        &[
            ("explain", "say where the time of that run went"),
            ("plot", "draw its figures again"),
            ("replay", "run it again and compare"),
        ]
    } else if Path::new(path).join("points.csv").is_file() {
        &[("plot", "draw the sweep's figures again")]
    } else {
        &[
            ("run", "simulate it"),
            ("sweep", "simulate every point of its sweep"),
            ("check", "say what is wrong with it"),
        ]
    };
    let path = Visible(path);
    let mut text = format!("`{path}` is a path, and a verb has to stand before it:");
    for (verb, what) in verbs {
        text.push_str(&format!("\n  airloom {verb} {path}    {what}"));
    }
    text
}
