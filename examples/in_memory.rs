//! How loud must devices be? A scenario run in memory at several signal-to-noise ratios: no run
//! folder, and everything that was measured at hand.
//!
//! ```text
//!  scenario.ron ─┐                        ┌─▶ metrics   what metrics.json would hold
//!                ├─▶ Resolved ─▶ simulate ┤
//!     overrides ─┘                  │     └─▶ measured  every pass, block, request
//!                                   ▼
//!                               Observer  told of passes and tensors on the way
//! ```
//!
//! ```sh
//! cargo run --release --example in_memory
//! ```

use airloom::measurement::PassRecord;
use airloom::observer::{Observer, Travelling};
use airloom::scenario::{self, Override};
use airloom::simulation::simulate;
use std::error::Error;
use std::io;
use std::path::Path;

/// Adds up the power of what devices send, which no table has.
#[derive(Default)]
struct Loudness {
    passes: u32,
    power: f64,
    entries: f64,
}

impl Observer for Loudness {
    fn pass(&mut self, _: &PassRecord) -> io::Result<()> {
        self.passes += 1;
        Ok(())
    }

    fn tensors(&mut self, tensors: &[Travelling<'_>]) -> io::Result<()> {
        // Sums and logits are nobody's alone.
        for tensor in tensors.iter().filter(|tensor| tensor.node.is_some()) {
            let squares = tensor.values.iter().map(|x| f64::from(*x).powi(2));
            self.power += squares.sum::<f64>();
            self.entries += tensor.values.len() as f64;
        }
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/aircomp_tensor_parallel.ron");
    println!("SNR     perplexity   all-reduce MSE   passes   mean power of a partial output");
    for snr in ["20 dB", "5 dB", "0 dB", "-5 dB"] {
        let overrides: Vec<Override> = vec![
            format!("links.air.budget.snr={snr}").parse()?,
            "workload=[Score(text: World(documents: 8))]".parse()?,
        ];
        let resolved = scenario::load(&file, &overrides)?;
        let mut loudness = Loudness::default();
        let simulated = simulate(&resolved, &mut loudness)?;
        let metric = |name| simulated.metrics.get(name).unwrap_or(f64::NAN);
        println!(
            "{snr:<8}{:10.3}{:17.4}{:9}{:14.5}",
            metric("perplexity"),
            metric("all_reduce_mse"),
            loudness.passes,
            loudness.power / loudness.entries,
        );
    }
    Ok(())
}
