//! Room in blocks of equal size, given as sequences grow.

use super::known::{KnownBlocks, Match};
use super::{Reuse, Usage};
use crate::serving::jobs::Job;
use crate::serving::numbered::Numbered;
use std::sync::Arc;

/// What one request holds.
#[derive(Debug)]
struct Table {
    /// Hashes of its prompt's blocks, where blocks can be known; of the first `shared` ones the
    /// blocks are known.
    hashes: Option<Arc<[u64]>>,
    shared: usize,
    /// Blocks that nobody else can use.
    private: usize,
    /// Fewest private blocks, for who got its room at once.
    least: usize,
    /// Tokens that are in it, or being read into it.
    tokens: usize,
}

impl Table {
    fn blocks(&self) -> usize {
        self.shared + self.private
    }
}

/// A pool of blocks.
#[derive(Debug)]
pub(super) struct Blocks {
    block: usize,
    total: usize,
    watermark: usize,
    /// In no table, and not known.
    free: usize,
    tables: Numbered<Table>,
    /// `None` where prompts are not compared.
    known: Option<KnownBlocks>,
    /// Tokens in private blocks.
    private_tokens: usize,
    /// Private blocks of all tables.
    private_blocks: usize,
}

impl Blocks {
    pub(super) fn new(tokens: usize, block: usize, watermark: f64, prefix: bool) -> Self {
        let total = tokens / block;
        Self {
            block,
            total,
            watermark: (watermark * total as f64).ceil() as usize,
            free: total,
            tables: Numbered::default(),
            known: prefix.then(KnownBlocks::default),
            private_tokens: 0,
            private_blocks: 0,
        }
    }

    /// Tokens that there is room for.
    pub(super) fn most(&self) -> usize {
        self.total * self.block
    }

    /// Tokens of a block, where prompts are compared.
    pub(super) fn prefix_block(&self) -> Option<usize> {
        self.known.as_ref().map(|_| self.block)
    }

    fn available(&self) -> usize {
        self.free + self.known.as_ref().map_or(0, KnownBlocks::idle_len)
    }

    fn known(&self, job: &Job) -> Match {
        match (&self.known, &job.blocks) {
            (Some(known), Some(hashes)) if job.context == 0 && !hashes.is_empty() => {
                // The last token is read in any case: its logits are asked for.
                let most = job.pending.saturating_sub(1) / self.block;
                known.of(&hashes[..most.min(hashes.len())])
            }
            _ => Match::default(),
        }
    }

    pub(super) fn reusable(&self, job: &Job) -> Option<Reuse> {
        let found = self.known(job);
        found.owner.map(|from| Reuse {
            request: job.request,
            from,
            tokens: found.blocks * self.block,
        })
    }

    /// Blocks that `job` needs for itself alone, and how many more must be there.
    fn needs(&self, found: &Match, tokens: usize) -> (usize, usize) {
        let private = tokens.div_ceil(self.block) - found.blocks;
        // Whoever is alone has nobody whose growth it could hinder.
        let alone = self.tables.len() == 0;
        let spare = if alone { 0 } else { self.watermark };
        (private, spare + found.idle)
    }

    pub(super) fn lacking(&self, job: &Job, tokens: usize) -> usize {
        let (private, beside) = self.needs(&self.known(job), tokens);
        (private + beside).saturating_sub(self.available()) * self.block
    }

    pub(super) fn frees(&self, request: u32) -> usize {
        let private = self.tables.get(request).map(|table| table.private);
        private.unwrap_or(0) * self.block
    }

    pub(super) fn admit(&mut self, job: &Job, tokens: usize, room: usize) -> bool {
        let found = self.known(job);
        let (private, beside) = self.needs(&found, room.max(tokens));
        if private + beside > self.available() {
            return false;
        }
        let hashes = self.known.as_ref().and(job.blocks.clone());
        if let (Some(known), Some(hashes)) = (&mut self.known, &hashes) {
            known.share(&hashes[..found.blocks]);
            known.join(job.request);
        }
        // What came with a cache of its own has blocks that are nobody else's.
        let hashes = hashes.filter(|_| job.context == 0);
        self.take(private);
        let table = Table {
            hashes,
            shared: found.blocks,
            private,
            least: if room > tokens { private } else { 0 },
            tokens,
        };
        self.private_tokens += tokens - found.blocks * self.block;
        self.tables.insert(job.request, table);
        true
    }

    /// Makes `blocks` free blocks private; there are as many.
    fn take(&mut self, blocks: usize) {
        while self.free < blocks {
            let evicted = self.known.as_mut().is_some_and(KnownBlocks::evict);
            assert!(evicted, "what is available is free or idle");
            self.free += 1;
        }
        self.free -= blocks;
        self.private_blocks += blocks;
    }

    fn put_back(&mut self, blocks: usize) {
        self.free += blocks;
        self.private_blocks -= blocks;
    }

    pub(super) fn grow(&mut self, job: &Job, tokens: usize) -> bool {
        self.learn(job);
        if self.tables.get(job.request).is_none() {
            return false;
        }
        if job.context == 0 {
            self.start_over(job.request);
        }
        let table = self.tables.get_mut(job.request);
        let table = table.expect("it was there");
        let more = tokens.div_ceil(self.block).saturating_sub(table.blocks());
        if more == 0 {
            self.private_tokens += tokens - table.tokens;
            table.tokens = tokens;
            return true;
        }
        let added = tokens - table.tokens;
        if more > self.available() {
            return false;
        }
        self.take(more);
        self.private_tokens += added;
        let table = self.tables.get_mut(job.request);
        let table = table.expect("it was there");
        table.private += more;
        table.tokens = tokens;
        true
    }

    /// Takes the last `tokens` tokens of `request` out of its blocks, which it keeps. They are
    /// its own: what is shared is of its prompt.
    pub(super) fn rewind(&mut self, request: u32, tokens: usize) {
        if let Some(table) = self.tables.get_mut(request) {
            table.tokens -= tokens;
            self.private_tokens -= tokens;
        }
    }

    /// Makes known the blocks of its prompt that `job` has read in full since it was last asked.
    fn learn(&mut self, job: &Job) {
        let (Some(known), Some(table)) = (&mut self.known, self.tables.get_mut(job.request)) else {
            return;
        };
        let Some(hashes) = &table.hashes else {
            return;
        };
        let read = (job.context / self.block).min(hashes.len());
        while table.shared < read {
            // A block after one that is another's is not learned, so that chains have no gaps.
            if !known.learn(hashes[table.shared], job.request) {
                let chain = hashes[..table.shared].into();
                table.hashes = Some(chain);
                return;
            }
            table.shared += 1;
            table.private -= 1;
            table.least = table.least.saturating_sub(1);
            self.private_blocks -= 1;
            self.private_tokens -= self.block;
        }
    }

    /// Empties the cache of `request`, whose next sequence has nothing to do with the last.
    fn start_over(&mut self, request: u32) {
        let table = self.tables.get_mut(request).expect("it was there");
        self.private_tokens -= table.tokens - table.shared * self.block;
        table.tokens = 0;
        if let (Some(known), Some(hashes)) = (&mut self.known, table.hashes.take()) {
            known.give_back(&hashes[..table.shared]);
        }
        table.shared = 0;
        let surplus = table.private.saturating_sub(table.least);
        table.private -= surplus;
        self.put_back(surplus);
    }

    /// Takes away the table of `request`; `keep` if its cache stays elsewhere. The tokens in it.
    fn remove(&mut self, request: u32, keep: bool) -> usize {
        let Some(table) = self.tables.remove(request) else {
            return 0;
        };
        self.private_tokens -= table.tokens - table.shared * self.block;
        self.put_back(table.private);
        if let (Some(known), Some(hashes)) = (&mut self.known, &table.hashes) {
            known.give_back(&hashes[..table.shared]);
        }
        if let (Some(known), false) = (&mut self.known, keep) {
            known.leave(request);
        }
        table.tokens
    }

    /// Gives up all that `job` holds, of which full blocks of its prompt may stay known.
    pub(super) fn release(&mut self, job: &Job) {
        self.learn(job);
        self.remove(job.request, false);
    }

    pub(super) fn swap_out(&mut self, job: &Job) {
        self.remove(job.request, true);
    }

    pub(super) fn keeps(&self, request: u32) -> bool {
        self.known.as_ref().is_some_and(|known| known.owns(request))
    }

    pub(super) fn take_evicted(&mut self) -> Vec<u32> {
        match &mut self.known {
            Some(known) => known.take_evicted(),
            None => Vec::new(),
        }
    }

    pub(super) fn usage(&self) -> Usage {
        let known = self.known.as_ref();
        let shared = known.map_or(0, |known| known.len() - known.idle_len());
        Usage {
            allocated_tokens: (self.private_blocks + shared) * self.block,
            held_tokens: self.private_tokens + shared * self.block,
            total_tokens: Some(self.most()),
        }
    }

    /// Tokens that there is room for beside what is held.
    pub(super) fn free_tokens(&self) -> usize {
        self.available() * self.block
    }
}
