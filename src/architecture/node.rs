//! A device or the server, as architectures see it.

use crate::device::DeviceProfile;

/// A device or server with the name that a scenario gave it.
#[derive(Debug, Clone)]
pub struct Node {
    /// The name of its profile in messages and tables.
    pub name: String,
    /// What it can do.
    pub profile: DeviceProfile,
}

impl Node {
    /// Drawn all the time, in watts, where known.
    pub(super) fn idle_watts(&self) -> Option<f64> {
        self.profile.idle_power.map(|power| power.0)
    }
}
