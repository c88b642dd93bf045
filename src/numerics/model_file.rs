//! The files of a model folder, read whole and hashed.

use super::error::LoadError;
use super::json;
use crate::files;
use serde_json::Value;
use std::io::ErrorKind;
use std::path::Path;

/// No settings are longer: those of the models published so far have a few kilobytes, and
/// lists of weights some hundreds.
pub(super) const MOST_SETTINGS: u64 = 64 << 20;

/// What a file held when it was read, for a run's manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileDigest {
    /// The file's name within its folder.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// BLAKE3 of its content, in hexadecimal.
    pub blake3: String,
}

/// Reads `folder`/`name` whole, if it has at most `most` bytes.
///
/// # Errors
/// [`LoadError::Read`] with the file, the system's reason and `fix`.
pub(super) fn read(
    folder: &Path,
    name: &str,
    most: u64,
    fix: &str,
) -> Result<(Vec<u8>, FileDigest), LoadError> {
    let path = folder.join(name);
    let content = files::read(&path, most).map_err(|source| LoadError::Read {
        path,
        source,
        fix: fix.to_owned(),
    })?;
    let digest = FileDigest {
        name: name.to_owned(),
        bytes: content.len() as u64,
        blake3: blake3::hash(&content).to_hex().to_string(),
    };
    Ok((content, digest))
}

/// Reads the settings in `folder`/`name`; `None` if there is no such file.
///
/// # Errors
/// If it is there and cannot be read, or is not JSON.
pub(super) fn read_settings(
    folder: &Path,
    name: &str,
) -> Result<Option<(Value, FileDigest)>, LoadError> {
    let fix = "make it a readable file, or take it away";
    let (content, digest) = match read(folder, name, MOST_SETTINGS, fix) {
        Err(LoadError::Read { source, .. }) if source.kind() == ErrorKind::NotFound => {
            return Ok(None);
        }
        other => other?,
    };
    let value = json::parse(&content).map_err(|fault| LoadError::Config {
        path: folder.join(name),
        fault,
    })?;
    Ok(Some((value, digest)))
}
