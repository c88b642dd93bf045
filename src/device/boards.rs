//! Boards that were measured: presets whose numbers `airloom calibrate` found.
//!
//! The measurements are in `src/calibration/measurements`, with their sources; a test holds
//! these numbers to the fit. What no row determines is derived as follows, and said to be
//! assumed:
//!
//! - **attention over the cache** at half the rate at which weights of 4.5 bits stream: the keys of
//!   a head are short pieces a row apart, and of each page that is opened little is read;
//! - **long prompts** at the part of the peak that the one board reaches whose prefill was
//!   measured;
//! - **devices of one chip** replicate as much and spend as much on a message as each other;
//! - **idle power** is a round number of the right size.

use super::basis::{Basis, Evidence, Ground, Range};
use super::few::Few;
use super::measured::{Measured, WeightRate};
use super::messages::MessageCost;
use super::power::{MeasuredAt, Power};
use super::preset::{Preset, assumed};
use super::profile::DeviceProfile;
use crate::units::{Bytes, BytesPerSecond, FlopsPerSecond, ParametersPerSecond, Seconds, Watts};
use std::borrow::Cow;

const DISTRIBUTED: &str = "distributed-llama 0.1.0, README";
const BEOWULF: &str = "geerlingguy/beowulf-ai-cluster, issue 6";
const AI_BENCHMARKS: &str = "geerlingguy/ai-benchmarks, README";

/// The bits per weight of Llama 3.2 3B in Q4_K_M: 1.87 GiB over its 3.21 billion weights.
const Q4_K_M: f64 = 5.0;

/// Weights of Llama 3.2 3B, the only model of the tables of single boards.
const LLAMA_3B: f64 = 3.213e9;

const fn rates(bits: f64, rate: f64, replicated_fraction: f64) -> Option<Measured> {
    Some(Measured {
        weight_rate: None,
        weight_rates: Few::one(WeightRate {
            bits,
            rate: ParametersPerSecond(rate),
        }),
        replicated_fraction,
        contention_per_peer: 0.0,
        model_slowdown: 1.0,
    })
}

/// Half of what weights of 4.5 bits stream at, of a device that takes `rate` of them per second.
const fn half_of(rate: f64) -> Option<BytesPerSecond> {
    Some(BytesPerSecond(rate * 4.5 / 8.0 / 2.0))
}

/// What a message costs in all, of which two devices do not tell the parts.
const fn third_each(total: f64) -> Option<MessageCost> {
    Some(MessageCost {
        send: Seconds(total / 3.0),
        receive: Seconds(total / 3.0),
        synchronise: Seconds(total / 3.0),
    })
}

const fn wall(idle: f64, busy: f64) -> Option<Power> {
    Some(Power {
        idle: Watts(idle),
        compute_bound: Watts(busy),
        memory_bound: Watts(busy),
        measured_at: MeasuredAt::Wall,
    })
}

const fn sheet(source: &'static str) -> Ground {
    Ground::DataSheet {
        source: Cow::Borrowed(source),
    }
}

/// Of a board on which one model was decoded alone.
const fn alone(source: &'static str) -> Ground {
    Ground::Measured(Evidence {
        source: Cow::Borrowed(source),
        error: None,
        range: Range {
            weights: Some((LLAMA_3B, LLAMA_3B)),
            weight_bits: Some((Q4_K_M, Q4_K_M)),
            devices: Some((1, 1)),
            context: None,
        },
    })
}

const fn divided(error: f64, weights: (f64, f64)) -> Ground {
    Ground::Fitted(Evidence {
        source: Cow::Borrowed(DISTRIBUTED),
        error: Some(error),
        range: Range {
            weights: Some(weights),
            weight_bits: Some((4.5, 4.5)),
            devices: Some((1, 2)),
            context: None,
        },
    })
}

const CONTEXT: Ground = assumed(
    "no row varies the context: attention is taken to read the cache at half the rate of weights",
);
const PREFILL: Ground =
    assumed("no row has a long prompt: the part of the peak is that of the Raspberry Pi CM5");

/// What the Raspberry Pi CM5 reaches of its chip's peak on a prompt of 512 tokens.
const PROMPTS: f64 = 0.5625;

pub(super) const RASPBERRY_PI_4B: Preset = Preset {
    name: "raspberry-pi-4b",
    summary: "single-board computer, CPU only: 5.06 G weights/s at 4.5 bits, 8 GB",
    // Raspberry Pi 4B (2019): four Cortex-A72 at 1.5 GHz, one 128-bit fused multiply–add per cycle
    // each (8 32-bit FLOPs), 48 GFLOP/s; 32-bit LPDDR4-3200, 12.8 GB/s; 8 GB.
    profile: DeviceProfile {
        efficiency: PROMPTS,
        cache_rate: half_of(5.055e9),
        per_token: Seconds(2.19e-3),
        measured: rates(4.5, 5.055e9, 0.1408),
        messages: third_each(306e-6),
        power: Some(Power {
            idle: Watts(2.7),
            compute_bound: Watts(6.4),
            memory_bound: Watts(6.4),
            measured_at: MeasuredAt::Board,
        }),
        ..DeviceProfile::roofline(FlopsPerSecond(48e9), BytesPerSecond(12.8e9), Bytes(8e9))
    },
    basis: Basis {
        compute: divided(0.019, (6.7e9, 13.1e9)),
        prefill: PREFILL,
        context: CONTEXT,
        memory: sheet("Raspberry Pi 4 Model B product brief: 8 GB"),
        power: assumed("a round number for a busy board of its kind; nobody measured it decoding"),
        links: Some(Ground::Fitted(Evidence {
            source: Cow::Borrowed(
                "distributed-llama 0.1.0, README: two devices, whose times in the network differ by \
                 a factor of two; a third each to send, receive and go on is assumed",
            ),
            error: None,
            range: Range {
                weights: Some((6.7e9, 13.1e9)),
                weight_bits: Some((4.5, 4.5)),
                devices: Some((2, 2)),
                context: None,
            },
        })),
    },
};

pub(super) const RASPBERRY_PI_CM5: Preset = Preset {
    name: "raspberry-pi-cm5",
    summary: "compute module, CPU only: 19.7 G weights/s at 5 bits, 16 GB",
    // Raspberry Pi CM5 (2024): the chip of the Raspberry Pi 5.
    profile: DeviceProfile {
        efficiency: PROMPTS,
        cache_rate: half_of(19.66e9),
        measured: rates(Q4_K_M, 19.66e9, 0.1408),
        messages: third_each(153e-6),
        power: wall(3.0, 11.9),
        ..DeviceProfile::roofline(FlopsPerSecond(153.6e9), BytesPerSecond(17.1e9), Bytes(16e9))
    },
    basis: Basis {
        compute: alone(BEOWULF),
        prefill: Ground::Measured(Evidence {
            source: Cow::Borrowed(BEOWULF),
            error: None,
            range: Range {
                weights: Some((LLAMA_3B, LLAMA_3B)),
                weight_bits: Some((Q4_K_M, Q4_K_M)),
                devices: Some((1, 1)),
                context: Some((0, 512)),
            },
        }),
        context: CONTEXT,
        memory: sheet("Raspberry Pi Compute Module 5 product brief: up to 16 GB"),
        power: assumed("that of the Raspberry Pi 5, which has the same chip"),
        links: Some(assumed(
            "half of what messages cost the Raspberry Pi 4B, whose cores are half as fast",
        )),
    },
};

pub(super) const RASPBERRY_PI_5: Preset = Preset {
    name: "raspberry-pi-5",
    summary: "single-board computer, CPU only: 15.7 G weights/s at 5 bits, 8 GB, 11.9 W decoding",
    // Raspberry Pi 5 (2023): four Cortex-A76 at 2.4 GHz, two 128-bit fused multiply–adds
    // per cycle each (16 32-bit FLOPs), 153.6 GFLOP/s; 32-bit LPDDR4X-4267, 17.1 GB/s; 8 GB.
    profile: DeviceProfile {
        efficiency: PROMPTS,
        cache_rate: half_of(15.68e9),
        measured: rates(Q4_K_M, 15.68e9, 0.1408),
        messages: third_each(153e-6),
        power: wall(3.0, 11.9),
        ..DeviceProfile::roofline(FlopsPerSecond(153.6e9), BytesPerSecond(17.1e9), Bytes(8e9))
    },
    basis: Basis {
        compute: alone(AI_BENCHMARKS),
        prefill: assumed("that of the Raspberry Pi CM5, which has the same chip"),
        context: CONTEXT,
        memory: sheet("Raspberry Pi 5 product brief: 8 GB"),
        power: alone("geerlingguy/ai-benchmarks, README: the board of 16 GB, peak at the wall"),
        links: Some(assumed(
            "half of what messages cost the Raspberry Pi 4B, whose cores are half as fast",
        )),
    },
};

pub(super) const GCP_C3D_HIGHCPU_30: Preset = Preset {
    name: "gcp-c3d-highcpu-30",
    summary: "cloud machine of 30 virtual CPUs: 79.9 G weights/s at 4.5 bits, 59 GB",
    // Google Cloud c3d-highcpu-30: 30 threads, 15 cores, of an AMD EPYC 9B14 (Zen 4) near 3 GHz, 32
    // 32-bit FLOPs per cycle each, 1.44 TFLOP/s; of twelve channels of DDR5-4800 for 90 cores its
    // share is 77 GB/s; 59 GB.
    profile: DeviceProfile {
        efficiency: PROMPTS,
        cache_rate: half_of(79.95e9),
        overhead: Seconds(270.6e-6),
        per_token: Seconds(0.565e-3),
        measured: rates(4.5, 79.95e9, 0.0511),
        messages: third_each(55.6e-6),
        ..DeviceProfile::roofline(FlopsPerSecond(1.44e12), BytesPerSecond(77e9), Bytes(59e9))
    },
    basis: Basis {
        compute: divided(0.008, (6.7e9, 13.1e9)),
        prefill: PREFILL,
        context: CONTEXT,
        memory: sheet("Google Cloud, C3D machine series: 59 GB"),
        power: assumed("a share of a machine that others use too: no joules"),
        links: Some(Ground::Fitted(Evidence {
            source: Cow::Borrowed(
                "distributed-llama 0.1.0, README: two devices, whose times in the network differ by \
                 a factor of two; a third each to send, receive and go on is assumed",
            ),
            error: None,
            range: Range {
                weights: Some((6.7e9, 13.1e9)),
                weight_bits: Some((4.5, 4.5)),
                devices: Some((2, 2)),
                context: None,
            },
        })),
    },
};

/// A board of which one rate and one power are known.
const fn one_row(
    [peak, bandwidth, memory]: [f64; 3],
    rate: f64,
    [idle, busy]: [f64; 2],
) -> DeviceProfile {
    DeviceProfile {
        efficiency: PROMPTS,
        cache_rate: half_of(rate),
        measured: rates(Q4_K_M, rate, 0.0),
        power: wall(idle, busy),
        ..DeviceProfile::roofline(
            FlopsPerSecond(peak),
            BytesPerSecond(bandwidth),
            Bytes(memory),
        )
    }
}

const fn of_one_row(memory: &'static str) -> Basis {
    Basis {
        compute: alone(AI_BENCHMARKS),
        prefill: PREFILL,
        context: CONTEXT,
        memory: sheet(memory),
        power: alone(AI_BENCHMARKS),
        links: None,
    }
}

pub(super) const FRAMEWORK_13: Preset = Preset {
    name: "framework-13-ai-340",
    summary: "laptop without a GPU of its own: 76.5 G weights/s at 5 bits, 32 GB, 51.1 W decoding",
    // Framework Laptop 13 (2025): AMD Ryzen AI 5 340, six cores near 4 GHz, 32 32-bit FLOPs per
    // cycle each, 768 GFLOP/s; 128-bit DDR5-5600, 89.6 GB/s.
    profile: one_row([768e9, 89.6e9, 32e9], 76.49e9, [8.0, 51.1]),
    basis: of_one_row("Framework Laptop 13, AMD Ryzen AI 300: 32 GB"),
};

pub(super) const MINISFORUM_MS_R1: Preset = Preset {
    name: "minisforum-ms-r1",
    summary: "Arm workstation, CPU only: 38.9 G weights/s at 5 bits, 64 GB, 35 W decoding",
    // Minisforum MS-R1 (2025): CIX P1, eight Cortex-A720 near 2.5 GHz, 16 32-bit FLOPs per cycle
    // each, 320 GFLOP/s; 128-bit LPDDR5-5500, 88 GB/s.
    profile: one_row([320e9, 88e9, 64e9], 38.94e9, [15.0, 35.0]),
    basis: of_one_row("Minisforum MS-R1: up to 64 GB"),
};

pub(super) const NVIDIA_GB10: Preset = Preset {
    name: "nvidia-gb10",
    summary: "desktop GPU with unified memory: 315 G weights/s at 5 bits, 128 GB, 128.5 W decoding",
    // NVIDIA GB10 (DGX Spark, 2025): 1 PFLOP/s at 4 bits with sparsity, of which an eighth at 16
    // bits dense; 256-bit LPDDR5X, 273 GB/s; 128 GB.
    profile: one_row([125e12, 273e9, 128e9], 314.6e9, [35.0, 128.5]),
    basis: of_one_row("NVIDIA DGX Spark: 128 GB"),
};
