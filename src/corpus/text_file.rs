//! Text of the user's own, from a UTF-8 file.

use crate::files;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
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
        offset: u64,
        /// That byte.
        byte: u8,
    },
    /// There is no text in it.
    #[error("{} holds nothing but white space; use another text", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

/// A UTF-8 text file, of which no more is held than is asked for; a leading byte order
/// mark is no part of the text.
#[derive(Debug)]
pub struct TextFile {
    path: PathBuf,
    file: File,
    /// Bytes of the byte order mark.
    mark: u64,
    /// Bytes of the text.
    length: u64,
}

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextPiece {
    /// The part.
    pub text: String,
    /// Whether the text ends with it.
    pub is_last: bool,
}

const BYTE_ORDER_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];

impl TextFile {
    /// Opens the regular file at `path`.
    ///
    /// # Errors
    /// [`TextFileError::Unreadable`].
    pub fn open(path: &Path) -> Result<Self, TextFileError> {
        let unreadable = |source| TextFileError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let (mut file, bytes) = files::open(path).map_err(unreadable)?;
        let mut start = Vec::new();
        let mark = BYTE_ORDER_MARK.len() as u64;
        let mut prefix = file.by_ref().take(mark);
        prefix.read_to_end(&mut start).map_err(unreadable)?;
        let mark = if start == BYTE_ORDER_MARK { mark } else { 0 };
        Ok(Self {
            path: path.to_owned(),
            file,
            mark,
            length: bytes - mark,
        })
    }

    /// The text from its byte `from` on, up to `most` bytes, rounded down to whole
    /// characters.
    ///
    /// # Errors
    /// If the file cannot be read, is not UTF-8 there, or holds nothing but white space.
    pub fn piece(&mut self, from: u64, most: usize) -> Result<TextPiece, TextFileError> {
        let mut bytes = Vec::new();
        let start = self.mark + from;
        let mut read = || {
            self.file.seek(SeekFrom::Start(start))?;
            let mut part = self.file.by_ref().take(most as u64);
            part.read_to_end(&mut bytes)
        };
        read().map_err(|source| TextFileError::Unreadable {
            path: self.path.clone(),
            source,
        })?;
        let is_last = from + bytes.len() as u64 >= self.length;
        let text = String::from_utf8(bytes).or_else(|error| {
            let fault = error.utf8_error();
            let (valid, is_cut) = (fault.valid_up_to(), fault.error_len().is_none());
            let mut bytes = error.into_bytes();
            if is_cut && !is_last && valid > 0 {
                bytes.truncate(valid);
                return Ok(String::from_utf8(bytes).expect("valid up to there"));
            }
            Err(TextFileError::NotUtf8 {
                path: self.path.clone(),
                offset: start + valid as u64,
                byte: bytes[valid],
            })
        })?;
        if is_last && from == 0 && text.trim().is_empty() {
            return Err(TextFileError::Empty {
                path: self.path.clone(),
            });
        }
        Ok(TextPiece { text, is_last })
    }
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

    fn whole(path: &Path) -> Result<String, TextFileError> {
        let piece = TextFile::open(path)?.piece(0, 1 << 20)?;
        assert!(piece.is_last);
        Ok(piece.text)
    }

    #[test]
    fn reads_text_beyond_ascii_and_drops_the_byte_order_mark() {
        let (_folder, path) = file("\u{feff}Grüße, 世界\n".as_bytes());
        assert_eq!(whole(&path).unwrap(), "Grüße, 世界\n");
    }

    #[test]
    fn pieces_of_any_length_are_whole_characters_and_add_up() {
        let text = "\u{feff}aü世🚂".repeat(5);
        let (_folder, path) = file(text.as_bytes());
        let text = text.strip_prefix('\u{feff}').unwrap();
        let mut opened = TextFile::open(&path).unwrap();
        for most in [4, 5, 7, 1000] {
            let mut read = String::new();
            loop {
                let piece = opened.piece(read.len() as u64, most).unwrap();
                read.push_str(&piece.text);
                assert!(piece.text.len() <= most && text.starts_with(&read));
                assert_eq!(piece.is_last, read == text);
                if piece.is_last {
                    break;
                }
            }
        }
    }

    #[test]
    fn names_the_first_invalid_byte() {
        let (_folder, path) = file(b"good \xff bad");
        let message = whole(&path).unwrap_err().to_string();
        assert!(message.contains("text.txt"), "{message}");
        assert!(message.contains("0xff at offset 5"), "{message}");
        let error = TextFile::open(&path).unwrap().piece(3, 100).unwrap_err();
        assert!(error.to_string().contains("0xff at offset 5"), "{error}");
    }

    #[test]
    fn a_sequence_cut_at_the_end_of_the_file_is_invalid_at_its_first_byte() {
        let (_folder, path) = file(b"ab\xe4\xb8");
        let message = whole(&path).unwrap_err().to_string();
        assert!(message.contains("0xe4 at offset 2"), "{message}");
    }

    #[test]
    fn a_text_without_text_is_refused() {
        for content in [&b""[..], b"  \n", b"\xef\xbb\xbf"] {
            let (_folder, path) = file(content);
            let error = whole(&path).unwrap_err();
            assert!(matches!(error, TextFileError::Empty { .. }), "{error}");
        }
    }

    #[test]
    fn a_missing_file_or_a_folder_is_named() {
        let message = whole(Path::new("no/such/file.txt"))
            .unwrap_err()
            .to_string();
        assert!(message.contains("no/such/file.txt"), "{message}");
        let (folder, _path) = file(b"");
        assert!(whole(folder.path()).is_err());
    }

    #[test]
    fn a_long_sparse_file_takes_no_memory() {
        let (_folder, path) = file(b"");
        File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_len(1 << 40)
            .unwrap();
        let piece = TextFile::open(&path).unwrap().piece(1 << 39, 8).unwrap();
        assert_eq!((piece.text.len(), piece.is_last), (8, false));
    }
}
