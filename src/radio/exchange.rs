//! All-reduces by messages: what many machines on a network do that cannot add in the air.
//!
//! | pattern | messages of a member |
//! | --- | --- |
//! | [`Star`] | its part to the node that sums, and the sum from there |
//! | [`Ring`] | to its neighbour, 2(N − 1) times a part of N of the entries (Patarasuk and Yuan, "Bandwidth optimal all-reduce algorithms for clusters of workstations", 2009) |
//!
//! Messages go over whatever links join the nodes, wires or radio, point to point, and their time
//! is the links'. What this file holds is what becomes of the tensors: everything that is sent is
//! rounded as [`Blocks`] say, sums are made in the order in which messages arrive, and all
//! members go on with the same numbers.

use super::all_reduce::{
    AllReduce, Block, Distortion, Layout, Link, Schedule, Symbols, Terms, Uplink, check_finite,
    check_lengths,
};
use super::blocks::Blocks;
use super::error::RadioError;
use super::ideal::IdealLink;
use super::quantiser::largest_magnitude;
use super::scale::shared_scale;
use super::sums::exact_sum;
use crate::rng::Stream;
use crate::units::FieldFault;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Who sends to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    /// Everybody to one node, which sends the sum to everybody.
    Star,
    /// Everybody to the next, around.
    Ring,
}

/// An all-reduce by messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exchange {
    /// Who sends to whom.
    pub pattern: Pattern,
    /// How entries travel.
    pub entries: Blocks,
}

impl Exchange {
    /// The entries of a token of `width` entries that are the part number `part` of `parts`: whole
    /// blocks, the first parts one more where they do not divide equally.
    pub fn part(&self, width: usize, part: usize, parts: usize) -> Range<usize> {
        let block = self.entries.block.min(width).max(1);
        let blocks = width.div_ceil(block);
        let (each, more) = (blocks / parts, blocks % parts);
        let start = |part: usize| (part * each + part.min(more)) * block;
        start(part).min(width)..start(part + 1).min(width)
    }
}

macro_rules! scheme {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name {
            /// Q, the bits per entry: 2 to 12 with a scale per block, 16 for half precision, or 32
            /// for entries as they are. Default 8.
            pub bits: u32,
            /// Entries that share a scale of 16 bits. Default 32, so that 8 bits take 8.5.
            pub block: usize,
        }

        impl Default for $name {
            fn default() -> Self {
                Self { bits: 8, block: 32 }
            }
        }

        impl AllReduce for $name {
            fn validate(&self, _: Layout) -> Result<(), FieldFault> {
                let Self { bits, block } = *self;
                Blocks { bits, block }.validate()
            }

            fn symbols(&self) -> Symbols {
                Symbols::Messages
            }

            fn exchange(&self) -> Option<Exchange> {
                let Self { bits, block } = *self;
                Some(Exchange {
                    pattern: Pattern::$name,
                    entries: Blocks { bits, block },
                })
            }

            fn prepare(&self, block: &Block<'_>) -> Result<Box<dyn Link>, RadioError> {
                // Without messages nothing is rounded.
                let devices = block.channels.len();
                Ok(Box::new(IdealLink { devices }))
            }

            fn schedule(&self, terms: &Terms<'_>) -> Result<Option<Box<dyn Schedule>>, RadioError> {
                let devices = terms.powers.len();
                Ok(Some(Box::new(IdealLink { devices })))
            }
        }
    };
}

scheme!(
    /// Every member sends its part to the node that sums, which sends the sum back to each.
    Star
);
scheme!(
    /// Members around a ring add their parts up as these go by, then pass the sums on.
    Ring
);

/// The tensors' way through an exchange.
#[derive(Debug, Clone, Copy)]
pub(super) struct ExchangeLink {
    pub(super) exchange: Exchange,
    /// The member that sums, if it is one of them; of a star.
    pub(super) root: Option<usize>,
    /// Entries per token.
    pub(super) width: usize,
    pub(super) devices: usize,
}

impl Schedule for ExchangeLink {
    fn plan(&self, entries: usize) -> Result<Uplink, RadioError> {
        // The links of its messages know.
        let devices = self.devices;
        IdealLink { devices }.plan(entries)
    }
}

impl Link for ExchangeLink {
    fn reduce(
        &self,
        parts: &[&[f32]],
        _: Stream,
        sum: &mut [f32],
    ) -> Result<Distortion, RadioError> {
        check_lengths(parts, sum.len())?;
        for (device, part) in parts.iter().enumerate() {
            check_finite(device, part, f64::from(largest_magnitude(part)))?;
        }
        let scale = shared_scale(parts, 2, sum.len())?;
        let (mut squared, mut signal, mut expected) = (0.0, 0.0, 0.0);
        let mut exact = vec![0.0; self.width];
        let mut sent = vec![0.0; self.width];
        for (token, sum) in sum.chunks_mut(self.width).enumerate() {
            let start = token * self.width;
            let place = start..start + sum.len();
            let (exact, sent) = (&mut exact[..sum.len()], &mut sent[..sum.len()]);
            let parts_of = |device: usize| &parts[device][place.clone()];
            expected += match self.exchange.pattern {
                Pattern::Star => self.star(parts.len(), parts_of, sent, sum),
                Pattern::Ring => self.ring(parts.len(), parts_of, sum),
            };
            exact_sum(parts, place.clone(), exact);
            for (exact, sum) in exact.iter().zip(&*sum) {
                let error = exact - f64::from(*sum);
                squared += error * error;
                signal += exact * exact;
            }
        }
        let symbols = sum.len().div_ceil(2) as u64;
        let per_entry = |total: f64| match scale > 0.0 {
            true => total / (symbols as f64 * scale * scale),
            false => 0.0,
        };
        Ok(Distortion {
            symbols,
            error: per_entry(squared),
            misalignment: 0.0,
            noise: per_entry(squared),
            analytic: per_entry(expected),
            quantised: true,
            nmse: if signal > 0.0 { squared / signal } else { 0.0 },
            scale,
        })
    }
}

impl ExchangeLink {
    /// Parts are rounded unless they are the root's own, added in members' order and double
    /// precision, and the sum is rounded again.
    fn star<'a>(
        &self,
        devices: usize,
        part: impl Fn(usize) -> &'a [f32],
        sent: &mut [f32],
        sum: &mut [f32],
    ) -> f64 {
        let mut expected = 0.0;
        let mut total = vec![0.0f64; sum.len()];
        for device in 0..devices {
            sent.copy_from_slice(part(device));
            if self.root != Some(device) {
                expected += self.exchange.entries.carry(sent);
            }
            for (total, x) in total.iter_mut().zip(&*sent) {
                *total += f64::from(*x);
            }
        }
        for (sum, total) in sum.iter_mut().zip(&total) {
            *sum = *total as f32;
        }
        expected + self.exchange.entries.carry(sum)
    }

    /// Part c of the entries begins at member c and is rounded each time that it goes on.
    fn ring<'a>(&self, devices: usize, part: impl Fn(usize) -> &'a [f32], sum: &mut [f32]) -> f64 {
        let mut expected = 0.0;
        for first in 0..devices {
            let range = self.exchange.part(sum.len(), first, devices);
            let running = &mut sum[range.clone()];
            running.copy_from_slice(&part(first)[range.clone()]);
            for step in 1..devices {
                expected += self.exchange.entries.carry(running);
                let own = &part((first + step) % devices)[range.clone()];
                for (running, own) in running.iter_mut().zip(own) {
                    *running += own;
                }
            }
            expected += self.exchange.entries.carry(running);
        }
        expected
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Streams;

    fn reduced(
        scheme: &dyn AllReduce,
        root: Option<usize>,
        parts: &[&[f32]],
    ) -> (Vec<f32>, Distortion) {
        let link = ExchangeLink {
            exchange: scheme.exchange().unwrap(),
            root,
            width: 64,
            devices: parts.len(),
        };
        let noise = Streams { seed: 0, run: 0 }.open("radio.noise", 0, 0);
        let mut sum = vec![0.0; parts[0].len()];
        let distortion = link.reduce(parts, noise, &mut sum).unwrap();
        (sum, distortion)
    }

    fn parts(devices: u32, entries: u32) -> Vec<Vec<f32>> {
        let entry = |device: u32, i: u32| libm::sinf((i * 7 + device * 31) as f32) + 0.1;
        let part = |device| (0..entries).map(|i| entry(device, i)).collect();
        (0..devices).map(part).collect()
    }

    /// Law 7 for a star: entries as they are give the exact sum, bit for bit.
    #[test]
    fn a_star_of_whole_entries_is_exact() {
        let parts = parts(5, 256);
        let parts: Vec<&[f32]> = parts.iter().map(Vec::as_slice).collect();
        let (sum, distortion) = reduced(
            &Star {
                bits: 32,
                block: 32,
            },
            Some(0),
            &parts,
        );
        for (entry, sum) in sum.iter().enumerate() {
            let exact: f64 = parts.iter().map(|part| f64::from(part[entry])).sum();
            assert_eq!(*sum, exact as f32);
        }
        assert!(distortion.nmse < 1e-14);
        let (sum, _) = reduced(
            &Ring {
                bits: 32,
                block: 32,
            },
            None,
            &parts,
        );
        for (entry, sum) in sum.iter().enumerate() {
            let exact: f64 = parts.iter().map(|part| f64::from(part[entry])).sum();
            assert!((f64::from(*sum) - exact).abs() < 1e-6);
        }
    }

    /// Law 8: what is measured is what Δ²/12 per rounding expects; a ring rounds more often.
    #[test]
    fn roundings_add_up_to_what_is_expected() {
        let parts = parts(4, 64 * 200);
        let parts: Vec<&[f32]> = parts.iter().map(Vec::as_slice).collect();
        for scheme in [&Star::default() as &dyn AllReduce, &Ring::default()] {
            let (_, distortion) = reduced(scheme, None, &parts);
            let ratio = distortion.error / distortion.analytic;
            assert!((ratio - 1.0).abs() < 0.1, "{scheme:?}: {ratio}");
        }
        let (_, rooted) = reduced(&Star::default(), Some(2), &parts);
        let (_, apart) = reduced(&Star::default(), None, &parts);
        assert!(
            rooted.error < apart.error,
            "the root's own part is not sent"
        );
    }

    /// Law 9: a token's sum is the same bits alone and beside others.
    #[test]
    fn a_token_is_summed_by_itself() {
        let parts = parts(3, 64 * 4);
        let all: Vec<&[f32]> = parts.iter().map(Vec::as_slice).collect();
        let third: Vec<&[f32]> = parts.iter().map(|part| &part[128..192]).collect();
        for scheme in [&Star::default() as &dyn AllReduce, &Ring::default()] {
            let (sum, _) = reduced(scheme, None, &all);
            assert_eq!(sum[128..192], reduced(scheme, None, &third).0);
        }
    }

    #[test]
    fn parts_of_a_ring_are_whole_blocks_and_all_entries() {
        let exchange = Ring::default().exchange().unwrap();
        for (width, devices) in [(4096, 4), (4096, 3), (192, 4), (64, 4), (32, 8)] {
            let parts: Vec<_> = (0..devices)
                .map(|n| exchange.part(width, n, devices))
                .collect();
            assert_eq!((parts[0].start, parts[devices - 1].end), (0, width));
            assert!(parts.windows(2).all(|pair| pair[0].end == pair[1].start));
            assert!(parts.iter().all(|part| part.len() % 32 == 0));
        }
    }
}
