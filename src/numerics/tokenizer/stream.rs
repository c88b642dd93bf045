//! The first tokens of a long text, which is not encoded whole for them.
//!
//! A tokenizer may look far ahead and behind, and none says how far. So a prefix counts only
//! if twice as much text has the same tokens there, and two pieces are joined only where
//! they overlap and agree: from a run of tokens on that stand at the same places in both.
//! What comes out is held against whole encodings by tests.

use super::Tokenizer;
use super::fence::fenced;
use crate::corpus::TextPiece;
use crate::interrupt::{Interrupt, Interrupted};
use crate::numerics::error::StepError;

/// Bytes of text that are encoded at once.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    /// The shortest prefix.
    least: usize,
    /// The longest prefix, and the first length of pieces.
    piece: usize,
    /// The longest pieces. They take about a hundred times their bytes in memory.
    most: usize,
}

const SIZES: Sizes = Sizes {
    least: 4 << 10,
    piece: 256 << 10,
    most: 2 << 20,
};

/// Tokens beyond those needed that a prefix must have, for its end may be another's.
const MARGIN: usize = 64;

/// Tokens in a row that two pieces must share to be joined.
const RUN: usize = 32;

/// A token and where it stands in the whole text.
type Placed = (u32, [u64; 2]);

impl Tokenizer {
    /// The first `needed` tokens of a text, or all if it has fewer, without special tokens
    /// but those that it spells out. `piece` reads the text from a byte on, up to a number of
    /// bytes.
    ///
    /// # Errors
    /// Those of `piece`; if the tokenizer cannot express the text, or its encoding is nowhere
    /// independent of what lies a megabyte before; and if `interrupt` is raised.
    pub fn encode_first<E: From<StepError> + From<Interrupted>>(
        &self,
        needed: usize,
        interrupt: Interrupt<'_>,
        mut piece: impl FnMut(u64, usize) -> Result<TextPiece, E>,
    ) -> Result<Vec<u32>, E> {
        self.encode_first_by(SIZES, needed, interrupt, &mut piece)
    }

    fn encode_first_by<E: From<StepError> + From<Interrupted>>(
        &self,
        sizes: Sizes,
        needed: usize,
        interrupt: Interrupt<'_>,
        piece: &mut dyn FnMut(u64, usize) -> Result<TextPiece, E>,
    ) -> Result<Vec<u32>, E> {
        let mut before: Option<Vec<u32>> = None;
        let mut size = needed.saturating_mul(8).clamp(sizes.least, sizes.piece);
        while size <= sizes.piece {
            interrupt.check()?;
            let read = piece(0, size)?;
            let mut tokens = self.encode(&read.text)?;
            if read.is_last {
                tokens.truncate(needed);
                return Ok(tokens);
            }
            if tokens.len() >= needed.saturating_add(MARGIN) {
                tokens.truncate(needed);
                if before.is_some_and(|before| before == tokens) {
                    return Ok(tokens);
                }
                before = Some(tokens);
            } else {
                before = None;
            }
            size *= 2;
        }
        let mut size = sizes.piece;
        while size <= sizes.most {
            if let Some(tokens) = self.encode_joined(size, needed, interrupt, piece)? {
                return Ok(tokens);
            }
            size *= 2;
        }
        let fault = format!(
            "longer texts than {} bytes are encoded in pieces, and these of the text agree nowhere; \
             use a shorter text, or another tokenizer",
            sizes.most
        );
        Err(self.fault()(fault).into())
    }

    /// The first `needed` tokens from pieces of `size` bytes; `None` if two do not agree.
    fn encode_joined<E: From<StepError> + From<Interrupted>>(
        &self,
        size: usize,
        needed: usize,
        interrupt: Interrupt<'_>,
        piece: &mut dyn FnMut(u64, usize) -> Result<TextPiece, E>,
    ) -> Result<Option<Vec<u32>>, E> {
        let mut tokens = Vec::new();
        let mut read = piece(0, size)?;
        let mut start = 0;
        let mut current = self.encode_placed(&read.text, start)?;
        while !read.is_last && tokens.len() < needed {
            interrupt.check()?;
            let cut = read
                .text
                .floor_char_boundary(read.text.len() - read.text.len() / 8);
            start += cut as u64;
            read = piece(start, size)?;
            let next = self.encode_placed(&read.text, start)?;
            let Some((here, there)) = meeting(&current, &next) else {
                return Ok(None);
            };
            tokens.extend(current[..here].iter().map(|(id, _)| *id));
            current = next;
            current.drain(..there);
        }
        if read.is_last {
            tokens.extend(current.iter().map(|(id, _)| *id));
        }
        tokens.truncate(needed);
        Ok(Some(tokens))
    }

    /// The tokens of `text`, which begins at byte `start` of the whole.
    fn encode_placed(&self, text: &str, start: u64) -> Result<Vec<Placed>, StepError> {
        let encoding = fenced(|| self.inner.encode(text, false)).map_err(self.fault())?;
        let places = encoding.get_offsets().iter();
        let places = places.map(|(from, to)| [start + *from as u64, start + *to as u64]);
        Ok(encoding.get_ids().iter().copied().zip(places).collect())
    }
}

/// The first place in `current` and the place in `next` from which on the two agree.
fn meeting(current: &[Placed], next: &[Placed]) -> Option<(usize, usize)> {
    (0..next.len().saturating_sub(RUN)).find_map(|there| {
        let run = &next[there..there + RUN];
        let [from, _] = run[0].1;
        let first = current.partition_point(|(_, place)| place[0] < from);
        let same = current[first..]
            .iter()
            .take_while(|(_, place)| place[0] == from);
        let mut places = first..first + same.count();
        let here = places.find(|here| current[*here..].starts_with(run))?;
        Some((here, there))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::{Split, World};
    use std::path::Path;

    #[derive(Debug)]
    struct Fault(String);

    impl From<StepError> for Fault {
        fn from(error: StepError) -> Self {
            Self(error.to_string())
        }
    }

    impl From<Interrupted> for Fault {
        fn from(error: Interrupted) -> Self {
            Self(error.to_string())
        }
    }

    const SMALL: Sizes = Sizes {
        least: 64,
        piece: 2 << 10,
        most: 8 << 10,
    };

    fn bundled() -> Tokenizer {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/models/tiny-llama");
        Tokenizer::load(Path::new(folder)).expect("the bundled model")
    }

    /// A tokenizer that writes a mark before a text and joins words across spaces, as those
    /// made by sentencepiece do.
    fn marked() -> Tokenizer {
        let merges = [["\u{2581}", "a"], ["b", "\u{2581}a"], ["c", "c"]];
        let mut vocabulary = ["?", "\u{2581}"].map(str::to_owned).to_vec();
        vocabulary.extend(('a'..='z').map(String::from));
        vocabulary.extend([".", "\n", "\0"].map(str::to_owned));
        vocabulary.extend(merges.iter().map(|pair| pair.concat()));
        let ids = vocabulary.iter().enumerate();
        let ids: serde_json::Map<_, _> = ids.map(|(id, t)| (t.clone(), id.into())).collect();
        let file = serde_json::json!({
            "version": "1.0",
            "normalizer": {"type": "Sequence", "normalizers": [
                {"type": "Prepend", "prepend": "\u{2581}"},
                {"type": "Replace", "pattern": {"String": " "}, "content": "\u{2581}"}]},
            "model": {"type": "BPE", "vocab": ids, "merges": merges, "unk_token": "?"}
        });
        tokenizer(&file)
    }

    fn tokenizer(file: &serde_json::Value) -> Tokenizer {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("tokenizer.json"), file.to_string()).unwrap();
        Tokenizer::load(folder.path()).unwrap()
    }

    /// The first `needed` tokens of `text`, and how many bytes were read for them.
    fn first(tokenizer: &Tokenizer, text: &str, needed: usize) -> Result<(Vec<u32>, usize), Fault> {
        let mut most = 0;
        let mut piece = |from: u64, size: usize| {
            let rest = &text[from as usize..];
            let part = &rest[..rest.floor_char_boundary(size)];
            most = most.max(from as usize + part.len());
            Ok::<_, Fault>(TextPiece {
                text: part.to_owned(),
                is_last: part.len() == rest.len(),
            })
        };
        let tokens = tokenizer.encode_first_by(SMALL, needed, Interrupt::NEVER, &mut piece)?;
        Ok((tokens, most))
    }

    fn world(documents: u64) -> String {
        let world = World::new(World::BUNDLED_SEED);
        let texts = (0..documents).map(|n| world.document(Split::HeldOut, n).text);
        texts.collect::<Vec<_>>().join("\n\n")
    }

    #[test]
    fn the_first_tokens_are_those_of_the_whole_text() {
        let text = format!("Grüße, 世界 🚂\u{feff}\t\r\n {}", world(60));
        for tokenizer in [bundled(), marked()] {
            let whole = tokenizer.encode(&text).unwrap();
            for needed in [0, 1, 2, 15, 16, 100, 999, 1000, 4000, usize::MAX] {
                let (tokens, _) = first(&tokenizer, &text, needed).unwrap();
                assert!(tokens == whole[..needed.min(whole.len())], "{needed}");
            }
        }
    }

    #[test]
    fn few_tokens_take_little_text() {
        let text = world(60);
        let (_, bytes) = first(&bundled(), &text, 10).unwrap();
        assert!(
            bytes < 2000 && text.len() > 10_000,
            "{bytes} of {}",
            text.len()
        );
    }

    #[test]
    fn a_text_of_one_character_is_encoded_from_its_start() {
        for text in ["\0".repeat(50_000), "c".repeat(50_001), " ".repeat(30_000)] {
            for tokenizer in [bundled(), marked()] {
                let whole = tokenizer.encode(&text).unwrap();
                let (tokens, bytes) = first(&tokenizer, &text, 16).unwrap();
                assert_eq!(tokens, whole[..16.min(whole.len())]);
                assert!(bytes < text.len() || whole.len() < 16 + MARGIN);
            }
        }
    }

    #[test]
    fn pieces_that_agree_nowhere_are_not_joined() {
        // Every three characters are a token, counted from where a text begins; pieces begin
        // at 1792, 3584 and 7168, none of which three divides.
        let threes = tokenizer(&serde_json::json!({
            "version": "1.0",
            "pre_tokenizer": {"type": "FixedLength", "length": 3},
            "model": {"type": "WordLevel", "vocab": {"ccc": 0, "?": 1}, "unk_token": "?"}
        }));
        let text = "c".repeat(30_000);
        let error = first(&threes, &text, 9000).unwrap_err();
        assert!(error.0.contains("agree nowhere"), "{error:?}");
        assert_eq!(first(&threes, &text, 16).unwrap().0, [0; 16]);
    }

    #[test]
    fn an_interrupt_ends_it() {
        let raised = std::sync::atomic::AtomicBool::new(true);
        let piece = |_, _| -> Result<TextPiece, Fault> { unreachable!() };
        let error = bundled().encode_first(5, Interrupt::from(&raised), piece);
        assert_eq!(error.unwrap_err().0, "interrupted");
    }
}
