//! A part of a sweep's points, so that many machines share the work.

use std::fmt;
use std::str::FromStr;

/// Some of a sweep's points, by their numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shard {
    /// Every point whose number leaves the remainder `index` when divided by `count`.
    Remainder {
        /// From 0 to `count` − 1.
        index: usize,
        /// How many such shards there are.
        count: usize,
    },
    /// Those that are named.
    Points(PointSet),
}

/// Numbers of points, such as `3`, `0,4,8` or `16-31`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PointSet {
    /// First and last of each run of numbers, in the order in which they are written.
    ranges: Vec<(usize, usize)>,
    text: String,
}

/// A text that names no part of a sweep.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShardError {
    /// No shard.
    #[error(
        "`{0}` is no shard; write i/n with i from 0 to n - 1, such as 0/4 for the first of four"
    )]
    Remainder(String),
    /// No numbers of points.
    #[error(
        "`{0}` names no points; write their numbers as `airloom sweep --dry-run` lists them, such as 3 or 0,4,16-31"
    )]
    Points(String),
}

impl Shard {
    /// Whether the point number `point` belongs to it.
    pub fn has(&self, point: usize) -> bool {
        match self {
            Self::Remainder { index, count } => point % count == *index,
            Self::Points(points) => {
                let mut ranges = points.ranges.iter();
                ranges.any(|(first, last)| (*first..=*last).contains(&point))
            }
        }
    }

    /// A number that is named and that a sweep of `points` points does not have.
    pub fn beyond(&self, points: usize) -> Option<usize> {
        match self {
            Self::Remainder { .. } => None,
            Self::Points(set) => {
                let last = set.ranges.iter().map(|(_, last)| *last).max()?;
                (last >= points).then_some(last)
            }
        }
    }
}

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, ShardError> {
        let parsed = text.split_once('/').and_then(|(index, count)| {
            let (index, count) = (index.parse().ok()?, count.parse().ok()?);
            (index < count).then_some(Self::Remainder { index, count })
        });
        parsed.ok_or_else(|| ShardError::Remainder(text.to_owned()))
    }
}

impl FromStr for PointSet {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, ShardError> {
        let range = |part: &str| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
            (first <= last).then_some((first, last))
        };
        let ranges: Option<Vec<(usize, usize)>> = text.split(',').map(range).collect();
        match ranges {
            Some(ranges) => Ok(Self {
                ranges,
                text: text.split_whitespace().collect(),
            }),
            None => Err(ShardError::Points(text.to_owned())),
        }
    }
}

impl fmt::Display for Shard {
    /// As a folder's name has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Remainder { index, count } => write!(f, "shard{index}of{count}"),
            Self::Points(points) => write!(f, "points{}", points.text.replace(',', "_")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_named_by_numbers_and_ranges() {
        let shard = Shard::Points("0, 4,16-18".parse().unwrap());
        let had: Vec<usize> = (0..30).filter(|point| shard.has(*point)).collect();
        assert_eq!(had, [0, 4, 16, 17, 18]);
        assert_eq!(shard.to_string(), "points0_4_16-18");
        assert_eq!(shard.beyond(19), None);
        assert_eq!(shard.beyond(18), Some(18));
        for wrong in ["", "a", "3-1", "1,,2", "-1", "1.5"] {
            assert!(wrong.parse::<PointSet>().is_err(), "{wrong}");
        }
    }
}
