//! Which devices sum at which, and on which part of the band.

use crate::units::FieldFault;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How far parts of a band may add up to more than all of it, for decimal fractions.
const TOLERANCE: f64 = 1e-9;

/// Who sums with whom.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Clusters {
    /// About as many as each has devices: ⌊√N⌋ of N devices, formed as with Equal.
    #[default]
    Balanced,
    /// So many, of devices that follow each other, the first ones one larger where they do not
    /// divide equally; the first device of each is its head.
    Equal(usize),
    /// As listed; every device is in one.
    Listed(Vec<Cluster>),
}

/// One cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cluster {
    /// Its devices, by their numbers from 0 around the link; between heads, by those of the heads.
    pub members: Vec<usize>,
    /// The one of them that sums. Default: the first.
    #[serde(default)]
    pub head: Option<usize>,
    /// Its part of the band, with turns: AtOnce. Default: an equal one.
    #[serde(default)]
    pub band: Option<f64>,
}

/// How clusters share the band.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Turns {
    /// One after another, each on the whole band.
    #[default]
    InTurn,
    /// All at once, each on its part of the band.
    AtOnce,
}

/// A cluster whose devices are found.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Formed {
    /// The device that sums.
    pub head: usize,
    /// The others, in order.
    pub senders: Vec<usize>,
    /// Its part of the band.
    pub share: f64,
}

impl Clusters {
    /// The clusters of `devices`, which are in order.
    ///
    /// # Errors
    /// If one is empty, a device is in none or in two, a head is not in its cluster, or parts
    /// of the band are impossible, by path.
    pub(super) fn form(&self, devices: &[usize], turns: Turns) -> Result<Vec<Formed>, FieldFault> {
        let mut formed = match self {
            Self::Balanced => equal(devices.len().isqrt(), devices)?,
            Self::Equal(count) => equal(*count, devices)?,
            Self::Listed(listed) => find(listed, devices)?,
        };
        if turns == Turns::AtOnce {
            let given = match self {
                Self::Balanced | Self::Equal(_) => None,
                Self::Listed(listed) => parts(listed)?,
            };
            let sending = |cluster: &Formed| !cluster.senders.is_empty();
            let count = formed.iter().filter(|cluster| sending(cluster)).count();
            for (place, cluster) in formed.iter_mut().enumerate() {
                cluster.share = match &given {
                    Some(given) => given[place],
                    None => 1.0 / count.max(1) as f64,
                };
            }
        } else if let Self::Listed(listed) = self
            && let Some(place) = listed.iter().position(|cluster| cluster.band.is_some())
        {
            let message = "clusters take turns, each on the whole band; leave it out, or use \
                           turns: AtOnce";
            let path = format!("clusters[{place}].band");
            return Err(FieldFault::new(path, message));
        }
        Ok(formed)
    }
}

fn equal(count: usize, devices: &[usize]) -> Result<Vec<Formed>, FieldFault> {
    let total = devices.len();
    if count == 0 || count > total {
        let message = format!(
            "{count} clusters of {total} devices, of which each needs one for its head; use 1 to \
             {total}"
        );
        return Err(FieldFault::new("clusters", message));
    }
    let (each, more) = (total / count, total % count);
    let start = |cluster: usize| cluster * each + cluster.min(more);
    let cluster = |number: usize| {
        let members = &devices[start(number)..start(number + 1)];
        Formed {
            head: members[0],
            senders: members[1..].to_vec(),
            share: 1.0,
        }
    };
    Ok((0..count).map(cluster).collect())
}

fn find(listed: &[Cluster], devices: &[usize]) -> Result<Vec<Formed>, FieldFault> {
    let fault =
        |path: String, message: String| Err(FieldFault::new(format!("clusters{path}"), message));
    let mut of: BTreeMap<usize, usize> = BTreeMap::new();
    let mut formed = Vec::with_capacity(listed.len());
    for (number, Cluster { members, head, .. }) in listed.iter().enumerate() {
        let Some(first) = members.first() else {
            let message = "an empty cluster has no head; give it devices, or leave it out";
            return fault(format!("[{number}].members"), message.to_owned());
        };
        for (place, device) in members.iter().enumerate() {
            let path = format!("[{number}].members[{place}]");
            if devices.binary_search(device).is_err() {
                let known = match devices {
                    [] => "there are none".to_owned(),
                    [first, .., last] if last - first + 1 == devices.len() => {
                        format!("they are {first} to {last}")
                    }
                    some => format!("they are {}", list(some)),
                };
                let message = format!("no device {device} sums here; {known}");
                return fault(path, message);
            }
            if let Some(other) = of.insert(*device, number) {
                let message =
                    format!("device {device} is in cluster {other} already; let it be in one");
                return fault(path, message);
            }
        }
        let head = head.unwrap_or(*first);
        if !members.contains(&head) {
            let message = format!(
                "device {head} is not in its own cluster; name one of {}",
                list(members)
            );
            return fault(format!("[{number}].head"), message);
        }
        let mut senders: Vec<usize> = members.iter().copied().filter(|n| *n != head).collect();
        senders.sort_unstable();
        formed.push(Formed {
            head,
            senders,
            share: 1.0,
        });
    }
    match devices.iter().find(|device| !of.contains_key(device)) {
        None => Ok(formed),
        Some(device) => fault(
            String::new(),
            format!("device {device} is in no cluster; add it to one"),
        ),
    }
}

/// The parts of the band as listed, if any is.
fn parts(listed: &[Cluster]) -> Result<Option<Vec<f64>>, FieldFault> {
    let path = |number: usize| format!("clusters[{number}].band");
    if listed.iter().all(|cluster| cluster.band.is_none()) {
        return Ok(None);
    }
    let mut given = Vec::with_capacity(listed.len());
    for (number, cluster) in listed.iter().enumerate() {
        match cluster.band {
            Some(part) if part > 0.0 && part <= 1.0 + TOLERANCE => given.push(part),
            Some(part) => {
                let message = format!("a part of {part} of the band; use a number from 0 to 1");
                return Err(FieldFault::new(path(number), message));
            }
            None => {
                let message = "other clusters have a part of the band; give every one its own, \
                               or none";
                let place = format!("clusters[{number}]");
                return Err(FieldFault::new(place, message));
            }
        }
    }
    let sum: f64 = given.iter().sum();
    if sum > 1.0 + TOLERANCE {
        let message = format!("parts of the band add up to {sum}; let them be 1 or less together");
        return Err(FieldFault::new("clusters", message));
    }
    Ok(Some(given))
}

/// The first few of `numbers`.
fn list(numbers: &[usize]) -> String {
    const SHOWN: usize = 8;
    let shown: Vec<String> = numbers.iter().take(SHOWN).map(usize::to_string).collect();
    let more = if numbers.len() > SHOWN { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}
