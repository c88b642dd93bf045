//! Where the bundled models may lie: in a folder `models/` near something.

use crate::results::folder::{FileDigest, hash_of};
use std::path::{Path, PathBuf};

/// The folder of models within a checkout or beside an installed program.
const MODELS: &str = "models";

/// Every folder of models in `near` or above it, above the working folder or the program,
/// or where the program was built; whether or not it exists.
pub fn model_folders(near: &Path) -> Vec<PathBuf> {
    let here = std::env::current_dir().ok();
    let program = std::env::current_exe().ok();
    let built = Path::new(env!("CARGO_MANIFEST_DIR"));
    let starts = [Some(near), here.as_deref(), program.as_deref(), Some(built)];
    let above = starts.into_iter().flatten().flat_map(Path::ancestors);
    above.map(|folder| folder.join(MODELS)).collect()
}

/// A bundled model whose files are the `inputs` of a run, told by their digests.
pub(super) fn model_of_digest(inputs: &[FileDigest], near: &Path) -> Option<PathBuf> {
    let files: Vec<&FileDigest> = inputs.iter().filter(|file| is_model_file(file)).collect();
    if files.is_empty() {
        return None;
    }
    let same = |folder: &Path| {
        files.iter().all(|file| {
            let path = folder.join(&file.name);
            let long = std::fs::metadata(&path).is_ok_and(|found| found.len() == file.bytes);
            long && hash_of(&path).is_ok_and(|hash| hash == file.blake3)
        })
    };
    let near = std::path::absolute(near).unwrap_or_else(|_| near.to_owned());
    let mut tried: Vec<PathBuf> = Vec::new();
    for models in model_folders(&near) {
        if tried.contains(&models) {
            continue;
        }
        let mut entries: Vec<PathBuf> = std::fs::read_dir(&models)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .collect();
        entries.sort();
        if let Some(found) = entries.into_iter().find(|folder| same(folder)) {
            return Some(found);
        }
        tried.push(models);
    }
    None
}

/// Whether an input is a file of the model's folder rather than a text or a trace.
fn is_model_file(file: &FileDigest) -> bool {
    let ends = [".json", ".safetensors"];
    file.check_name().is_ok() && ends.iter().any(|end| file.name.ends_with(end))
}
