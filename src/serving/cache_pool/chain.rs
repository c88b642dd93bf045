//! Names of a prompt's blocks: a block is the same as another if its tokens are, and all before.

use std::hash::Hasher;
use std::sync::Arc;
use twox_hash::XxHash3_64;

/// A hash for each full block of `block` tokens of a prompt: of its tokens and of the hash before
/// it, by xxHash3 with 64 bits. A token is any number that tells it from others: its number in the
/// vocabulary, or where only their count is known one that says whose it is. Two different
/// beginnings among n have one name with probability n²/2⁶⁵.
///
/// A block of 0 tokens counts as one of 1.
pub fn block_hashes(tokens: impl IntoIterator<Item = u64>, block: usize) -> Arc<[u64]> {
    let block = block.max(1);
    let mut hashes = Vec::new();
    let mut hasher = XxHash3_64::with_seed(0);
    for (index, token) in tokens.into_iter().enumerate() {
        hasher.write(&token.to_le_bytes());
        if (index + 1).is_multiple_of(block) {
            let hash = hasher.finish();
            hashes.push(hash);
            hasher = XxHash3_64::with_seed(0);
            hasher.write(&hash.to_le_bytes());
        }
    }
    hashes.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_alike_up_to_the_first_token_that_differs() {
        let one = block_hashes([1, 2, 3, 4, 5, 6, 7], 2);
        let other = block_hashes([1, 2, 3, 4, 9, 6], 2);
        assert_eq!(one.len(), 3, "the last token fills no block");
        assert_eq!(one[..2], other[..2]);
        assert_ne!(one[2], other[2]);
        let later = block_hashes([3, 4], 2);
        assert_ne!(
            one[1], later[0],
            "the same tokens elsewhere are another block"
        );
        assert!(block_hashes([1, 2], 3).is_empty());
        assert_eq!(block_hashes([1, 2], 0).len(), 2);
    }
}
