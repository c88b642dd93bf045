//! Where results go unless the user says otherwise.

use super::sweep::Shard;
use crate::results::folder::Replaceable;
use crate::results::manifest::Identity;
use crate::rng::Streams;
use crate::scenario::Override;
use std::path::PathBuf;

/// Digits of the overrides' digest in a folder's name.
const DIGITS: usize = 8;

/// `results/<scenario>/seed<S>-run<R>[-<hash of overrides>]`.
pub fn default_folder(scenario: &str, streams: Streams, overrides: &[Override]) -> PathBuf {
    let name = format!("seed{}-run{}", streams.seed, streams.run);
    folder(scenario, name, overrides)
}

/// `results/<scenario>/sweep-seed<S>[-shard<i>of<n> | -points<numbers>][-<hash of overrides>]`.
pub fn default_sweep_folder(
    scenario: &str,
    seed: u64,
    shard: Option<&Shard>,
    overrides: &[Override],
) -> PathBuf {
    let shard = shard.map_or(String::new(), |shard| format!("-{shard}"));
    folder(scenario, format!("sweep-seed{seed}{shard}"), overrides)
}

/// `results/<scenario>/channel-seed<S>-run<R>[-<hash of overrides>]`.
pub fn default_channel_folder(scenario: &str, streams: Streams, overrides: &[Override]) -> PathBuf {
    let name = format!("channel-seed{}-run{}", streams.seed, streams.run);
    folder(scenario, name, overrides)
}

/// `folder`, or if that holds anything but this run, the same with a digest of what this run
/// is: an edited scenario gets a folder of its own.
pub(super) fn own_folder(folder: PathBuf, identity: &Identity) -> PathBuf {
    if !folder.exists() || identity.may_replace(&folder).is_ok() {
        return folder;
    }
    let mut name = folder.into_os_string();
    name.push(format!("-{}", identity.short(DIGITS)));
    PathBuf::from(name)
}

fn folder(scenario: &str, name: String, overrides: &[Override]) -> PathBuf {
    let name = if overrides.is_empty() {
        name
    } else {
        let mut hasher = blake3::Hasher::new();
        for change in overrides {
            hasher.update(change.as_str().as_bytes());
            hasher.update(b"\n");
        }
        format!("{name}-{}", &hasher.finalize().to_hex()[..DIGITS])
    };
    PathBuf::from("results").join(scenario).join(name)
}
