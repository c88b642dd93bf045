//! Named devices, with the source of every number.
//!
//! Peaks are dense 16-bit rates where the chip has them. Three numbers no data sheet
//! gives, and these rules stand in for them:
//!
//! - **energy per byte** from the memory's kind: 40 pJ/B for LPDDR4X and LPDDR5, 60 pJ/B
//!   for GDDR6, 5 and 7.5 pJ/bit, the figures that memory makers quote;
//! - **energy per FLOP** so that at both roofs at once the device draws its rated power:
//!   e_f = (rated − idle − bandwidth × e_b)/peak;
//! - **efficiency** 0.6, what tuned 16-bit matrix products reach on such parts, and
//!   **overhead** 50 µs, ten kernel launches of 5 µs per half layer.
//!
//! Idle powers are round assumptions of the right size.

use super::basis::{Basis, Evidence, Ground, Range};
use super::boards;
use super::measured::Measured;
use super::profile::DeviceProfile;
use crate::units::{
    Bytes, BytesPerSecond, FlopsPerSecond, JoulesPerByte, JoulesPerFlop, ParametersPerSecond,
    Seconds, Watts,
};
use std::borrow::Cow;

/// A named device.
#[derive(Debug, Clone, PartialEq)]
pub struct Preset {
    /// As a scenario writes it.
    pub name: &'static str,
    /// What it is, in one line.
    pub summary: &'static str,
    /// Its numbers.
    pub profile: DeviceProfile,
    /// What they rest on.
    pub basis: Basis,
}

const EFFICIENCY: f64 = 0.6;
const OVERHEAD: Seconds = Seconds(50e-6);
const LPDDR: f64 = 40e-12;
const GDDR6: f64 = 60e-12;

/// Numbers from which a preset's energies follow by the rules above.
struct Sheet {
    peak: f64,
    bandwidth: f64,
    memory: f64,
    rated: f64,
    idle: f64,
    joules_per_byte: f64,
}

impl Sheet {
    const fn profile(self) -> DeviceProfile {
        let memory_power = self.bandwidth * self.joules_per_byte;
        DeviceProfile {
            efficiency: EFFICIENCY,
            overhead: OVERHEAD,
            energy_per_flop: Some(JoulesPerFlop(
                (self.rated - self.idle - memory_power) / self.peak,
            )),
            energy_per_byte: Some(JoulesPerByte(self.joules_per_byte)),
            idle_power: Some(Watts(self.idle)),
            ..DeviceProfile::roofline(
                FlopsPerSecond(self.peak),
                BytesPerSecond(self.bandwidth),
                Bytes(self.memory),
            )
        }
    }
}

pub(super) const fn assumed(reason: &'static str) -> Ground {
    Ground::Assumed {
        reason: Cow::Borrowed(reason),
    }
}

/// Of a device known by its data sheet.
const fn sheet(source: &'static str) -> Basis {
    Basis {
        compute: assumed("the roofline: memory at its rated bandwidth, which no program reaches"),
        prefill: assumed("the rated peak, of which 0.6 is taken to be reached"),
        context: assumed("the cache is read at the memory's rated bandwidth"),
        memory: Ground::DataSheet {
            source: Cow::Borrowed(source),
        },
        power: assumed("the rated power at both roofs; idle power is a round number"),
        links: None,
    }
}

/// Every named device.
pub const PRESETS: &[Preset] = &[
    // NVIDIA Jetson Orin Nano 8 GB data sheet, "Super" mode (2024): 67 TOPS at 8 bits with
    // sparsity, of which a quarter at 16 bits dense; 128-bit LPDDR5 at 102 GB/s; 25 W mode.
    Preset {
        name: "jetson-orin-nano",
        summary: "embedded GPU board: 16.7 TFLOP/s, 102 GB/s, 8 GB, 25 W",
        profile: Sheet {
            peak: 16.7e12,
            bandwidth: 102e9,
            memory: 8e9,
            rated: 25.0,
            idle: 5.0,
            joules_per_byte: LPDDR,
        }
        .profile(),
        basis: sheet("NVIDIA Jetson Orin Nano 8 GB data sheet, \"Super\" mode (2024)"),
    },
    // Apple A17 Pro (2023): 35 trillion operations per second, taken as 8-bit, so half of
    // it at 16 bits; 64-bit LPDDR5-6400, 51.2 GB/s; 8 GB (iPhone 15 Pro). A phone holds
    // about 5 W; the system keeps some 2 GB of the memory.
    Preset {
        name: "phone-a17-pro",
        summary: "phone with a neural engine: 17.5 TFLOP/s, 51 GB/s, 6 GB free, 5 W",
        profile: Sheet {
            peak: 17.5e12,
            bandwidth: 51.2e9,
            memory: 6e9,
            rated: 5.0,
            idle: 0.5,
            joules_per_byte: LPDDR,
        }
        .profile(),
        basis: sheet("Apple, A17 Pro (2023)"),
    },
    // NVIDIA GeForce RTX 4060 Laptop (2023): 96 fourth-generation tensor cores at 1.89 GHz,
    // 64 fused multiply–adds each per cycle (Ada white paper: 165.2 TFLOP/s from 512 cores
    // at 2.52 GHz), 23.2 TFLOP/s; 128-bit GDDR6 at 256 GB/s; 8 GB; 115 W.
    Preset {
        name: "laptop-rtx-4060",
        summary: "laptop GPU: 23.2 TFLOP/s, 256 GB/s, 8 GB, 115 W",
        profile: Sheet {
            peak: 23.2e12,
            bandwidth: 256e9,
            memory: 8e9,
            rated: 115.0,
            idle: 10.0,
            joules_per_byte: GDDR6,
        }
        .profile(),
        basis: sheet("NVIDIA GeForce RTX 4060 Laptop and Ada white paper (2023)"),
    },
    // NVIDIA L4 data sheet (2023): 242 TFLOP/s in FP16 with sparsity, half of it dense;
    // 300 GB/s GDDR6; 24 GB; 72 W.
    Preset {
        name: "edge-server-l4",
        summary: "edge-server GPU: 121 TFLOP/s, 300 GB/s, 24 GB, 72 W",
        profile: Sheet {
            peak: 121e12,
            bandwidth: 300e9,
            memory: 24e9,
            rated: 72.0,
            idle: 16.0,
            joules_per_byte: GDDR6,
        }
        .profile(),
        basis: sheet("NVIDIA L4 data sheet (2023)"),
    },
    // NVIDIA Jetson AGX Orin 64 GB data sheet (2022): its GPU makes 170 of the 275 TOPS at 8
    // bits with sparsity, of which a quarter at 16 bits dense; 256-bit LPDDR5 at 204.8 GB/s;
    // 60 W.
    Preset {
        name: "jetson-agx-orin",
        summary: "embedded GPU board: 42.5 TFLOP/s, 205 GB/s, 64 GB, 60 W",
        profile: Sheet {
            peak: 42.5e12,
            bandwidth: 204.8e9,
            memory: 64e9,
            rated: 60.0,
            idle: 10.0,
            joules_per_byte: LPDDR,
        }
        .profile(),
        basis: sheet("NVIDIA Jetson AGX Orin 64 GB data sheet (2022)"),
    },
    // NVIDIA Jetson Xavier NX 16 GB data sheet (2021): 48 first-generation tensor cores at
    // 1.1 GHz, 64 fused multiply–adds each per cycle, 6.8 TFLOP/s at 16 bits; 128-bit LPDDR4X
    // at 59.7 GB/s; 20 W.
    Preset {
        name: "jetson-xavier-nx",
        summary: "embedded GPU board: 6.8 TFLOP/s, 60 GB/s, 16 GB, 20 W",
        profile: Sheet {
            peak: 6.8e12,
            bandwidth: 59.7e9,
            memory: 16e9,
            rated: 20.0,
            idle: 4.0,
            joules_per_byte: LPDDR,
        }
        .profile(),
        basis: sheet("NVIDIA Jetson Xavier NX 16 GB data sheet (2021)"),
    },
    // NVIDIA GeForce RTX 4070 Ti (2023): 240 fourth-generation tensor cores at 2.61 GHz, 64
    // fused multiply–adds each per cycle, 80.2 TFLOP/s; 192-bit GDDR6X at 504 GB/s; 12 GB;
    // 285 W.
    Preset {
        name: "desktop-rtx-4070-ti",
        summary: "desktop GPU: 80.2 TFLOP/s, 504 GB/s, 12 GB, 285 W",
        profile: Sheet {
            peak: 80.2e12,
            bandwidth: 504e9,
            memory: 12e9,
            rated: 285.0,
            idle: 15.0,
            joules_per_byte: GDDR6,
        }
        .profile(),
        basis: sheet("NVIDIA GeForce RTX 4070 Ti (2023)"),
    },
    // Four NVIDIA A40, data sheet (2020): 149.7 TFLOP/s in FP16 dense, 696 GB/s GDDR6, 48 GB
    // and 300 W each, as if work divided evenly.
    Preset {
        name: "server-4-a40",
        summary: "server with four A40 GPUs: 599 TFLOP/s, 2784 GB/s, 192 GB, 1200 W",
        profile: Sheet {
            peak: 598.8e12,
            bandwidth: 2784e9,
            memory: 192e9,
            rated: 1200.0,
            idle: 120.0,
            joules_per_byte: GDDR6,
        }
        .profile(),
        basis: sheet("NVIDIA A40 data sheet (2020)"),
    },
    boards::RASPBERRY_PI_4B,
    boards::RASPBERRY_PI_5,
    boards::RASPBERRY_PI_CM5,
    boards::FRAMEWORK_13,
    boards::MINISFORUM_MS_R1,
    boards::NVIDIA_GB10,
    boards::GCP_C3D_HIGHCPU_30,
    // Fitted to Table I of Zhang et al., "Distributed On-Device LLM Inference With
    // Over-the-Air Computation": eight virtual machines share one desktop, 24 GB each.
    // The desktop is not named; peak and bandwidth are of a size at which neither binds.
    Preset {
        name: "table-i-vm",
        summary: "virtual machine of the over-the-air paper's Table I: 58.2 G weights/s, 24 GB",
        profile: DeviceProfile {
            measured: Some(Measured {
                replicated_fraction: 0.0896,
                contention_per_peer: 0.01235,
                ..Measured::at(ParametersPerSecond(58.2e9))
            }),
            ..DeviceProfile::roofline(FlopsPerSecond(2e12), BytesPerSecond(50e9), Bytes(24e9))
        },
        basis: Basis {
            compute: Ground::Fitted(Evidence {
                source: Cow::Borrowed(
                    "Zhang et al., Distributed On-Device LLM Inference With Over-the-Air \
                     Computation, Table I",
                ),
                error: Some(0.048),
                range: Range {
                    weights: Some((6.6e9, 69.5e9)),
                    weight_bits: Some((4.5, 4.5)),
                    devices: Some((1, 8)),
                    context: None,
                },
            }),
            prefill: assumed("the desktop is not named; its peak is of a size that does not bind"),
            context: assumed("the cache is read with everything else, and nothing binds it"),
            memory: Ground::DataSheet {
                source: Cow::Borrowed("Zhang et al., Table I: 24 GB each"),
            },
            power: assumed("the desktop is not named: no joules"),
            links: None,
        },
    },
];
