//! How a scenario says which profile a device has.

use super::basis::Basis;
use super::calibrated::Calibrated;
use super::preset::{PRESETS, Preset};
use super::profile::DeviceProfile;
use crate::units::FieldFault;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A device as a scenario states it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
// A scenario has a handful of them, and a box would be in the way of all who match on one.
#[expect(clippy::large_enum_variant)]
pub enum Profile {
    /// A device by name, such as `jetson-orin-nano`: `airloom list` has them all.
    Preset(String),
    /// A device of your own.
    Custom(DeviceProfile),
    /// A file that `airloom calibrate` wrote, by its path from the scenario on. A run's own
    /// scenario has what the file held, as `Calibrated`.
    File(String),
    /// What such a file holds.
    Calibrated(Box<Calibrated>),
}

/// A name is suggested if it is at least this similar (Jaro–Winkler, 0 to 1).
const SIMILAR: f64 = 0.6;

impl Profile {
    /// Puts what a file holds in the place of its path, which is relative to `folder`.
    ///
    /// # Errors
    /// If it cannot be read, or is no profile.
    pub fn load(&mut self, folder: &Path) -> Result<(), FieldFault> {
        if let Self::File(written) = self {
            let read = Calibrated::read(&folder.join(&*written));
            let read = read.map_err(|message| FieldFault::new("File", message))?;
            *self = Self::Calibrated(Box::new(read));
        }
        Ok(())
    }

    /// The profile itself, checked.
    ///
    /// # Errors
    /// If no preset has that name (the nearest is suggested), a field is impossible, or a file
    /// was not [loaded](Self::load).
    pub fn resolve(&self) -> Result<DeviceProfile, FieldFault> {
        let checked = |profile: &DeviceProfile, variant: &str| {
            profile.validate().map_err(|fault| fault.under(variant))?;
            Ok(*profile)
        };
        match self {
            Self::Custom(profile) => checked(profile, "Custom"),
            Self::Calibrated(calibrated) => {
                let under = |fault: FieldFault| fault.under("Calibrated");
                checked(&calibrated.profile, "profile").map_err(under)
            }
            Self::Preset(name) => match preset(name) {
                Some(preset) => Ok(preset.profile),
                None => Err(FieldFault::new("Preset", unknown(name))),
            },
            Self::File(path) => {
                let message = format!("{path} was not read");
                Err(FieldFault::new("File", message))
            }
        }
    }

    /// What its numbers rest on.
    pub fn basis(&self) -> Basis {
        match self {
            Self::Calibrated(calibrated) => calibrated.basis.clone(),
            Self::Preset(name) => match preset(name) {
                Some(preset) => preset.basis.clone(),
                None => Basis::of_scenario(),
            },
            Self::Custom(_) | Self::File(_) => Basis::of_scenario(),
        }
    }

    /// What to call it in tables: a preset's or a file's name, or `custom`.
    pub fn label(&self) -> &str {
        match self {
            Self::Preset(name) => name,
            Self::Calibrated(calibrated) => &calibrated.name,
            Self::Custom(_) => "custom",
            Self::File(path) => path,
        }
    }
}

fn preset(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name)
}

fn unknown(name: &str) -> String {
    let nearest = PRESETS
        .iter()
        .map(|preset| (strsim::jaro_winkler(name, preset.name), preset.name))
        .max_by(|x, y| x.0.total_cmp(&y.0))
        .filter(|(similarity, _)| *similarity >= SIMILAR);
    let names: Vec<&str> = PRESETS.iter().map(|preset| preset.name).collect();
    let suggestion = nearest.map_or(String::new(), |(_, name)| {
        format!("did you mean `{name}`? ")
    });
    format!(
        "there is no device `{name}`; {suggestion}known are {}",
        names.join(", ")
    )
}
