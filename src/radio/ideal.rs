//! The ideal all-reduce: an exact sum in no time, the reference for every other.

use super::all_reduce::{
    AllReduce, Block, Distortion, Layout, Link, Schedule, Symbols, Terms, Transmission, Uplink,
    check_finite, check_lengths,
};
use super::error::RadioError;
use super::quantiser::largest_magnitude;
use super::sums::exact_sum;
use crate::rng::Stream;
use crate::units::FieldFault;

/// Entries summed at a time, on the stack.
const BLOCK: usize = 512;

/// No time, no energy, no error.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ideal;

impl AllReduce for Ideal {
    fn validate(&self, _: Layout) -> Result<(), FieldFault> {
        Ok(())
    }

    fn symbols(&self) -> Symbols {
        Symbols::Silent
    }

    fn schedule(&self, terms: &Terms<'_>) -> Result<Option<Box<dyn Schedule>>, RadioError> {
        Ok(Some(Box::new(IdealLink {
            devices: terms.powers.len(),
        })))
    }

    fn prepare(&self, block: &Block<'_>) -> Result<Box<dyn Link>, RadioError> {
        Ok(Box::new(IdealLink {
            devices: block.channels.len(),
        }))
    }
}

#[derive(Debug)]
pub(super) struct IdealLink {
    pub(super) devices: usize,
}

impl Schedule for IdealLink {
    fn plan(&self, _: usize) -> Result<Uplink, RadioError> {
        let silent = Transmission {
            joules: Some(0.0),
            ..Transmission::default()
        };
        Ok(Uplink {
            transmissions: vec![silent; self.devices],
            rounding_s: None,
        })
    }
}

impl Link for IdealLink {
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
        let mut exact = [0.0; BLOCK];
        for (index, received) in sum.chunks_mut(BLOCK).enumerate() {
            let start = index * BLOCK;
            let exact = &mut exact[..received.len()];
            exact_sum(parts, start..start + received.len(), exact);
            for (received, exact) in received.iter_mut().zip(exact) {
                *received = *exact as f32;
            }
        }
        Ok(Distortion {
            symbols: sum.len().div_ceil(2) as u64,
            ..Distortion::default()
        })
    }
}
