//! What two prompts have in common, block by block.

/// A hash for each full block of `block` tokens: of that block and all before it, so that equal
/// hashes mean equal beginnings. 64 bits of BLAKE3: among a million blocks two collide by chance
/// once in 40 million runs.
///
/// # Panics
/// If blocks are empty.
pub fn chain(tokens: &[u32], block: usize) -> Vec<u64> {
    let mut before = [0_u8; 32];
    let blocks = tokens.chunks_exact(block).map(|block| {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&before);
        for token in block {
            hasher.update(&token.to_le_bytes());
        }
        before = *hasher.finalize().as_bytes();
        let [a, b, c, d, e, f, g, h, ..] = before;
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    });
    blocks.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_share_the_blocks_up_to_where_they_part() {
        let one = chain(&[1, 2, 3, 4, 5, 6, 7], 2);
        let other = chain(&[1, 2, 3, 9, 5, 6, 7, 8], 2);
        assert_eq!((one.len(), other.len()), (3, 4));
        assert_eq!(one[0], other[0]);
        assert_ne!(one[1], other[1]);
        assert_ne!(one[2], other[2], "the same block after another");
        assert!(chain(&[1], 2).is_empty(), "no full block");
    }
}
