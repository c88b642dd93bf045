//! Devices: compute time, energy and memory of a profile.
