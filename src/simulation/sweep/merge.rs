//! Shards of a sweep put together: the folder that one sweep over all points would have made.
//!
//! Shards come from elsewhere, so nothing is taken on trust that can be computed or is hashed:
//! settings and the order of points follow from the scenario in `sweep.json`, metrics and all
//! other results from files that their manifest lists, and a manifest is that of a point only
//! if its identity is the point's. What a shard's `points.csv` alone can tell is which points
//! could not be made and why.

use super::plan::{name_of, settings, shown};
use super::standing::{changed, hashed_metrics, inputs_key};
use super::tables::{refuse_failed, write_tables};
use super::{DONE, FAILED, INFEASIBLE, Swept};
use crate::files;
use crate::results::bounded::read_text;
use crate::results::folder::{FileDigest, FolderError, Staging};
use crate::results::manifest::{self, Identity, Manifest};
use crate::results::points::{self, Row, TABLE};
use crate::results::sweep_record::{self, AnySweep, SweepRecord};
use crate::scenario::{Configurations, Sweep};
use crate::simulation::error::RunError;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// Of more missing points than that only the number is told.
const MOST_NAMED: usize = 16;

/// How shards are to be merged.
#[derive(Debug, Clone)]
pub struct MergeOptions<'a> {
    /// The folders of the shards.
    pub folders: &'a [PathBuf],
    /// The sweep's folder.
    pub out: PathBuf,
    /// Whether another sweep there may be replaced.
    pub overwrite: bool,
    /// Ends the merging when it becomes true.
    pub interrupt: &'a AtomicBool,
}

impl MergeOptions<'_> {
    fn poll(&self) -> Result<(), RunError> {
        match self.interrupt.load(Ordering::Relaxed) {
            true => Err(RunError::Interrupted {
                kept: "nothing was written",
            }),
            false => Ok(()),
        }
    }
}

/// What a point has to be.
struct Expected {
    identity: Identity,
    row: Row,
}

/// A point as one of the folders has it.
struct Found<'a> {
    row: Row,
    shard: &'a Path,
    /// Of a point that is done.
    manifest: Option<Manifest>,
}

impl Found<'_> {
    fn folder(&self) -> PathBuf {
        self.shard.join(&self.row.folder)
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

/// Puts the shards together. Apart from the manifests' parts on origin and host, the result is
/// what the whole sweep would have written, byte for byte.
///
/// # Errors
/// If a folder is no shard, or one of another scenario, seed or version; if a point is
/// missing, damaged, no point of the sweep, or there twice with different results; if points
/// were made from different inputs; if the folder is occupied; if it is interrupted; or, once
/// all is written, if points failed.
pub fn merge(options: &MergeOptions<'_>) -> Result<Swept, RunError> {
    let folders = options.folders;
    let record = common_record(folders)?;
    let (sweep, expected) = expected(&record, &folders[0], options)?;
    let staging = match options.overwrite {
        true => Staging::new(&options.out, AnySweep)?,
        false => Staging::new(&options.out, record.clone())?,
    };
    let mut found: BTreeMap<usize, Found<'_>> = BTreeMap::new();
    for shard in folders {
        for row in rows(shard)? {
            options.poll()?;
            let point = examine(shard, row, &record, &expected)?;
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
    for point in found.values() {
        copy(point, &staging, options)?;
    }
    let rows: Vec<Row> = found.into_values().map(|point| point.row).collect();
    write_tables(staging.path(), &record, &sweep, &rows, true)?;
    options.poll()?;
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

/// What every point of the recorded sweep has to be, in order.
fn expected(
    record: &SweepRecord,
    first: &Path,
    options: &MergeOptions<'_>,
) -> Result<(Sweep, Vec<Expected>), RunError> {
    let label = first.join(sweep_record::FILE_NAME);
    let configurations = Configurations::of(&record.scenario, &label.display().to_string())?;
    let sweep = configurations.sweep.clone();
    let columns = sweep.columns()?;
    let mut points = Vec::new();
    for (index, configuration) in configurations.enumerate() {
        options.poll()?;
        let configuration = configuration?;
        for run in 0..sweep.runs {
            let identity = Identity::of(&configuration, record.seed, run);
            points.push(Expected {
                row: Row {
                    point: points.len(),
                    run,
                    folder: shown(&name_of(&identity)),
                    settings: settings(&columns, &sweep.choice(index)),
                    status: DONE.to_owned(),
                    reason: String::new(),
                    metrics: None,
                },
                identity,
            });
        }
    }
    if points.len() != record.points {
        let fault = format!(
            "it says {} points, and its scenario has {}; it was edited: run the shards again",
            record.points,
            points.len()
        );
        return Err(place(&label, fault));
    }
    Ok((sweep, points))
}

fn rows(shard: &Path) -> Result<Vec<Row>, RunError> {
    let table = shard.join(TABLE);
    points::read(&table).map_err(|fault| {
        let fix = "run the shard again, which goes on from where it was";
        place(&table, format!("{fault}; {fix}"))
    })
}

/// What `row` of a shard's table is about: its point as the sweep has it, with manifest and
/// metrics if it is done.
fn examine<'a>(
    shard: &'a Path,
    row: Row,
    record: &SweepRecord,
    expected: &[Expected],
) -> Result<Found<'a>, RunError> {
    let wrong = |fault: String| {
        let fix = "run the shard again, which goes on from where it was";
        place(&shard.join(TABLE), format!("{fault}; {fix}"))
    };
    let Some(Expected { identity, row: own }) = expected.get(row.point) else {
        let fault = format!("it lists point {} of {}", row.point, expected.len());
        return Err(wrong(fault));
    };
    let mut found = Found {
        row: own.clone(),
        shard,
        manifest: None,
    };
    match row.status.as_str() {
        DONE => {}
        INFEASIBLE | FAILED => {
            found.row.folder.clear();
            found.row.status = row.status;
            found.row.reason = row.reason;
            return Ok(found);
        }
        other => return Err(wrong(format!("it gives a point the status `{other}`"))),
    }
    let folder = found.folder();
    let damaged = |fault: String| damaged(&folder, fault);
    let manifest = Manifest::read(&folder).map_err(damaged)?;
    manifest
        .check_seal()
        .map_err(|fault| damaged(fault.to_owned()))?;
    if manifest.identity != identity.digest {
        return Err(damaged("its manifest is that of another run".to_owned()));
    }
    if manifest.airloom != record.airloom {
        return Err(damaged(format!("it is of airloom {}", manifest.airloom)));
    }
    let metrics = hashed_metrics(&folder, &manifest);
    let metrics = metrics.ok_or_else(|| {
        damaged("metrics.json has another digest than its manifest says".to_owned())
    })?;
    found.row.metrics = Some(metrics);
    found.manifest = Some(manifest);
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

/// Copies a point's run folder and holds every file to its digest. The manifest has been
/// read, so every name is that of a file in the folder.
fn copy(point: &Found<'_>, staging: &Staging, options: &MergeOptions<'_>) -> Result<(), RunError> {
    let Some(manifest) = &point.manifest else {
        return Ok(());
    };
    let folder = point.folder();
    let target = staging.path().join(&point.row.folder);
    let shown = staging.shown(&point.row.folder);
    // Two settings may be one configuration, and then one folder.
    if target.exists() {
        return Ok(());
    }
    fs::create_dir_all(&target).map_err(FolderError::io(&shown))?;
    let lost = |name: &str| {
        let fault = format!("{name} cannot be read");
        let folder = folder.clone();
        move |error: io::Error| damaged(&folder, format!("{fault}: {error}"))
    };
    let unwritable = |error: io::Error| RunError::from(FolderError::io(&shown)(error));
    let mut buffer = vec![0; 1 << 16];
    for file in &manifest.files {
        let (from, _) = files::open(&folder.join(&file.name)).map_err(lost(&file.name))?;
        // One byte more than it should have is enough to tell that it has too many.
        let mut from = from.take(file.bytes.saturating_add(1));
        let mut to = File::create(target.join(&file.name)).map_err(unwritable)?;
        let mut hasher = blake3::Hasher::new();
        loop {
            options.poll()?;
            let read = from.read(&mut buffer).map_err(lost(&file.name))?;
            if read == 0 {
                break;
            }
            hasher.update(&buffer[..read]);
            to.write_all(&buffer[..read]).map_err(unwritable)?;
        }
        if hasher.finalize().to_hex().as_str() != file.blake3 {
            let fault = format!("{} has another digest than its manifest says", file.name);
            return Err(damaged(&folder, fault));
        }
    }
    let name = manifest::FILE_NAME;
    let content = read_text(&folder.join(name)).map_err(lost(name))?;
    fs::write(target.join(name), content).map_err(unwritable)
}
