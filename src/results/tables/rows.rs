//! A table written row by row.

use crate::results::columns;
use crate::results::folder::{FileDigest, FolderError, HashedFile, Staging};
use serde::Serialize;
use std::io;
use std::path::PathBuf;

/// A CSV file being written, whose columns are the fields of its rows.
#[derive(Debug)]
pub(in crate::results) struct RowFile {
    writer: csv::Writer<HashedFile>,
    name: String,
    shown: PathBuf,
    /// Its first line is written with its first row.
    begun: bool,
}

impl RowFile {
    /// Begins the table `name`.
    ///
    /// # Errors
    /// If the file cannot be created.
    pub(in crate::results) fn create(staging: &Staging, name: &str) -> Result<Self, FolderError> {
        Ok(Self {
            writer: csv::Writer::from_writer(staging.create(name)?),
            name: name.to_owned(),
            begun: false,
            shown: staging.shown(name),
        })
    }

    /// Writes a row.
    ///
    /// # Errors
    /// If the file system refuses.
    pub(in crate::results) fn write(&mut self, row: impl Serialize) -> Result<(), FolderError> {
        let written = self.writer.serialize(row);
        self.begun = true;
        written.map_err(|error| FolderError::io(&self.shown)(error.into()))
    }

    /// Closes the table; one without rows says what its columns would have been.
    ///
    /// # Errors
    /// If the last rows cannot be written.
    pub(in crate::results) fn finish(self) -> Result<FileDigest, FolderError> {
        let Self {
            mut writer,
            name,
            shown,
            begun,
        } = self;
        if let Some(columns) = columns::of(&name).filter(|_| !begun) {
            let written = writer.write_record(columns.iter().map(|column| column.name));
            written.map_err(|error| FolderError::io(&shown)(error.into()))?;
        }
        match writer.into_inner() {
            Ok(file) => file.finish(),
            Err(error) => {
                let source = io::Error::new(error.error().kind(), error.error().to_string());
                Err(FolderError::io(&shown)(source))
            }
        }
    }
}

/// A table of what may never happen, which begins with its first row.
#[derive(Debug)]
pub(in crate::results) struct LateRowFile {
    name: &'static str,
    file: Option<RowFile>,
}

impl LateRowFile {
    pub(in crate::results) fn new(name: &'static str) -> Self {
        Self { name, file: None }
    }

    /// Begins it in `staging`, if that has not happened.
    ///
    /// # Errors
    /// If the file cannot be created.
    pub(in crate::results) fn begin(
        &mut self,
        staging: &Staging,
    ) -> Result<&mut RowFile, FolderError> {
        match &mut self.file {
            Some(file) => Ok(file),
            none => Ok(none.insert(RowFile::create(staging, self.name)?)),
        }
    }

    /// Writes a row.
    ///
    /// # Errors
    /// If the file system refuses.
    pub(in crate::results) fn write(
        &mut self,
        staging: &Staging,
        row: impl Serialize,
    ) -> Result<(), FolderError> {
        self.begin(staging)?.write(row)
    }

    /// Whether it has begun.
    pub(in crate::results) fn has_begun(&self) -> bool {
        self.file.is_some()
    }

    /// Closes the table, if there is one.
    ///
    /// # Errors
    /// If the last rows cannot be written.
    pub(in crate::results) fn finish(self) -> Result<Option<FileDigest>, FolderError> {
        self.file.map(RowFile::finish).transpose()
    }
}
