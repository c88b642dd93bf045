//! A file that at most one process holds.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A lock file that this process holds; dropping it removes the file and lets it go. A
/// process that dies lets go of it too, and the file it leaves hinders nobody.
#[derive(Debug)]
pub struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    /// Takes the lock at `path`; `None` while another process holds it.
    ///
    /// # Errors
    /// If the file cannot be made there.
    pub fn take(path: &Path) -> io::Result<Option<Self>> {
        loop {
            let mut options = File::options();
            options.read(true).write(true).create(true).truncate(false);
            let file = options.open(path)?;
            if !try_lock(&file)? {
                return Ok(None);
            }
            // Its last holder may have removed it between the opening and the locking.
            if is_at(&file, path) {
                let path = path.to_owned();
                return Ok(Some(Self { file, path }));
            }
        }
    }

    /// Says in the file who holds it.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn describe(&mut self, holder: &[u8]) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.write_all(holder)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // While it is held: nobody else's file can lie there.
        let _ = fs::remove_file(&self.path);
    }
}

/// Locks `file`; `false` if another process has. Where a file system knows no locks,
/// everybody gets them.
pub(super) fn try_lock(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let (Ok(own), Ok(there)) = (file.metadata(), fs::symlink_metadata(path)) else {
        return false;
    };
    (own.dev(), own.ino()) == (there.dev(), there.ino())
}

#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> bool {
    path.exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_held_by_one_and_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let mut first = Lock::take(&path).unwrap().unwrap();
        first.describe(b"first").unwrap();
        assert!(Lock::take(&path).unwrap().is_none());
        assert_eq!(fs::read(&path).unwrap(), b"first");
        drop(first);
        assert!(!path.exists());
        assert!(Lock::take(&path).unwrap().is_some());
    }
}
