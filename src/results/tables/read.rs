//! Tables read back: whatever has become of a file since it was written, what is wrong is told
//! with its line, and no file takes more memory than its longest honest row.

use crate::files;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, de};
use std::cell::Cell;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// A row longer than that is none that a run wrote: its longest cell is the text that a request
/// generated.
const LONGEST_ROW: usize = 16 << 20;

/// A table that cannot be read.
#[derive(Debug, thiserror::Error)]
pub struct TableError {
    /// The file.
    pub path: PathBuf,
    /// The line of the row at fault, counted from 1, if it is one row.
    pub line: Option<u64>,
    /// What is wrong.
    pub fault: String,
}

impl std::fmt::Display for TableError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let path = self.path.display();
        match self.line {
            Some(line) => write!(f, "{path}, line {line}: {}", self.fault),
            None => write!(f, "cannot read {path}: {}", self.fault),
        }
    }
}

/// A CSV file with a heading, read row by row.
#[derive(Debug)]
pub struct TableFile {
    path: PathBuf,
    reader: csv::Reader<Bounded<File>>,
    /// Bytes that were read since the last row.
    unclaimed: Rc<Cell<usize>>,
    row: csv::StringRecord,
}

impl TableFile {
    /// Opens the table at `path` and reads its heading.
    ///
    /// # Errors
    /// If it is no file, or has no heading.
    pub fn open(path: &Path) -> Result<Self, TableError> {
        let fault = |fault: String| TableError {
            path: path.to_owned(),
            line: None,
            fault,
        };
        let (file, _) = files::open(path).map_err(|error| fault(error.to_string()))?;
        let unclaimed = Rc::new(Cell::new(0));
        let bounded = Bounded {
            inner: file,
            unclaimed: Rc::clone(&unclaimed),
        };
        let mut table = Self {
            path: path.to_owned(),
            reader: csv::Reader::from_reader(bounded),
            unclaimed,
            row: csv::StringRecord::new(),
        };
        if let Err(error) = table.reader.headers() {
            return Err(table.fault_of(&error));
        }
        table.unclaimed.set(0);
        Ok(table)
    }

    /// The names of the columns.
    pub fn heading(&mut self) -> Result<csv::StringRecord, TableError> {
        let heading = self.reader.headers().cloned();
        heading.map_err(|error| self.fault_of(&error))
    }

    /// The next row and its line; `None` after the last.
    ///
    /// # Errors
    /// If it is damaged: not UTF-8, of another length than the heading, or without an end.
    pub fn next_row(&mut self) -> Result<Option<(u64, &csv::StringRecord)>, TableError> {
        match self.reader.read_record(&mut self.row) {
            Ok(true) => {
                self.unclaimed.set(0);
                let line = self.row.position().map_or(0, csv::Position::line);
                Ok(Some((line, &self.row)))
            }
            Ok(false) => Ok(None),
            Err(error) => Err(self.fault_of(&error)),
        }
    }

    /// The rows as `R`, whose fields are columns; each with its line.
    pub fn rows<R: DeserializeOwned>(
        mut self,
    ) -> impl Iterator<Item = Result<(u64, R), TableError>> {
        let heading = self.heading();
        std::iter::from_fn(move || {
            let heading = match &heading {
                Ok(heading) => heading,
                // Opened tables have one.
                Err(_) => return None,
            };
            let path = self.path.clone();
            let (line, row) = match self.next_row() {
                Ok(row) => row?,
                Err(error) => return Some(Err(error)),
            };
            let decoded = row.deserialize(Some(heading));
            Some(match decoded {
                Ok(row) => Ok((line, row)),
                Err(error) => Err(TableError {
                    path,
                    line: Some(line),
                    fault: cell_fault(&error, heading),
                }),
            })
        })
    }

    /// The error about the row at `line`.
    pub fn error(&self, line: u64, fault: String) -> TableError {
        TableError {
            path: self.path.clone(),
            line: Some(line),
            fault,
        }
    }

    fn fault_of(&self, error: &csv::Error) -> TableError {
        let line = error.position().map(csv::Position::line);
        let fault = match error.kind() {
            csv::ErrorKind::UnequalLengths {
                expected_len, len, ..
            } => {
                format!("the row has {len} cells, and the heading {expected_len}")
            }
            csv::ErrorKind::Utf8 { .. } => "the row is not UTF-8".to_owned(),
            csv::ErrorKind::Io(error) => error.to_string(),
            _ => error.to_string(),
        };
        let reached = self.reader.position().line();
        TableError {
            path: self.path.clone(),
            line: Some(line.unwrap_or(reached).max(1)),
            fault,
        }
    }
}

/// What is wrong with a cell, by its column's name.
fn cell_fault(error: &csv::Error, heading: &csv::StringRecord) -> String {
    let csv::ErrorKind::Deserialize { err, .. } = error.kind() else {
        return error.to_string();
    };
    let column = err.field().and_then(|field| heading.get(field as usize));
    match column {
        Some(column) => format!("{column}: {}", err.kind()),
        None => err.kind().to_string(),
    }
}

/// The rows of the table `name` in `folder`.
///
/// # Errors
/// If there is no such table; each row is an error if it is damaged.
pub fn read_rows<R: DeserializeOwned>(
    folder: &Path,
    name: &str,
) -> Result<impl Iterator<Item = Result<R, TableError>>, TableError> {
    let rows = TableFile::open(&folder.join(name))?.rows();
    Ok(rows.map(|row| row.map(|(_, row)| row)))
}

/// Ends a row that has no end before it fills the memory.
#[derive(Debug)]
struct Bounded<R> {
    inner: R,
    unclaimed: Rc<Cell<usize>>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.unclaimed.get() > LONGEST_ROW {
            let fault = format!("the row is longer than {LONGEST_ROW} bytes");
            return Err(io::Error::new(io::ErrorKind::InvalidData, fault));
        }
        let count = self.inner.read(buffer)?;
        self.unclaimed.set(self.unclaimed.get() + count);
        Ok(count)
    }
}

/// A cell that holds a finite number, zero or above.
///
/// # Errors
/// If it holds anything else.
pub fn not_negative<'de, D: Deserializer<'de>>(cell: D) -> Result<f64, D::Error> {
    let value = f64::deserialize(cell)?;
    if value.is_finite() && value >= 0.0 {
        Ok(value)
    } else {
        Err(de::Error::custom(format!(
            "{value} is not a finite number, zero or above"
        )))
    }
}

/// Like [`not_negative`]; the cell may be empty.
///
/// # Errors
/// If it holds anything else.
pub fn not_negative_if_any<'de, D: Deserializer<'de>>(cell: D) -> Result<Option<f64>, D::Error> {
    match Option::<f64>::deserialize(cell)? {
        Some(value) if !(value.is_finite() && value >= 0.0) => Err(de::Error::custom(format!(
            "{value} is not a finite number, zero or above"
        ))),
        value => Ok(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[derive(Debug, Deserialize)]
    struct Row {
        name: String,
        #[serde(deserialize_with = "not_negative")]
        length_s: f64,
        #[serde(deserialize_with = "not_negative_if_any")]
        energy_j: Option<f64>,
    }

    fn message(content: &[u8]) -> String {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("t.csv"), content).unwrap();
        let rows = read_rows::<Row>(folder.path(), "t.csv");
        let error = match rows {
            Ok(mut rows) => rows.find_map(Result::err).expect("a damaged table"),
            Err(error) => error,
        };
        error
            .to_string()
            .replace(folder.path().to_str().unwrap(), "")
    }

    #[test]
    fn a_damaged_row_is_told_with_its_line_and_column() {
        let head = "name,length_s,energy_j\na,1,\n";
        for (row, expected) in [
            ("b,x,1", "/t.csv, line 3: length_s: invalid float literal"),
            (
                "b,-1,1",
                "/t.csv, line 3: -1 is not a finite number, zero or above",
            ),
            (
                "b,NaN,1",
                "/t.csv, line 3: NaN is not a finite number, zero or above",
            ),
            (
                "b,1,inf",
                "/t.csv, line 3: inf is not a finite number, zero or above",
            ),
            (
                "b,1",
                "/t.csv, line 3: the row has 2 cells, and the heading 3",
            ),
        ] {
            assert_eq!(message(format!("{head}{row}\n").as_bytes()), expected);
        }
        let bytes = [head.as_bytes(), b"\xff,1,1\n"].concat();
        assert_eq!(message(&bytes), "/t.csv, line 3: the row is not UTF-8");
    }

    #[test]
    fn a_row_without_end_is_refused_before_it_fills_the_memory() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        let mut file = File::create(&path).unwrap();
        file.write_all(b"name,length_s,energy_j\n").unwrap();
        file.set_len(1 << 40).unwrap();
        let mut rows = read_rows::<Row>(folder.path(), "t.csv").unwrap();
        let error = rows.next().unwrap().unwrap_err().to_string();
        assert!(
            error.ends_with("the row is longer than 16777216 bytes"),
            "{error}"
        );
        assert!(
            TableFile::open(folder.path()).is_err(),
            "a folder is no table"
        );
    }

    #[test]
    fn a_good_table_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let text = "energy_j,name,length_s\n,\"a\nb\",0.5\n2,c,1e3\n";
        std::fs::write(folder.path().join("t.csv"), text).unwrap();
        let table = TableFile::open(&folder.path().join("t.csv")).unwrap();
        let rows: Result<Vec<(u64, Row)>, _> = table.rows().collect();
        let rows: Vec<_> = rows.unwrap().into_iter().collect();
        let found: Vec<_> = rows
            .iter()
            .map(|(line, row)| (*line, row.name.as_str(), row.length_s, row.energy_j))
            .collect();
        assert_eq!(found, [(2, "a\nb", 0.5, None), (4, "c", 1e3, Some(2.0))]);
    }
}
