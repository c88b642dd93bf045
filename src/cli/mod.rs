//! The command line: thin verbs over the library.

pub mod train;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::{Parser, Subcommand};

/// Co-simulates language-model inference spread over a wireless network.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Train(train::TrainArgs),
}

/// Parses the arguments and runs the verb they name.
///
/// The first Ctrl-C asks the verb to stop and leave things in order.
pub fn main() -> ExitCode {
    let interrupt = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&interrupt);
    if let Err(error) = ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed)) {
        eprintln!("warning: Ctrl-C will end the program at once: {error}");
    }
    let outcome = match Arguments::parse().verb {
        Verb::Train(arguments) => train::run(arguments, &interrupt),
    };
    match outcome {
        Ok(report) => {
            print!("{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
