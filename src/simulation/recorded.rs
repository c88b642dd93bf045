//! A scenario as a run recorded it, to be run again wherever its folder stands now.
//!
//! A run folder holds the scenario beside its manifest ([`SCENARIO`]). The files that it
//! names are looked for where they were; a bundled model that is not there any more is
//! known by its digests and found wherever bundled models lie.

use super::bundled::model_of_digest;
use super::error::RunError;
use crate::results::bounded::read_text;
use crate::results::manifest::{self, Manifest};
use crate::rng::Streams;
use crate::scenario::{self, Model, Override, Resolved, ScenarioError};
use std::path::{Path, PathBuf};

/// The scenario's file in a run folder: every field, defaults included.
pub const SCENARIO: &str = "scenario.ron";

/// A scenario to run, from a file of the user's or from a run folder.
#[derive(Debug)]
pub struct Loaded {
    /// The scenario, overrides in place.
    pub resolved: Resolved,
    /// Seed and run of the run that recorded it.
    pub streams: Option<Streams>,
    /// The changes that the original scenario has by now.
    pub overrides: Vec<String>,
}

/// Reads the scenario in the file `path`, which may be the `manifest.json` or the
/// `scenario.ron` of a run folder, and puts `overrides` in place.
///
/// # Errors
/// If it is no scenario, or a manifest that cannot be used.
pub fn load(path: &Path, overrides: &[Override]) -> Result<Loaded, RunError> {
    let Some((manifest, text)) = recorded(path)? else {
        return Ok(Loaded {
            resolved: scenario::load(path, overrides)?,
            streams: None,
            overrides: written(overrides).collect(),
        });
    };
    let base = base_of(&manifest, None);
    let here = path.parent().unwrap_or(Path::new("."));
    let resolved = resolve(&manifest, &text, &base, here, overrides)?;
    let then = manifest.origin.overrides.iter().cloned();
    Ok(Loaded {
        resolved,
        streams: Some(Streams {
            seed: manifest.seed,
            run: manifest.run,
        }),
        overrides: then.chain(written(overrides)).collect(),
    })
}

fn written(overrides: &[Override]) -> impl Iterator<Item = String> {
    overrides.iter().map(|change| change.as_str().to_owned())
}

/// The manifest to which `path` belongs, and the scenario to run; none of a user's file.
fn recorded(path: &Path) -> Result<Option<(Manifest, String)>, RunError> {
    let is = |name: &str| path.file_name().is_some_and(|own| own == name);
    if !(is(manifest::FILE_NAME) || is(SCENARIO)) {
        return Ok(None);
    }
    let file = path.with_file_name(manifest::FILE_NAME);
    let place = |path: &Path, fault: String| RunError::Place {
        path: path.to_owned(),
        fault,
    };
    let manifest = match read_text(&file) {
        // A scenario that happens to be called so.
        Err(_) if is(SCENARIO) => return Ok(None),
        Err(error) => return Err(place(&file, format!("cannot be read: {error}"))),
        Ok(text) => Manifest::parse(&text)
            .map_err(|error| place(&file, format!("is no manifest of this version: {error}")))?,
    };
    let text = match is(SCENARIO) {
        true => read_text(path).map_err(|error| place(path, format!("cannot be read: {error}")))?,
        false => manifest.scenario.clone(),
    };
    Ok(Some((manifest, text)))
}

/// The folder that the scenario's paths are relative to, unless another is `given`.
pub(super) fn base_of(manifest: &Manifest, given: Option<&Path>) -> PathBuf {
    given.map_or_else(|| PathBuf::from(&manifest.origin.folder), Path::to_owned)
}

/// The scenario `text` of `manifest`, which lies in the folder `here`, with its paths
/// relative to `base`.
pub(super) fn resolve(
    manifest: &Manifest,
    text: &str,
    base: &Path,
    here: &Path,
    overrides: &[Override],
) -> Result<Resolved, ScenarioError> {
    let file = base.join(format!("{}.ron", manifest.scenario_name));
    let model = match scenario::model_of(text, &file.display().to_string())? {
        Model::Folder(written) if !base.join(&written).exists() => {
            model_of_digest(&manifest.inputs, here)
        }
        _ => None,
    };
    scenario::parse_with_model(text, &file, overrides, model)
}
