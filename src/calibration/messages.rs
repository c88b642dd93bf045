//! What a message costs its two ends, from time in the network.
//!
//! In an all-reduce by messages the members send their parts to one of them, which sends the sum
//! back: with a cost s to send, r to receive and y to go on, and b bits at the link's rate R, that
//! one spends
//!
//! t = 2 L [N (s + r) + 2 y + 2 b/R]
//!
//! of a token in the network, N − 1 messages each way one after the other and one more cost of
//! either kind at the far end. Two devices tell only s + r + y, of which each is taken to be a
//! third. The error is reckoned in parts of the row's whole time, which is what people wait for.

use super::bounded;
use super::row::Row;
use crate::device::MessageCost;
use crate::units::Seconds;
use nalgebra::{DMatrix, DVector};

/// Bits per entry of what is sent: 8 bits, and 16 of a scale for 32 entries.
const BITS_PER_ENTRY: f64 = 8.5;

/// Costs of a message.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Messages {
    /// Of its two ends.
    pub costs: MessageCost,
    /// Whether rows tell going on from sending and receiving.
    pub split: bool,
}

/// A row's time in the network.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Exchange {
    all_reduces: f64,
    devices: f64,
    /// Of one message's bits.
    on_wire: f64,
    transfer: f64,
    total: f64,
}

impl Exchange {
    fn of(row: &Row) -> Option<Self> {
        if row.devices < 2 {
            return None;
        }
        let transfer = row.transfer()?;
        let bits = row.shape.hidden as f64 * BITS_PER_ENTRY;
        let total = row
            .total()
            .or(row.compute().map(|compute| compute + transfer));
        Some(Self {
            all_reduces: 2.0 * row.shape.layers as f64,
            devices: f64::from(row.devices),
            on_wire: row.link_rate.map_or(0.0, |rate| bits / rate),
            transfer,
            total: total.unwrap_or(transfer),
        })
    }

    fn seconds(&self, ends: f64, going_on: f64) -> f64 {
        let one = self.devices * ends + 2.0 * going_on + 2.0 * self.on_wire;
        self.all_reduces * one
    }
}

impl Messages {
    /// What `rows` tell, if any was measured on several devices.
    pub(super) fn of(rows: &[&Row]) -> Option<Self> {
        let exchanges: Vec<Exchange> = rows.iter().filter_map(|row| Exchange::of(row)).collect();
        let first = exchanges.first()?;
        let split = exchanges.iter().any(|other| other.devices != first.devices);
        // With a third each, s + r is two parts and y one.
        let columns = |row: &Exchange, place: usize| match (split, place) {
            (true, 0) => row.devices,
            (true, _) => 2.0,
            (false, _) => (2.0 * row.devices + 2.0) / 3.0,
        };
        let unknowns = if split { 2 } else { 1 };
        let a = DMatrix::from_fn(exchanges.len(), unknowns, |i, j| {
            let row = &exchanges[i];
            row.all_reduces * columns(row, j) / row.total
        });
        let b = DVector::from_fn(exchanges.len(), |i, _| {
            let row = &exchanges[i];
            (row.transfer - row.seconds(0.0, 0.0)) / row.total
        });
        let solved = bounded::solve(&a, &b);
        let (ends, going_on) = match split {
            true => (solved[0], solved[1]),
            false => (2.0 * solved[0] / 3.0, solved[0] / 3.0),
        };
        Some(Self {
            costs: MessageCost {
                send: Seconds(ends / 2.0),
                receive: Seconds(ends / 2.0),
                synchronise: Seconds(going_on),
            },
            split,
        })
    }

    /// What it makes of a row's time in the network, in seconds.
    pub(super) fn predict(&self, row: &Row) -> Option<f64> {
        let ends = self.costs.send.0 + self.costs.receive.0;
        Some(Exchange::of(row)?.seconds(ends, self.costs.synchronise.0))
    }
}
