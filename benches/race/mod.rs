//! Who is faster: the ratio that criterion's separate measurements leave to chance on a busy
//! machine, as its speed changes between one and the next.

use std::time::{Duration, Instant};

/// What candle multiplies by on this CPU: without its feature `x86-v4`, which candle does
/// not ask for, its product (the crate gemm) never uses AVX-512.
pub const CANDLE: &str = if cfg!(target_arch = "x86_64") {
    "candle (AVX2 with FMA where the CPU has it)"
} else {
    "candle"
};

/// Rounds in which every contender has its turn.
const ROUNDS: usize = 40;

/// A name, and what is timed.
pub type Contender<'a> = (String, Box<dyn FnMut() + Send + 'a>);

/// Runs the contenders in turn and prints each one's fastest round, against the first.
pub fn race(title: &str, contenders: &mut [Contender<'_>]) {
    let mut fastest = vec![Duration::MAX; contenders.len()];
    for _ in 0..ROUNDS {
        for (fastest, (_, run)) in fastest.iter_mut().zip(contenders.iter_mut()) {
            let start = Instant::now();
            run();
            *fastest = start.elapsed().min(*fastest);
        }
    }
    for ((name, _), time) in contenders.iter().zip(&fastest) {
        let time = time.as_secs_f64();
        let ratio = fastest[0].as_secs_f64() / time;
        let (first, share) = (&contenders[0].0, 1.0 / ratio);
        println!(
            "{title}: {name} {:.3} ms, {ratio:.2} × the speed of {first}, {share:.2} of its time",
            1e3 * time
        );
    }
}
