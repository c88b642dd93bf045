//! What streams of requests ask: numbers of tokens, texts, or the small world's texts cut to as
//! many tokens.

use super::{Lowering, Reader};
use crate::corpus::{Split, World};
use crate::results::folder::FileDigest;
use crate::rng::Stream;
use crate::scenario;
use crate::serving::lengths::LengthSource;
use crate::serving::workload::Task;
use crate::simulation::error::RunError;
use crate::units::FieldFault;

/// No more tokens of prompts are held for one entry.
const MOST_HELD: usize = 1 << 26;

/// The documents of one entry are numbered from a multiple of that on.
const DOCUMENTS: u64 = 1 << 32;

/// What a request asks.
pub(super) enum Asked {
    /// Tokens of which only the number counts.
    Count {
        tokens: u32,
        /// How many of them it shares with the others of its entry.
        shared: u32,
    },
    /// These tokens.
    Tokens(Vec<u32>),
}

/// How many tokens the prompts of an entry hold in memory.
#[derive(Default)]
pub(super) struct Held(usize);

impl Held {
    /// Counts those of `task`, of the entry at `path`.
    pub(super) fn add(&mut self, path: &str, task: &Task) -> Result<(), FieldFault> {
        if let Task::Generate { prompt, .. } = task {
            self.0 += prompt.len();
        }
        if self.0 <= MOST_HELD {
            return Ok(());
        }
        let message = format!(
            "its prompts have more than {MOST_HELD} tokens together, which a run holds; ask for \
             fewer or shorter ones"
        );
        Err(FieldFault::new(path, message))
    }
}

/// The prompts of a stream, one after the other.
pub(super) enum Prompts<'a> {
    Counted {
        lengths: LengthSource,
        stream: Stream,
        shared: u32,
    },
    Cut {
        lengths: LengthSource,
        stream: Stream,
        cutter: Cutter<'a>,
        shared: Vec<u32>,
    },
    Texts {
        tokens: Vec<Vec<u32>>,
        next: usize,
    },
    World {
        reader: &'a Reader<'a>,
        field: String,
        world: Box<World>,
        next: u64,
        /// The most tokens that any of them generates.
        output: u32,
    },
}

impl<'a> Prompts<'a> {
    /// The prompts of entry number `entry`, whose requests generate at most `output` tokens.
    pub(super) fn new(
        lowering: &'a Lowering<'a>,
        entry: usize,
        arrivals: &scenario::Arrivals,
        output: u32,
        inputs: &mut Vec<FileDigest>,
    ) -> Result<Self, RunError> {
        let field = format!("workload[{entry}].prompt");
        let no_reader = || {
            let message = "a Shape has no weights to read text with; use Tokens(Fixed(128))";
            FieldFault::new(field.as_str(), message)
        };
        let reader = lowering.reader.as_ref();
        let fits = |reader: &Reader<'_>, prompt: usize| {
            reader.check_positions(&field, prompt + output as usize - 1)
        };
        let texts = |texts: &[String]| -> Result<Self, RunError> {
            let reader = reader.ok_or_else(no_reader)?;
            let prompt = |text: &String| {
                let prompt = reader.prompt(&field, text)?;
                fits(reader, prompt.len())?;
                Ok(prompt)
            };
            Ok(Self::Texts {
                tokens: texts.iter().map(prompt).collect::<Result<_, RunError>>()?,
                next: 0,
            })
        };
        match &arrivals.prompt {
            scenario::Prompts::Text(text) => texts(std::slice::from_ref(text)),
            scenario::Prompts::Texts(several) => texts(several),
            scenario::Prompts::World(world) => Ok(Self::World {
                reader: reader.ok_or_else(no_reader)?,
                world: Box::new(World::new(world.seed)),
                next: world.first,
                field,
                output,
            }),
            scenario::Prompts::Tokens(lengths) => {
                let lengths = lowering.lengths(&field, lengths, inputs)?;
                let stream = lowering.open("workload.prompt_lengths", entry);
                let shared = arrivals.shared_prefix;
                let Some(reader) = reader else {
                    return Ok(Self::Counted {
                        lengths,
                        stream,
                        shared,
                    });
                };
                fits(reader, lengths.most() as usize)?;
                let mut cutter = Cutter::new(reader, &field, entry);
                Ok(Self::Cut {
                    shared: cutter.cut(shared.min(lengths.most()) as usize)?,
                    lengths,
                    stream,
                    cutter,
                })
            }
        }
    }

    /// The next prompt.
    pub(super) fn next(&mut self) -> Result<Asked, RunError> {
        match self {
            Self::Counted {
                lengths,
                stream,
                shared,
            } => {
                let tokens = lengths.draw(stream);
                let shared = tokens.min(*shared);
                Ok(Asked::Count { tokens, shared })
            }
            Self::Cut {
                lengths,
                stream,
                cutter,
                shared,
            } => {
                let count = lengths.draw(stream) as usize;
                let prefix = &shared[..count.min(shared.len())];
                if prefix.is_empty() {
                    return Ok(Asked::Tokens(cutter.cut(count)?));
                }
                let own = cutter.go_on(prefix.to_vec(), count)?;
                Ok(Asked::Tokens(own))
            }
            Self::Texts { tokens, next } => {
                let prompt = tokens[*next].clone();
                *next = (*next + 1) % tokens.len();
                Ok(Asked::Tokens(prompt))
            }
            Self::World {
                reader,
                field,
                world,
                next,
                output,
            } => {
                let document = world.document(Split::HeldOut, *next);
                *next += 1;
                let prompt = reader.opening(field, first_half(&document.text))?;
                reader.check_positions(field, prompt.len() + *output as usize - 1)?;
                Ok(Asked::Tokens(prompt))
            }
        }
    }
}

/// The first half of `text`, up to the end of a word.
fn first_half(text: &str) -> &str {
    let middle = text.len() / 2;
    let mut blanks = text.match_indices(' ').map(|(place, _)| place);
    let end = blanks.find(|place| *place >= middle);
    &text[..end.unwrap_or(text.len())]
}

/// Cuts prompts of the small world's held-out documents, one after the other.
pub(super) struct Cutter<'a> {
    reader: &'a Reader<'a>,
    field: String,
    world: Box<World>,
    /// The document with which the next prompt begins.
    next: u64,
}

impl<'a> Cutter<'a> {
    /// Prompts of the entry number `entry`, whose field `field` asks for them.
    pub(super) fn new(reader: &'a Reader<'a>, field: &str, entry: usize) -> Self {
        Self {
            reader,
            field: field.to_owned(),
            world: Box::new(World::new(World::BUNDLED_SEED)),
            next: entry as u64 * DOCUMENTS,
        }
    }

    pub(super) fn reader(&self) -> &'a Reader<'a> {
        self.reader
    }

    /// So many tokens from the beginning of a document on, with those that the tokenizer puts
    /// before it.
    pub(super) fn cut(&mut self, count: usize) -> Result<Vec<u32>, RunError> {
        self.go_on(self.reader.tokenizer.begin().to_vec(), count)
    }

    /// `tokens`, and documents after them until they are `count`.
    fn go_on(&mut self, mut tokens: Vec<u32>, count: usize) -> Result<Vec<u32>, RunError> {
        while tokens.len() < count {
            self.reader.interrupt.check()?;
            let document = self.world.document(Split::HeldOut, self.next);
            let own = self.reader.own(&document.text)?;
            if own.is_empty() {
                let message = format!(
                    "the tokenizer makes no token of document {}; use the model's own tokenizer",
                    self.next
                );
                return Err(FieldFault::new(self.field.as_str(), message).into());
            }
            self.reader.check_vocabulary(&self.field, &own)?;
            self.next += 1;
            tokens.extend(own);
        }
        tokens.truncate(count);
        tokens.shrink_to_fit();
        Ok(tokens)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_text_ends_with_a_word() {
        assert_eq!(first_half("one two three four"), "one two three");
        assert_eq!(first_half("äöüß"), "äöüß");
        assert_eq!(first_half(""), "");
    }
}
