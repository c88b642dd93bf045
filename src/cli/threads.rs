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

/// Starts the pool on which kernels run: of `threads`, else of what the environment asks for, else
/// of one per core.
///
/// The calling thread is one of them: what it shares with others it begins at once, where handing
/// it to others and waiting would cost as much as a single token's share. A pool of one has a
/// thread of its own, as jobs beside the caller need somebody who is never busy with another run.
pub(super) fn start(threads: Option<u16>) -> Result<(), Failure> {
    let from_environment = || std::env::var(VARIABLE).ok()?.parse().ok();
    let asked = match threads {
        Some(threads) => Some(bounded("--threads", usize::from(threads))),
        None => from_environment().map(|asked| bounded(VARIABLE, asked)),
    };
    // Zero is rayon's word for its default.
    let threads = asked
        .filter(|threads| *threads > 0)
        .unwrap_or_else(|| available_parallelism().map_or(1, usize::from));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    let pool = match threads {
        1 => pool,
        _ => pool.use_current_thread(),
    };
    pool.build_global().map_err(Failure::run)
}
