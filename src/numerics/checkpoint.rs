//! The weights files of a Hugging Face folder: one `model.safetensors`, or the
//! shards that `model.safetensors.index.json` lists.
//!
//! Lifecycle: open (read, hash and check every file), ask for tensors by name and
//! shape, drop. Every fault names the file and the tensor. Nothing is converted
//! here: tensors keep the precision they are stored in.

use super::error::LoadError;
use candle_core::safetensors::Load;
use candle_core::{Device, Tensor};
use safetensors::{Dtype, SafeTensors};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The name of the weights file where there is only one.
pub const WEIGHTS_FILE: &str = "model.safetensors";
/// The name of the list of weights files where there are several.
pub const INDEX_FILE: &str = "model.safetensors.index.json";

/// What a file held when it was read, for a run's manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileDigest {
    /// The file's name within its folder.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// BLAKE3 of its content, in hexadecimal.
    pub blake3: String,
}

/// Reads `folder`/`name` whole.
///
/// # Errors
/// [`LoadError::Read`] with the file, the system's reason and `fix`.
pub(super) fn read(
    folder: &Path,
    name: &str,
    fix: &'static str,
) -> Result<(Vec<u8>, FileDigest), LoadError> {
    let path = folder.join(name);
    let content = std::fs::read(&path).map_err(|source| LoadError::Read { path, source, fix })?;
    let digest = FileDigest {
        name: name.to_owned(),
        bytes: content.len() as u64,
        blake3: blake3::hash(&content).to_hex().to_string(),
    };
    Ok((content, digest))
}

#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

/// The files' contents, read and hashed.
pub(super) struct Checkpoint {
    folder: PathBuf,
    /// The file that is said to hold a tensor; empty if there is one file only.
    places: BTreeMap<String, usize>,
    files: Vec<(String, Vec<u8>)>,
    digests: Vec<FileDigest>,
}

impl Checkpoint {
    /// Reads the weights files of `folder`.
    pub(super) fn open(folder: &Path) -> Result<Self, LoadError> {
        if folder.join(WEIGHTS_FILE).exists() || !folder.join(INDEX_FILE).exists() {
            let fix = "a model folder needs model.safetensors, or model.safetensors.index.json \
                 and the files it lists";
            let (content, digest) = read(folder, WEIGHTS_FILE, fix)?;
            return Ok(Self {
                folder: folder.to_owned(),
                places: BTreeMap::new(),
                files: vec![(WEIGHTS_FILE.to_owned(), content)],
                digests: vec![digest],
            });
        }
        let (index, digest) = read(folder, INDEX_FILE, "make it readable")?;
        let index: Index = serde_json::from_slice(&index).map_err(|error| LoadError::Config {
            path: folder.join(INDEX_FILE),
            fault: format!("not an index of weights files: {error}; fetch it again"),
        })?;
        let mut checkpoint = Self {
            folder: folder.to_owned(),
            places: BTreeMap::new(),
            files: Vec::new(),
            digests: vec![digest],
        };
        for (tensor, name) in index.weight_map {
            let known = checkpoint.files.iter().position(|(file, _)| *file == name);
            let file = match known {
                Some(file) => file,
                None => {
                    checkpoint.check_plain(&name)?;
                    let fix = "the index model.safetensors.index.json lists it: fetch it too";
                    let (content, digest) = read(folder, &name, fix)?;
                    checkpoint.digests.push(digest);
                    checkpoint.files.push((name, content));
                    checkpoint.files.len() - 1
                }
            };
            checkpoint.places.insert(tensor, file);
        }
        Ok(checkpoint)
    }

    /// An index from elsewhere must not make us read outside the folder.
    fn check_plain(&self, name: &str) -> Result<(), LoadError> {
        if Path::new(name).file_name().is_some_and(|file| file == name) {
            return Ok(());
        }
        Err(LoadError::Config {
            path: self.folder.join(INDEX_FILE),
            fault: format!("lists `{name}`, which is not the name of a file in this folder"),
        })
    }

    /// Digests of every file read, the index first.
    pub(super) fn digests(&self) -> &[FileDigest] {
        &self.digests
    }

    /// Checks the files' headers.
    pub(super) fn parse(&self) -> Result<Parsed<'_>, LoadError> {
        let parsed = self.files.iter().map(|(name, content)| {
            SafeTensors::deserialize(content).map_err(|error| LoadError::Damaged {
                path: self.folder.join(name),
                fault: error.to_string(),
                bytes: content.len() as u64,
            })
        });
        Ok(Parsed {
            checkpoint: self,
            files: parsed.collect::<Result<_, _>>()?,
        })
    }
}

/// The files' tensors by name.
pub(super) struct Parsed<'a> {
    checkpoint: &'a Checkpoint,
    files: Vec<SafeTensors<'a>>,
}

impl Parsed<'_> {
    /// The tensor `name`, which must have the shape `expected`; `hint` says what
    /// may be the matter if there is none.
    pub(super) fn tensor(
        &self,
        name: &str,
        expected: &[usize],
        hint: &'static str,
    ) -> Result<Tensor, LoadError> {
        let file = self.checkpoint.places.get(name).copied();
        // One file without an index holds everything; an index that does not
        // list the tensor is itself the file to complain about.
        let (path, found) = match file {
            Some(file) => {
                let path = self.checkpoint.folder.join(&self.checkpoint.files[file].0);
                (path, self.files[file].tensor(name).ok())
            }
            None if self.checkpoint.places.is_empty() => {
                let path = self.checkpoint.folder.join(WEIGHTS_FILE);
                (path, self.files[0].tensor(name).ok())
            }
            None => (self.checkpoint.folder.join(INDEX_FILE), None),
        };
        let Some(view) = found else {
            return Err(LoadError::MissingTensor {
                path,
                tensor: name.to_owned(),
                expected: expected.to_owned(),
                hint,
            });
        };
        if view.shape() != expected {
            return Err(LoadError::Shape {
                path,
                tensor: name.to_owned(),
                found: view.shape().to_owned(),
                expected: expected.to_owned(),
            });
        }
        if !matches!(view.dtype(), Dtype::F32 | Dtype::F16 | Dtype::BF16) {
            return Err(LoadError::Format {
                path,
                tensor: name.to_owned(),
                found: format!("{:?}", view.dtype()),
            });
        }
        view.load(&Device::Cpu)
            .map_err(|source| LoadError::Tensor { path, source })
    }
}
