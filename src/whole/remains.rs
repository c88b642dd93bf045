//! What killed processes left behind.

use super::folder::{LOCK, PREVIOUS, empty};
use super::lock::try_lock;
use super::{HIDDEN, sync_folder};
use crate::files::is_plain;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::time::Duration;

/// What has neither content nor a lock for longer than that is nobody's: between making a
/// file and locking it lies no more than an instant.
const PATIENCE: Duration = Duration::from_secs(60);

/// Removes what killed processes left in `folder`, and puts an earlier result back that
/// one of them had moved aside. What a living process holds stays, and so does what cannot
/// be opened.
pub fn clear(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        if !entry.file_name().to_string_lossy().starts_with(HIDDEN) {
            continue;
        }
        let path = entry.path();
        // A remnant that cannot be removed hinders nothing.
        let _ = match entry.file_type() {
            Ok(kind) if kind.is_dir() => clear_folder(&path, folder),
            Ok(kind) if kind.is_file() => clear_file(&path),
            _ => Ok(()),
        };
    }
}

fn clear_file(path: &Path) -> std::io::Result<()> {
    let file = File::options().read(true).write(true).open(path)?;
    if try_lock(&file)? && (file.metadata()?.len() > 0 || is_old(path)) {
        fs::remove_file(path)?;
    }
    Ok(())
}

fn clear_folder(hidden: &Path, parent: &Path) -> std::io::Result<()> {
    let Ok(mut lock) = File::options()
        .read(true)
        .write(true)
        .open(hidden.join(LOCK))
    else {
        return match is_old(hidden) {
            // Only if it is empty.
            true => fs::remove_dir(hidden),
            false => Ok(()),
        };
    };
    if !try_lock(&lock)? {
        return Ok(());
    }
    let mut name = String::new();
    lock.read_to_string(&mut name)?;
    if name.is_empty() && !is_old(hidden) {
        return Ok(());
    }
    let previous = hidden.join(PREVIOUS);
    let target = parent.join(&name);
    if is_plain(&name) && previous.exists() && fs::symlink_metadata(&target).is_err() {
        fs::rename(&previous, &target)?;
        sync_folder(parent)?;
    }
    empty(hidden);
    fs::remove_dir_all(hidden)
}

fn is_old(path: &Path) -> bool {
    let modified = fs::metadata(path).and_then(|found| found.modified());
    modified.is_ok_and(|time| time.elapsed().is_ok_and(|age| age > PATIENCE))
}

#[cfg(test)]
mod tests {
    use super::super::{Files, StagedFolder};
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    #[test]
    fn what_the_living_hold_stays_and_what_the_dead_left_goes() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path();
        let living = StagedFolder::new(&folder.join("run")).unwrap();
        let mut files = Files::default();
        files.stage(&folder.join("table.csv"), b"1").unwrap();
        fs::create_dir_all(folder.join(".airloom-dead/new/points")).unwrap();
        fs::write(folder.join(".airloom-dead/lock"), "other").unwrap();
        fs::write(folder.join(".airloom-file"), "half a tab").unwrap();
        // Somebody is making these just now.
        fs::create_dir(folder.join(".airloom-young")).unwrap();
        fs::write(folder.join(".airloom-empty"), "").unwrap();
        fs::write(folder.join(".profile"), "mine").unwrap();
        assert_eq!(names(folder).len(), 7);
        clear(folder);
        let left = names(folder);
        assert_eq!(left.len(), 5, "{left:?}");
        assert!(living.path().is_dir());
        files.commit().unwrap();
        drop(living);
        assert_eq!(
            names(folder),
            [".airloom-empty", ".airloom-young", ".profile", "table.csv"]
        );
    }

    #[test]
    fn a_result_that_was_moved_aside_is_put_back() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path();
        let aside = folder.join(".airloom-dead/previous");
        fs::create_dir_all(&aside).unwrap();
        fs::write(aside.join("metrics.json"), "{}").unwrap();
        fs::write(folder.join(".airloom-dead/lock"), "run").unwrap();
        clear(folder);
        assert_eq!(names(folder), ["run"]);
        assert_eq!(names(&folder.join("run")), ["metrics.json"]);
        // Where the new one stands already, the earlier one goes.
        fs::create_dir_all(&aside).unwrap();
        fs::write(folder.join(".airloom-dead/lock"), "run").unwrap();
        clear(folder);
        assert_eq!(names(&folder.join("run")), ["metrics.json"]);
        // No name leads out of the folder.
        fs::create_dir_all(folder.join("in/.airloom-dead/previous")).unwrap();
        fs::write(folder.join("in/.airloom-dead/lock"), "../out").unwrap();
        clear(&folder.join("in"));
        assert_eq!(names(folder), ["in", "run"]);
        assert!(names(&folder.join("in")).is_empty());
    }
}
