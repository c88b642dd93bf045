//! How many tokens prompts and answers have.

use crate::rng::{Below, StandardNormal, Stream};
use crate::text::Visible;
use crate::units::FieldFault;
use rand::RngExt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// More tokens than that in one request are a slip of the pen.
pub const MOST_TOKENS: u32 = 1 << 20;

/// How many tokens something has, each drawn anew.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Lengths {
    /// Always so many.
    Fixed(u32),
    /// As likely any number from one to another.
    Uniform(Uniform),
    /// round(median · exp(σ z)), z standard normal, at least 1 and at most `most`: what chats
    /// look like, many short and some very long.
    LogNormal(LogNormal),
    /// As likely any line of a text file: one number a line, the first line may be a heading.
    /// The path is relative to the scenario's file.
    Empirical(String),
}

/// The fields of [`Lengths::Uniform`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Uniform {
    /// The fewest tokens, at least 1.
    pub from: u32,
    /// The most, included.
    pub to: u32,
}

/// The fields of [`Lengths::LogNormal`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogNormal {
    /// The median, at least 1 token.
    pub median: f64,
    /// σ, the standard deviation of the logarithm, 0 to 10.
    pub sigma: f64,
    /// What is longer is cut to so many tokens.
    pub most: u32,
}

/// Beyond it a length is nothing but its bounds.
const MOST_SIGMA: f64 = 10.0;

impl Lengths {
    /// Checks every field but what a file holds.
    ///
    /// # Errors
    /// The first impossible one, by its path within the lengths.
    pub fn validate(&self) -> Result<(), FieldFault> {
        let tokens = |path: &str, count: u32| match count {
            1..=MOST_TOKENS => Ok(()),
            _ => Err(FieldFault::new(
                path,
                format!("{count} tokens; use 1 to {MOST_TOKENS}"),
            )),
        };
        match self {
            Self::Fixed(count) => tokens("Fixed", *count),
            Self::Uniform(Uniform { from, to }) => {
                tokens("from", *from)?;
                tokens("to", *to)?;
                if from > to {
                    let message = format!("{to} is less than `from`, {from}; exchange them");
                    return Err(FieldFault::new("to", message));
                }
                Ok(())
            }
            Self::LogNormal(LogNormal {
                median,
                sigma,
                most,
            }) => {
                tokens("most", *most)?;
                if !(1.0..=f64::from(*most)).contains(median) {
                    let message = format!("{median} tokens; use 1 to `most`, {most}");
                    return Err(FieldFault::new("median", message));
                }
                if !(0.0..=MOST_SIGMA).contains(sigma) {
                    let message = format!("{sigma}; use 0 to {MOST_SIGMA}, chats have about 1");
                    return Err(FieldFault::new("sigma", message));
                }
                Ok(())
            }
            Self::Empirical(_) => Ok(()),
        }
    }
}

/// Lengths that can be drawn: what a file holds is read.
#[derive(Debug, Clone, PartialEq)]
pub enum LengthSource {
    /// Of a distribution.
    Drawn(Lengths),
    /// Of a list that is not empty.
    Listed(Vec<u32>),
}

impl LengthSource {
    /// The most tokens that it can yield.
    pub fn most(&self) -> u32 {
        match self {
            Self::Drawn(Lengths::Fixed(count)) => *count,
            Self::Drawn(Lengths::Uniform(uniform)) => uniform.to,
            Self::Drawn(Lengths::LogNormal(normal)) => normal.most,
            Self::Drawn(Lengths::Empirical(_)) => 0,
            Self::Listed(lengths) => lengths.iter().copied().max().unwrap_or(0),
        }
    }

    /// The next length.
    ///
    /// # Panics
    /// If it is of a file that was not read.
    pub fn draw(&self, stream: &mut Stream) -> u32 {
        match self {
            Self::Drawn(Lengths::Fixed(count)) => *count,
            Self::Drawn(Lengths::Uniform(Uniform { from, to })) => {
                from + stream.sample(Below::new((to - from) as usize + 1)) as u32
            }
            Self::Drawn(Lengths::LogNormal(LogNormal {
                median,
                sigma,
                most,
            })) => {
                let z: f64 = stream.sample(StandardNormal);
                let length = median * libm::exp(sigma * z);
                length.round().clamp(1.0, f64::from(*most)) as u32
            }
            Self::Drawn(Lengths::Empirical(_)) => unreachable!("a file is read before it is used"),
            Self::Listed(lengths) => lengths[stream.sample(Below::new(lengths.len()))],
        }
    }

    /// The lengths in the `text` of a file that errors call `file`.
    ///
    /// # Errors
    /// The first line that is no length, with its number and the fix.
    pub fn parse(file: &Path, text: &str) -> Result<Self, String> {
        let mut lengths = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let cell = line.trim_start_matches('\u{feff}').trim();
            let is_heading = index == 0 && cell.starts_with(char::is_alphabetic);
            if cell.is_empty() || is_heading {
                continue;
            }
            match cell.parse() {
                Ok(length @ 1..=MOST_TOKENS) => lengths.push(length),
                _ => {
                    let start: String = cell.chars().take(LONGEST_QUOTE).collect();
                    return Err(format!(
                        "{}:{}: `{}` is no length; write one whole number of tokens from 1 to \
                         {MOST_TOKENS} a line",
                        file.display(),
                        index + 1,
                        Visible(&start)
                    ));
                }
            }
        }
        match lengths.is_empty() {
            true => Err(format!(
                "{} holds no length; write one a line",
                file.display()
            )),
            false => Ok(Self::Listed(lengths)),
        }
    }
}

/// More characters of a line are not quoted.
const LONGEST_QUOTE: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{NO_DEVICE, Streams};

    fn drawn(lengths: &LengthSource, count: usize) -> Vec<u32> {
        let streams = Streams { seed: 5, run: 0 };
        let mut stream = streams.open("test", NO_DEVICE, 0);
        (0..count).map(|_| lengths.draw(&mut stream)).collect()
    }

    fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
        let count = values.len() as f64;
        values.sum::<f64>() / count
    }

    #[test]
    fn uniform_lengths_reach_both_ends_and_no_further() {
        let source = LengthSource::Drawn(Lengths::Uniform(Uniform { from: 3, to: 6 }));
        let lengths = drawn(&source, 40_000);
        for length in 3..=6 {
            let share = lengths.iter().filter(|found| **found == length).count();
            assert!(share.abs_diff(10_000) < 400, "{length}: {share}");
        }
        assert_eq!((source.most(), lengths.iter().max()), (6, Some(&6)));
    }

    /// The logarithm is normal: its mean is that of the median, its deviation σ.
    #[test]
    fn log_normal_lengths_have_the_median_and_the_spread() {
        let normal = LogNormal {
            median: 2000.0,
            sigma: 0.8,
            most: MOST_TOKENS,
        };
        let lengths = drawn(&LengthSource::Drawn(Lengths::LogNormal(normal)), 40_000);
        let logs: Vec<f64> = lengths
            .iter()
            .map(|length| f64::from(*length).ln())
            .collect();
        let middle = mean(logs.iter().copied());
        let spread = mean(logs.iter().map(|log| (log - middle).powi(2))).sqrt();
        assert!(
            (middle - 2000f64.ln()).abs() < 4.0 * 0.8 / 200.0,
            "{middle}"
        );
        assert!((spread / 0.8 - 1.0).abs() < 0.02, "{spread}");
        let cut = LengthSource::Drawn(Lengths::LogNormal(LogNormal {
            most: 2100,
            ..normal
        }));
        assert_eq!(drawn(&cut, 1000).into_iter().max(), Some(2100));
    }

    #[test]
    fn lengths_of_a_file_are_those_of_its_lines() {
        let file = Path::new("lengths.csv");
        let source = LengthSource::parse(file, "\u{feff}tokens\r\n7\r\n 9\n\n7\n").unwrap();
        assert_eq!(source, LengthSource::Listed(vec![7, 9, 7]));
        let sevens = drawn(&source, 30_000)
            .into_iter()
            .filter(|l| *l == 7)
            .count();
        assert!(sevens.abs_diff(20_000) < 350, "{sevens}");
        for (text, fault) in [
            ("7\n0\n", "lengths.csv:2: `0` is no length"),
            ("7\n1.5\n", "lengths.csv:2: `1.5` is no length"),
            ("7,8\n", "lengths.csv:1: `7,8` is no length"),
            ("tokens\n", "lengths.csv holds no length"),
            ("7\n99999999999\n", "lengths.csv:2: `99999999999`"),
        ] {
            let found = LengthSource::parse(file, text).unwrap_err();
            assert!(found.contains(fault), "{found}");
        }
    }

    #[test]
    fn impossible_lengths_are_refused_by_their_field() {
        let normal = |median, sigma, most| {
            Lengths::LogNormal(LogNormal {
                median,
                sigma,
                most,
            })
        };
        for (lengths, path) in [
            (Lengths::Fixed(0), "Fixed"),
            (Lengths::Uniform(Uniform { from: 0, to: 4 }), "from"),
            (Lengths::Uniform(Uniform { from: 5, to: 4 }), "to"),
            (normal(0.5, 1.0, 10), "median"),
            (normal(20.0, 1.0, 10), "median"),
            (normal(2.0, -1.0, 10), "sigma"),
            (normal(2.0, f64::NAN, 10), "sigma"),
            (normal(2.0, 1.0, 0), "most"),
        ] {
            assert_eq!(lengths.validate().unwrap_err().path, path);
        }
    }
}
