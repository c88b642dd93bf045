//! A folder that appears whole.

use super::file::plain;
use super::lock::try_lock;
use super::replace::replace;
use super::{CreatedFolders, Unwritable, builder, clear, parent_of, sync_folder};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Within a hidden folder: what its owner holds, with the name that the new folder will get.
pub(super) const LOCK: &str = "lock";

/// The folder that is being made.
const NEW: &str = "new";

/// The earlier one, where it had to be moved aside.
pub(super) const PREVIOUS: &str = "previous";

/// How often others may be quicker before that counts as a fault of the file system.
const TRIES: usize = 16;

/// A folder being written.
#[derive(Debug)]
pub struct StagedFolder {
    // In the order in which they must go.
    _lock: File,
    hidden: TempDir,
    created_parents: CreatedFolders,
    new: PathBuf,
    target: PathBuf,
}

impl StagedFolder {
    /// Starts the folder that will be at `target`, after clearing away what killed
    /// processes left beside it.
    ///
    /// # Errors
    /// If the place cannot be written to.
    pub fn new(target: &Path) -> Result<Self, Unwritable> {
        let parent = parent_of(target);
        let created_parents = CreatedFolders::create(&parent)?;
        clear(&parent);
        let make = || -> io::Result<(TempDir, File, PathBuf)> {
            let hidden = builder(0o777).tempdir_in(&parent).map_err(plain)?;
            let mut lock = File::create_new(hidden.path().join(LOCK))?;
            try_lock(&lock)?;
            let name = target.file_name().unwrap_or_default();
            lock.write_all(name.to_string_lossy().as_bytes())?;
            let new = hidden.path().join(NEW);
            fs::create_dir(&new)?;
            Ok((hidden, lock, new))
        };
        let (hidden, lock, new) = make().map_err(Unwritable::at(&parent))?;
        Ok(Self {
            _lock: lock,
            hidden,
            created_parents,
            new,
            target: target.to_owned(),
        })
    }

    /// Where the folder lies until it is committed.
    pub fn path(&self) -> &Path {
        &self.new
    }

    /// Puts the folder in its place, or in that of an earlier one if `may_replace` allows:
    /// it is asked about what is there by then.
    ///
    /// # Errors
    /// What `may_replace` says, or if the file system refuses.
    pub fn commit<E: From<Unwritable>>(
        mut self,
        may_replace: impl Fn(&Path) -> Result<(), E>,
    ) -> Result<(), E> {
        let target = self.target.as_path();
        let fault = || Unwritable::at(target);
        sync_tree(&self.new).map_err(fault())?;
        for tries in 1.. {
            let moved = if fs::symlink_metadata(target).is_ok() {
                may_replace(target)?;
                replace(&self.new, target, &self.hidden.path().join(PREVIOUS))
            } else {
                fs::rename(&self.new, target)
            };
            match moved {
                Ok(()) => break,
                // Another process put something there, or took it away, in between.
                Err(error) if tries < TRIES && is_overtaken(&error) => {}
                Err(error) => return Err(fault()(error).into()),
            }
        }
        self.created_parents.keep();
        sync_folder(&parent_of(target)).map_err(fault())?;
        Ok(())
    }
}

/// The lock goes last, with the folder: what has content and no lock would be nobody's to
/// remove if this process died meanwhile.
impl Drop for StagedFolder {
    fn drop(&mut self) {
        empty(self.hidden.path());
    }
}

/// Removes what a hidden folder holds beside its lock, as far as that can be removed.
pub(super) fn empty(hidden: &Path) {
    for content in [NEW, PREVIOUS] {
        let _ = fs::remove_dir_all(hidden.join(content));
    }
}

fn is_overtaken(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::AlreadyExists | ErrorKind::DirectoryNotEmpty | ErrorKind::NotFound
    )
}

/// Makes everything in `folder` survive a loss of power.
fn sync_tree(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            true => sync_tree(&entry.path())?,
            false => File::options().write(true).open(entry.path())?.sync_all()?,
        }
    }
    sync_folder(folder)
}
