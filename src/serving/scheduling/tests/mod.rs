//! Schedulers at work: what they promise, on a server that checks every plan.

mod feedback;
mod groups;
mod iterations;
mod laws;
mod naive;
mod preemption;
mod server;

use super::{Continuous, Plan, Scheduling};
use crate::placement::{Placement, Single};
use crate::serving::{Cache, Order, Paged, Replica};
use server::{Ask, Limits, Server};

fn replica(scheduler: Scheduling, order: Order, cache: Option<Cache>) -> Replica {
    let at = "edge".to_owned();
    Replica {
        scheduler,
        order,
        cache,
        ..Replica::new(Placement::Single(Single { at }))
    }
}

fn limits(rules: &Continuous, running: usize) -> Limits {
    Limits {
        batch: rules.batch,
        running,
        tokens: rules.tokens,
        chunk: rules.chunk.unwrap_or(usize::MAX),
    }
}

/// Whatever.
const NONE: Limits = Limits {
    batch: usize::MAX,
    running: usize::MAX,
    tokens: usize::MAX,
    chunk: usize::MAX,
};

/// Blocks of 4 for `tokens` tokens, all of which may be taken.
fn paged(tokens: usize) -> Paged {
    Paged {
        block: 4,
        watermark: 0.0,
        tokens: Some(tokens),
        ..Paged::default()
    }
}

/// A replica with `rules`, first come, first served.
fn continuous(rules: Continuous, cache: Option<Paged>) -> Replica {
    let scheduler = Scheduling::Continuous(rules);
    replica(scheduler, Order::First, cache.map(Cache::Paged))
}

/// What `replica` plans for `asks`, after serving them all.
fn plans(replica: &Replica, asks: Vec<Ask>) -> Vec<Plan> {
    let mut server = Server::new(replica, 4, NONE, asks);
    server.serve();
    server.plans.into_iter().map(|(_, plan)| plan).collect()
}

/// Requests and tokens of the batches of `plans`.
fn batches(plans: &[Plan]) -> Vec<Vec<(u32, usize)>> {
    let batch = |plan: &Plan| {
        let slices = plan.slices.iter();
        slices.map(|piece| (piece.request, piece.tokens)).collect()
    };
    plans.iter().map(batch).collect()
}
