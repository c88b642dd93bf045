//! Who spent how much time and energy: one account per device and one for the
//! server, kept per request and summed over the run.

use crate::units::Duration;

/// Time and energy of one device or the server.
///
/// Energies are `None` as soon as one of their parts is unknown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Account {
    pub(super) compute: Duration,
    pub(super) uplink: Duration,
    pub(super) downlink: Duration,
    pub(super) compute_j: Option<f64>,
    pub(super) radio_j: Option<f64>,
    pub(super) flops: u64,
    pub(super) uplink_bits: u64,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            compute: Duration::ZERO,
            uplink: Duration::ZERO,
            downlink: Duration::ZERO,
            compute_j: Some(0.0),
            radio_j: Some(0.0),
            flops: 0,
            uplink_bits: 0,
        }
    }
}

pub(super) fn sum(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    Some(a? + b?)
}

impl Account {
    pub(super) fn add(&mut self, other: &Self) {
        self.compute += other.compute;
        self.uplink += other.uplink;
        self.downlink += other.downlink;
        self.compute_j = sum(self.compute_j, other.compute_j);
        self.radio_j = sum(self.radio_j, other.radio_j);
        self.flops += other.flops;
        self.uplink_bits += other.uplink_bits;
    }
}

/// Joules of an idle power over `span`: it is drawn all the time, and the energies of
/// compute and radio come on top.
pub(super) fn idle_j(span: Duration, idle_watts: Option<f64>) -> Option<f64> {
    Some(idle_watts? * span.as_seconds())
}

/// The accounts of devices and server.
#[derive(Debug, Clone)]
pub(super) struct Accounts {
    pub(super) devices: Vec<Account>,
    pub(super) server: Account,
}

impl Accounts {
    pub(super) fn new(devices: usize) -> Self {
        Self {
            devices: vec![Account::default(); devices],
            server: Account::default(),
        }
    }

    /// Moves `from`'s contents here and empties it.
    pub(super) fn absorb(&mut self, from: &mut Self) {
        for (total, part) in self.devices.iter_mut().zip(&from.devices) {
            total.add(part);
        }
        self.server.add(&from.server);
        *from = Self::new(self.devices.len());
    }
}
