//! A run folder that appears whole or not at all.
//!
//! Files are written into a hidden folder beside the target and hashed on the
//! way. [`Staging::commit`] renames that folder into place; dropping the staging
//! instead (an error, Ctrl-C) removes it, together with every parent folder
//! that it had to create.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

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

/// BLAKE3 of the file at `path`, in hexadecimal.
///
/// # Errors
/// If it cannot be read.
pub fn hash_of(path: &Path) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(File::open(path)?)?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// Why a run folder could not be written.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The target holds something that this run must not replace.
    #[error("{path} already holds {what}; choose another folder with --out, or remove it")]
    Occupied {
        /// The target.
        path: PathBuf,
        /// What is there.
        what: String,
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

/// What decides whether an existing folder may be replaced.
pub trait Replaceable {
    /// `Ok` if the folder at `path` is an earlier result of the same run, else
    /// a description of what is there.
    fn may_replace(&self, path: &Path) -> Result<(), String>;
}

/// Refuses a target that no folder can take, before anything is simulated for it.
///
/// # Errors
/// If `target` has no name of its own, as `..` has none, or lies under a file.
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
    let above = target.ancestors().skip(1);
    match above.into_iter().find(|folder| folder.exists()) {
        Some(file) if !file.is_dir() => impossible(format!("{} is a file", file.display())),
        _ => Ok(()),
    }
}

/// A run folder being written.
#[derive(Debug)]
pub struct Staging {
    // Declared first: the staged folder must go before its parents.
    folder: TempDir,
    created_parents: CreatedFolders,
    target: PathBuf,
    files: Vec<FileDigest>,
}

/// Folders made on the way to something that may not come: dropping this removes
/// those that are empty.
#[derive(Debug)]
pub struct CreatedFolders(Vec<PathBuf>);

impl CreatedFolders {
    /// Creates `folder` and every parent that is missing.
    ///
    /// # Errors
    /// If the file system refuses.
    pub fn create(folder: &Path) -> Result<Self, FolderError> {
        let missing = folder
            .ancestors()
            .take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists())
            .map(Path::to_owned);
        let created = Self(missing.collect());
        fs::create_dir_all(folder).map_err(FolderError::io(folder))?;
        Ok(created)
    }
}

impl Drop for CreatedFolders {
    fn drop(&mut self) {
        for folder in &self.0 {
            // Fails when somebody else has put something there meanwhile,
            // and then it should stay.
            let _ = fs::remove_dir(folder);
        }
    }
}

impl Staging {
    /// Starts a folder that will become `target`.
    ///
    /// # Errors
    /// If `target` is occupied by anything but an earlier result of the same
    /// run, or the place is not writable.
    pub fn new(target: &Path, identity: &dyn Replaceable) -> Result<Self, FolderError> {
        check_place(target)?;
        if target.exists() {
            identity
                .may_replace(target)
                .map_err(|what| FolderError::Occupied {
                    path: target.to_owned(),
                    what,
                })?;
        }
        let parent = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        let created_parents = CreatedFolders::create(&parent)?;
        let folder = tempfile::Builder::new()
            .prefix(".airloom-")
            .tempdir_in(&parent)
            // The kind alone: tempfile adds the hidden folder's name to what the system says.
            .map_err(|error| FolderError::io(&parent)(error.kind().into()))?;
        Ok(Self {
            folder,
            created_parents,
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
        let path = self.folder.path().join(name);
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

    /// Puts the folder in its place.
    ///
    /// An earlier result of the same run is moved aside first and put back if
    /// the new one cannot take its place.
    ///
    /// # Errors
    /// If the folder cannot be renamed.
    pub fn commit(self) -> Result<PathBuf, FolderError> {
        let staged = self.folder.path();
        // tempfile makes folders private; a result is to be shared.
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(staged, fs::Permissions::from_mode(0o755))
                .map_err(FolderError::io(&self.target))?;
        }
        if self.target.exists() {
            let aside = staged.with_extension("previous");
            fs::rename(&self.target, &aside).map_err(FolderError::io(&self.target))?;
            if let Err(error) = fs::rename(staged, &self.target) {
                let _ = fs::rename(&aside, &self.target);
                return Err(FolderError::io(&self.target)(error));
            }
            let _ = fs::remove_dir_all(&aside);
        } else {
            fs::rename(staged, &self.target).map_err(FolderError::io(&self.target))?;
        }
        let Self {
            folder,
            mut created_parents,
            target,
            ..
        } = self;
        // The folder is no longer temporary, and its parents are in use.
        let _ = folder.keep();
        created_parents.0.clear();
        Ok(target)
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

#[cfg(test)]
mod tests {
    use super::*;

    struct Same;

    impl Replaceable for Same {
        fn may_replace(&self, _: &Path) -> Result<(), String> {
            Ok(())
        }
    }

    struct Other;

    impl Replaceable for Other {
        fn may_replace(&self, _: &Path) -> Result<(), String> {
            Err("another scenario's run".into())
        }
    }

    fn entries(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_dropped_staging_leaves_nothing_behind() {
        let root = TempDir::new().unwrap();
        let mut staging = Staging::new(&root.path().join("a/b/run"), &Same).unwrap();
        staging.write("x.csv", b"1").unwrap();
        drop(staging);
        assert!(entries(root.path()).is_empty());
    }

    #[test]
    fn a_committed_folder_is_whole_and_alone() {
        let root = TempDir::new().unwrap();
        let target = root.path().join("a/run");
        for content in [b"1", b"2"] {
            let mut staging = Staging::new(&target, &Same).unwrap();
            staging.write("x.csv", content).unwrap();
            staging.commit().unwrap();
            assert_eq!(fs::read(target.join("x.csv")).unwrap(), content);
        }
        assert_eq!(entries(&root.path().join("a")), ["run"]);
        assert_eq!(entries(&target), ["x.csv"]);
    }

    #[test]
    fn a_foreign_folder_is_refused_and_untouched() {
        let root = TempDir::new().unwrap();
        let target = root.path().join("run");
        fs::create_dir(&target).unwrap();
        fs::write(target.join("thesis.txt"), "mine").unwrap();
        let error = Staging::new(&target, &Other).unwrap_err().to_string();
        assert!(error.contains("another scenario's run"), "{error}");
        assert_eq!(entries(root.path()), ["run"]);
    }

    #[test]
    fn a_digest_is_that_of_the_bytes_on_disk() {
        let root = TempDir::new().unwrap();
        let mut staging = Staging::new(&root.path().join("run"), &Same).unwrap();
        staging.write("x.csv", b"abc").unwrap();
        // BLAKE3's published test vector for "abc".
        assert_eq!(
            staging.files()[0].blake3,
            "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85"
        );
        assert_eq!(staging.files()[0].bytes, 3);
    }
}
