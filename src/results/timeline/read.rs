//! Reads the pass to be drawn out of a run folder's `tokens.csv` and `events.csv`.

use super::{Lane, Owner, Slice, Timeline, gaps};
use crate::units::{Duration, Instant};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Layers in the zoomed panel.
const ZOOMED_LAYERS: u32 = 2;

/// Why no timeline can be drawn.
#[derive(Debug, thiserror::Error)]
pub enum TimelineError {
    /// A file of the run folder cannot be read.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: csv::Error,
    },
    /// The folder's event log holds no pass.
    #[error("{path} holds no pass to draw; was the run's workload empty?")]
    Empty {
        /// The run folder.
        path: PathBuf,
    },
    /// The drawing backend failed.
    #[error("cannot draw the timeline: {0}")]
    Drawing(String),
}

#[derive(Debug, Deserialize)]
struct TokenRow {
    request: u32,
    step: u32,
    mode: String,
    context: u64,
    tokens: u64,
    start_ps: u64,
    end_ps: u64,
}

#[derive(Debug, Deserialize)]
struct EventRow {
    request: Option<u32>,
    step: Option<u32>,
    layer: Option<u32>,
    stage: String,
    resource: String,
    kind: String,
    start_ps: u64,
    end_ps: u64,
}

fn rows<R: for<'de> Deserialize<'de>>(
    folder: &Path,
    name: &str,
) -> Result<impl Iterator<Item = Result<R, TimelineError>>, TimelineError> {
    let path = folder.join(name);
    let fault = move |source| TimelineError::Unreadable {
        path: path.clone(),
        source,
    };
    let reader = csv::Reader::from_path(folder.join(name)).map_err(&fault)?;
    Ok(reader
        .into_deserialize()
        .map(move |row| row.map_err(&fault)))
}

/// The pass to show: the first decode step, else the first pass.
fn choose(folder: &Path) -> Result<TokenRow, TimelineError> {
    let mut first = None;
    for row in rows::<TokenRow>(folder, "tokens.csv")? {
        let row = row?;
        if row.mode == "generate" && row.context > 0 {
            return Ok(row);
        }
        first.get_or_insert(row);
    }
    first.ok_or_else(|| TimelineError::Empty {
        path: folder.to_owned(),
    })
}

/// `device3.compute` as (3, compute); the server sorts behind every device.
fn place(resource: &str) -> Option<(u32, Lane)> {
    let (owner, lane) = resource.split_once('.')?;
    let lane = match lane {
        "compute" => Lane::Compute,
        "uplink" => Lane::Uplink,
        "downlink" => Lane::Downlink,
        _ => return None,
    };
    let owner = match owner {
        "server" => u32::MAX,
        device => device.strip_prefix("device")?.parse().ok()?,
    };
    Some((owner, lane))
}

/// Reads the timeline of the run in `folder`.
///
/// # Errors
/// If the folder lacks `tokens.csv` or `events.csv`, or they are damaged.
pub fn read(folder: &Path) -> Result<Timeline, TimelineError> {
    let pass = choose(folder)?;
    let (start, end) = (Instant(pass.start_ps), Instant(pass.end_ps));
    let mut busy: BTreeMap<u32, Vec<Slice>> = BTreeMap::new();
    let mut barriers = Vec::new();
    let mut barrier_name = "all-reduce";
    let mut layers = 0;
    let mut layer_ends: BTreeMap<u32, Instant> = BTreeMap::new();
    for row in rows::<EventRow>(folder, "events.csv")? {
        let row = row?;
        if (row.request, row.step) != (Some(pass.request), Some(pass.step)) {
            continue;
        }
        let slice_end = Instant(row.end_ps);
        if let Some(layer) = row.layer {
            layers = layers.max(layer + 1);
            let last = layer_ends.entry(layer).or_default();
            *last = slice_end.max(*last);
        }
        if row.kind == "barrier" && row.layer.is_some() && row.stage.ends_with("_gather") {
            barriers.push(slice_end);
            if row.stage.starts_with("expert") {
                barrier_name = "experts'";
            }
        }
        if let Some((owner, lane)) = place(&row.resource) {
            let slices = busy.entry(owner).or_default();
            if row.end_ps > row.start_ps {
                slices.push(Slice {
                    lane: Some(lane),
                    start: Instant(row.start_ps),
                    end: slice_end,
                });
            }
        }
    }
    let devices = busy.keys().filter(|owner| **owner != u32::MAX).count();
    let zoomed = ZOOMED_LAYERS.min(layers.div_ceil(2)).max(1);
    let zoom_end = layer_ends
        .range(..zoomed)
        .map(|(_, end)| *end)
        .max()
        .unwrap_or(end);
    let what = match (pass.mode.as_str(), pass.context) {
        ("generate", 0) => format!("Prefill of {} tokens", pass.tokens),
        ("generate", _) => "One decode step".to_owned(),
        ("tokens", _) => format!("A batch of {} tokens", pass.tokens),
        _ => format!("Scoring a window of {} tokens", pass.tokens),
    };
    let length = Duration(pass.end_ps - pass.start_ps);
    Ok(Timeline {
        title: format!("{what} on {devices} devices: {}", readable(length)),
        owners: busy
            .into_iter()
            .map(|(owner, slices)| owner_of(owner, slices, start, end))
            .collect(),
        barrier_name,
        barriers,
        start,
        end,
        zoom_end,
        zoom_caption: match zoomed {
            1 => "layer".to_owned(),
            layers => format!("{layers} layers"),
        },
    })
}

fn owner_of(owner: u32, busy: Vec<Slice>, start: Instant, end: Instant) -> Owner {
    let server = owner == u32::MAX;
    let mut lanes: Vec<Lane> = busy.iter().filter_map(|slice| slice.lane).collect();
    // A server that idles between two samplings waits for nothing that it holds up.
    let waiting = if server {
        Vec::new()
    } else {
        gaps(&busy, start, end)
    };
    if !server {
        lanes.push(Lane::Compute);
    }
    lanes.sort_unstable();
    lanes.dedup();
    Owner {
        name: if server {
            "server".to_owned()
        } else {
            format!("device {owner}")
        },
        lanes,
        busy,
        waiting,
    }
}

/// Three significant digits for a title.
fn readable(length: Duration) -> String {
    let text = length.to_string();
    match text.split_once(' ') {
        Some((number, unit)) => {
            let value: f64 = number.parse().unwrap_or_default();
            let decimals = if value >= 100.0 {
                0
            } else if value >= 10.0 {
                1
            } else {
                2
            };
            format!("{value:.decimals$} {unit}")
        }
        None => text,
    }
}
