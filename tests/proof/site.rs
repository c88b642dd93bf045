//! Where a variant runs: which binary, on which CPU, kernels and threads.

use crate::outcome::Outcome;
use crate::variant::Variant;
use airloom::numerics::kernels::{Path as Kernels, VARIABLE};
use std::path::PathBuf;
use std::process::Command;
use tempfile::TempDir;

/// Names a binary of the other profile, for the comparison of builds.
pub const OTHER_BUILD: &str = "AIRLOOM_OTHER_BUILD";

/// The emulator, and a CPU without AVX and FMA.
const WITHOUT_AVX: &[&str] = &["qemu-x86_64", "-cpu", "Nehalem"];

/// The emulator, and a CPU with AVX2 and FMA but without AVX-512.
const WITH_AVX2: &[&str] = &["qemu-x86_64", "-cpu", "Haswell"];

/// A surrounding in which a run is made, in a process of its own.
#[derive(Debug, Clone)]
pub struct Site {
    /// Its name in messages.
    pub name: String,
    emulator: &'static [&'static str],
    binary: PathBuf,
    kernels: Option<Kernels>,
    threads: Option<usize>,
}

impl Site {
    /// This machine as it is.
    pub fn native() -> Self {
        Self {
            name: "native".to_owned(),
            emulator: &[],
            binary: env!("CARGO_BIN_EXE_airloom").into(),
            kernels: None,
            threads: None,
        }
    }

    /// This machine with other kernels.
    pub fn with_kernels(kernels: Kernels) -> Self {
        Self {
            name: format!("{kernels} kernels"),
            kernels: Some(kernels),
            ..Self::native()
        }
    }

    /// This machine with a number of threads.
    pub fn with_threads(threads: usize) -> Self {
        Self {
            name: format!("{threads} threads"),
            threads: Some(threads),
            ..Self::native()
        }
    }

    /// The build that [`OTHER_BUILD`] names, or why there is none.
    pub fn other_build() -> Result<Self, String> {
        let path = std::env::var_os(OTHER_BUILD)
            .ok_or_else(|| format!("skipped: no other build ({OTHER_BUILD} is not set)"))?;
        Ok(Self {
            name: "the other build".to_owned(),
            binary: path.into(),
            ..Self::native()
        })
    }

    /// A CPU of another kind, or why there is none.
    pub fn emulated(emulator: &'static [&'static str]) -> Result<Self, String> {
        if cfg!(not(target_arch = "x86_64")) {
            return Err("skipped: not an x86-64 build".to_owned());
        }
        let answers = Command::new(emulator[0]).arg("--version").output();
        if !answers.is_ok_and(|output| output.status.success()) {
            return Err("skipped: no qemu".to_owned());
        }
        Ok(Self {
            name: emulator.join(" "),
            emulator,
            ..Self::native()
        })
    }

    /// The sites that differ most from each other: every path of the kernels, and a CPU
    /// without AVX.
    pub fn few() -> Vec<Self> {
        let mut sites = vec![Self::native()];
        sites.extend(Kernels::available().map(Self::with_kernels));
        sites.extend(present(Self::emulated(WITHOUT_AVX)));
        sites
    }

    /// Every site, `native` twice.
    pub fn all() -> Vec<Self> {
        let mut sites = Self::few();
        sites.push(Self::native());
        sites.extend([1, 2].map(Self::with_threads));
        sites.extend(present(Self::other_build()));
        sites.extend(present(Self::emulated(WITH_AVX2)));
        sites
    }

    /// Runs a variant here.
    pub fn run(&self, variant: &Variant) -> Outcome {
        let folder = TempDir::new().expect("a temporary folder");
        let out = folder.path().join("run");
        let mut words = self.emulator.iter();
        let mut command = match words.next() {
            Some(emulator) => Command::new(emulator),
            None => Command::new(&self.binary),
        };
        if !self.emulator.is_empty() {
            command.args(words).arg(&self.binary);
        }
        command
            .arg("run")
            .arg(format!("scenarios/{}.ron", variant.scenario))
            .arg("--out")
            .arg(&out)
            .env_remove(VARIABLE);
        for change in variant.overrides {
            command.args(["--set", change]);
        }
        if let Some(kernels) = self.kernels {
            command.env(VARIABLE, kernels.name());
        }
        if let Some(threads) = self.threads {
            command.args(["--threads", &threads.to_string()]);
        }
        let output = command.output().expect("the program starts");
        assert!(
            output.status.success(),
            "{} on {}: {}",
            variant.name,
            self.name,
            String::from_utf8_lossy(&output.stderr)
        );
        Outcome::read(folder, out)
    }
}

/// The site, or a word about its absence.
fn present(site: Result<Site, String>) -> Option<Site> {
    site.inspect_err(|reason| println!("{reason}")).ok()
}
