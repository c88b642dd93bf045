//! The weights files of a Hugging Face folder: one `model.safetensors`, or the
//! shards that `model.safetensors.index.json` lists.
//!
//! Lifecycle: open (headers only), hold every tensor that the model wants against them,
//! refuse what would stay unread, read (and hash) the tensors. So a folder that does not
//! fit is refused before its weights are read, and nothing takes more memory than the
//! model that `config.json` describes. Every fault names the file and the tensor. Nothing
//! is converted here: tensors keep the precision they are stored in.

use super::error::LoadError;
use super::formats;
use super::json;
use super::model_file::{FileDigest, MOST_SETTINGS, read};
use super::stored::Stored;
use super::weights_file::WeightsFile;
use crate::files::is_plain;
use crate::interrupt::Interrupt;
use safetensors::Dtype;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The name of the weights file where there is only one.
pub const WEIGHTS_FILE: &str = "model.safetensors";
/// The name of the list of weights files where there are several.
pub const INDEX_FILE: &str = "model.safetensors.index.json";

/// Unread tensors that an error names.
const MOST_NAMES: usize = 4;

#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

/// The weights files' headers.
#[derive(Debug)]
pub(super) struct Checkpoint {
    folder: PathBuf,
    /// The file that is said to hold a tensor; empty if there is one file only.
    places: BTreeMap<String, usize>,
    files: Vec<WeightsFile>,
    /// Of the index, if there is one.
    index: Option<FileDigest>,
    /// The tensors that the model has, by name.
    wanted: BTreeSet<String>,
}

impl Checkpoint {
    /// Reads the headers of the weights files of `folder`.
    pub(super) fn open(folder: &Path) -> Result<Self, LoadError> {
        let mut checkpoint = Self {
            folder: folder.to_owned(),
            places: BTreeMap::new(),
            files: Vec::new(),
            index: None,
            wanted: BTreeSet::new(),
        };
        if folder.join(WEIGHTS_FILE).exists() || !folder.join(INDEX_FILE).exists() {
            let fix = formats::instead_of_weights(folder);
            checkpoint
                .files
                .push(WeightsFile::open(folder, WEIGHTS_FILE, &fix)?);
            return Ok(checkpoint);
        }
        let (content, digest) = read(folder, INDEX_FILE, MOST_SETTINGS, "make it readable")?;
        checkpoint.index = Some(digest);
        let fault = |fault: String| LoadError::Config {
            path: folder.join(INDEX_FILE),
            fault,
        };
        let index = json::parse(&content).and_then(|value| {
            serde_json::from_value::<Index>(value).map_err(|error| error.to_string())
        });
        let index = index.map_err(|error| {
            fault(format!(
                "not an index of weights files: {error}; fetch it again"
            ))
        })?;
        for (tensor, name) in index.weight_map {
            let known = checkpoint.files.iter().position(|file| file.name == name);
            let file = match known {
                Some(file) => file,
                None => {
                    checkpoint.check_plain(&name)?;
                    let fix = "the index model.safetensors.index.json lists it: fetch it too";
                    checkpoint
                        .files
                        .push(WeightsFile::open(folder, &name, fix)?);
                    checkpoint.files.len() - 1
                }
            };
            checkpoint.places.insert(tensor, file);
        }
        if checkpoint.files.is_empty() {
            return Err(fault(
                "its weight_map lists no tensor, so there are no weights; fetch it again"
                    .to_owned(),
            ));
        }
        Ok(checkpoint)
    }

    /// An index from elsewhere must not make us read outside the folder.
    fn check_plain(&self, name: &str) -> Result<(), LoadError> {
        if is_plain(name) {
            return Ok(());
        }
        Err(LoadError::Config {
            path: self.folder.join(INDEX_FILE),
            fault: format!("lists `{name}`, which is not the name of a file in this folder"),
        })
    }

    /// Notes that the model has the tensor `name`, which must be there in the shape
    /// `expected`; `hint` says what may be the matter if there is none.
    pub(super) fn want(
        &mut self,
        name: &str,
        expected: &[usize],
        hint: &'static str,
    ) -> Result<(), LoadError> {
        let place = self.places.get(name).copied();
        // One file without an index holds everything; an index that does not
        // list the tensor is itself the file to complain about.
        let (path, found) = match place {
            Some(file) => self.entry(file, name),
            None if self.index.is_none() => self.entry(0, name),
            None => (self.folder.join(INDEX_FILE), None),
        };
        let Some((shape, dtype)) = found else {
            return Err(LoadError::MissingTensor {
                path,
                tensor: name.to_owned(),
                expected: expected.to_owned(),
                hint,
            });
        };
        if shape != expected {
            return Err(LoadError::Shape {
                path,
                tensor: name.to_owned(),
                found: shape,
                expected: expected.to_owned(),
            });
        }
        if !matches!(dtype, Dtype::F32 | Dtype::F16 | Dtype::BF16) {
            return Err(LoadError::Format {
                path,
                tensor: name.to_owned(),
                found: format!("{dtype:?}"),
            });
        }
        self.wanted.insert(name.to_owned());
        Ok(())
    }

    fn entry(&self, file: usize, name: &str) -> (PathBuf, Option<(Vec<usize>, Dtype)>) {
        let file = &self.files[file];
        let entry = file.header.info(name);
        (
            file.path.clone(),
            entry.map(|info| (info.shape.clone(), info.dtype)),
        )
    }

    /// Refuses tensors that nobody wants, unless they are `harmless`: the published model
    /// might have computed with them. `layers` is how many the model has.
    pub(super) fn refuse_unread(
        &self,
        layers: usize,
        harmless: impl Fn(&str) -> bool,
    ) -> Result<(), LoadError> {
        let mut unread = BTreeMap::new();
        for file in &self.files {
            for name in file.header.offset_keys() {
                if !self.wanted.contains(&name) && !harmless(&name) {
                    unread.insert(name, &file.path);
                }
            }
        }
        let Some((first, path)) = unread.first_key_value() else {
            return Ok(());
        };
        let beyond = unread.keys().filter_map(|name| layer(name)).max();
        let fix = match beyond.filter(|last| *last >= layers) {
            Some(last) => format!(
                "config.json says num_hidden_layers: {layers}, and the weights go up to layer \
                 {last}, counted from 0; give all of them, or save the weights without those"
            ),
            None if first.ends_with(".bias") => "config.json does not say that the model has \
                 biases, and without them it computes something else; say so there \
                 (`\"attention_bias\": true`, in a family that has it), or use a model that has none"
                .to_owned(),
            None => "without them it may compute something else; use a model of a supported \
                 architecture, or save the weights without them"
                .to_owned(),
        };
        Err(LoadError::UnreadTensors {
            path: (*path).clone(),
            count: unread.len(),
            tensors: unread
                .into_keys()
                .take(MOST_NAMES)
                .map(|name| format!("`{name}`"))
                .collect(),
            fix,
        })
    }

    /// Bits per stored weight, averaged over all that are wanted.
    pub(super) fn bits(&self) -> f64 {
        let infos = self.wanted.iter().filter_map(|name| {
            let file = self.places.get(name).copied().unwrap_or(0);
            self.files[file].header.info(name)
        });
        let (entries, bits) = infos.fold((0, 0), |(entries, bits), info| {
            let count: usize = info.shape.iter().product();
            (entries + count, bits + count * info.dtype.bitsize())
        });
        bits as f64 / entries as f64
    }

    /// Reads the tensors that are wanted, and hashes the files: the index first.
    ///
    /// # Errors
    /// If a file cannot be read or holds a number that is not finite, or `interrupt` is
    /// raised.
    pub(super) fn read(
        self,
        interrupt: Interrupt<'_>,
    ) -> Result<(BTreeMap<String, Stored>, Vec<FileDigest>), LoadError> {
        let mut tensors = BTreeMap::new();
        let mut digests: Vec<FileDigest> = self.index.into_iter().collect();
        for (number, file) in self.files.into_iter().enumerate() {
            let here = |name: &str| {
                let place = self.places.get(name).copied().unwrap_or(0);
                self.wanted.contains(name) && place == number
            };
            digests.push(file.read(here, &mut tensors, interrupt)?);
        }
        Ok((tensors, digests))
    }
}

/// N of `model.layers.N.…`.
fn layer(name: &str) -> Option<usize> {
    let (_, rest) = name.split_once("layers.")?;
    rest.split('.').next()?.parse().ok()
}
