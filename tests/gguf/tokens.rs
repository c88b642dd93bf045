//! Tokens as llama.cpp would cut them: as the same model's `tokenizer.json`, or as SentencePiece.

use super::{bundled, fixture};
use airloom::numerics::Tokenizer;
use serde::Deserialize;
use std::fs;

#[derive(Deserialize)]
struct Cut {
    text: String,
    tokens: Vec<u32>,
}

#[test]
fn merges_of_bytes_cut_as_the_tokenizer_json_does() {
    let own = Tokenizer::load(&fixture("byte_level.gguf")).expect("a vocabulary");
    let json = Tokenizer::load(&bundled("tiny-llama")).expect("the bundled model");
    assert_eq!(own.vocabulary(), json.vocabulary());
    assert_eq!((own.begin(), own.end()), (json.begin(), json.end()));
    let world = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md"));
    let texts = [
        "The river ran past the mill, and nobody's boat was on it.",
        "  spaces   and\ttabs\n\n and 12345 digits 6 ",
        "naïve – 東京 \u{1f600} <|bos|> in between <|end|>",
        "I'll we've IT'S don't",
        "",
        &world.expect("there"),
    ];
    for text in texts {
        let tokens = own.encode(text).expect("cut");
        assert_eq!(tokens, json.encode(text).expect("cut"), "{text:.80}");
        assert_eq!(
            own.encode_document(text).expect("cut"),
            json.encode_document(text).expect("cut")
        );
        assert_eq!(
            own.decode(&tokens).expect("text"),
            json.decode(&tokens).expect("text")
        );
    }
}

#[test]
fn scores_cut_as_sentencepiece_does() {
    let tokenizer = Tokenizer::load(&fixture("scores.gguf")).expect("a vocabulary");
    let text = fs::read(fixture("scores.json")).expect("the fixture is complete");
    let expected: Vec<Cut> = serde_json::from_slice(&text).expect("the script wrote it");
    assert!(expected.len() > 10);
    for cut in expected {
        let tokens = tokenizer.encode(&cut.text).expect("cut");
        assert_eq!(tokens, cut.tokens, "{:?}", cut.text);
        // A piece that stands for a space is read as one.
        let back = cut.text.replace('\u{2581}', " ");
        assert_eq!(tokenizer.decode(&tokens).expect("text"), back);
    }
    assert_eq!(tokenizer.begin(), [1]);
    assert!(tokenizer.end().is_empty());
}
