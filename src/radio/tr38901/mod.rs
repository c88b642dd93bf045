//! Large-scale fading of 3GPP TR 38.901 (release 17): path loss, line of sight,
//! shadowing and Rice factor in urban micro and macro cells and in offices.
//!
//! What holds for a device is drawn once per run, as positions do not change. Links of
//! different devices are independent: the correlation of shadowing over distance
//! (section 7.4.4) is not modelled, nor is penetration into buildings and cars (7.4.3).

mod environment;

pub use environment::{Environment, Geometry};

use super::distance::Distance;
use super::fading::{FadingModel, Moments};
use crate::rng::{StandardNormal, Streams};
use crate::units::{Decibels, FieldFault, Hertz, Meters};
use rand::RngExt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The fields of [`Fading::Tr38901`](super::Fading::Tr38901).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tr38901 {
    /// Where server and devices are; it also says how high the server's antennas hang.
    pub environment: Environment,
    /// f_c, 0.5 to 100 GHz.
    pub carrier: Hertz,
    /// d_2D along the ground from device to server: one for all devices, or a list with
    /// one each. Outdoors 10 m to 5 km; indoors so that d_3D lies in 1 m to 150 m.
    pub distance: Distance,
    /// h_UT of every device. Default: 1.5 m outdoors (up to 22.5 m), 1 m in offices.
    #[serde(default)]
    pub device_height: Option<Meters>,
    /// Whether a device sees the server. Default: drawn by the table's probability.
    #[serde(default)]
    pub sight: Sight,
    /// Whether shadow fading is drawn for each device. Default: yes.
    #[serde(default = "default_shadowing")]
    pub shadowing: bool,
    /// K of a device in line of sight; others have none. Default: the mean of
    /// Table 7.5-6, 9 dB outdoors and 7 dB in offices.
    #[serde(default)]
    pub rice_factor: Option<Decibels>,
}

fn default_shadowing() -> bool {
    true
}

/// Whether devices see the server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Sight {
    /// Each with the probability of Table 7.4.2-1.
    #[default]
    Drawn,
    /// All do.
    LineOfSight,
    /// None does.
    NonLineOfSight,
}

/// What was drawn for one device.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LargeScale {
    /// Whether it sees the server.
    pub line_of_sight: bool,
    /// PL in dB.
    pub path_loss_db: f64,
    /// SF in dB, on top of PL.
    pub shadowing_db: f64,
    /// K as a ratio; 0 without line of sight.
    pub rice_factor: f64,
}

impl LargeScale {
    /// g = 10^(−(PL + SF)/10), divided between line of sight and scattering as
    /// K : 1, so that μ² = g K/(K + 1) and σ² = g/(K + 1).
    pub fn moments(&self) -> Moments {
        let gain = libm::pow(10.0, -(self.path_loss_db + self.shadowing_db) / 10.0);
        let scattered = gain / (self.rice_factor + 1.0);
        Moments {
            mean: (self.rice_factor * scattered).sqrt(),
            variance: scattered,
        }
    }
}

impl Tr38901 {
    /// h_UT.
    fn height(&self) -> Meters {
        self.device_height
            .unwrap_or_else(|| self.environment.device_height())
    }

    fn geometry(&self, distance: Meters, environment_height: Meters) -> Geometry {
        Geometry {
            carrier: self.carrier,
            distance,
            device_height: self.height(),
            environment_height,
        }
    }

    /// Draws what holds for `device` in the whole run.
    ///
    /// Line of sight, h_E and SF come from the first words of the streams
    /// (`"radio.line_of_sight"`, `"radio.environment_height"`, `"radio.shadowing"`; device,
    /// 0), so that switching one off changes no other.
    pub fn link(&self, streams: Streams, device: usize) -> LargeScale {
        let open = |purpose| streams.open(purpose, device as u32, 0);
        let distance = self.distance.of(device);
        let line_of_sight = match self.sight {
            Sight::LineOfSight => true,
            Sight::NonLineOfSight => false,
            Sight::Drawn => {
                let probability = self
                    .environment
                    .line_of_sight_probability(distance, self.height());
                open("radio.line_of_sight").random_bool(probability)
            }
        };
        let mut draws = open("radio.environment_height");
        let draws = [draws.random::<f64>(), draws.random::<f64>()];
        let environment_height =
            self.environment
                .environment_height(distance, self.height(), draws);
        let geometry = self.geometry(distance, environment_height);
        let shadowing_db = if self.shadowing {
            let normal: f64 = open("radio.shadowing").sample(StandardNormal);
            self.environment.shadowing_db(line_of_sight) * normal
        } else {
            0.0
        };
        let rice_factor = self
            .rice_factor
            .unwrap_or_else(|| self.environment.rice_factor());
        LargeScale {
            line_of_sight,
            path_loss_db: self.environment.path_loss_db(line_of_sight, &geometry),
            shadowing_db,
            rice_factor: if line_of_sight {
                rice_factor.ratio()
            } else {
                0.0
            },
        }
    }
}

impl FadingModel for Tr38901 {
    /// Checks every value against the ranges of the tables.
    fn validate(&self, devices: usize) -> Result<(), FieldFault> {
        let environment = self.environment;
        let outside = |path: &str, found: String, range: &str| {
            Err(FieldFault::new(
                path,
                format!(
                    "{found} is outside the range of TR 38.901, Table 7.4.1-1, for \
                     {environment:?}; use {range}"
                ),
            ))
        };
        if !(0.5e9..=100e9).contains(&self.carrier.0) {
            return outside("carrier", self.carrier.to_string(), "0.5 GHz to 100 GHz");
        }
        let height = self.height();
        if environment.is_office() {
            FieldFault::unless_positive("device_height", height.0)?;
        } else if !(1.5..=22.5).contains(&height.0) {
            return outside("device_height", height.to_string(), "1.5 m to 22.5 m");
        }
        if let Some(factor) = self.rice_factor {
            FieldFault::unless_positive("rice_factor", factor.ratio())?;
        }
        self.distance.validate(devices, |distance| {
            let slant = environment.slant_range(&self.geometry(distance, Meters(1.0)));
            if environment.is_office() {
                // Even a NaN is outside; so is a negative length.
                if !(distance.0 >= 0.0 && (1.0..=150.0).contains(&slant)) {
                    let found =
                        format!("{distance} along the floor, {slant:.2} m through the air,");
                    return outside("distance", found, "1 m to 150 m through the air");
                }
            } else if !(10.0..=5000.0).contains(&distance.0) {
                return outside("distance", distance.to_string(), "10 m to 5 km");
            }
            Ok(())
        })
    }

    fn moments(&self, streams: Streams, device: usize) -> Moments {
        self.link(streams, device).moments()
    }

    fn large_scale(&self, streams: Streams, device: usize) -> Option<LargeScale> {
        Some(self.link(streams, device))
    }
}
