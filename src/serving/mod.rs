//! How requests are served: by which replica, how many batches at once.

mod config;

pub use config::{Replica, Router};
