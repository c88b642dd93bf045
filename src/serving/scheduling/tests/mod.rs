//! Schedulers at work: what they promise, on a server that checks every plan.

mod feedback;
mod groups;
mod iterations;
mod laws;
mod naive;
mod server;

use server::{Ask, Server};
