//! Text of the user's own, from a UTF-8 file.

use std::path::{Path, PathBuf};

/// Why a text file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TextFileError {
    /// The file cannot be opened or read.
    #[error("cannot read the text file {}: {source}; check the path and its permissions", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// The bytes are not UTF-8.
    #[error(
        "{} is not UTF-8: byte {byte:#04x} at offset {offset} cannot stand there; convert the file to UTF-8",
        path.display()
    )]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// Offset of the first byte that does not belong.
        offset: usize,
        /// That byte.
        byte: u8,
    },
    /// There is less text than needed.
    #[error(
        "{} holds {length} characters, but at least {needed} are needed; use a longer text or a shorter window",
        path.display()
    )]
    TooShort {
        /// The file.
        path: PathBuf,
        /// Characters in the file, white space at its ends not counted.
        length: usize,
        /// The least that would do.
        needed: usize,
    },
}

/// Reads the UTF-8 text in `path`, a leading byte order mark removed, and checks
/// that it has at least `needed` characters beside white space at its ends.
///
/// # Errors
/// [`TextFileError`] when the file cannot be read, is not UTF-8 or is too short.
pub fn read_text(path: &Path, needed: usize) -> Result<String, TextFileError> {
    let bytes = std::fs::read(path).map_err(|source| TextFileError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        TextFileError::NotUtf8 {
            path: path.to_owned(),
            offset,
            byte: error.as_bytes()[offset],
        }
    })?;
    let text = match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    };
    let length = text.trim().chars().count();
    if length < needed.max(1) {
        return Err(TextFileError::TooShort {
            path: path.to_owned(),
            length,
            needed: needed.max(1),
        });
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("text.txt");
        std::fs::write(&path, bytes).unwrap();
        (folder, path)
    }

    #[test]
    fn reads_text_beyond_ascii_and_drops_the_byte_order_mark() {
        let (_folder, path) = file("\u{feff}Grüße, 世界\n".as_bytes());
        assert_eq!(read_text(&path, 9).unwrap(), "Grüße, 世界\n");
    }

    #[test]
    fn names_the_first_invalid_byte() {
        let (_folder, path) = file(b"good \xff bad");
        let message = read_text(&path, 1).unwrap_err().to_string();
        assert!(message.contains("text.txt"), "{message}");
        assert!(message.contains("0xff at offset 5"), "{message}");
    }

    #[test]
    fn a_sequence_cut_at_the_end_of_the_file_is_invalid_at_its_first_byte() {
        let (_folder, path) = file(b"ab\xe4\xb8");
        let message = read_text(&path, 1).unwrap_err().to_string();
        assert!(message.contains("0xe4 at offset 2"), "{message}");
    }

    #[test]
    fn a_short_or_empty_text_says_how_much_is_needed() {
        let (_folder, path) = file(b"  short \n");
        let message = read_text(&path, 100).unwrap_err().to_string();
        assert!(
            message.contains("holds 5 characters, but at least 100"),
            "{message}"
        );
        let (_folder, path) = file(b"");
        assert!(matches!(
            read_text(&path, 0),
            Err(TextFileError::TooShort {
                length: 0,
                needed: 1,
                ..
            })
        ));
    }

    #[test]
    fn a_missing_file_is_named() {
        let message = read_text(Path::new("no/such/file.txt"), 1)
            .unwrap_err()
            .to_string();
        assert!(message.contains("no/such/file.txt"), "{message}");
    }
}
