//! A run folder that appears whole or not at all.
//!
//! Files are written into a [`StagedFolder`](crate::whole::StagedFolder) and hashed on the way. [`Staging::commit`]
//! puts it in its place; dropping the staging instead (an error, Ctrl-C) leaves nothing.

mod place;
mod staging;
#[cfg(test)]
mod tests;

pub use place::{Occupant, Replaceable, check_place};
pub use staging::{HashedFile, Staging};

use crate::files::{self, is_plain};
use crate::whole::Unwritable;
use std::io;
use std::path::{Path, PathBuf};

/// Name, size and BLAKE3 digest of a file in a run folder.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FileDigest {
    /// The file's name within the folder.
    pub name: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// BLAKE3 of its content, in hexadecimal.
    pub blake3: String,
}

impl FileDigest {
    /// Refuses a name that leads out of the folder in which it is listed.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check_name(&self) -> Result<(), String> {
        match is_plain(&self.name) {
            true => Ok(()),
            false => Err(format!(
                "it lists {:?}, which is no plain name of a file in its folder",
                self.name
            )),
        }
    }
}

/// BLAKE3 of the regular file at `path`, in hexadecimal.
///
/// # Errors
/// If it is none or cannot be read.
pub fn hash_of(path: &Path) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(files::open(path)?.0)?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// Why a run folder could not be written.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The target holds something that this run must not replace.
    #[error("{path} already holds {occupant}")]
    Occupied {
        /// The target.
        path: PathBuf,
        /// What is there.
        occupant: Occupant,
    },
    /// The target can never be a run folder.
    #[error("{path} cannot become a run folder: {reason}; choose another folder with --out")]
    Impossible {
        /// The target.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The file system refused.
    #[error("cannot write {path}: {source}; nothing was left behind")]
    Io {
        /// The file or folder at fault.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl FolderError {
    /// The error for what the file system said about `path`.
    pub fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |source| Self::Io {
            path: path.to_owned(),
            source,
        }
    }
}

impl FolderError {
    /// This error as one of writing, for those who watch a run; [`from_io`](Self::from_io)
    /// takes it out again.
    pub fn into_io(self) -> io::Error {
        let kind = match &self {
            Self::Io { source, .. } => source.kind(),
            _ => io::ErrorKind::Other,
        };
        io::Error::new(kind, self)
    }

    /// The error that [`into_io`](Self::into_io) put into `source`, else that `source` happened
    /// to `path`.
    pub fn from_io(source: io::Error, path: &Path) -> Self {
        match source.downcast::<Self>() {
            Ok(error) => error,
            Err(source) => Self::io(path)(source),
        }
    }
}

impl From<Unwritable> for FolderError {
    fn from(error: Unwritable) -> Self {
        let Unwritable { path, source } = error;
        Self::Io { path, source }
    }
}
