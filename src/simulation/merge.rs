//! Shards of a sweep put together: the folder that one sweep over all points would have made.

use super::error::RunError;
use super::standing::{METRICS, changed, inputs_key};
use super::sweep::{POINTS, Swept, refuse_failed, write_tables};
use crate::results::folder::{FileDigest, FolderError, Staging};
use crate::results::manifest::{self, Manifest};
use crate::results::metrics::Metrics;
use crate::results::points::{self, Row, TABLE};
use crate::results::sweep_record::{self, SweepRecord};
use crate::scenario::sweep_of;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Of more missing points than that only the number is told.
const MOST_NAMED: usize = 16;

/// A point as one of the folders has it.
struct Found<'a> {
    row: Row,
    shard: &'a Path,
    /// Of a point that is done.
    manifest: Option<Manifest>,
}

impl Found<'_> {
    fn folder(&self) -> PathBuf {
        self.shard.join(POINTS).join(self.row.point.to_string())
    }

    /// What two equal results agree in.
    fn result(&self) -> (&str, &str, Option<&str>) {
        let digest = self
            .manifest
            .as_ref()
            .map(|manifest| manifest.digest.as_str());
        (&self.row.status, &self.row.reason, digest)
    }
}

/// Puts the shards in `folders` together in `out`. Apart from the manifests' parts on origin and
/// host, the result is what the whole sweep would have written, byte for byte.
///
/// # Errors
/// If a folder is no shard, or one of another scenario, seed or version; if a point is
/// missing, damaged, or there twice with different results; if points were made from
/// different inputs; if `out` is occupied; or, once all is written, if points failed.
pub fn merge(folders: &[PathBuf], out: &Path) -> Result<Swept, RunError> {
    let record = common_record(folders)?;
    let staging = Staging::new(out, &record)?;
    let mut found: BTreeMap<usize, Found<'_>> = BTreeMap::new();
    for shard in folders {
        for row in rows(shard)? {
            let point = examine(shard, row)?;
            match found.get(&point.row.point) {
                Some(other) if other.result() != point.result() => {
                    return Err(place(
                        shard,
                        format!(
                            "point {} differs from that in {}; remove the wrong one and run its \
                             shard again",
                            point.row.point,
                            other.shard.display()
                        ),
                    ));
                }
                Some(_) => {}
                None => {
                    found.insert(point.row.point, point);
                }
            }
        }
    }
    refuse_missing(&found, record.points, folders)?;
    refuse_other_inputs(&found)?;
    for point in found.values_mut() {
        copy(point, &staging)?;
    }
    let rows: Vec<Row> = found.into_values().map(|point| point.row).collect();
    let sweep = sweep_of(&record.scenario, sweep_record::FILE_NAME)?;
    write_tables(staging.path(), &record, &sweep, &rows, true)?;
    let folder = staging.commit()?;
    refuse_failed(&folder, &rows)?;
    Ok(Swept {
        folder,
        sweep,
        rows,
    })
}

fn place(path: &Path, fault: String) -> RunError {
    let path = path.to_owned();
    RunError::Place { path, fault }
}

/// The record that all folders share.
fn common_record(folders: &[PathBuf]) -> Result<SweepRecord, RunError> {
    let read = |folder: &PathBuf| {
        SweepRecord::read(folder).map_err(|fault| {
            let fix = "give folders that `airloom sweep` wrote";
            place(folder, format!("{fault}; {fix}"))
        })
    };
    let mut folders = folders.iter();
    let Some(first) = folders.next() else {
        return Err(place(Path::new("merge"), "no folder is given".to_owned()));
    };
    let record = read(first)?;
    for folder in folders {
        if let Some(what) = record.difference(&read(folder)?) {
            return Err(place(
                folder,
                format!(
                    "this is another sweep than {}: {what}; merge shards of one sweep",
                    first.display()
                ),
            ));
        }
    }
    Ok(record)
}

fn rows(shard: &Path) -> Result<Vec<Row>, RunError> {
    let table = shard.join(TABLE);
    points::read(&table).map_err(|fault| {
        let fix = "run the shard again, which goes on from where it was";
        place(&table, format!("{fault}; {fix}"))
    })
}

/// Reads a point's manifest and metrics, if it is done.
fn examine(shard: &Path, row: Row) -> Result<Found<'_>, RunError> {
    let mut found = Found {
        row,
        shard,
        manifest: None,
    };
    if found.row.status == "done" {
        let folder = found.folder();
        let damaged = |fault: String| damaged(&folder, fault);
        let text = fs::read_to_string(folder.join(manifest::FILE_NAME));
        let text = text.map_err(|error| damaged(error.to_string()))?;
        found.manifest = Some(Manifest::parse(&text).map_err(damaged)?);
        let metrics = fs::read_to_string(folder.join(METRICS));
        let metrics = metrics.map_err(|error| damaged(error.to_string()))?;
        let metrics = Metrics::from_json(&metrics);
        let metrics = metrics.ok_or_else(|| damaged(format!("{METRICS} holds no metrics")))?;
        found.row.metrics = Some(metrics);
    }
    Ok(found)
}

fn damaged(folder: &Path, fault: String) -> RunError {
    place(
        folder,
        format!("this point is damaged: {fault}; run its shard again"),
    )
}

fn refuse_missing(
    found: &BTreeMap<usize, Found<'_>>,
    points: usize,
    folders: &[PathBuf],
) -> Result<(), RunError> {
    let missing: Vec<usize> = (0..points)
        .filter(|point| !found.contains_key(point))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let named = missing.iter().take(MOST_NAMED).map(usize::to_string);
    let mut named = named.collect::<Vec<_>>().join(", ");
    if missing.len() > MOST_NAMED {
        named = format!("{named} and {} more", missing.len() - MOST_NAMED);
    }
    let folders = folders.iter().map(|folder| folder.display().to_string());
    Err(place(
        Path::new(&folders.collect::<Vec<_>>().join(", ")),
        format!(
            "of the sweep's {points} points these are missing: {named}; give the folders of all \
             shards, and run those again that were interrupted"
        ),
    ))
}

/// Refuses points that read the same files with different content.
fn refuse_other_inputs(found: &BTreeMap<usize, Found<'_>>) -> Result<(), RunError> {
    let mut known: BTreeMap<String, (&[FileDigest], &Found<'_>)> = BTreeMap::new();
    for point in found.values() {
        let Some(manifest) = &point.manifest else {
            continue;
        };
        let key = inputs_key(&manifest.scenario);
        let (inputs, first) = *known.entry(key).or_insert((&manifest.inputs, point));
        if let Some(what) = changed(inputs, &manifest.inputs) {
            return Err(place(
                &point.folder(),
                format!(
                    "{what} since {}; run the older shard again",
                    first.folder().display()
                ),
            ));
        }
    }
    Ok(())
}

/// Copies a point's run folder and holds every file to its digest.
fn copy(point: &Found<'_>, staging: &Staging) -> Result<(), RunError> {
    let Some(manifest) = &point.manifest else {
        return Ok(());
    };
    let folder = point.folder();
    let within = Path::new(POINTS).join(point.row.point.to_string());
    let target = staging.path().join(&within);
    let shown = staging.shown(&within.display().to_string());
    fs::create_dir_all(&target).map_err(FolderError::io(&shown))?;
    let read = |name: &str| {
        let content = fs::read(folder.join(name));
        content.map_err(|error| damaged(&folder, format!("{name}: {error}")))
    };
    for file in &manifest.files {
        let content = read(&file.name)?;
        if blake3::hash(&content).to_hex().as_str() != file.blake3 {
            let fault = format!("{} has another digest than its manifest says", file.name);
            return Err(damaged(&folder, fault));
        }
        fs::write(target.join(&file.name), content).map_err(FolderError::io(&shown))?;
    }
    let content = read(manifest::FILE_NAME)?;
    fs::write(target.join(manifest::FILE_NAME), content).map_err(FolderError::io(&shown))?;
    Ok(())
}
