//! Drafts from the text itself (Saxena, "Prompt Lookup Decoding").

/// What followed the last time that the end of `text` stood in it before: up to `length` tokens.
/// The last `longest` tokens are looked for first, then fewer, down to `shortest`; of several
/// places the latest counts. Empty if none of them stood there before. O(longest · text).
pub fn continuation(text: &[u32], [shortest, longest]: [usize; 2], length: usize) -> &[u32] {
    for size in (shortest.max(1)..=longest.min(text.len().saturating_sub(1))).rev() {
        let (before, end) = text.split_at(text.len() - size);
        // A place may reach into the end, but not be it.
        let found = (0..before.len())
            .rev()
            .find(|at| text[*at..*at + size] == *end);
        if let Some(at) = found {
            let follows = &text[at + size..];
            return &follows[..follows.len().min(length)];
        }
    }
    &[]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_match_counts_and_of_several_the_latest() {
        let text = [1, 2, 3, 4, 9, 2, 3, 5, 1, 2, 3];
        assert_eq!(continuation(&text, [1, 3], 2), [4, 9]);
        assert_eq!(continuation(&text, [1, 2], 2), [5, 1]);
        assert_eq!(continuation(&text, [4, 4], 2), [0u32; 0]);
        assert_eq!(continuation(&text, [1, 3], 100), [4, 9, 2, 3, 5, 1, 2, 3]);
    }

    #[test]
    fn a_text_that_repeats_one_token_goes_on_with_it() {
        assert_eq!(continuation(&[7, 7, 7], [1, 3], 4), [7]);
        assert_eq!(continuation(&[7], [1, 3], 4), [0u32; 0]);
        assert_eq!(continuation(&[], [1, 3], 4), [0u32; 0]);
    }
}
