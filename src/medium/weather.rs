//! Which draw of a link's channel a transfer meets.
//!
//! Rivals meet the same weather: a link's channel depends on seed, run, link and coherence
//! block where blocks are spans of time, and where every transfer has a channel of its own on
//! *what* is transferred. It never depends on how many transfers came before, so that two
//! schedulers, loads or policies are compared on the same draws, whatever order they send in.
//!
//! [`Numbering`] makes of what is transferred the number that [`Coherence::block`] and a
//! stream's index take: `coherence.block(numbering.index(what)?, now)`. Which link a stream
//! belongs to is [`Streams::of_link`](crate::rng::Streams::of_link)'s.
//!
//! [`Coherence::block`]: crate::radio::Coherence::block

/// What is transferred. What serves several requests at once goes by the first of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Transferred {
    /// Which request, in the order of the workload.
    pub request: u32,
    /// Which pass of that request, counted from 0.
    pub step: u32,
    /// The layer whose output it is.
    pub layer: u32,
    /// Which of the layer's transfers, such as that after attention and that after the
    /// feed-forward half.
    pub sublayer: u8,
}

/// Numbers whatever a link transfers, without gaps: request by request, step by step, layer by
/// layer, sublayer by sublayer. A single request's transfers are thus counted from 0 in the
/// order in which it makes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbering {
    steps: u32,
    layers: u32,
    sublayers: u8,
}

/// What a numbering has no number for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "{what} {value} of request {request} is beyond the {limit} that the link's transfers are numbered for, from 0; number them for more"
)]
pub struct Unnumbered {
    /// `"step"`, `"layer"`, `"sublayer"`, or `"transfer"` where a u64 has no room.
    pub what: &'static str,
    /// Its value.
    pub value: u64,
    /// How many there may be.
    pub limit: u64,
    /// Whose it is.
    pub request: u32,
}

impl Numbering {
    /// For requests of at most `steps` passes through `layers` layers with `sublayers`
    /// transfers each. It has to be the same for all rivals: the most steps that the workload
    /// allows, not those that somebody took.
    pub fn new(steps: u32, layers: u32, sublayers: u8) -> Self {
        Self {
            steps,
            layers,
            sublayers,
        }
    }

    /// The number of `what`, which no other has.
    ///
    /// # Errors
    /// If it lies beyond what this is for.
    pub fn index(self, what: Transferred) -> Result<u64, Unnumbered> {
        let places = [
            ("step", u64::from(what.step), u64::from(self.steps)),
            ("layer", u64::from(what.layer), u64::from(self.layers)),
            (
                "sublayer",
                u64::from(what.sublayer),
                u64::from(self.sublayers),
            ),
        ];
        let mut index = u64::from(what.request);
        for (place, value, limit) in places {
            if value >= limit {
                return Err(Unnumbered {
                    what: place,
                    value,
                    limit,
                    request: what.request,
                });
            }
            index = index
                .checked_mul(limit)
                .and_then(|index| index.checked_add(value))
                .ok_or(Unnumbered {
                    what: "transfer",
                    value,
                    limit: u64::MAX,
                    request: what.request,
                })?;
        }
        Ok(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::radio::{Channels, Coherence, Matrix, RadioConfig};
    use crate::rng::Streams;
    use crate::units::{Instant, Seconds};
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    fn all(requests: u32, steps: u32, layers: u32, sublayers: u8) -> Vec<Transferred> {
        let mut all = Vec::new();
        for request in 0..requests {
            for step in 0..steps {
                for layer in 0..layers {
                    all.extend((0..sublayers).map(|sublayer| Transferred {
                        request,
                        step,
                        layer,
                        sublayer,
                    }));
                }
            }
        }
        all
    }

    proptest! {
        #[test]
        fn numbers_have_neither_gaps_nor_doubles(
            requests in 1u32..5, steps in 1u32..6, layers in 1u32..6, sublayers in 1u8..4,
        ) {
            let numbering = Numbering::new(steps, layers, sublayers);
            let all = all(requests, steps, layers, sublayers);
            let numbers: BTreeSet<u64> =
                all.iter().map(|what| numbering.index(*what).unwrap()).collect();
            prop_assert_eq!(numbers, (0..all.len() as u64).collect());
        }

        /// At the far ends of the ranges, where a product could wrap around.
        #[test]
        fn neighbours_differ_or_are_refused(
            request: u32, step: u32, layer in 0u32..4096, sublayer in 0u8..4,
        ) {
            let numbering = Numbering::new(u32::MAX, 4096, 4);
            let what = Transferred { request, step, layer, sublayer };
            let found = numbering.index(what);
            let exact = ((u128::from(request) * u128::from(u32::MAX) + u128::from(step)) * 4096
                + u128::from(layer)) * 4 + u128::from(sublayer);
            match found {
                Ok(index) => prop_assert_eq!(u128::from(index), exact),
                Err(_) => prop_assert!(step == u32::MAX || exact > u128::from(u64::MAX)),
            }
        }
    }

    #[test]
    fn what_is_beyond_is_refused_by_name() {
        let numbering = Numbering::new(2, 3, 2);
        let what = Transferred {
            request: 7,
            step: 0,
            layer: 3,
            sublayer: 0,
        };
        let message = numbering.index(what).unwrap_err().to_string();
        assert!(
            message.starts_with("layer 3 of request 7 is beyond the 3 that"),
            "{message}"
        );
        let late = Transferred { step: 2, ..what };
        assert_eq!(numbering.index(late).unwrap_err().what, "step");
        let third = Transferred {
            layer: 0,
            sublayer: 2,
            ..what
        };
        assert_eq!(numbering.index(third).unwrap_err().what, "sublayer");
    }

    /// Law 11: two orders of the same transfers meet the same draws, transfer by transfer.
    #[test]
    fn rivals_meet_the_same_weather() {
        let streams = Streams { seed: 11, run: 0 };
        let numbering = Numbering::new(2, 2, 2);
        let met = |coherence: Coherence, order: &[Transferred]| {
            let config = RadioConfig {
                coherence,
                ..RadioConfig::default()
            };
            let channels = Channels::new(&config, 1, streams, None).unwrap();
            let mut met: BTreeMap<Transferred, Matrix> = BTreeMap::new();
            for (place, what) in order.iter().enumerate() {
                // Later transfers of either order happen later.
                let now = Instant(1_000_000 * place as u64);
                let block = coherence.block(numbering.index(*what).unwrap(), now);
                met.insert(*what, channels.block(0, block, now).unwrap());
            }
            met
        };
        let forwards = all(2, 2, 2, 2);
        let backwards: Vec<Transferred> = forwards.iter().rev().copied().collect();
        for coherence in [Coherence::Static, Coherence::PerAllReduce] {
            assert_eq!(met(coherence, &forwards), met(coherence, &backwards));
        }
        let own = met(Coherence::PerAllReduce, &forwards);
        let first = &own[&forwards[0]];
        assert!(forwards[1..].iter().all(|what| &own[what] != first));
        // Blocks in time: what is sent at one time meets one channel, whoever sends it.
        let time = Coherence::Time(Seconds(1e-6));
        let (ahead, back) = (met(time, &forwards), met(time, &backwards));
        for (a, b) in forwards.iter().zip(&backwards) {
            assert_eq!(ahead[a], back[b]);
        }
    }

    /// Links have weather of their own; the one named "air" has that of a system with one link.
    #[test]
    fn every_link_has_its_own_weather() {
        let streams = Streams { seed: 11, run: 3 };
        let drawn = |streams| {
            let channels = Channels::new(&RadioConfig::default(), 2, streams, None).unwrap();
            channels.block(1, 4, Instant::ZERO).unwrap()
        };
        assert_eq!(drawn(streams.of_link("air")), drawn(streams));
        let links = ["air", "cell", "cell2", "Air", ""];
        for (place, link) in links.iter().enumerate() {
            for other in &links[..place] {
                assert_ne!(drawn(streams.of_link(link)), drawn(streams.of_link(other)));
            }
        }
        assert_eq!(
            drawn(streams.of_link("cell")),
            drawn(streams.of_link("cell"))
        );
    }
}
