//! Files and folders that appear whole or not at all.
//!
//! Whatever airloom leaves on a disk is written under a hidden name beside its place,
//! made durable, and moved there in one step:
//!
//! ```text
//! results/tiny/.airloom-Xy12Zw/lock      held by the process that writes
//! results/tiny/.airloom-Xy12Zw/new/      what will be results/tiny/seed1-run0
//! results/tiny/.airloom-Ab34Cd           a single file on its way, locked itself
//! ```
//!
//! A folder takes the place of an earlier one by an exchange of the two names, where the
//! system has that; elsewhere the earlier one is moved aside first. Whoever drops what it
//! has staged (an error, an interrupt) removes it together with the parents that it made.
//! A process that is killed can remove nothing, but its locks go with it: [`clear`], which
//! runs before anything is staged in a folder, removes what no living process holds and
//! puts back an earlier result that was moved aside when its owner died.
//!
//! What is read back from such folders goes through [`files`](crate::files).

mod created;
mod file;
mod folder;
mod lock;
mod remains;
mod replace;

pub use created::CreatedFolders;
pub use file::{Files, write_new};
pub use folder::StagedFolder;
pub use lock::Lock;
pub use remains::clear;

use std::io;
use std::path::{Path, PathBuf};

/// What all hidden names begin with.
pub const HIDDEN: &str = ".airloom-";

/// A file or folder that the system did not let be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}: {source}; nothing was left behind", path.display())]
pub struct Unwritable {
    /// The file or folder at fault.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

impl Unwritable {
    /// The error for what the system said about `path`.
    pub fn at(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |source| Self {
            path: path.to_owned(),
            source,
        }
    }
}

/// The folder in which `path` lies.
fn parent_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Makes what was renamed within `folder` survive a loss of power.
#[cfg(unix)]
#[expect(
    clippy::disallowed_methods,
    reason = "it is a folder, of which nothing is read"
)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    std::fs::File::open(folder)?.sync_all()
}

/// Other systems cannot open a folder as a file, and keep its entries themselves.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// The permissions that the umask leaves of `mode`: tempfile alone would make files and
/// folders private, and a result is to be shared as its owner shares everything.
fn builder(mode: u32) -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(HIDDEN);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(mode));
    }
    #[cfg(not(unix))]
    let _ = mode;
    builder
}
