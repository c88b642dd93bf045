//! Where two runs part: the first row in which their logs differ, and the lines in which their
//! scenarios do.

use crate::files;
use similar::{Algorithm, DiffTag, capture_diff_slices};
use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::ops::Range;
use std::path::Path;

/// The most lines, of both texts together and without what is equal at their ends, that are
/// compared: the time of comparing grows by their product.
const MOST_COMPARED: usize = 10_000;

/// Where two logs part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// Both rows are known; `None` where a log has ended.
    Rows {
        /// The row's number, counted from 0.
        number: u64,
        /// The columns' names.
        header: String,
        /// The row of the run that is replayed.
        there: Option<String>,
        /// The row of the replay.
        here: Option<String>,
    },
    /// Only the window is known.
    Window(Range<u64>),
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Window(window) => write!(
                f,
                "among rows {} to {} (only digests are at hand)",
                window.start,
                window.end.saturating_sub(1)
            ),
            Self::Rows {
                number,
                header,
                there,
                here,
            } => {
                let shown = |row: &Option<String>| row.clone().unwrap_or("(no more rows)".into());
                write!(
                    f,
                    "row {number}\n    columns  {header}\n    there    {}\n    here     {}",
                    shown(there),
                    shown(here)
                )
            }
        }
    }
}

/// No row of a log is longer.
const LONGEST_ROW: u64 = 1 << 20;

/// The lines of a log, none of which takes more memory than the longest row.
struct Lines(BufReader<File>);

impl Iterator for Lines {
    type Item = std::io::Result<String>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut line = Vec::new();
        let read = (&mut self.0).take(LONGEST_ROW).read_until(b'\n', &mut line);
        match read {
            Ok(0) => None,
            Ok(_) if line.len() as u64 == LONGEST_ROW => {
                Some(Err(std::io::Error::other("it has a row without end")))
            }
            Ok(_) => {
                let line = String::from_utf8_lossy(&line);
                Some(Ok(line.trim_end_matches(['\n', '\r']).to_owned()))
            }
            Err(error) => Some(Err(error)),
        }
    }
}

/// The first row in which two files differ.
///
/// # Errors
/// If one cannot be read, or has a row without an end.
pub fn first_row(there: &Path, here: &Path) -> std::io::Result<Option<Difference>> {
    let mut there = Lines(BufReader::new(files::open(there)?.0));
    let mut here = Lines(BufReader::new(files::open(here)?.0));
    let mut number = 0;
    let mut header = None;
    loop {
        match (there.next().transpose()?, here.next().transpose()?) {
            (None, None) => return Ok(None),
            (a, b) if a == b => match header {
                None => header = a,
                Some(_) => number += 1,
            },
            (a, b) => {
                return Ok(Some(Difference::Rows {
                    number,
                    header: header.unwrap_or_default(),
                    there: a,
                    here: b,
                }));
            }
        }
    }
}

/// A line there and the line here that stands in its place.
pub type LinePair<'a> = (Option<&'a str>, Option<&'a str>);

/// The lines that differ, those between the same two common lines paired in order; `None` if
/// comparing so many would take long.
pub fn differing_lines<'a>(then: &'a str, now: &'a str) -> Option<Vec<LinePair<'a>>> {
    let (then, now): (Vec<&str>, Vec<&str>) = (then.lines().collect(), now.lines().collect());
    let same = |(a, b): &(&&str, &&str)| a == b;
    let head = then.iter().zip(&now).take_while(same).count();
    let (then, now) = (&then[head..], &now[head..]);
    let tail = then
        .iter()
        .rev()
        .zip(now.iter().rev())
        .take_while(same)
        .count();
    let (then, now) = (&then[..then.len() - tail], &now[..now.len() - tail]);
    if then.len() + now.len() > MOST_COMPARED {
        return None;
    }
    let mut pairs = Vec::new();
    for change in capture_diff_slices(Algorithm::Myers, then, now) {
        if change.tag() == DiffTag::Equal {
            continue;
        }
        let (gone, new) = (&then[change.old_range()], &now[change.new_range()]);
        for number in 0..gone.len().max(new.len()) {
            let line = |lines: &[&'a str]| lines.get(number).map(|line| line.trim());
            pairs.push((line(gone), line(new)));
        }
    }
    Some(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_differ_are_paired_between_those_that_do_not() {
        let then = "a\n  b\nc\nd\n";
        let now = "a\nB\nc\nd\ne\n";
        assert_eq!(
            differing_lines(then, now).unwrap(),
            [(Some("b"), Some("B")), (None, Some("e"))]
        );
        assert_eq!(differing_lines(then, then).unwrap(), []);
        assert_eq!(differing_lines("", "x\n").unwrap(), [(None, Some("x"))]);
    }

    #[test]
    fn a_million_lines_are_another_scenario_unless_they_are_equal() {
        let long = "\n".repeat(1_000_000);
        assert!(differing_lines(&long, &long).unwrap().is_empty());
        assert_eq!(differing_lines(&long, "a\nb\n"), None);
        let one_more = format!("{long}x\n{long}");
        assert_eq!(
            differing_lines(&format!("{long}{long}"), &one_more).unwrap(),
            [(None, Some("x"))]
        );
    }
}
