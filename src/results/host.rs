//! Facts about the machine and the build: where a run ran, never what it computed.

use serde::{Deserialize, Serialize};

/// Where and how fast a run ran.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Host {
    /// Commit that airloom was built from.
    pub commit: String,
    /// Compiler that built it.
    pub rustc: String,
    /// Target triple.
    pub target: String,
    /// `debug` or `release`.
    pub profile: String,
    /// The CPU's name, if the system tells.
    pub cpu: Option<String>,
    /// Vector extensions that the CPU offers.
    pub cpu_features: Vec<String>,
    /// Path of the numeric kernels.
    pub kernels: String,
    /// Threads used.
    pub threads: usize,
    /// Wall-clock time of the run, in seconds.
    pub wall_s: f64,
}

impl Host {
    /// The facts of this machine.
    pub fn here(kernels: String, wall_s: f64) -> Self {
        Self {
            commit: env!("AIRLOOM_COMMIT").to_owned(),
            rustc: env!("AIRLOOM_RUSTC").to_owned(),
            target: env!("AIRLOOM_TARGET").to_owned(),
            profile: if cfg!(debug_assertions) {
                "debug"
            } else {
                "release"
            }
            .to_owned(),
            cpu: cpu_name(),
            cpu_features: cpu_features(),
            kernels,
            threads: rayon::current_num_threads(),
            wall_s,
        }
    }

    /// Name, value there and value here of every fact that differs from `here`;
    /// speed is none of them.
    pub fn differences(&self, here: &Self) -> Vec<(&'static str, String, String)> {
        let names = [
            "commit",
            "rustc",
            "target",
            "profile",
            "kernels",
            "threads",
            "cpu",
            "cpu features",
        ];
        let values = |host: &Self| {
            [
                host.commit.clone(),
                host.rustc.clone(),
                host.target.clone(),
                host.profile.clone(),
                host.kernels.clone(),
                host.threads.to_string(),
                host.cpu.clone().unwrap_or_else(|| "unknown".to_owned()),
                host.cpu_features.join(" "),
            ]
        };
        names
            .into_iter()
            .zip(values(self))
            .zip(values(here))
            .map(|((name, there), here)| (name, there, here))
            .filter(|(_, there, here)| there != here)
            .collect()
    }
}

#[expect(clippy::disallowed_methods, reason = "the system's own file")]
fn cpu_name() -> Option<String> {
    let facts = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = facts.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

#[cfg(target_arch = "x86_64")]
fn cpu_features() -> Vec<String> {
    let offered = [
        ("avx", std::arch::is_x86_feature_detected!("avx")),
        ("avx2", std::arch::is_x86_feature_detected!("avx2")),
        ("fma", std::arch::is_x86_feature_detected!("fma")),
        ("avx512f", std::arch::is_x86_feature_detected!("avx512f")),
    ];
    let present = offered.into_iter().filter(|(_, present)| *present);
    present.map(|(name, _)| name.to_owned()).collect()
}

#[cfg(not(target_arch = "x86_64"))]
fn cpu_features() -> Vec<String> {
    Vec::new()
}
