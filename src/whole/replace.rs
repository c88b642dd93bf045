//! Putting one folder in the place of another.

use std::fs;
use std::io;
use std::path::Path;

/// Puts `new` in the place of `target`. The earlier folder is then at `new` or at `aside`.
///
/// # Errors
/// What the system says; then `target` is as it was.
pub(super) fn replace(new: &Path, target: &Path, aside: &Path) -> io::Result<()> {
    match exchange(new, target) {
        Err(error) if is_unknown(&error) => by_two_renames(new, target, aside),
        outcome => outcome,
    }
}

/// Exchanges two names in one step: at no time is one of them missing.
#[cfg(target_os = "linux")]
fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).map_err(io::Error::from)
}

#[cfg(not(target_os = "linux"))]
fn exchange(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Whether the system or the file system has no exchange.
fn is_unknown(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::Unsupported | io::ErrorKind::InvalidInput
    )
}

fn by_two_renames(new: &Path, target: &Path, aside: &Path) -> io::Result<()> {
    fs::rename(target, aside)?;
    fs::rename(new, target).inspect_err(|_| {
        let _ = fs::rename(aside, target);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_leave_the_new_folder_in_place_and_a_failure_the_old_one() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        for way in [replace, by_two_renames] {
            for name in ["new", "target"] {
                fs::create_dir(at(name)).unwrap();
                fs::write(at(name).join(name), "").unwrap();
            }
            way(&at("new"), &at("target"), &at("aside")).unwrap();
            assert!(at("target/new").exists() && !at("target/target").exists());
            way(&at("nothing"), &at("target"), &at("elsewhere")).unwrap_err();
            assert!(at("target/new").exists() && !at("elsewhere").exists());
            for name in ["new", "target", "aside"] {
                let _ = fs::remove_dir_all(at(name));
            }
        }
    }
}
