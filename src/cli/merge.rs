//! `airloom merge`: the shards of a sweep, put together.

use super::Failure;
use super::output::interrupt_flag;
use super::sweep::told;
use crate::simulation::{self, MergeOptions};
use std::path::PathBuf;

/// Put the shards of a sweep together.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  \
    airloom sweep S.ron --shard 0/2 --out shards/0\n  \
    airloom sweep S.ron --shard 1/2 --out shards/1\n  \
    airloom merge shards/0 shards/1 --out results/comparison\n\n\
    The result is what the whole sweep would have written, byte for byte.")]
pub(super) struct MergeArgs {
    /// The folders that `airloom sweep --shard` wrote
    #[arg(required = true, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    folders: Vec<PathBuf>,
    /// The sweep's folder to write
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    out: PathBuf,
    /// Replace another sweep in that folder
    #[arg(long)]
    overwrite: bool,
}

pub(super) fn merge(args: MergeArgs) -> Result<(), Failure> {
    let options = MergeOptions {
        folders: &args.folders,
        out: args.out,
        overwrite: args.overwrite,
        interrupt: interrupt_flag()?,
    };
    told(&simulation::merge(&options)?)
}
