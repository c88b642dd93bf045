//! A profile with its origin, as `airloom calibrate` writes it to a file.

use super::basis::Basis;
use super::profile::DeviceProfile;
use crate::files;
use ron::extensions::Extensions;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// No profile is longer.
const MOST_BYTES: u64 = 1 << 20;

/// A profile, what its numbers rest on, and how they were come by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Calibrated {
    /// What to call it in tables.
    pub name: String,
    /// How the numbers were come by: from which rows of which files.
    #[serde(default)]
    pub origin: String,
    /// The numbers.
    pub profile: DeviceProfile,
    /// What they rest on.
    pub basis: Basis,
}

impl Calibrated {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// If it cannot be read, is not RON, or is no profile: with line and column.
    pub fn read(path: &Path) -> Result<Self, String> {
        let shown = path.display();
        let bytes = files::read(path, MOST_BYTES)
            .map_err(|error| format!("cannot read the profile {shown}: {error}"))?;
        let text = String::from_utf8(bytes)
            .map_err(|_| format!("the profile {shown} is not a text in UTF-8"))?;
        let parsed: Self = options().from_str(&text).map_err(|error| {
            let place = error.span.start;
            format!(
                "{shown}:{}:{}: {}; `airloom calibrate` writes such files",
                place.line, place.col, error.code
            )
        })?;
        let valid = parsed.profile.validate();
        valid.map_err(|fault| format!("{shown}: {}", fault.under("profile")))?;
        Ok(parsed)
    }

    /// Its text, which [`read`](Self::read) reads.
    pub fn to_ron(&self) -> String {
        let pretty = ron::ser::PrettyConfig::new().struct_names(false);
        let text = options().to_string_pretty(self, pretty);
        text.expect("a profile has no value that RON cannot write") + "\n"
    }
}

fn options() -> ron::Options {
    ron::Options::default()
        .with_default_extension(Extensions::UNWRAP_NEWTYPES)
        .with_default_extension(Extensions::IMPLICIT_SOME)
        .with_default_extension(Extensions::UNWRAP_VARIANT_NEWTYPES)
}
