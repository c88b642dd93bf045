//! The run that is replayed, and where its logs and those of the replay part.

use crate::digest::RollingDigest;
use crate::results::bounded::read_text;
use crate::results::folder::hash_of;
use crate::results::manifest::{self, Manifest};
use crate::results::metrics::{self, Metrics};
use crate::results::parting::{Difference, first_row};
use crate::scenario::raw::MAX_LENGTH;
use crate::simulation::error::RunError;
use std::path::{Path, PathBuf};

/// The run to be replayed.
pub(super) struct Original {
    pub(super) manifest: Manifest,
    /// Its folder, unless only the manifest is there.
    folder: Option<PathBuf>,
}

impl Original {
    pub(super) fn open(path: &Path) -> Result<Self, RunError> {
        let (file, folder) = if path.is_dir() {
            (path.join(manifest::FILE_NAME), Some(path.to_owned()))
        } else {
            let beside = path.parent().map(Path::to_owned).filter(|folder| {
                path.file_name()
                    .is_some_and(|name| name == manifest::FILE_NAME)
                    && folder.join("metrics.json").is_file()
            });
            (path.to_owned(), beside)
        };
        let place = |fault: String| RunError::Place {
            path: file.clone(),
            fault,
        };
        let text = read_text(&file).map_err(|error| {
            place(format!(
                "cannot be read ({error}); give a run folder or a manifest.json"
            ))
        })?;
        let manifest = Manifest::parse(&text)
            .map_err(|error| place(format!("is no manifest of this version: {error}")))?;
        if manifest.scenario.len() > MAX_LENGTH {
            return Err(place(format!(
                "its scenario has {} bytes, and none is longer than {MAX_LENGTH}: it was edited",
                manifest.scenario.len()
            )));
        }
        Ok(Self { manifest, folder })
    }

    /// The folder in which it stands.
    pub(super) fn here(&self) -> &Path {
        self.folder.as_deref().unwrap_or(Path::new("."))
    }

    /// Files of the folder that no longer are what the manifest says.
    pub(super) fn damaged(&self) -> Vec<String> {
        let mut damaged = Vec::new();
        for (folder, file) in self
            .folder
            .iter()
            .flat_map(|folder| self.manifest.files.iter().map(move |file| (folder, file)))
        {
            let path = folder.join(&file.name);
            match std::fs::metadata(&path) {
                Ok(about) if about.is_file() && about.len() != file.bytes => {
                    damaged.push(format!("{} was changed after the run", file.name));
                    continue;
                }
                _ => {}
            }
            match hash_of(&path) {
                Ok(hash) if hash == file.blake3 => {}
                Ok(_) => damaged.push(format!("{} was changed after the run", file.name)),
                Err(error) => damaged.push(format!("{} cannot be read: {error}", file.name)),
            }
        }
        damaged
    }

    /// Whether its metrics are those of the folder `here`, though it was written before anybody told
    /// how far they are known.
    pub(super) fn has_metrics_of(&self, here: &Path) -> bool {
        let text = |folder: &Path| read_text(&folder.join(metrics::FILE_NAME)).ok();
        let then = self.folder.as_deref().and_then(text);
        let (Some(then), Some(now)) = (then, text(here)) else {
            return false;
        };
        let known = Metrics::from_json(&then).zip(Metrics::from_json(&now));
        // Not by value: what is beyond every number equals itself here.
        let same = known.is_some_and(|(then, now)| then.to_json() == now.to_json());
        same && metrics::card(&then).is_none()
    }

    pub(super) fn first_difference(
        &self,
        name: &str,
        then: &RollingDigest,
        now: &RollingDigest,
        here: &Path,
    ) -> Result<Option<Difference>, RunError> {
        let there = self.folder.as_ref().map(|folder| folder.join(name));
        // The file itself is compared, not its digest in the manifest, so that an
        // edited row is found too.
        if let Some(there) = there.filter(|path| path.is_file()) {
            let rows = first_row(&there, &here.join(name)).map_err(|error| RunError::Place {
                path: there.clone(),
                fault: format!("cannot be compared: {error}"),
            })?;
            if rows.is_some() {
                return Ok(rows);
            }
        }
        Ok(then.first_difference(now).map(Difference::Window))
    }
}
