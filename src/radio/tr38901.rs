//! Large-scale fading of 3GPP TR 38.901 (release 17): path loss, line of sight,
//! shadowing and Rice factor in urban micro and macro cells and in offices.
//!
//! What holds for a device is drawn once per run, as positions do not change. Links of
//! different devices are independent: the correlation of shadowing over distance
//! (section 7.4.4) is not modelled, nor is penetration into buildings and cars (7.4.3).

use super::distance::Distance;
use super::fading::Moments;
use crate::rng::Streams;
use crate::units::{Decibels, FieldFault, Hertz, Meters};
use serde::{Deserialize, Serialize};

/// c as the table's note 1 has it, in m/s.
const SPEED_OF_LIGHT: f64 = 3.0e8;

/// The fields of [`Fading::Tr38901`](super::Fading::Tr38901).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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

/// The environments of Table 7.4.1-1 that are modelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Environment {
    /// UMi – street canyon; h_BS = 10 m, below the roofs.
    UMiStreetCanyon,
    /// UMa; h_BS = 25 m, above the roofs.
    UMa,
    /// InH – mixed office; h_BS = 3 m, at the ceiling.
    InHMixedOffice,
    /// InH – open office: path loss as in the mixed one, line of sight more often.
    InHOpenOffice,
}

/// Whether devices see the server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
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

/// One device's place relative to the server, and the carrier it uses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Geometry {
    /// f_c, 0.5 to 100 GHz.
    pub carrier: Hertz,
    /// d_2D, along the ground.
    pub distance: Meters,
    /// h_UT.
    pub device_height: Meters,
    /// h_E of the breakpoint's note 1: 1 m, and higher in UMa by chance for devices
    /// from 13 m up.
    pub environment_height: Meters,
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

impl Environment {
    fn is_office(self) -> bool {
        matches!(self, Self::InHMixedOffice | Self::InHOpenOffice)
    }

    /// h_BS: note to Table 7.4.1-1; Table 7.2-2 for offices.
    pub fn server_height(self) -> Meters {
        Meters(match self {
            Self::UMiStreetCanyon => 10.0,
            Self::UMa => 25.0,
            Self::InHMixedOffice | Self::InHOpenOffice => 3.0,
        })
    }

    /// The usual h_UT: 1.5 m outdoors; 1 m in offices (Table 7.2-2).
    pub fn device_height(self) -> Meters {
        Meters(if self.is_office() { 1.0 } else { 1.5 })
    }

    /// σ_SF in dB: Table 7.4.1-1.
    pub fn shadowing_db(self, line_of_sight: bool) -> f64 {
        match (self, line_of_sight) {
            (Self::UMiStreetCanyon | Self::UMa, true) => 4.0,
            (Self::UMiStreetCanyon, false) => 7.82,
            (Self::UMa, false) => 6.0,
            (Self::InHMixedOffice | Self::InHOpenOffice, true) => 3.0,
            (Self::InHMixedOffice | Self::InHOpenOffice, false) => 8.03,
        }
    }

    /// μ_K in line of sight: Table 7.5-6.
    pub fn rice_factor(self) -> Decibels {
        Decibels(if self.is_office() { 7.0 } else { 9.0 })
    }

    /// d_3D = √(d_2D² + (h_BS − h_UT)²) in metres: figure 7.4.1-1.
    pub fn slant_range(self, geometry: &Geometry) -> f64 {
        let rise = self.server_height().0 - geometry.device_height.0;
        (geometry.distance.0 * geometry.distance.0 + rise * rise).sqrt()
    }

    /// d'_BP = 4 (h_BS − h_E)(h_UT − h_E) f_c/c in metres: note 1.
    pub fn breakpoint(self, geometry: &Geometry) -> f64 {
        let above = |height: Meters| height.0 - geometry.environment_height.0;
        4.0 * above(self.server_height()) * above(geometry.device_height) * geometry.carrier.0
            / SPEED_OF_LIGHT
    }

    /// PL in dB: 3GPP TR 38.901, Table 7.4.1-1, with d_3D in metres and f_c in GHz.
    ///
    /// ```text
    /// UMi LOS   d_2D ≤ d'_BP  32.4 + 21 log₁₀ d_3D + 20 log₁₀ f_c
    ///           beyond        32.4 + 40 log₁₀ d_3D + 20 log₁₀ f_c − 9.5 log₁₀(d'_BP² + (h_BS − h_UT)²)
    ///     NLOS                max(LOS, 22.4 + 35.3 log₁₀ d_3D + 21.3 log₁₀ f_c − 0.3 (h_UT − 1.5))
    /// UMa LOS   d_2D ≤ d'_BP  28.0 + 22 log₁₀ d_3D + 20 log₁₀ f_c
    ///           beyond        28.0 + 40 log₁₀ d_3D + 20 log₁₀ f_c − 9 log₁₀(d'_BP² + (h_BS − h_UT)²)
    ///     NLOS                max(LOS, 13.54 + 39.08 log₁₀ d_3D + 20 log₁₀ f_c − 0.6 (h_UT − 1.5))
    /// InH LOS                 32.4 + 17.3 log₁₀ d_3D + 20 log₁₀ f_c
    ///     NLOS                max(LOS, 17.3 + 38.3 log₁₀ d_3D + 24.9 log₁₀ f_c)
    /// ```
    ///
    /// Range: f_c from 0.5 to 100 GHz; outdoors d_2D from 10 m to 5 km and h_UT from 1.5 m
    /// to 22.5 m; in offices d_3D from 1 m to 150 m.
    pub fn path_loss_db(self, line_of_sight: bool, geometry: &Geometry) -> f64 {
        let distance = libm::log10(self.slant_range(geometry));
        let carrier = libm::log10(geometry.carrier.0 / 1e9);
        let rise = self.server_height().0 - geometry.device_height.0;
        let above = geometry.device_height.0 - 1.5;
        // Near and beyond the breakpoint, where the slope turns to 40 dB per decade.
        let dual_slope = |intercept: f64, slope: f64, turn: f64| {
            let breakpoint = self.breakpoint(geometry);
            let level = intercept + 20.0 * carrier;
            if geometry.distance.0 <= breakpoint {
                level + slope * distance
            } else {
                let corner = breakpoint * breakpoint + rise * rise;
                level + 40.0 * distance - turn * libm::log10(corner)
            }
        };
        let (seen, hidden) = match self {
            Self::UMiStreetCanyon => (
                dual_slope(32.4, 21.0, 9.5),
                22.4 + 35.3 * distance + 21.3 * carrier - 0.3 * above,
            ),
            Self::UMa => (
                dual_slope(28.0, 22.0, 9.0),
                13.54 + 39.08 * distance + 20.0 * carrier - 0.6 * above,
            ),
            Self::InHMixedOffice | Self::InHOpenOffice => (
                32.4 + 17.3 * distance + 20.0 * carrier,
                17.3 + 38.3 * distance + 24.9 * carrier,
            ),
        };
        if line_of_sight {
            seen
        } else {
            seen.max(hidden)
        }
    }

    /// Pr_LOS: Table 7.4.2-1, with d = d_2D in metres, for devices that are outdoors in UMi
    /// and UMa.
    ///
    /// ```text
    /// UMi        1 up to 18 m, then 18/d + e^(−d/36)(1 − 18/d)
    /// UMa        1 up to 18 m, then (18/d + e^(−d/63)(1 − 18/d))(1 + C' 5/4 (d/100)³ e^(−d/150))
    ///            C' = 0 up to h_UT = 13 m, then ((h_UT − 13)/10)^1.5
    /// InH mixed  1 up to 1.2 m, e^(−(d − 1.2)/4.7) up to 6.5 m, then 0.32 e^(−(d − 6.5)/32.6)
    /// InH open   1 up to 5 m, e^(−(d − 5)/70.8) up to 49 m, then 0.54 e^(−(d − 49)/211.7)
    /// ```
    pub fn line_of_sight_probability(self, distance: Meters, device_height: Meters) -> f64 {
        let d = distance.0;
        let beyond_18_m = |decay: f64| 18.0 / d + libm::exp(-d / decay) * (1.0 - 18.0 / d);
        match self {
            Self::UMiStreetCanyon | Self::UMa if d <= 18.0 => 1.0,
            Self::UMiStreetCanyon => beyond_18_m(36.0),
            Self::UMa => {
                let height = above_13_m(device_height) * near_roofs(d);
                (beyond_18_m(63.0) * (1.0 + height)).min(1.0)
            }
            Self::InHMixedOffice if d <= 1.2 => 1.0,
            Self::InHMixedOffice if d < 6.5 => libm::exp(-(d - 1.2) / 4.7),
            Self::InHMixedOffice => 0.32 * libm::exp(-(d - 6.5) / 32.6),
            Self::InHOpenOffice if d <= 5.0 => 1.0,
            Self::InHOpenOffice if d <= 49.0 => libm::exp(-(d - 5.0) / 70.8),
            Self::InHOpenOffice => 0.54 * libm::exp(-(d - 49.0) / 211.7),
        }
    }

    /// h_E of note 1 to Table 7.4.1-1 for two uniforms on [0, 1).
    ///
    /// 1 m in UMi. In UMa 1 m with probability 1/(1 + C(d_2D, h_UT)), C = ((h_UT −
    /// 13)/10)^1.5 g(d_2D), g = 5/4 (d/100)³ e^(−d/150) beyond 18 m; else one of 12, 15, …
    /// up to h_UT − 1.5, alike likely (12 m where that list is empty).
    fn environment_height(self, distance: Meters, height: Meters, draws: [f64; 2]) -> Meters {
        let d = distance.0;
        let excess = if self == Self::UMa && d > 18.0 {
            above_13_m(height) * near_roofs(d)
        } else {
            0.0
        };
        if draws[0] < 1.0 / (1.0 + excess) {
            return Meters(1.0);
        }
        let choices = ((height.0 - 1.5 - 12.0) / 3.0).floor().max(0.0) + 1.0;
        Meters(12.0 + 3.0 * (draws[1] * choices).floor())
    }
}

/// ((h_UT − 13)/10)^1.5 from 13 m up, else 0.
fn above_13_m(height: Meters) -> f64 {
    libm::pow(((height.0 - 13.0) / 10.0).max(0.0), 1.5)
}

/// 5/4 (d/100)³ e^(−d/150).
fn near_roofs(d: f64) -> f64 {
    let hundreds = d / 100.0;
    1.25 * hundreds * hundreds * hundreds * libm::exp(-d / 150.0)
}

impl Tr38901 {
    /// h_UT.
    fn height(&self) -> Meters {
        self.device_height
            .unwrap_or_else(|| self.environment.device_height())
    }

    /// Checks every value against the ranges of the tables.
    ///
    /// # Errors
    /// The first field outside, with the range.
    pub fn validate(&self, devices: usize) -> Result<(), FieldFault> {
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
                open("radio.line_of_sight").uniform() < probability
            }
        };
        let mut draws = open("radio.environment_height");
        let draws = [draws.uniform(), draws.uniform()];
        let environment_height =
            self.environment
                .environment_height(distance, self.height(), draws);
        let geometry = self.geometry(distance, environment_height);
        let shadowing_db = if self.shadowing {
            let (normal, _) = open("radio.shadowing").normal_pair();
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
