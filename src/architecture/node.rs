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
