//! Files that appear whole, several of them together.

use super::lock::try_lock;
use super::{CreatedFolders, Unwritable, builder, clear, parent_of, sync_folder};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Files that are written and not in their places: all are made before any appears, so
/// that a disk that is full keeps none of them. An earlier file of the same name is
/// replaced, a symbolic link itself rather than what it points to.
#[derive(Debug, Default)]
pub struct Files {
    // Declared first: staged files must go before their folders.
    staged: Vec<(NamedTempFile, PathBuf)>,
    folders: BTreeSet<PathBuf>,
    created: CreatedFolders,
}

impl Files {
    /// Writes what will be the file at `path`.
    ///
    /// # Errors
    /// If the file system refuses.
    pub fn stage(&mut self, path: &Path, content: &[u8]) -> Result<(), Unwritable> {
        self.stage_with(path, |out| {
            out.write_all(content).map_err(Unwritable::at(path))
        })
    }

    /// Lets `write` write what will be the file at `path`.
    ///
    /// # Errors
    /// If the file system refuses, or what `write` says.
    pub fn stage_with<E: From<Unwritable>>(
        &mut self,
        path: &Path,
        write: impl FnOnce(&mut BufWriter<&mut File>) -> Result<(), E>,
    ) -> Result<(), E> {
        let fault = || Unwritable::at(path);
        let folder = parent_of(path);
        if self.folders.insert(folder.clone()) {
            self.created.add(&folder)?;
            clear(&folder);
        }
        if path.is_dir() {
            return Err(fault()(ErrorKind::IsADirectory.into()).into());
        }
        let mut staged = hidden_file(&folder).map_err(fault())?;
        let mut out = BufWriter::with_capacity(1 << 16, staged.as_file_mut());
        write(&mut out)?;
        out.flush().map_err(fault())?;
        drop(out);
        staged.as_file().sync_all().map_err(fault())?;
        self.staged.push((staged, path.to_owned()));
        Ok(())
    }

    /// Puts all files in their places, in order, and tells their paths.
    ///
    /// # Errors
    /// If the file system refuses one; those before it are in their places.
    pub fn commit(mut self) -> Result<Vec<PathBuf>, Unwritable> {
        let mut paths = Vec::new();
        for (staged, path) in self.staged.drain(..) {
            let persisted = staged.persist(&path);
            persisted.map_err(|error| Unwritable::at(&path)(error.error))?;
            self.created.keep();
            paths.push(path);
        }
        for folder in &self.folders {
            sync_folder(folder).map_err(Unwritable::at(folder))?;
        }
        Ok(paths)
    }
}

/// Writes the file at `path`, where none may be yet.
///
/// # Errors
/// If there is one, with [`ErrorKind::AlreadyExists`], or the file system refuses.
pub fn write_new(path: &Path, content: &[u8]) -> io::Result<()> {
    if fs::symlink_metadata(path).is_ok() {
        return Err(ErrorKind::AlreadyExists.into());
    }
    let folder = parent_of(path);
    clear(&folder);
    let mut staged = hidden_file(&folder)?;
    staged.write_all(content)?;
    staged.as_file().sync_all()?;
    staged
        .persist_noclobber(path)
        .map_err(|error| error.error)?;
    sync_folder(&folder)
}

/// An empty file in `folder` that no [`clear`] removes while this process lives.
fn hidden_file(folder: &Path) -> io::Result<NamedTempFile> {
    let staged = builder(0o666)
        .tempfile_in(folder)
        // The kind alone: tempfile adds the hidden name to what the system says.
        .map_err(plain)?;
    try_lock(staged.as_file())?;
    Ok(staged)
}

/// The system's own error where tempfile has wrapped it.
pub(super) fn plain(error: io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => error.kind().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_appear_together_or_not_at_all() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        fs::create_dir(at("taken")).unwrap();
        let mut files = Files::default();
        files.stage(&at("new/a.csv"), b"a").unwrap();
        files.stage(&at("taken"), b"b").unwrap_err();
        drop(files);
        assert!(!at("new").exists());
        let mut files = Files::default();
        files.stage(&at("new/a.csv"), b"a").unwrap();
        files.stage(&at("new/b.csv"), b"b").unwrap();
        assert!(!at("new/a.csv").exists());
        files.commit().unwrap();
        assert_eq!(fs::read(at("new/b.csv")).unwrap(), b"b");
        assert_eq!(fs::read_dir(at("new")).unwrap().count(), 2);
    }

    #[test]
    fn a_new_file_takes_no_others_place() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("first.ron");
        write_new(&path, b"1").unwrap();
        let error = write_new(&path, b"2").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"1");
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
    }
}
