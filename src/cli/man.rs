//! `airloom man`: what `--help` says, as pages for `man`.

use super::output::print;
use super::{Cli, Failure};
use clap::CommandFactory;
use clap_mangen::Man;
use std::fs;
use std::path::{Path, PathBuf};

/// Print airloom's manual page, or write it and that of every verb into a folder.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    airloom man | man -l -\n  \
    airloom man ~/.local/share/man/man1    (then: man airloom-run)\n\n\
    Pages of an earlier version are replaced.")]
pub(super) struct ManArgs {
    /// Where to write airloom.1, airloom-run.1 and so on; it is made if it is not there
    #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    folder: Option<PathBuf>,
}

/// The last section of every page.
const EXIT_STATUS: &str = "\
.SH \"EXIT STATUS\"
0 done, 1 the run or the comparison failed or was interrupted, 2 the input is wrong.
";

/// Every page by its file's name, airloom's own first.
fn pages() -> Result<Vec<(String, String)>, Failure> {
    let mut program = Cli::command().disable_help_subcommand(true);
    program.build();
    let verbs = program.get_subcommands();
    let page = |command: &clap::Command| {
        let man = Man::new(command.clone());
        let mut text = Vec::new();
        man.render(&mut text).map_err(Failure::run)?;
        let text = String::from_utf8(text).map_err(Failure::run)?;
        Ok((man.get_filename(), text + EXIT_STATUS))
    };
    std::iter::once(&program).chain(verbs).map(page).collect()
}

/// Puts `text` in the place of the file `path`: whole or not at all.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let begun = path.with_extension("begun");
    let written = fs::write(&begun, text).and_then(|()| fs::rename(&begun, path));
    if written.is_err() {
        // What remains of it is of no use; the first error is the one to tell.
        let _ = fs::remove_file(&begun);
    }
    written
}

pub(super) fn man(args: &ManArgs) -> Result<(), Failure> {
    let pages = pages()?;
    let Some(folder) = &args.folder else {
        return print(&pages[0].1);
    };
    let failed = |error: std::io::Error| {
        Failure::Run(format!("cannot write to {}: {error}", folder.display()))
    };
    fs::create_dir_all(folder).map_err(failed)?;
    for (name, text) in &pages {
        replace(&folder.join(name), text).map_err(failed)?;
    }
    print(format_args!(
        "{} pages written to {}\n",
        pages.len(),
        folder.display()
    ))
}
