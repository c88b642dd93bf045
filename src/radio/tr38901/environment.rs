//! The tables and figures of 3GPP TR 38.901 (release 17) for each environment.

use crate::units::{Decibels, Hertz, Meters};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// c as the table's note 1 has it, in m/s.
const SPEED_OF_LIGHT: f64 = 3.0e8;

/// The environments of Table 7.4.1-1 that are modelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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

impl Environment {
    pub(super) fn is_office(self) -> bool {
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
    pub(super) fn environment_height(
        self,
        distance: Meters,
        height: Meters,
        draws: [f64; 2],
    ) -> Meters {
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
