//! `airloom channel`: what a scenario's channels are like, before anything is sent.

use super::Failure;
use super::output::print;
use crate::rng::Streams;
use crate::scenario::{self, Override};
use crate::simulation::{self, DrawnChannels, default_channel_folder};
use std::fmt::Write;
use std::path::PathBuf;

/// Draw a scenario's channels: tensor, statistics, figure.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    airloom channel scenarios/aircomp_tensor_parallel.ron\n  \
    airloom channel scenarios/aircomp_tensor_parallel.ron --blocks 500 --out results/walk \\\n    \
    --set 'radio.coherence=Time(\"1 ms\")' --set 'radio.doppler=Shift(\"50 Hz\")'\n\n\
    The folder holds h.npy (complex, [time, device, N_r, N_t], for numpy.load or\n\
    fading: Trace(\"h.npy\")), channel.csv, channel.svg and, with Doppler, autocorrelation.csv.\n\
    With Doppler and a channel per all-reduce, blocks are 1/16 of a Doppler cycle apart.")]
pub(super) struct ChannelArgs {
    /// The scenario file
    scenario: PathBuf,
    /// Coherence blocks to draw
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    blocks: u64,
    /// The experiment's seed, in place of the scenario's
    #[arg(long)]
    seed: Option<u64>,
    /// Which repetition of the experiment: picks the random substream
    #[arg(long, default_value_t = 0)]
    run: u32,
    /// Change a field of the scenario first, such as devices.count=8; may be repeated
    #[arg(long = "set", value_name = "PATH=VALUE")]
    overrides: Vec<Override>,
    /// The folder to write [default: results/NAME/channel-seedS-runR, with a hash of the overrides]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(super) fn channel(args: ChannelArgs) -> Result<(), Failure> {
    let resolved = scenario::load(&args.scenario, &args.overrides).map_err(Failure::input)?;
    let streams = Streams {
        seed: args.seed.unwrap_or(resolved.seed()),
        run: args.run,
    };
    let out = args
        .out
        .unwrap_or_else(|| default_channel_folder(&resolved.name, streams, &args.overrides));
    let drawn = simulation::channel(&resolved, streams, args.blocks, &out)?;
    print(table(&drawn))
}

/// A number to `digits` places, or a dash.
fn cell(value: Option<f64>, digits: usize) -> String {
    value.map_or("–".to_owned(), |value| format!("{value:.digits$}"))
}

fn table(drawn: &DrawnChannels) -> String {
    let mut text = format!("{}\n\n", drawn.ensemble.title);
    let devices = &drawn.statistics.devices;
    let large = devices.iter().any(|device| device.line_of_sight.is_some());
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        "  device  mean gain      model          K     to Rice    capacity   condition"
    );
    let _ = writeln!(
        text,
        "{}",
        if large {
            "  sight   path loss  shadowing"
        } else {
            ""
        }
    );
    for device in devices {
        let _ = write!(
            text,
            "  {:<6} {:>7} dB {:>7} dB {:>7} dB {:>11.4} {:>6.2} b/s/Hz {:>6} dB",
            device.device,
            cell(device.mean_gain_db, 2),
            cell(device.model_gain_db, 2),
            cell(device.rice_factor_db, 2),
            device.amplitude_ks,
            device.capacity_bit_per_s_hz,
            cell(device.condition_db, 2),
        );
        if let Some(seen) = device.line_of_sight {
            let _ = write!(
                text,
                "  {:<5} {:>8} dB {:>7} dB",
                if seen { "LOS" } else { "NLOS" },
                cell(device.path_loss_db, 2),
                cell(device.shadowing_db, 2)
            );
        }
        text.push('\n');
    }
    let _ = writeln!(text, "\nwritten to {}", drawn.folder.display());
    text
}
