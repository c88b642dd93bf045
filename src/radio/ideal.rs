//! The ideal all-reduce: an exact sum in no time, the reference for every other.

use super::all_reduce::{
    AllReduce, Block, Distortion, Layout, Link, Transmission, Uplink, check_parts,
};
use super::error::RadioError;
use crate::rng::Stream;
use crate::units::FieldFault;

/// No time, no energy, no error.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ideal;

impl AllReduce for Ideal {
    fn validate(&self, _: Layout) -> Result<(), FieldFault> {
        Ok(())
    }

    fn uses_radio(&self) -> bool {
        false
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

impl Link for IdealLink {
    fn plan(&self, _: usize) -> Result<Uplink, RadioError> {
        let silent = Transmission {
            joules: Some(0.0),
            ..Transmission::default()
        };
        Ok(Uplink {
            transmissions: vec![silent; self.devices],
            simultaneous: false,
        })
    }

    fn reduce(
        &self,
        parts: &[&[f32]],
        _: &mut Stream,
        sum: &mut [f32],
    ) -> Result<Distortion, RadioError> {
        check_parts(parts, sum.len())?;
        for (entry, sum) in sum.iter_mut().enumerate() {
            *sum = exact_sum(parts, entry) as f32;
        }
        Ok(Distortion {
            symbols: sum.len().div_ceil(2) as u64,
            ..Distortion::default()
        })
    }
}

/// Σ_n z_n at one entry: in device order, in double precision, so that rounding to
/// f32 happens once and one device alone keeps its bits.
#[inline(always)]
pub(super) fn exact_sum(parts: &[&[f32]], entry: usize) -> f64 {
    parts
        .iter()
        .fold(0.0, |sum, part| sum + f64::from(part[entry]))
}
