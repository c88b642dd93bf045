//! `airloom channel`: what a scenario's channels are like, before anything is sent.

use super::output::{interrupt_flag, print};
use super::width;
use super::{Failure, warn};
use crate::results::terminal::Table;
use crate::rng::Streams;
use crate::scenario::{self, Override, Resolved};
use crate::simulation::{self, DrawnChannels, default_channel_folder};
use crate::text::Visible;
use crate::topology::LinkId;
use std::fmt::Write;
use std::path::PathBuf;

/// Draw a scenario's channels: tensor, statistics, figure.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    airloom channel first.ron\n  \
    airloom channel first.ron --blocks 500 \\\n    \
    --set 'links.air.coherence=Time(\"1 ms\")' --set 'links.air.doppler=Shift(\"50 Hz\")'\n\n\
    The folder holds h.npy (complex, [time, device, N_r, N_t], for numpy.load or\n\
    fading: Trace(\"h.npy\")), channel.csv, channel.svg and, with Doppler, autocorrelation.csv.\n\
    With Doppler and a channel per all-reduce, blocks are 1/16 of a Doppler cycle apart.")]
pub(super) struct ChannelArgs {
    /// The scenario file
    #[arg(value_hint = clap::ValueHint::FilePath)]
    scenario: PathBuf,
    /// Which link, where several are Radios
    #[arg(long, value_name = "NAME")]
    link: Option<String>,
    /// Coherence blocks to draw
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    blocks: u64,
    /// The experiment's seed, in place of the scenario's
    #[arg(long)]
    seed: Option<u64>,
    /// Which repetition of the experiment: picks the random substream
    #[arg(long, default_value_t = 0)]
    run: u32,
    /// Change a field of the scenario first, such as nodes.device.count=8; may be repeated
    #[arg(long = "set", value_name = "PATH=VALUE")]
    overrides: Vec<Override>,
    /// The folder to write [default: results/NAME/channel-seedS-runR, with a hash of the overrides]
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    out: Option<PathBuf>,
}

pub(super) fn channel(args: ChannelArgs) -> Result<(), Failure> {
    let resolved = scenario::load(&args.scenario, &args.overrides).map_err(Failure::input)?;
    warn(&resolved);
    let streams = Streams {
        seed: args.seed.unwrap_or(resolved.seed()),
        run: args.run,
    };
    let out = args
        .out
        .unwrap_or_else(|| default_channel_folder(&resolved.name, streams, &args.overrides));
    let interrupt = interrupt_flag()?;
    let link = link(&resolved, args.link.as_deref())?;
    let drawn = simulation::channel(&resolved, link, streams, args.blocks, &out, interrupt)?;
    print(table(&drawn))
}

/// The radio called `name`, or else the only one.
fn link(resolved: &Resolved, name: Option<&str>) -> Result<LinkId, Failure> {
    let radios = resolved.radios();
    let name_of = |id: &LinkId| resolved.topology.links[id.index()].name.as_str();
    let known = radios.iter().map(name_of).collect::<Vec<_>>().join(", ");
    let found = match name {
        Some(name) => radios.iter().find(|id| name_of(id) == name),
        None if radios.len() > 1 => {
            let message = format!("several links are Radios; say which: --link {known}");
            return Err(Failure::Input(message));
        }
        None => radios.first(),
    };
    found.copied().ok_or_else(|| {
        let which = name.map_or(String::new(), |name| format!(" called `{name}`"));
        let radios = match known.as_str() {
            "" => "no link is one".to_owned(),
            known => format!("known are {known}"),
        };
        let message = format!("there is no Radio{which}, whose channels could be drawn; {radios}");
        Failure::Input(Visible(&message).to_string())
    })
}

/// A number to `digits` places, or a dash.
fn cell(value: Option<f64>, digits: usize) -> String {
    value.map_or("–".to_owned(), |value| format!("{value:.digits$}"))
}

fn table(drawn: &DrawnChannels) -> String {
    let devices = &drawn.statistics.devices;
    let large = devices.iter().any(|device| device.line_of_sight.is_some());
    let mut widths = vec![6, 13, 11, 11, 12, 14, 12];
    let mut heading = vec![
        "device",
        "mean gain",
        "model",
        "K",
        "to Rice",
        "capacity",
        "condition",
    ];
    if large {
        widths.extend([7, 13, 11]);
        heading.extend(["sight", "path loss", "shadowing"]);
    }
    let mut table = Table::new(2, 1, widths);
    table.push(heading.into_iter().map(str::to_owned).collect());
    for device in devices {
        let decibels = |value: Option<f64>| format!("{} dB", cell(value, 2));
        let mut row = vec![
            device.device.to_string(),
            decibels(device.mean_gain_db),
            decibels(device.model_gain_db),
            decibels(device.rice_factor_db),
            format!("{:.4}", device.amplitude_ks),
            format!("{:.2} b/s/Hz", device.capacity_bit_per_s_hz),
            decibels(device.condition_db),
        ];
        if large {
            let sight = device
                .line_of_sight
                .map(|seen| if seen { "LOS" } else { "NLOS" });
            row.extend([
                sight.unwrap_or_default().to_owned(),
                decibels(device.path_loss_db),
                decibels(device.shadowing_db),
            ]);
        }
        table.push(row);
    }
    let mut text = format!(
        "{}\n\n{}",
        drawn.ensemble.title,
        table.text(width::columns())
    );
    // Writing to a String cannot fail.
    let _ = writeln!(text, "\nwritten to {}", drawn.folder.display());
    text
}
