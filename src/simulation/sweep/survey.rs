//! What there is of every point of a sweep, for people and for engines that share its work.

use super::place::check_folder;
use super::plan::{Planned, plan, settings, shown};
use super::standing::{Inputs, standing};
use super::{RunError, Standing, SweepOptions, check};
use crate::scenario::Point;
use serde_json::{Map, Value, json};

/// A point and what there is of it.
#[derive(Debug)]
pub struct Surveyed {
    /// The point.
    pub point: Point,
    /// Its run folder within the sweep's.
    pub folder: String,
    /// Column and value of every field that the sweep varies, as in `points.csv`.
    pub settings: Vec<(String, String)>,
    /// Whether its run folder is there and counts.
    pub standing: Standing,
}

/// What there is of every point of the sweep, or of its shard.
///
/// # Errors
/// If the folder holds anything but this experiment, an input is gone, or the shard names a
/// point that the sweep does not have.
pub fn survey(points: &[Point], options: &SweepOptions<'_>) -> Result<Vec<Surveyed>, RunError> {
    check(points.len(), options)?;
    let plan = plan(points, options)?;
    check_folder(&plan, options, &options.record(points.len()))?;
    let columns = options.sweep().columns()?;
    let inputs = Inputs::until(options.interrupt.into());
    let own = plan.iter().filter(|planned| options.takes(planned.point));
    let look = |planned: &Planned<'_>| {
        let target = options.target(&planned.name);
        let standing = match target.is_dir() {
            true => {
                let resolved = planned.point.resolve()?;
                standing(&resolved, planned.streams, &target, &inputs)
            }
            false => Standing::Absent,
        };
        Ok(Surveyed {
            point: planned.point.clone(),
            folder: shown(&planned.name),
            settings: settings(&columns, &planned.point.choice),
            standing,
        })
    };
    own.map(look).collect()
}

impl Surveyed {
    /// `point`, `run`, `label`, `folder`, `settings` (column to cell, as `points.csv` has them),
    /// `set` (what `--set` would have to say), `standing` (`to run`, `finished` or `stale`) and, if
    /// it is stale, `why`.
    pub fn to_json(&self) -> Value {
        let settings = self.settings.iter();
        let settings = settings.map(|(name, cell)| (name.clone(), Value::from(cell.as_str())));
        let values = self.point.values.iter();
        let values = values.map(|(path, value)| Value::from(format!("{path}={value}")));
        let mut json = json!({
            "point": self.point.index,
            "run": self.point.run,
            "label": self.point.label,
            "folder": self.folder,
            "settings": settings.collect::<Map<String, Value>>(),
            "set": values.collect::<Vec<Value>>(),
            "standing": match &self.standing {
                Standing::Absent => "to run",
                Standing::Finished(_) => "finished",
                Standing::Stale(_) => "stale",
            },
        });
        if let Standing::Stale(why) = &self.standing {
            json["why"] = Value::from(why.as_str());
        }
        json
    }
}
