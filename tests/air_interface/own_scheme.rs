//! An all-reduce that the library does not know: the air asks traits, not names.

use super::{SEEDS, config, round, tensors};
use airloom::policy::Descent;
use airloom::radio::{
    Air, AllReduce, Block, Ideal, Layout, Link, RadioError, Schedule, Symbols, Transmission, Uplink,
};
use airloom::rng::Stream;
use airloom::units::{Duration, FieldFault};

/// A bus that everybody writes to in turn: an exact sum, a nanosecond an entry and device.
#[derive(Debug)]
struct Bus;

#[derive(Debug)]
struct Turns(usize, Box<dyn Link>);

impl AllReduce for Bus {
    fn validate(&self, _: Layout) -> Result<(), FieldFault> {
        Ok(())
    }

    fn symbols(&self) -> Symbols {
        Symbols::Bits { drawn_rate: false }
    }

    fn prepare(&self, block: &Block<'_>) -> Result<Box<dyn Link>, RadioError> {
        Ok(Box::new(Turns(block.channels.len(), Ideal.prepare(block)?)))
    }
}

impl Schedule for Turns {
    fn plan(&self, entries: usize) -> Result<Uplink, RadioError> {
        let turn = Transmission {
            duration: Duration(1000 * (entries * self.0) as u64),
            bits: 32 * entries as u64,
            ..Transmission::default()
        };
        Ok(Uplink {
            transmissions: vec![turn; self.0],
            rounding_s: None,
        })
    }
}

impl Link for Turns {
    fn reduce(
        &self,
        parts: &[&[f32]],
        noise: Stream,
        sum: &mut [f32],
    ) -> Result<airloom::radio::Distortion, RadioError> {
        self.1.reduce(parts, noise, sum)
    }
}

#[test]
fn an_all_reduce_of_ones_own_is_planned_and_carries() {
    let design = Box::new(Descent::default());
    let mut air = Air::new(config(0.0), Bus, design, 3, SEEDS).unwrap();
    assert!(air.is_used());
    let parts = tensors(3, 40, 0);
    let (sum, distortion, plan) = round(&mut air, 0, &parts);
    let exact: Vec<f32> = (0..40)
        .map(|entry| parts.iter().map(|part| f64::from(part[entry])).sum::<f64>() as f32)
        .collect();
    for (heard, exact) in sum.iter().zip(&exact) {
        assert!((heard - exact).abs() < 1e-5);
    }
    assert_eq!(distortion.noise, 0.0);
    let lasts = plan.uplink.transmissions.iter().map(|sent| sent.duration);
    assert!(lasts.eq([Duration(120_000); 3]));
}
