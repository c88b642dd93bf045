//! Which instruction set the kernels use.
//!
//! The choice is made once, from what the CPU reports and the environment
//! variable [`VARIABLE`], and can be made explicitly for tests. It must never
//! change a result: every path yields the same bits.

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use super::error::KernelError;
use super::quantised::{IntegerKernel, Integers};
#[cfg(target_arch = "x86_64")]
use super::{avx2::Avx2, avx512::Avx512, quantised::Vnni};
use super::{lanes::Kernel, lanes::Lanes, portable::Portable};

/// The environment variable that overrides the choice of [`Path`].
pub const VARIABLE: &str = "AIRLOOM_KERNELS";

/// An instruction set for which the kernels are compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Path {
    /// Any CPU: plain arithmetic. Fused multiply–adds are computed exactly in
    /// software unless the compilation target always has them.
    Portable,
    /// x86-64 with AVX2 and FMA: 8 lanes.
    Avx2,
    /// x86-64 with AVX-512F: 16 lanes.
    Avx512,
}

impl Path {
    /// Every path, slowest first.
    pub const ALL: [Self; 3] = [Self::Portable, Self::Avx2, Self::Avx512];

    /// The name by which [`VARIABLE`] selects this path.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }

    /// Whether this CPU can run the path.
    pub fn is_available(self) -> bool {
        Isa::new(self).is_some()
    }

    /// The paths that this CPU can run, slowest first. Never empty.
    pub fn available() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|path| path.is_available())
    }

    /// The fastest path that this CPU can run.
    pub fn best() -> Self {
        Self::available().last().unwrap_or(Self::Portable)
    }

    /// The path that [`VARIABLE`] names, or [`Path::best`] where it is unset.
    ///
    /// # Errors
    /// The variable names no path, or one that this CPU cannot run.
    pub fn from_env() -> Result<Self, KernelError> {
        match std::env::var_os(VARIABLE) {
            None => Ok(Self::best()),
            Some(value) => value.to_string_lossy().parse(),
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Parses a path's name and checks that this CPU can run it.
impl FromStr for Path {
    type Err = KernelError;

    fn from_str(name: &str) -> Result<Self, KernelError> {
        let path = Self::ALL
            .into_iter()
            .find(|path| path.name() == name)
            .ok_or_else(|| KernelError::UnknownPath { name: name.into() })?;
        if path.is_available() {
            Ok(path)
        } else {
            Err(KernelError::UnavailablePath { path })
        }
    }
}

/// The kernels, bound to one [`Path`].
///
/// A cheap handle: copy it freely. Results do not depend on the path behind it,
/// nor on the number of threads.
#[derive(Debug, Clone, Copy)]
pub struct Kernels {
    isa: Isa,
}

impl Kernels {
    /// The kernels on the path that the process runs on: [`Path::from_env`],
    /// asked once.
    ///
    /// # Errors
    /// Those of [`Path::from_env`].
    pub fn active() -> Result<Self, KernelError> {
        static ACTIVE: OnceLock<Result<Kernels, KernelError>> = OnceLock::new();
        ACTIVE
            .get_or_init(|| Self::with_path(Path::from_env()?))
            .clone()
    }

    /// The kernels on `path`.
    ///
    /// # Errors
    /// This CPU cannot run `path`.
    pub fn with_path(path: Path) -> Result<Self, KernelError> {
        Isa::new(path)
            .map(|isa| Self { isa })
            .ok_or(KernelError::UnavailablePath { path })
    }

    /// The path that these kernels run on.
    pub fn path(self) -> Path {
        match self.isa {
            Isa::Portable(_) => Path::Portable,
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2(_) => Path::Avx2,
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512(_) => Path::Avx512,
        }
    }

    /// Runs `kernel` compiled for the path's integers: those of AVX2 where a CPU with AVX-512 has
    /// none of its own that are as good.
    pub(super) fn enter_integers<K: IntegerKernel>(self, kernel: K) {
        match self.isa {
            Isa::Portable(integers) => integers.enter_integers(kernel),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2(integers) => integers.enter_integers(kernel),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512(lanes) => match (Vnni::detect(lanes), Avx2::detect()) {
                (Some(integers), _) => integers.enter_integers(kernel),
                (None, Some(integers)) => integers.enter_integers(kernel),
                (None, None) => Portable.enter_integers(kernel),
            },
        }
    }

    /// Runs `kernel` compiled for the path.
    pub(super) fn enter<K: Kernel>(self, kernel: K) -> K::Output {
        match self.isa {
            Isa::Portable(lanes) => lanes.enter(kernel),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2(lanes) => lanes.enter(kernel),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512(lanes) => lanes.enter(kernel),
        }
    }
}

/// A path together with the proof that this CPU can run it.
#[derive(Debug, Clone, Copy)]
enum Isa {
    Portable(Portable),
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
}

impl Isa {
    fn new(path: Path) -> Option<Self> {
        match path {
            Path::Portable => Some(Self::Portable(Portable)),
            #[cfg(target_arch = "x86_64")]
            Path::Avx2 => Avx2::detect().map(Self::Avx2),
            #[cfg(target_arch = "x86_64")]
            Path::Avx512 => Avx512::detect().map(Self::Avx512),
            #[cfg(not(target_arch = "x86_64"))]
            Path::Avx2 | Path::Avx512 => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse_back() {
        for path in Path::available() {
            assert_eq!(path.name().parse::<Path>().unwrap(), path);
            assert_eq!(Kernels::with_path(path).unwrap().path(), path);
        }
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_choices() {
        let message = "sse9".parse::<Path>().unwrap_err().to_string();
        for part in ["AIRLOOM_KERNELS", "sse9", "portable"] {
            assert!(message.contains(part), "{message}");
        }
    }
}
