//! Small files of a run folder, read whole: no file takes more memory than an honest one.

use crate::files;
use std::io;
use std::path::Path;

/// No text that is read whole is longer: a figure of a long run is the longest.
const LONGEST: u64 = 64 << 20;

/// The text of the file at `path`.
///
/// # Errors
/// Those of [`files::read_text`], with a limit of 64 MiB.
pub fn read_text(path: &Path) -> io::Result<String> {
    files::read_text(path, LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

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
        assert!(fault().ends_with("at most 67108864 are read"));
        assert!(read_text(folder.path()).is_err());
    }
}
