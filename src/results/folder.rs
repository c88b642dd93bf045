//! A run folder that appears whole or not at all.
//!
//! Files are written into a [`StagedFolder`] and hashed on the way. [`Staging::commit`]
//! puts it in its place; dropping the staging instead (an error, Ctrl-C) leaves nothing.

use crate::files::{self, is_plain};
use crate::whole::{StagedFolder, Unwritable};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
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
fn check_occupant(path: &Path, identity: &dyn Replaceable) -> Result<(), FolderError> {
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
fn followed(target: &Path) -> io::Result<PathBuf> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    #[derive(Debug)]
    struct Same;

    impl Replaceable for Same {
        fn may_replace(&self, _: &Path) -> Result<(), Occupant> {
            Ok(())
        }
    }

    #[derive(Debug)]
    struct Other;

    impl Replaceable for Other {
        fn may_replace(&self, _: &Path) -> Result<(), Occupant> {
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
        let mut staging = Staging::new(&root.path().join("a/b/run"), Same).unwrap();
        staging.write("x.csv", b"1").unwrap();
        drop(staging);
        assert!(entries(root.path()).is_empty());
    }

    #[test]
    fn a_committed_folder_is_whole_and_alone() {
        let root = TempDir::new().unwrap();
        let target = root.path().join("a/run");
        for content in [b"1", b"2"] {
            let mut staging = Staging::new(&target, Same).unwrap();
            staging.write("x.csv", content).unwrap();
            staging.commit().unwrap();
            assert_eq!(fs::read(target.join("x.csv")).unwrap(), content);
        }
        assert_eq!(entries(&root.path().join("a")), ["run"]);
        assert_eq!(entries(&target), ["x.csv"]);
    }

    #[test]
    #[cfg(unix)]
    fn a_symbolic_link_is_followed_and_stays_one() {
        use std::os::unix::fs::symlink;
        let root = TempDir::new().unwrap();
        let at = |name: &str| root.path().join(name);
        fs::create_dir(at("scratch")).unwrap();
        symlink("scratch", at("link")).unwrap();
        for (given, content) in [("link", b"1"), ("link/", b"2")] {
            let mut staging = Staging::new(&at(given), Same).unwrap();
            staging.write("x.csv", content).unwrap();
            assert_eq!(staging.commit().unwrap(), at(given));
            assert!(at("link").is_symlink());
            assert_eq!(fs::read(at("scratch/x.csv")).unwrap(), content);
        }
        assert_eq!(entries(root.path()), ["link", "scratch"]);
        symlink("nowhere", at("broken")).unwrap();
        symlink("loop", at("loop")).unwrap();
        for broken in ["broken", "broken/run", "loop"] {
            let error = Staging::new(&at(broken), Same).unwrap_err();
            assert!(error.to_string().contains("leads nowhere"), "{error}");
        }
    }

    #[test]
    fn a_folder_that_another_process_finished_meanwhile_is_replaced_if_it_may_be() {
        let root = TempDir::new().unwrap();
        let target = root.path().join("run");
        let finish = |content: &[u8]| {
            let mut staging = Staging::new(&target, Same).unwrap();
            staging.write("x.csv", content).unwrap();
            staging
        };
        let (first, second) = (finish(b"1"), finish(b"2"));
        first.commit().unwrap();
        second.commit().unwrap();
        assert_eq!(fs::read(target.join("x.csv")).unwrap(), b"2");
        fs::remove_dir_all(&target).unwrap();
        let late = Staging::new(&target, Other).unwrap();
        finish(b"3").commit().unwrap();
        assert!(matches!(
            late.commit().unwrap_err(),
            FolderError::Occupied { .. }
        ));
        assert_eq!(fs::read(target.join("x.csv")).unwrap(), b"3");
        assert_eq!(entries(root.path()), ["run"]);
    }

    #[test]
    fn a_foreign_folder_is_refused_and_untouched() {
        let root = TempDir::new().unwrap();
        let target = root.path().join("run");
        fs::create_dir(&target).unwrap();
        fs::write(target.join("thesis.txt"), "mine").unwrap();
        let error = Staging::new(&target, Other).unwrap_err().to_string();
        assert!(error.contains("another scenario's run"), "{error}");
        assert_eq!(entries(root.path()), ["run"]);
    }

    #[test]
    fn a_digest_is_that_of_the_bytes_on_disk() {
        let root = TempDir::new().unwrap();
        let mut staging = Staging::new(&root.path().join("run"), Same).unwrap();
        staging.write("x.csv", b"abc").unwrap();
        // BLAKE3's published test vector for "abc".
        assert_eq!(
            staging.files()[0].blake3,
            "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85"
        );
        assert_eq!(staging.files()[0].bytes, 3);
    }
}
