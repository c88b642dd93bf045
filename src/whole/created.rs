//! Folders made on the way to something that may not come.

use super::Unwritable;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders that did not exist before: dropping this removes those that are empty.
#[derive(Debug, Default)]
pub struct CreatedFolders(Vec<PathBuf>);

impl CreatedFolders {
    /// Creates `folder` and every parent that is missing.
    ///
    /// # Errors
    /// If the file system refuses.
    pub fn create(folder: &Path) -> Result<Self, Unwritable> {
        let mut created = Self::default();
        created.add(folder)?;
        Ok(created)
    }

    /// Creates `folder` and every parent that is missing, beside those made before.
    ///
    /// # Errors
    /// If the file system refuses.
    pub fn add(&mut self, folder: &Path) -> Result<(), Unwritable> {
        let missing = folder
            .ancestors()
            .take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists());
        // The innermost first, as they are to be removed.
        let mut missing: Vec<PathBuf> = missing.map(Path::to_owned).collect();
        missing.append(&mut self.0);
        self.0 = missing;
        fs::create_dir_all(folder).map_err(Unwritable::at(folder))
    }

    /// Lets them stay.
    pub fn keep(&mut self) {
        self.0.clear();
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
