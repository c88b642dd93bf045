//! Digests that say not only *that* two long sequences differ but *where*.
//!
//! A [`Rolling`] hashes rows and notes the digest of everything so far after every
//! `stride` rows. Two sequences agree up to the first note that differs, so the
//! notes bound the first difference to one window, without the rows themselves. The
//! notes stay few: when there would be more than [`MOST_WINDOWS`], every second one
//! goes and the stride doubles.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The most notes that a digest keeps.
pub const MOST_WINDOWS: usize = 256;

/// Rows between notes, to begin with.
const FIRST_STRIDE: u64 = 64;

/// Digits of a note: the first 64 bits of the digest so far.
const NOTE_DIGITS: usize = 16;

/// Digits of a digest that people are shown.
const SHOWN_DIGITS: usize = 12;

/// The bytes of `values`, each little-endian: what a digest of numbers is taken of, on
/// any machine.
pub fn little_endian(values: &[f32]) -> Cow<'_, [u8]> {
    if cfg!(target_endian = "little") {
        Cow::Borrowed(bytemuck::cast_slice(values))
    } else {
        Cow::Owned(values.iter().flat_map(|x| x.to_le_bytes()).collect())
    }
}

/// The first digits of a digest, enough to tell two apart.
pub fn shortened(digest: &str) -> &str {
    let end = digest.char_indices().nth(SHOWN_DIGITS);
    &digest[..end.map_or(digest.len(), |(end, _)| end)]
}

/// Hashes rows as they come.
#[derive(Debug, Clone)]
pub struct Rolling {
    hasher: blake3::Hasher,
    rows: u64,
    stride: u64,
    windows: Vec<String>,
}

/// What a sequence of rows amounts to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollingDigest {
    /// Rows in all.
    pub rows: u64,
    /// BLAKE3 of all bytes.
    pub blake3: String,
    /// Rows between notes.
    pub stride: u64,
    /// After every `stride` rows, the first 64 bits of the digest so far.
    pub windows: Vec<String>,
}

impl Default for Rolling {
    fn default() -> Self {
        Self {
            hasher: blake3::Hasher::new(),
            rows: 0,
            stride: FIRST_STRIDE,
            windows: Vec::new(),
        }
    }
}

impl Rolling {
    /// Rows so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Hashes bytes of the current row, or of several whole ones.
    pub fn update(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
    }

    /// Counts a row; true if a note is due, before which its bytes must be hashed.
    pub fn count(&mut self) -> bool {
        self.rows += 1;
        self.rows.is_multiple_of(self.stride)
    }

    /// Notes the digest so far.
    pub fn note(&mut self) {
        if self.windows.len() == MOST_WINDOWS {
            let mut number = 0;
            self.windows.retain(|_| {
                number += 1;
                number % 2 == 0
            });
            self.stride *= 2;
            if !self.rows.is_multiple_of(self.stride) {
                return;
            }
        }
        let digest = self.hasher.finalize().to_hex();
        self.windows.push(digest[..NOTE_DIGITS].to_owned());
    }

    /// The digest of all rows.
    pub fn finish(self) -> RollingDigest {
        RollingDigest {
            rows: self.rows,
            blake3: self.hasher.finalize().to_hex().to_string(),
            stride: self.stride,
            windows: self.windows,
        }
    }
}

impl RollingDigest {
    /// The rows, counted from 0, among which `self` and `other` first differ; `None`
    /// if they are equal. The end is exclusive.
    pub fn first_difference(&self, other: &Self) -> Option<std::ops::Range<u64>> {
        if self.blake3 == other.blake3 && self.rows == other.rows {
            return None;
        }
        // Strides differ when lengths do; every note of the wider one exists in the
        // narrower, unless that one is too short for it.
        let stride = self.stride.max(other.stride);
        let note = |digest: &Self, number: u64| {
            let index = number * (stride / digest.stride.max(1)) - 1;
            digest.windows.get(index as usize).cloned()
        };
        let mut number = 1;
        while let (Some(ours), Some(theirs)) = (note(self, number), note(other, number)) {
            if ours != theirs {
                return Some((number - 1) * stride..number * stride);
            }
            number += 1;
        }
        Some((number - 1) * stride..self.rows.max(other.rows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn digest(rows: impl Iterator<Item = u64>) -> RollingDigest {
        let mut rolling = Rolling::default();
        for row in rows {
            rolling.update(&row.to_le_bytes());
            if rolling.count() {
                rolling.note();
            }
        }
        rolling.finish()
    }

    #[test]
    fn numbers_are_hashed_as_little_endian_bytes() {
        let bytes = [0x00, 0x00, 0x80, 0x3f, 0x00, 0x00, 0x20, 0xc1];
        assert_eq!(*little_endian(&[1.0, -10.0]), bytes);
    }

    #[test]
    fn notes_stay_few_and_true_to_their_rows() {
        let long = digest(0..100_000);
        assert!(long.windows.len() <= MOST_WINDOWS);
        for (number, note) in long.windows.iter().enumerate() {
            let prefix = digest(0..long.stride * (number as u64 + 1));
            assert_eq!(prefix.blake3[..NOTE_DIGITS], note[..], "note {number}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn the_window_found_holds_the_first_difference(
            length in 1u64..40_000,
            other_length in 1u64..40_000,
            at in 0u64..40_000,
        ) {
            let ours = digest(0..length);
            let theirs = digest((0..other_length).map(|row| row + u64::from(row == at)));
            let first = at.min(length).min(other_length);
            match ours.first_difference(&theirs) {
                None => prop_assert!(length == other_length && at >= length),
                Some(window) => prop_assert!(
                    window.contains(&first) || first == window.end.min(length.max(other_length)),
                    "{first} is not in {window:?}"
                ),
            }
        }
    }
}
