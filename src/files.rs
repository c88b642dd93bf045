//! Files of others: only regular ones are opened, and what is read whole has a limit.
//!
//! A pipe or a device can end never, or block whoever opens it; a file can be longer than
//! memory. So nobody else in the library opens a file by a path that a user gave.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Component, Path};

/// Opens the regular file at `path`; returns its length too.
///
/// # Errors
/// The system's, and of kind `IsADirectory` or `InvalidInput` if it is no regular file.
pub fn open(path: &Path) -> io::Result<(File, u64)> {
    let kind = fs::metadata(path)?.file_type();
    if kind.is_dir() {
        return Err(ErrorKind::IsADirectory.into());
    }
    if !kind.is_file() {
        return Err(not_regular());
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "its kind was looked at just above"
    )]
    let file = File::open(path)?;
    let found = file.metadata()?;
    // Another may have taken its place meanwhile.
    if !found.is_file() {
        return Err(not_regular());
    }
    Ok((file, found.len()))
}

fn not_regular() -> io::Error {
    let message = "it is a pipe, socket or device, not a regular file";
    io::Error::new(ErrorKind::InvalidInput, message)
}

/// The content of the regular file at `path`, if it has at most `most` bytes.
///
/// # Errors
/// Those of [`open`], the system's, and of kind `FileTooLarge`.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let too_large = |length: u64| {
        let message = format!("it has {length} bytes or more, and at most {most} are read");
        io::Error::new(ErrorKind::FileTooLarge, message)
    };
    let (file, length) = open(path)?;
    if length > most {
        return Err(too_large(length));
    }
    let mut content = Vec::new();
    file.take(most.saturating_add(1))
        .read_to_end(&mut content)?;
    if content.len() as u64 > most {
        return Err(too_large(content.len() as u64));
    }
    Ok(content)
}

/// The text of the regular file at `path`, if it has at most `most` bytes.
///
/// # Errors
/// Those of [`read`], and of kind `InvalidData` if it is not UTF-8.
pub fn read_text(path: &Path, most: u64) -> io::Result<String> {
    let text = String::from_utf8(read(path, most)?);
    text.map_err(|_| io::Error::new(ErrorKind::InvalidData, "it is not UTF-8"))
}

/// Whether `name` is the name of a file in a folder, rather than a path to elsewhere on
/// this system or on another.
pub fn is_plain(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    let one = matches!(
        (parts.next(), parts.next()),
        (Some(Component::Normal(part)), None) if part == name
    );
    one && !name.contains(['/', '\\', ':']) && !name.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_name_leads_nowhere_else() {
        for name in ["events.csv", "a b", "..x", "ä.svg"] {
            assert!(is_plain(name), "{name}");
        }
        for name in [
            "", ".", "..", "/", "../x", "a/b", "a/", "./a", "a\\b", "c:x", "a\0b", "a\n",
        ] {
            assert!(!is_plain(name), "{name:?}");
        }
    }

    #[test]
    fn a_regular_file_is_read_up_to_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        fs::write(&path, b"12345").unwrap();
        assert_eq!(read(&path, 5).unwrap(), b"12345");
        let error = read(&path, 4).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileTooLarge);
        assert!(error.to_string().contains("5 bytes"), "{error}");
    }

    #[test]
    fn a_sparse_file_takes_no_memory() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        File::create(&path).unwrap().set_len(1 << 40).unwrap();
        assert_eq!(
            read(&path, 1 << 20).unwrap_err().kind(),
            ErrorKind::FileTooLarge
        );
    }

    #[test]
    fn folders_are_not_files() {
        let folder = tempfile::tempdir().unwrap();
        let error = open(folder.path()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::IsADirectory);
    }

    #[cfg(unix)]
    #[test]
    fn pipes_and_devices_are_refused_before_they_are_opened() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.unwrap().success());
        for path in [path.as_path(), Path::new("/dev/zero")] {
            let error = open(path).unwrap_err();
            assert!(error.to_string().contains("regular file"), "{error}");
        }
    }
}
