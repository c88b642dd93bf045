//! Where a folder may go: a place that can take one, and what may be replaced there.

use super::FolderError;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What stands where a folder should go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occupant {
    /// What it is.
    pub what: String,
    /// Whether `--overwrite` would replace it.
    pub yields: bool,
}

impl From<&str> for Occupant {
    fn from(what: &str) -> Self {
        let what = what.to_owned();
        Self {
            what,
            yields: false,
        }
    }
}

impl std::fmt::Display for Occupant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let what = &self.what;
        match self.yields {
            true => write!(
                f,
                "{what}; choose another folder with --out, or replace it with --overwrite"
            ),
            false => write!(f, "{what}; choose another folder with --out, or remove it"),
        }
    }
}

/// What decides whether an existing folder may be replaced.
pub trait Replaceable: std::fmt::Debug {
    /// `Ok` if the folder at `path` is an earlier result of the same run, else
    /// what is there.
    ///
    /// # Errors
    /// If it must stay.
    fn may_replace(&self, path: &Path) -> Result<(), Occupant>;
}

/// Whether the folder at `path` may be replaced, according to `identity`.
pub(super) fn check_occupant(path: &Path, identity: &dyn Replaceable) -> Result<(), FolderError> {
    identity
        .may_replace(path)
        .map_err(|occupant| FolderError::Occupied {
            path: path.to_owned(),
            occupant,
        })
}

/// Refuses a target that no folder can take, before anything is simulated for it.
///
/// # Errors
/// If `target` has no name of its own, as `..` has none, lies under a file, or is a
/// symbolic link that leads nowhere.
pub fn check_place(target: &Path) -> Result<(), FolderError> {
    let impossible = |reason: String| {
        Err(FolderError::Impossible {
            path: target.to_owned(),
            reason,
        })
    };
    if target.file_name().is_none() {
        return impossible("it is not a name for a new folder".to_owned());
    }
    for place in target.ancestors() {
        if place.is_symlink() && !place.exists() {
            let place = place.display();
            return impossible(format!("{place} is a symbolic link that leads nowhere"));
        }
    }
    let above = target.ancestors().skip(1);
    match above.into_iter().find(|folder| folder.exists()) {
        Some(file) if !file.is_dir() => impossible(format!("{} is a file", file.display())),
        _ => Ok(()),
    }
}

/// Where a folder that is to be at `target` really goes: a symbolic link is followed,
/// never replaced.
pub(super) fn followed(target: &Path) -> io::Result<PathBuf> {
    // Without a slash at its end, which would be followed by some calls and not by others.
    let name = target.file_name().unwrap_or_default();
    let plain = match target.parent() {
        Some(parent) => parent.join(name),
        None => PathBuf::from(name),
    };
    match plain.is_symlink() {
        true => fs::canonicalize(plain),
        false => Ok(plain),
    }
}
