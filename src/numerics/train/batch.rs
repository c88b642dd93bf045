//! From documents to rows of tokens.
//!
//! A step's documents follow from its number alone, so a resumed run sees what an
//! uninterrupted one would. Several documents share a row; attention stays within
//! a document, and the rotary embedding knows distances only, so each document is
//! read exactly as if it stood alone.

use std::sync::Arc;

use tokenizers::Tokenizer;

use super::TrainError;
use super::ops::NO_TARGET;
use super::vocabulary::{BEGIN, END};
use crate::corpus::{Split, Suite, World};

/// Turns the world's documents into token sequences.
pub(super) struct Reader {
    world: World,
    tokenizer: Tokenizer,
    begin: u32,
    end: u32,
    window: usize,
}

/// One document as the model sees it: `<|bos|>`, the text, `<|end|>`.
pub(super) struct Sequence {
    pub(super) tokens: Vec<u32>,
}

impl Sequence {
    /// The tokens that are predicted: all but the first.
    pub(super) fn predicted(&self) -> usize {
        self.tokens.len() - 1
    }
}

/// Rows of `window` positions.
pub(super) struct Batch {
    /// Token of each position.
    pub(super) inputs: Vec<u32>,
    /// The token that follows, or [`NO_TARGET`].
    pub(super) targets: Arc<Vec<u32>>,
    /// Where in its row the position's document starts.
    pub(super) starts: Arc<Vec<u32>>,
    /// For each sequence given, the position of its first input.
    pub(super) places: Vec<usize>,
}

impl Reader {
    /// A reader of `world` with the tokenizer of `tokenizer_json`.
    pub(super) fn new(
        world: World,
        tokenizer_json: &str,
        window: usize,
    ) -> Result<Self, TrainError> {
        let tokenizer = Tokenizer::from_bytes(tokenizer_json)
            .map_err(|error| TrainError::Tokenizer(error.to_string()))?;
        let id = |token: &str| {
            tokenizer
                .token_to_id(token)
                .ok_or_else(|| TrainError::Tokenizer(format!("it has no token {token}")))
        };
        let (begin, end) = (id(BEGIN)?, id(END)?);
        Ok(Self {
            world,
            tokenizer,
            begin,
            end,
            window,
        })
    }

    /// The number of entries of the vocabulary.
    pub(super) fn vocabulary(&self) -> usize {
        self.tokenizer.get_vocab_size(true)
    }

    /// The world.
    pub(super) fn world(&self) -> &World {
        &self.world
    }

    /// Encodes one text.
    pub(super) fn encode(&self, text: &str) -> Result<Sequence, TrainError> {
        let encoding = self
            .tokenizer
            .encode(text, false)
            .map_err(|error| TrainError::Tokenizer(error.to_string()))?;
        let mut tokens = vec![self.begin];
        tokens.extend_from_slice(encoding.get_ids());
        tokens.push(self.end);
        if tokens.len() - 1 > self.window {
            return Err(TrainError::Config {
                field: "window",
                fault: format!(
                    "{} positions cannot hold a document of {} tokens; give more, \
                     or a larger vocabulary",
                    self.window,
                    tokens.len() - 1
                ),
            });
        }
        Ok(Sequence { tokens })
    }

    /// The documents of step number `step`, the last `questions` of them questions
    /// with their answers, dealt to `shards` in turn by decreasing length, so that
    /// the shards carry equal loads.
    pub(super) fn step(
        &self,
        step: u64,
        documents: usize,
        questions: usize,
        shards: usize,
    ) -> Result<Vec<Vec<Sequence>>, TrainError> {
        let plain = (documents - questions) as u64;
        let texts = (step * plain..(step + 1) * plain)
            .map(|index| self.world.document(Split::Train, index).text);
        let questions = questions as u64;
        let asked = (step * questions..(step + 1) * questions).map(|number| {
            let suites = Suite::ALL.len() as u64;
            let suite = Suite::ALL[(number % suites) as usize];
            let question = self.world.question(suite, Split::Train, number / suites);
            question.text()
        });
        let mut sequences = texts
            .chain(asked)
            .map(|text| self.encode(&text))
            .collect::<Result<Vec<_>, _>>()?;
        sequences.sort_by_key(|sequence| std::cmp::Reverse(sequence.tokens.len()));
        let mut dealt: Vec<Vec<Sequence>> = (0..shards).map(|_| Vec::new()).collect();
        for (place, sequence) in sequences.into_iter().enumerate() {
            dealt[place % shards].push(sequence);
        }
        Ok(dealt)
    }

    /// Packs `sequences` into rows, each into the first row that has room.
    pub(super) fn pack(&self, sequences: &[Sequence]) -> Batch {
        let mut used: Vec<usize> = Vec::new();
        let mut places = Vec::with_capacity(sequences.len());
        for sequence in sequences {
            let length = sequence.predicted();
            let row = match used.iter().position(|used| used + length <= self.window) {
                Some(row) => row,
                None => {
                    used.push(0);
                    used.len() - 1
                }
            };
            places.push(row * self.window + used[row]);
            used[row] += length;
        }
        let positions = used.len() * self.window;
        let mut inputs = vec![self.end; positions];
        let mut targets = vec![NO_TARGET; positions];
        // A position without a document sees itself alone.
        let mut starts: Vec<u32> = (0..positions)
            .map(|position| (position % self.window) as u32)
            .collect();
        for (sequence, &place) in sequences.iter().zip(&places) {
            let length = sequence.predicted();
            inputs[place..place + length].copy_from_slice(&sequence.tokens[..length]);
            targets[place..place + length].copy_from_slice(&sequence.tokens[1..]);
            starts[place..place + length].fill((place % self.window) as u32);
        }
        Batch {
            inputs,
            targets: Arc::new(targets),
            starts: Arc::new(starts),
            places,
        }
    }
}
