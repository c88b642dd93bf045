//! Plain loops at the width of the CPU's vectors.
//!
//! The program is built for any x86-64 CPU, whose vectors hold two doubles; most have
//! wider ones. [`run`] calls a closure that was compiled a second time for those. Only
//! the compiler's vectorisation differs: additions and products stay what they are, one
//! rounding each, in the order that the code gives, so no bit depends on the CPU. The
//! closure and what it calls must be `#[inline(always)]`, or they are not compiled again.

/// Calls `work`, compiled for AVX2 where the CPU has it.
#[inline(always)]
pub(crate) fn run<R>(work: impl FnOnce() -> R) -> R {
    #[cfg(target_arch = "x86_64")]
    if let Some(avx2) = pulp::x86::V3::try_new() {
        return avx2.vectorize(work);
    }
    work()
}

/// As [`run`], with AVX-512 where the CPU has it: for loops whose arrays fill such vectors.
#[inline(always)]
pub(crate) fn run_widest<R>(work: impl FnOnce() -> R) -> R {
    #[cfg(target_arch = "x86_64")]
    if let Some(avx512) = pulp::x86::V4::try_new() {
        return avx512.vectorize(work);
    }
    run(work)
}
