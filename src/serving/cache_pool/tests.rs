//! Pools hold what they were asked to hold, and lose nothing.

use super::{CachePool, Paged, Preemption, Swap, Usage, block_hashes};
use crate::serving::jobs::Job;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

fn job(request: u32, context: usize, prompt: Option<(u64, usize)>, block: usize) -> Job {
    // Prompts of a family begin alike, whatever their length.
    let tokens =
        |(family, length): (u64, usize)| (0..length as u64).map(move |at| family * 100 + at);
    Job {
        request,
        context,
        pending: prompt.map_or(1, |prompt| prompt.1 - context),
        longest: 64,
        blocks: prompt.map(|prompt| block_hashes(tokens(prompt), block)),
        ..Job::default()
    }
}

/// What one holds, as the model has it.
#[derive(Debug, Clone)]
struct Held {
    job: Job,
    tokens: usize,
    /// Names of its known blocks.
    shared: Vec<u64>,
}

#[derive(Debug, Clone)]
enum Step {
    Admit(u32, (u64, usize)),
    /// Tokens more, after the last ones were read.
    Grow(u32, usize),
    Release(u32),
    SwapOut(u32),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let request = || 0u32..6;
    let step = prop_oneof![
        (request(), (0u64..2, 1usize..30))
            .prop_map(|(request, prompt)| Step::Admit(request, prompt)),
        (request(), 1usize..9).prop_map(|(request, tokens)| Step::Grow(request, tokens)),
        request().prop_map(Step::Release),
        request().prop_map(Step::SwapOut),
    ];
    prop::collection::vec(step, 1..80)
}

proptest! {
    #[test]
    fn blocks_are_conserved(
        steps in steps(), tokens in 1usize..80, block in 1usize..6, prefix in any::<bool>(),
    ) {
        let mut pool = CachePool::paged(tokens, &Paged {
            block,
            watermark: 0.0,
            prefix,
            preemption: Preemption::Swap(Swap { to: "edge".into() }),
            tokens: None,
        });
        let total = tokens / block * block;
        let mut held: BTreeMap<u32, Held> = BTreeMap::new();
        for step in steps {
            match step {
                Step::Admit(request, prompt) if !held.contains_key(&request) => {
                    let mut job = job(request, 0, Some(prompt), block);
                    let reused = pool.reusable(&job).map_or(0, |reuse| reuse.tokens);
                    prop_assert!(reused < prompt.1 && reused.is_multiple_of(block));
                    prop_assert!(prefix || reused == 0);
                    if pool.admit(&job, prompt.1, 0) {
                        let shared = job.blocks.iter().flat_map(|all| all.iter().copied());
                        let shared = shared.take(reused / block).collect();
                        job.context = reused;
                        held.insert(request, Held { job, tokens: prompt.1, shared });
                    }
                }
                Step::Grow(request, more) => {
                    let Some(one) = held.get_mut(&request) else { continue };
                    one.job.context = one.tokens;
                    let before = pool.usage();
                    if pool.grow(&one.job, one.tokens + more) {
                        one.tokens += more;
                    } else {
                        prop_assert_eq!(before, pool.usage(), "nothing more than before");
                    }
                }
                Step::Release(request) => {
                    if let Some(one) = held.remove(&request) {
                        pool.release(&one.job);
                    }
                }
                Step::SwapOut(request) => {
                    if let Some(one) = held.remove(&request) {
                        pool.swap_out(&one.job);
                        // It comes back at once, as far as there is room.
                        if one.job.context > 0 && pool.admit(&one.job, one.tokens, 0) {
                            held.insert(request, Held { shared: Vec::new(), ..one });
                        }
                    }
                }
                Step::Admit(..) => {}
            }
            let usage = pool.usage();
            prop_assert_eq!(usage.total_tokens, Some(total));
            prop_assert!(usage.held_tokens <= usage.allocated_tokens);
            prop_assert_eq!(usage.allocated_tokens + pool.free_tokens().unwrap(), total);
            let most: usize = held.values().map(|one| one.tokens.div_ceil(block) * block).sum();
            let tokens: usize = held.values().map(|one| one.tokens).sum();
            if prefix {
                // What was shared on admission is counted once, and nothing else is left out.
                let shared = held.values().flat_map(|one| one.shared.clone());
                let distinct = shared.collect::<BTreeSet<_>>().len();
                prop_assert!(usage.allocated_tokens <= most);
                prop_assert!(usage.allocated_tokens >= distinct * block);
            } else {
                prop_assert_eq!(usage.allocated_tokens, most);
                prop_assert_eq!(usage.held_tokens, tokens);
            }
        }
        for one in held.values() {
            pool.release(&one.job);
        }
        let empty = Usage { total_tokens: Some(total), ..Usage::default() };
        prop_assert_eq!(pool.usage(), empty);
        prop_assert_eq!(pool.free_tokens(), Some(total));
    }
}

#[test]
fn a_pool_without_end_has_always_room_and_counts_what_is_held() {
    let mut pool = CachePool::unlimited();
    let mut job = job(0, 0, None, 1);
    assert!(pool.admit(&job, 5, 0) && pool.fits_ever(usize::MAX));
    job.context = 5;
    assert!(pool.grow(&job, 1 << 40));
    let usage = pool.usage();
    assert_eq!(usage.held_tokens, 1 << 40);
    assert_eq!(usage.allocated_tokens, 1 << 40);
    assert_eq!((usage.total_tokens, pool.free_tokens()), (None, None));
    pool.release(&job);
    assert_eq!(pool.usage(), Usage::default());
}

#[test]
fn reserved_room_is_fragmented_until_it_is_filled() {
    let mut pool = CachePool::reserved(100, None);
    let mut job = job(0, 0, None, 1);
    assert!(pool.admit(&job, 16, 0));
    let usage = pool.usage();
    assert_eq!((usage.held_tokens, usage.allocated_tokens), (16, 64));
    assert_eq!(pool.free_tokens(), Some(36));
    job.request = 1;
    assert!(!pool.admit(&job, 1, 0), "36 are less than 64");
}

#[test]
fn a_cache_that_others_need_is_kept_until_its_blocks_are_taken() {
    let mut pool = CachePool::paged(
        16,
        &Paged {
            block: 4,
            watermark: 0.0,
            prefix: true,
            ..Paged::default()
        },
    );
    let mut first = job(0, 0, Some((0, 9)), 4);
    assert!(pool.admit(&first, 9, 0));
    first.context = 9;
    pool.release(&first);
    assert!(pool.keeps(0) && pool.take_evicted().is_empty());
    assert_eq!(pool.free_tokens(), Some(16), "kept blocks give way");
    let other = job(1, 0, Some((1, 12)), 4);
    assert!(pool.admit(&other, 12, 0));
    assert!(pool.keeps(0), "one block is left");
    assert!(pool.grow(
        &Job {
            context: 12,
            ..other
        },
        13
    ));
    assert!(!pool.keeps(0));
    assert_eq!(pool.take_evicted(), [0]);
    assert!(pool.take_evicted().is_empty(), "each is told once");
}

#[test]
fn a_next_sequence_begins_with_an_empty_cache() {
    let paged = Paged {
        block: 4,
        ..Paged::default()
    };
    let mut pool = CachePool::paged(40, &paged);
    let mut one = job(0, 0, None, 4);
    assert!(pool.admit(&one, 20, 0));
    one.context = 0;
    assert!(pool.grow(&one, 6));
    let usage = pool.usage();
    assert_eq!((usage.held_tokens, usage.allocated_tokens), (6, 8));
}
