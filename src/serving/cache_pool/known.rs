//! Blocks that are known by what they hold: keys and values of the same tokens after the same
//! tokens are the same, so requests whose prompts begin alike share them.
//!
//! A block is known by a hash of its tokens and of all before it, once they are read. It is
//! counted how many requests use it; at none it is idle, kept until its room is needed, the one
//! longest idle first.
//!
//! **Chains.** A request knows only blocks whose predecessors it uses itself, and gives them back
//! last block first. So a block never outlives the one before it: what is known is always the
//! beginning of a prompt, and the owner of its last block holds all of it.
//!
//! **Owners.** Who first read a block is its owner, whose cache holds its numbers. The cache of an
//! owner who has left must be kept while a block of it is known; after that it is given out once
//! as evicted.

use std::collections::BTreeMap;

/// A block known by its hash.
#[derive(Debug, Clone, Copy)]
struct KnownBlock {
    users: u32,
    owner: u32,
    /// When it was last given back; its place among the idle ones.
    idle_since: u64,
}

/// Whose numbers known blocks are.
#[derive(Debug, Default)]
struct Owner {
    blocks: usize,
    /// Whether nothing but known blocks is left of its cache.
    left: bool,
}

/// The blocks of a pool that are known by what they hold.
#[derive(Debug, Default)]
pub(super) struct KnownBlocks {
    blocks: BTreeMap<u64, KnownBlock>,
    /// The hash of each idle block, the one longest idle first.
    idle: BTreeMap<u64, u64>,
    owners: BTreeMap<u32, Owner>,
    /// Times that a block was given back.
    returns: u64,
    evicted: Vec<u32>,
}

/// How much of a prompt is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Match {
    /// Blocks.
    pub(super) blocks: usize,
    /// How many of them are idle.
    pub(super) idle: usize,
    /// The owner of the last one, whose cache holds all of them.
    pub(super) owner: Option<u32>,
}

impl KnownBlocks {
    /// How much is known of the prompt with `hashes`.
    pub(super) fn of(&self, hashes: &[u64]) -> Match {
        let mut found = Match::default();
        for hash in hashes {
            let Some(block) = self.blocks.get(hash) else {
                break;
            };
            found.blocks += 1;
            found.idle += usize::from(block.users == 0);
            found.owner = Some(block.owner);
        }
        found
    }

    /// Blocks, idle or not.
    pub(super) fn len(&self) -> usize {
        self.blocks.len()
    }

    /// Blocks that nobody uses.
    pub(super) fn idle_len(&self) -> usize {
        self.idle.len()
    }

    /// Lets one more request use the blocks with `hashes`, all of which are known.
    pub(super) fn share(&mut self, hashes: &[u64]) {
        for hash in hashes {
            let block = self.blocks.get_mut(hash).expect("a match is known");
            if block.users == 0 {
                self.idle.remove(&block.idle_since);
            }
            block.users += 1;
        }
    }

    /// Makes a block of `owner`, who uses it, known by `hash`; `false` if another one is.
    pub(super) fn learn(&mut self, hash: u64, owner: u32) -> bool {
        if self.blocks.contains_key(&hash) {
            return false;
        }
        let block = KnownBlock {
            users: 1,
            owner,
            idle_since: 0,
        };
        self.blocks.insert(hash, block);
        self.owners.entry(owner).or_default().blocks += 1;
        true
    }

    /// Lets one request less use the blocks with `hashes`.
    pub(super) fn give_back(&mut self, hashes: &[u64]) {
        for hash in hashes.iter().rev() {
            let block = self.blocks.get_mut(hash).expect("a used block is known");
            block.users -= 1;
            if block.users == 0 {
                self.returns += 1;
                block.idle_since = self.returns;
                self.idle.insert(self.returns, *hash);
            }
        }
    }

    /// Forgets the block that is idle for longest; `false` if none is.
    pub(super) fn evict(&mut self) -> bool {
        let Some((_, hash)) = self.idle.pop_first() else {
            return false;
        };
        let block = self.blocks.remove(&hash).expect("an idle block is known");
        let owner = self.owners.get_mut(&block.owner);
        let owner = owner.expect("a known block has an owner");
        owner.blocks -= 1;
        if owner.blocks == 0 {
            if owner.left {
                self.evicted.push(block.owner);
            }
            self.owners.remove(&block.owner);
        }
        true
    }

    /// Notes that nothing but known blocks is left of the cache of `request`.
    pub(super) fn leave(&mut self, request: u32) {
        if let Some(owner) = self.owners.get_mut(&request) {
            owner.left = true;
        }
    }

    /// Notes that `request` has a cache (again).
    pub(super) fn join(&mut self, request: u32) {
        if let Some(owner) = self.owners.get_mut(&request) {
            owner.left = false;
        }
        self.evicted.retain(|evicted| *evicted != request);
    }

    /// Whether a block of `request` is known.
    pub(super) fn owns(&self, request: u32) -> bool {
        self.owners.contains_key(&request)
    }

    /// Those who have left and of whom no block is known any more, each once.
    pub(super) fn take_evicted(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.evicted)
    }
}
