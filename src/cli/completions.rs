//! `airloom completions`: what a shell needs to complete verbs, options and files.

use super::output::print;
use super::{Cli, Failure};
use clap::CommandFactory;
use clap_complete::Shell;

/// Print a script that lets a shell complete verbs, options and files.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    source <(airloom completions bash)\n  \
    airloom completions zsh > ~/.zfunc/_airloom\n  \
    airloom completions fish \\\n    \
    > ~/.config/fish/completions/airloom.fish\n\n\
    zsh needs ~/.zfunc in its fpath; ~/.bashrc is the place for the first.")]
pub(super) struct CompletionsArgs {
    /// Which shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn completions(args: &CompletionsArgs) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "airloom", &mut script);
    print(String::from_utf8(script).map_err(Failure::run)?)
}
