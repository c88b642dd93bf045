//! A folder while it is written.

use super::place::{Replaceable, check_occupant, check_place, followed};
use super::{FileDigest, FolderError};
use crate::whole::StagedFolder;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// A run folder being written.
#[derive(Debug)]
pub struct Staging {
    folder: StagedFolder,
    identity: Box<dyn Replaceable>,
    target: PathBuf,
    files: Vec<FileDigest>,
}

impl Staging {
    /// Starts a folder that will become `target`, or what that links to.
    ///
    /// # Errors
    /// If `target` is occupied by anything but what `identity` may replace, or the place
    /// is not writable.
    pub fn new(target: &Path, identity: impl Replaceable + 'static) -> Result<Self, FolderError> {
        check_place(target)?;
        if target.exists() {
            check_occupant(target, &identity)?;
        }
        let place = followed(target).map_err(FolderError::io(target))?;
        Ok(Self {
            folder: StagedFolder::new(&place)?,
            identity: Box::new(identity),
            target: target.to_owned(),
            files: Vec::new(),
        })
    }

    /// Where the folder lies until it is committed.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The path that the file `name` will have.
    pub fn shown(&self, name: &str) -> PathBuf {
        self.target.join(name)
    }

    /// Opens the file `name` for writing; [`HashedFile::finish`] gives the
    /// digest that [`record`](Self::record) wants.
    ///
    /// # Errors
    /// If the file cannot be created.
    pub fn create(&self, name: &str) -> Result<HashedFile, FolderError> {
        let path = self.path().join(name);
        let shown = self.shown(name);
        let file = File::create(&path).map_err(FolderError::io(&shown))?;
        Ok(HashedFile {
            name: name.to_owned(),
            shown,
            file: BufWriter::with_capacity(1 << 16, file),
            hasher: blake3::Hasher::new(),
            bytes: 0,
        })
    }

    /// Adds a finished file to the list that the manifest shows.
    pub fn record(&mut self, digest: FileDigest) {
        self.files.push(digest);
    }

    /// Writes a whole file and records it.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&mut self, name: &str, content: &[u8]) -> Result<(), FolderError> {
        let mut file = self.create(name)?;
        file.write_all(content)
            .map_err(FolderError::io(&file.shown.clone()))?;
        let digest = file.finish()?;
        self.record(digest);
        Ok(())
    }

    /// Writes a file that the manifest does not list: the manifest itself.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write_unlisted(&self, name: &str, content: &[u8]) -> Result<(), FolderError> {
        let mut file = self.create(name)?;
        file.write_all(content)
            .map_err(FolderError::io(&file.shown.clone()))?;
        file.finish().map(drop)
    }

    /// The files recorded so far, by name.
    pub fn files(&self) -> Vec<FileDigest> {
        let mut files = self.files.clone();
        files.sort_by(|a, b| a.name.cmp(&b.name));
        files
    }

    /// Puts the folder in its place, or in that of an earlier result.
    ///
    /// # Errors
    /// If something else has taken its place meanwhile, or the folder cannot be renamed.
    pub fn commit(self) -> Result<PathBuf, FolderError> {
        let Self {
            folder,
            identity,
            target,
            ..
        } = self;
        let may_replace = |_: &Path| check_occupant(&target, identity.as_ref());
        match folder.commit(may_replace) {
            // The user knows the folder by the path that was given.
            Err(FolderError::Io { source, .. }) => Err(FolderError::io(&target)(source)),
            Err(error) => Err(error),
            Ok(()) => Ok(target),
        }
    }
}

/// A file that is hashed while it is written.
#[derive(Debug)]
pub struct HashedFile {
    name: String,
    shown: PathBuf,
    file: BufWriter<File>,
    hasher: blake3::Hasher,
    bytes: u64,
}

impl HashedFile {
    /// Flushes the file and tells its digest.
    ///
    /// # Errors
    /// If the last bytes cannot be written, e.g. on a full disk.
    pub fn finish(mut self) -> Result<FileDigest, FolderError> {
        self.file.flush().map_err(FolderError::io(&self.shown))?;
        Ok(FileDigest {
            name: self.name,
            bytes: self.bytes,
            blake3: self.hasher.finalize().to_hex().to_string(),
        })
    }

    /// The error for `source` on this file.
    pub fn error(&self, source: io::Error) -> FolderError {
        FolderError::io(&self.shown)(source)
    }
}

impl Write for HashedFile {
    fn write(&mut self, content: &[u8]) -> io::Result<usize> {
        let written = self.file.write(content)?;
        self.hasher.update(&content[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
