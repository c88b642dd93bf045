//! Files of others: only regular ones are opened, and what is read whole has a limit.
//!
//! A pipe or a device can end never, or block whoever opens it; a file can be longer than
//! memory. So nobody else in the library opens a file by a path that a user gave.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

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
        return Err(io::Error::new(
            ErrorKind::InvalidInput,
            "it is a pipe, socket or device, not a regular file",
        ));
    }
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    Ok((file, length))
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

#[cfg(test)]
mod tests {
    use super::*;

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
