//! Damages texts and bytes, the same way for the same seed.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Numbers at which programs go wrong.
const NUMBERS: [&str; 22] = [
    "0",
    "1",
    "-1",
    "2",
    "0.0",
    "-0.0",
    "0.5",
    "1e-320",
    "1e308",
    "1e400",
    "NaN",
    "inf",
    "-inf",
    "255",
    "65535",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "18446744073709551615",
    "18446744073709551616",
    "1e999999999",
    "0x7fffffffffffffffffffffffffffffff",
];

/// What stands between words.
const MARKS: &[u8] = b",:;()[]{}\"'=/ \n\t\\";

/// No input grows beyond this.
const LONGEST: usize = 256 << 10;

/// A source of damage.
pub struct Mutator {
    rng: ChaCha8Rng,
    /// Words that mean something in the format.
    words: &'static [&'static str],
}

impl Mutator {
    pub fn new(seed: u64, words: &'static [&'static str]) -> Self {
        let rng = ChaCha8Rng::seed_from_u64(seed);
        Self { rng, words }
    }

    /// A number below `end`, which is not zero.
    fn below(&mut self, end: usize) -> usize {
        (self.rng.next_u64() % end as u64) as usize
    }

    pub fn choose<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    /// One of the `seeds`, damaged at one to four places.
    pub fn damaged(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut input = self.choose(seeds).clone();
        for _ in 0..=self.below(4) {
            self.damage(&mut input, seeds);
        }
        input.truncate(LONGEST);
        input
    }

    /// A short range of `input`, now and then a long one.
    fn range(&mut self, input: &[u8]) -> std::ops::Range<usize> {
        let start = self.below(input.len() + 1);
        let longest = if self.below(8) == 0 {
            input.len() + 1
        } else {
            32
        };
        let end = (start + self.below(longest)).min(input.len());
        start..end
    }

    /// The word, number or cell around a place.
    fn cell(&mut self, input: &[u8]) -> std::ops::Range<usize> {
        let place = self.below(input.len() + 1);
        let is_mark = |byte: &u8| MARKS.contains(byte);
        let start = input[..place].iter().rposition(is_mark);
        let end = input[place..].iter().position(is_mark);
        start.map_or(0, |at| at + 1)..end.map_or(input.len(), |at| place + at)
    }

    /// The line around a place, with its end.
    fn line(&mut self, input: &[u8]) -> std::ops::Range<usize> {
        let place = self.below(input.len() + 1);
        let is_end = |byte: &u8| *byte == b'\n';
        let start = input[..place].iter().rposition(is_end);
        let end = input[place..].iter().position(is_end);
        start.map_or(0, |at| at + 1)..end.map_or(input.len(), |at| place + at + 1)
    }

    fn damage(&mut self, input: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        match self.below(13) {
            0 if !input.is_empty() => {
                let place = self.below(input.len());
                input[place] ^= 1 << self.below(8);
            }
            1 => {
                let place = self.below(input.len() + 1);
                let bytes: Vec<u8> = (0..=self.below(4))
                    .map(|_| self.rng.next_u64() as u8)
                    .collect();
                input.splice(place..place, bytes);
            }
            2 => drop(input.drain(self.range(input))),
            3 => {
                let range = self.range(input);
                let times = if self.below(16) == 0 {
                    500
                } else {
                    1 + self.below(4)
                };
                let copy = input[range.clone()].repeat(times);
                input.splice(range.end..range.end, copy);
            }
            4 | 5 => {
                let cell = self.cell(input);
                let number = *self.choose(&NUMBERS);
                input.splice(cell, number.bytes());
            }
            6 | 7 if !self.words.is_empty() => {
                let cell = self.cell(input);
                let place = if self.below(2) == 0 {
                    cell
                } else {
                    cell.start..cell.start
                };
                let word = *self.choose(self.words);
                input.splice(place, word.bytes());
            }
            8 => {
                let other = self.choose(seeds).clone();
                let (from, to) = (self.range(&other), self.range(input));
                input.splice(to, other[from].iter().copied());
            }
            9 => input.truncate(self.below(input.len() + 1)),
            10 => drop(input.drain(self.line(input))),
            11 => {
                let line = self.line(input);
                let copy = input[line].to_vec();
                let place = self.line(input).start;
                input.splice(place..place, copy);
            }
            _ => {
                let (one, other) = (self.cell(input), self.cell(input));
                let copy = input[one].to_vec();
                input.splice(other, copy);
            }
        }
        input.truncate(LONGEST);
    }
}
