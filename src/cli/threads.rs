//! How many threads are started.
//!
//! No result depends on it, and more than a few per core only cost memory, however large the
//! number that `--threads`, `--jobs` or RAYON_NUM_THREADS asks for.

use super::Failure;
use super::output::tell;
use std::thread::available_parallelism;

/// rayon's own variable for the size of its pool.
const VARIABLE: &str = "RAYON_NUM_THREADS";

/// Threads per core that may be useful to compare or to test with.
const PER_CORE: usize = 4;

/// So many may be started on any machine.
const ANYWHERE: usize = 64;

/// `asked`, or less if that is more than is of any use; then a warning names `what` asked.
pub(super) fn bounded(what: &str, asked: usize) -> usize {
    let cores = available_parallelism().map_or(1, usize::from);
    let most = (PER_CORE * cores).max(ANYWHERE);
    if asked > most {
        tell(format_args!(
            "warning: {what} asks for {asked} threads; {most} are started, as this machine runs \
             {cores} at a time"
        ));
    }
    asked.min(most)
}

/// Sizes the pool on which kernels run: `threads`, else what the environment asks for; else
/// rayon starts one per core when it is first used.
pub(super) fn start(threads: Option<u16>) -> Result<(), Failure> {
    let from_environment = || std::env::var(VARIABLE).ok()?.parse().ok();
    let asked = match threads {
        Some(threads) => Some(bounded("--threads", usize::from(threads))),
        None => from_environment().map(|asked| bounded(VARIABLE, asked)),
    };
    // Zero is rayon's word for its default.
    let Some(threads) = asked.filter(|threads| *threads > 0) else {
        return Ok(());
    };
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build_global()
        .map_err(Failure::run)
}
