//! The command line: thin verbs over the library.

use std::process::ExitCode;

/// Parses the arguments and runs the verb they name.
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
