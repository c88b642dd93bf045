//! What the columns of every table mean that airloom writes.
//!
//! The tables' rows are written elsewhere; here is what they say, table by table, and
//! the manual's page of columns is made of it. A test holds every table that is written
//! to this list, and this list to the tables.

/// Columns in a table's order: name, unit and meaning.
macro_rules! columns {
    ($($name:literal $unit:literal $meaning:literal;)*) => {
        &[$(Column { name: $name, unit: $unit, meaning: $meaning }),*]
    };
}

mod run;
mod sweep;

/// One column.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Its name in the first line.
    pub name: &'static str,
    /// Its unit; empty for names, numbers of things and counts.
    pub unit: &'static str,
    /// What its cells say.
    pub meaning: &'static str,
}

/// One table.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    /// The file's name.
    pub file: &'static str,
    /// What a row is.
    pub row: &'static str,
    /// Which folders have it.
    pub present: &'static str,
    /// Columns, in order; one in angle brackets stands for several.
    pub columns: &'static [Column],
}

/// Every table: those of a run folder, then the others.
pub const TABLES: &[&[Table]] = &[run::TABLES, sweep::TABLES];

/// The columns of the table `file`, if it is one that is listed.
pub fn of(file: &str) -> Option<&'static [Column]> {
    let mut tables = TABLES.iter().copied().flatten();
    let table = tables.find(|table| table.file == file)?;
    Some(table.columns)
}
