//! Tables for a terminal, which stay readable where it is narrow: columns that find no
//! room stand below, each part beginning with the columns that name its rows.

use crate::text::Visible;
use std::fmt::Write;

/// Cells in rows and columns.
#[derive(Debug)]
pub struct Table {
    /// Before every line.
    indent: usize,
    /// How many of the first columns name the row; they are set to the left.
    names: usize,
    /// Of each column, with the gap before it, or after it where it names the row.
    widths: Vec<usize>,
    /// The heading first.
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table whose first `names` columns name its rows; `widths` include gaps.
    pub fn new(indent: usize, names: usize, widths: Vec<usize>) -> Self {
        Self {
            indent,
            names,
            widths,
            rows: Vec::new(),
        }
    }

    /// Adds a row; the first one is the heading.
    pub fn push(&mut self, cells: Vec<String>) {
        let visible = |cell: String| Visible(&cell).to_string();
        self.rows.push(cells.into_iter().map(visible).collect());
    }

    /// The table in lines of at most `columns`, if that is possible with one column beside
    /// those that name the row.
    pub fn text(&self, columns: Option<usize>) -> String {
        let mut text = String::new();
        for (index, part) in self.parts(columns).into_iter().enumerate() {
            if index > 0 {
                text.push('\n');
            }
            for row in &self.rows {
                self.line(&mut text, row, part.clone());
            }
        }
        text
    }

    /// The columns of each part, but for those that name the row.
    fn parts(&self, columns: Option<usize>) -> Vec<std::ops::Range<usize>> {
        let first = self.names;
        let named = self.indent + self.widths[..first].iter().sum::<usize>();
        let mut parts = Vec::new();
        let (mut start, mut used) = (first, named);
        for (column, width) in self.widths.iter().enumerate().skip(first) {
            if columns.is_some_and(|columns| used + width > columns) && column > start {
                parts.push(start..column);
                (start, used) = (column, named);
            }
            used += width;
        }
        parts.push(start..self.widths.len());
        parts
    }

    fn line(&self, text: &mut String, row: &[String], part: std::ops::Range<usize>) {
        let start = text.len();
        // Writing to a String cannot fail.
        let _ = write!(text, "{:indent$}", "", indent = self.indent);
        for (cell, width) in row[..self.names].iter().zip(&self.widths) {
            let _ = write!(text, "{cell:<width$}");
        }
        for (cell, width) in row[part.clone()].iter().zip(&self.widths[part]) {
            let _ = write!(text, "{cell:>width$}");
        }
        let end = text[start..].trim_end().len();
        text.truncate(start + end);
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample(columns: usize, rows: usize) -> Table {
        let mut widths = vec![8];
        widths.resize(columns + 1, 10);
        let mut table = Table::new(2, 1, widths);
        for row in 0..rows {
            let cells = (0..columns).map(|column| format!("r{row}c{column}"));
            table.push(std::iter::once(format!("row {row}")).chain(cells).collect());
        }
        table
    }

    #[test]
    fn what_finds_no_room_stands_below_with_the_names_of_its_rows() {
        assert_eq!(
            sample(3, 2).text(Some(30)),
            "  row 0         r0c0      r0c1\n  \
               row 1         r1c0      r1c1\n\n  \
               row 0         r0c2\n  \
               row 1         r1c2\n"
        );
    }

    proptest! {
        #[test]
        fn every_cell_is_there_once_and_lines_are_short(
            columns in 1usize..9, rows in 1usize..5, width in 20usize..120,
        ) {
            let text = sample(columns, rows).text(Some(width));
            prop_assert!(text.lines().all(|line| line.len() <= width), "{}", text);
            for row in 0..rows {
                for column in 0..columns {
                    let cell = format!(" r{row}c{column}");
                    prop_assert_eq!(text.matches(&cell).count(), 1);
                }
            }
            let parts = text.matches("row 0").count();
            let most = (width - 10) / 10;
            prop_assert_eq!(parts, columns.div_ceil(most));
        }
    }
}
