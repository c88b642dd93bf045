//! The weights of a GGUF model: every tensor that the model wants is held against the headers,
//! what would stay unread is refused, then the files are read from front to back.
//!
//! llama.cpp's converter puts the rows of a LLaMA's queries and keys in another order: rows 2i and
//! 2i + 1 of a head are a pair that is turned together, where the published checkpoints have
//! i and i + d/2. They are put back here, whole rows at a time, so that blocks stay as they are.

use super::files::Part;
use super::header::Entry;
use super::names::{Place, place};
use super::settings::Read;
use crate::interrupt::Interrupt;
use crate::model::ModelShape;
use crate::numerics::error::LoadError;
use crate::numerics::model_file::FileDigest;
use crate::numerics::stored::Stored;
use std::collections::{BTreeMap, BTreeSet};

/// Tensors from which settings are read, not weights.
const SETTINGS: [&str; 3] = [
    "rope_freqs.weight",
    "rope_factors_long.weight",
    "rope_factors_short.weight",
];

/// Unread tensors that an error names.
const MOST_NAMES: usize = 4;

/// A tensor, or the part of one, that a model wants.
#[derive(Debug, Clone)]
struct Wanted {
    /// What it was asked for as.
    asked: String,
    sizes: Vec<usize>,
    /// From the beginning of the file's tensor.
    first: u64,
    bytes: u64,
}

/// The files of a model, and what is wanted of them.
#[derive(Debug)]
pub(in crate::numerics) struct GgufCheckpoint {
    parts: Vec<Part>,
    /// Entries per head, where rows of queries and keys are to be put back in order.
    interleaved: Option<usize>,
    /// By the file's number and the tensor's name.
    wanted: BTreeMap<(usize, String), Vec<Wanted>>,
}

impl GgufCheckpoint {
    pub(super) fn new(parts: Vec<Part>, read: &Read) -> Self {
        let shape: &ModelShape = &read.config.shape;
        Self {
            parts,
            interleaved: read.interleaved.then_some(shape.head_dim),
            wanted: BTreeMap::new(),
        }
    }

    fn find(&self, name: &str) -> Option<(usize, &Entry)> {
        let mut parts = self.parts.iter().enumerate();
        parts.find_map(|(number, part)| Some((number, part.header.tensors.get(name)?)))
    }

    /// Notes that the model has the tensor `asked`, which must be there in the shape `sizes`.
    pub(in crate::numerics) fn want(
        &mut self,
        asked: &str,
        sizes: &[usize],
    ) -> Result<(), LoadError> {
        let (name, number) = match place(asked) {
            Place::Expert {
                stacked, number, ..
            } if self.find(&stacked).is_some() => (stacked, Some(number)),
            Place::Expert { alone, stacked, .. } => match self.find(&alone) {
                Some(_) => (alone, None),
                None => (stacked, None),
            },
            Place::Whole(name) => (name, None),
        };
        let Some((part, entry)) = self.find(&name) else {
            return Err(self.parts[0].fault(format!(
                "the tensor `{name}` is missing; it would have the sizes {sizes:?}: fetch the \
                 file again, or convert the model again"
            )));
        };
        let of_one: &[usize] = match number {
            Some(_) => &entry.sizes[1..],
            None => &entry.sizes,
        };
        let count = number.map_or(1, |_| entry.sizes[0]);
        // A matrix of one row is stored as that row.
        let fits = of_one == sizes || (sizes.first() == Some(&1) && of_one == &sizes[1..]);
        if !fits || number.is_some_and(|number| number >= count) {
            return Err(self.parts[part].fault(format!(
                "the tensor `{name}` has the sizes {:?}, and by the file's keys it would have \
                 {sizes:?}{}; fetch the file again, or convert the model again",
                entry.sizes,
                match number {
                    Some(_) => " for each expert",
                    None => "",
                }
            )));
        }
        let bytes = entry.bytes / count as u64;
        let wanted = Wanted {
            asked: asked.to_owned(),
            sizes: sizes.to_owned(),
            first: bytes * number.unwrap_or(0) as u64,
            bytes,
        };
        self.wanted.entry((part, name)).or_default().push(wanted);
        Ok(())
    }

    /// Refuses tensors that nobody wants: llama.cpp might compute with them.
    pub(in crate::numerics) fn refuse_unread(&self) -> Result<(), LoadError> {
        let mut unread = BTreeSet::new();
        let mut first = None;
        for (number, part) in self.parts.iter().enumerate() {
            for name in part.header.tensors.keys() {
                let known = SETTINGS.contains(&name.as_str());
                if !known && !self.wanted.contains_key(&(number, name.clone())) {
                    first = first.or(Some(number));
                    unread.insert(name.as_str());
                }
            }
        }
        let Some(first) = first else {
            return Ok(());
        };
        let names: Vec<String> = unread
            .iter()
            .take(MOST_NAMES)
            .map(|name| format!("`{name}`"))
            .collect();
        Err(self.parts[first].fault(format!(
            "{} of its tensors, such as {}, are of no use to the model that its keys describe; \
             without them it may compute something else: use a model of a supported architecture",
            unread.len(),
            names.join(", ")
        )))
    }

    /// Every tensor that is wanted, with the entries wanted of it.
    fn counted(&self) -> impl Iterator<Item = (&Entry, u64)> {
        self.wanted.iter().map(|((part, name), wanted)| {
            let entries = wanted.iter().map(|one| one.sizes.iter().product::<usize>());
            let entry = &self.parts[*part].header.tensors[name];
            (entry, entries.sum::<usize>() as u64)
        })
    }

    /// Bits per stored weight, averaged over all that are wanted.
    pub(in crate::numerics) fn bits(&self) -> f64 {
        let (mut entries, mut bits) = (0, 0.0);
        for (entry, count) in self.counted() {
            entries += count;
            bits += count as f64 * entry.format.bits();
        }
        bits / entries as f64
    }

    /// The formats of the tensors wanted, each with its share of the weights, the largest first.
    pub(in crate::numerics) fn formats(&self) -> Vec<(&'static str, f64)> {
        let mut counts: BTreeMap<&'static str, u64> = BTreeMap::new();
        for (entry, count) in self.counted() {
            *counts.entry(entry.format.name()).or_default() += count;
        }
        let all: u64 = counts.values().sum();
        let mut shares: Vec<_> = counts
            .into_iter()
            .map(|(name, count)| (name, count as f64 / all as f64))
            .collect();
        shares.sort_by(|a, b| b.1.total_cmp(&a.1));
        shares
    }

    /// Reads the tensors that are wanted, and hashes the files.
    ///
    /// # Errors
    /// If a file cannot be read or holds a number that is not finite, or `interrupt` is raised.
    pub(in crate::numerics) fn read(
        self,
        interrupt: Interrupt<'_>,
    ) -> Result<(BTreeMap<String, Stored>, Vec<FileDigest>), LoadError> {
        let mut tensors = BTreeMap::new();
        let mut digests = Vec::with_capacity(self.parts.len());
        for (number, mut part) in self.parts.into_iter().enumerate() {
            for (name, entry) in part.in_order() {
                let Some(wanted) = self.wanted.get(&(number, name.clone())) else {
                    continue;
                };
                let mut wanted = wanted.clone();
                wanted.sort_by_key(|one| one.first);
                for one in wanted {
                    let start = entry.start + one.first;
                    part.read_to(start, None, interrupt)?;
                    let mut bytes = Vec::with_capacity(one.bytes as usize);
                    part.read_to(start + one.bytes, Some(&mut bytes), interrupt)?;
                    if let Some((place, value)) = entry.format.not_finite(&bytes) {
                        return Err(LoadError::NotFinite {
                            path: part.path.clone(),
                            tensor: name,
                            shape: entry.sizes.clone(),
                            entry: place,
                            value,
                        });
                    }
                    let bytes = match self.interleaved.filter(|_| is_turned(&one.asked)) {
                        Some(dim) => in_halves(&bytes, one.sizes[0], dim),
                        None => bytes,
                    };
                    let stored = entry.format.stored(bytes, &one.sizes);
                    let stored =
                        stored.map_err(|fault| part.fault(format!("`{name}`: {fault}")))?;
                    tensors.insert(one.asked, stored);
                }
            }
            digests.push(part.finish(interrupt)?);
        }
        Ok((tensors, digests))
    }
}

/// Whether a tensor makes queries or keys.
fn is_turned(name: &str) -> bool {
    let mut parts = name.rsplit('.');
    let (ending, matrix) = (parts.next(), parts.next());
    matches!(ending, Some("weight" | "bias")) && matches!(matrix, Some("attn_q" | "attn_k"))
}

/// `rows` of heads of `dim` rows, whose rows 2i and 2i + 1 become rows i and i + dim/2.
fn in_halves(bytes: &[u8], rows: usize, dim: usize) -> Vec<u8> {
    let row_bytes = bytes.len() / rows;
    let mut out = Vec::with_capacity(bytes.len());
    for head in bytes.chunks(dim * row_bytes) {
        for parity in 0..2 {
            for pair in 0..dim / 2 {
                let row = 2 * pair + parity;
                out.extend_from_slice(&head[row * row_bytes..][..row_bytes]);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_that_turn_together_stand_in_two_halves_again() {
        // What the converter does: reshape(heads, 2, d/2), swap the two.
        let published: Vec<u8> = (0..16).collect();
        let mut converted = Vec::new();
        for head in published.chunks(8) {
            for pair in 0..4 {
                converted.extend([head[pair], head[pair + 4]]);
            }
        }
        assert_eq!(in_halves(&converted, 16, 8), published);
        assert!(is_turned("blk.0.attn_q.weight") && is_turned("blk.11.attn_k.bias"));
        assert!(!is_turned("blk.0.attn_q_norm.weight") && !is_turned("blk.0.attn_v.weight"));
    }
}
