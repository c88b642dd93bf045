//! Links at work: what is under way on each of them, and when it ends.

use super::error::ExecutionError;
use crate::device::MessageCost;
use crate::engine::{Cost, TaskId};
use crate::medium::wire::Wire;
use crate::medium::{Band, Cell, Ending, Rate, Sending};
use crate::radio::Sharing;
use crate::topology::NodeId;
use crate::units::{Duration, Instant};
use std::collections::BTreeMap;

/// A link at work.
#[derive(Debug)]
pub enum Medium {
    /// A radio cell.
    Radio(Box<Radio>),
    /// A wire.
    Wire(Box<WireLink>),
}

/// A radio cell at work.
#[derive(Debug)]
pub struct Radio {
    cell: Cell,
    costs: MessageCost,
    sharing: Sharing,
    band: Band<TaskId>,
    sending: BTreeMap<TaskId, (Sending, u64)>,
}

/// A wire at work, or a switch, whose ports are wires.
#[derive(Debug)]
pub struct WireLink {
    wire: Wire,
    costs: MessageCost,
    shared: bool,
    /// What is under way each way, by who sends.
    bands: BTreeMap<NodeId, Band<TaskId>>,
    bits: BTreeMap<TaskId, u64>,
}

/// A message on its way: when it ends, and the joules that it will have taken by then, where
/// known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected {
    pub(super) id: TaskId,
    pub(super) at: Instant,
    pub(super) bits: u64,
    pub(super) joules: Option<f64>,
}

impl Expected {
    /// What it costs until then.
    pub(super) fn cost(&self) -> Cost {
        Cost {
            bits: self.bits,
            joules: self.joules.unwrap_or(0.0),
            ..Cost::default()
        }
    }
}

impl Radio {
    /// A `cell` whose messages share the band as `sharing` says.
    pub fn new(cell: Cell, sharing: Sharing) -> Self {
        Self {
            cell,
            costs: MessageCost::default(),
            sharing,
            band: Band::new(sharing),
            sending: BTreeMap::new(),
        }
    }

    /// The same cell, whose messages cost their ends so much.
    #[must_use]
    pub fn with_costs(mut self, costs: MessageCost) -> Self {
        self.costs = costs;
        self
    }

    fn expected(&self, endings: Vec<Ending<TaskId>>) -> Vec<Expected> {
        let expected = endings.iter().map(|ending| {
            let (sending, bits) = self.sending[&ending.id];
            let watts = self.cell.watts(sending.member, sending.direction);
            Expected {
                id: ending.id,
                at: ending.at,
                bits,
                joules: watts.map(|watts| watts * ending.airtime.as_seconds()),
            }
        });
        expected.collect()
    }
}

impl Medium {
    /// What a message costs its ends.
    pub(super) fn costs(&self) -> MessageCost {
        match self {
            Self::Radio(radio) => radio.costs,
            Self::Wire(link) => link.costs,
        }
    }

    /// Whether messages go on beside each other.
    pub(super) fn is_shared(&self) -> bool {
        match self {
            Self::Radio(radio) => radio.sharing != Sharing::Exclusive,
            Self::Wire(link) => link.shared,
        }
    }

    /// A message of `bits` begins; when everything under way ends now.
    ///
    /// # Errors
    /// If the channel is not known, or carries nothing for too long.
    pub(super) fn begin(
        &mut self,
        id: TaskId,
        from: NodeId,
        sending: Sending,
        bits: u64,
    ) -> Result<Vec<Expected>, ExecutionError> {
        let now = sending.began;
        match self {
            Self::Radio(radio) => {
                radio.sending.insert(id, (sending, bits));
                let (cell, known) = (&radio.cell, &radio.sending);
                let rates =
                    |id: TaskId, share: f64, at: Instant| cell.rate(&known[&id].0, share, at);
                radio.band.begin(id, bits, now, &rates)?;
                let endings = radio.band.ends(&rates)?;
                Ok(radio.expected(endings))
            }
            Self::Wire(link) => {
                let terms = link.wire.terms();
                // What every message costs beside its bits takes as long as so many bits more.
                let overhead = (terms.per_message * terms.rate).ceil() as u64;
                let rates = constant(terms.rate);
                let band = link
                    .bands
                    .entry(from)
                    .or_insert_with(|| Band::new(Sharing::Equal));
                band.begin(id, bits + overhead, now, &rates)?;
                link.bits.insert(id, bits);
                let endings = band.ends(&rates)?;
                Ok(link.expected(endings))
            }
        }
    }

    /// The message `id` has ended at `now`; when everything else under way ends now.
    ///
    /// # Errors
    /// As for [`Medium::begin`].
    pub(super) fn end(
        &mut self,
        id: TaskId,
        from: NodeId,
        now: Instant,
    ) -> Result<Vec<Expected>, ExecutionError> {
        match self {
            Self::Radio(radio) => {
                let (cell, known) = (&radio.cell, &radio.sending);
                let rates =
                    |id: TaskId, share: f64, at: Instant| cell.rate(&known[&id].0, share, at);
                radio.band.end(id, now, &rates)?;
                let endings = radio.band.ends(&rates)?;
                let expected = radio.expected(endings);
                radio.sending.remove(&id);
                Ok(expected)
            }
            Self::Wire(link) => {
                let rates = constant(link.wire.terms().rate);
                let Some(band) = link.bands.get_mut(&from) else {
                    return Ok(Vec::new());
                };
                band.end(id, now, &rates)?;
                link.bits.remove(&id);
                let endings = band.ends(&rates)?;
                Ok(link.expected(endings))
            }
        }
    }

    /// Seconds that a message of `bits` would take alone as things are now; 0 if that is not
    /// known.
    pub(super) fn seconds(&self, sending: &Sending, bits: u64) -> f64 {
        let alone = match self {
            Self::Radio(radio) => {
                let rate = radio.cell.rate(sending, 1.0, sending.began);
                rate.map_or(0.0, |rate| bits as f64 / rate.bits_per_second)
            }
            Self::Wire(link) => {
                let terms = link.wire.terms();
                terms.per_message + bits as f64 / terms.rate + terms.delay
            }
        };
        alone + self.costs().total()
    }

    /// How long the message number `index` of `from` is under way after it was sent.
    ///
    /// # Errors
    /// If that is too long for the clock.
    pub(super) fn later(&self, from: NodeId, index: u64) -> Result<Duration, ExecutionError> {
        match self {
            Self::Radio(_) => Ok(Duration::ZERO),
            Self::Wire(link) => Ok(link.wire.latency(u32::from(from.0), index)?),
        }
    }
}

impl WireLink {
    /// A `wire` whose messages share its rate, or follow each other.
    pub fn new(wire: Wire, shared: bool) -> Self {
        Self {
            wire,
            costs: MessageCost::default(),
            shared,
            bands: BTreeMap::new(),
            bits: BTreeMap::new(),
        }
    }

    /// The same wire, whose messages cost their ends so much.
    #[must_use]
    pub fn with_costs(mut self, costs: MessageCost) -> Self {
        self.costs = costs;
        self
    }

    fn expected(&self, endings: Vec<Ending<TaskId>>) -> Vec<Expected> {
        let expected = endings.iter().map(|ending| {
            let bits = self.bits[&ending.id];
            Expected {
                id: ending.id,
                at: ending.at,
                bits,
                joules: Some(self.wire.joules(bits)),
            }
        });
        expected.collect()
    }
}

/// A rate that nothing changes but who else there is.
fn constant(rate: f64) -> impl Fn(TaskId, f64, Instant) -> Result<Rate, crate::radio::RadioError> {
    move |_, share, _| {
        Ok(Rate {
            bits_per_second: rate * share,
            until: None,
        })
    }
}
