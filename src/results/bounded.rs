//! Small files of a run folder, read whole: no file takes more memory than an honest one.

use std::fs::File;
use std::io::{self, Error, ErrorKind, Read};
use std::path::Path;

/// No text that is read whole is longer: a figure of a long run is the longest.
const LONGEST: u64 = 64 << 20;

/// The text of the file at `path`.
///
/// # Errors
/// If it cannot be read, is no regular file (a pipe may keep a reader waiting for ever), is
/// longer than 64 MiB, or no UTF-8.
pub fn read_text(path: &Path) -> io::Result<String> {
    let refuse = |fault: String| Err(Error::new(ErrorKind::InvalidData, fault));
    if !std::fs::metadata(path)?.is_file() {
        return refuse("it is no file".to_owned());
    }
    let mut bytes = Vec::new();
    File::open(path)?
        .take(LONGEST + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST {
        return refuse(format!("it is longer than {LONGEST} bytes"));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(_) => refuse("it is not UTF-8".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_short_text_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("manifest.json");
        let fault = || read_text(&path).unwrap_err().to_string();
        std::fs::write(&path, "µ").unwrap();
        assert_eq!(read_text(&path).unwrap(), "µ");
        std::fs::write(&path, [0xff]).unwrap();
        assert_eq!(fault(), "it is not UTF-8");
        File::create(&path).unwrap().set_len(1 << 40).unwrap();
        assert_eq!(fault(), "it is longer than 67108864 bytes");
        assert!(read_text(folder.path()).is_err());
    }
}
