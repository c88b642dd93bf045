//! Traces of requests, and files of lengths.

use crate::campaign::{Target, check_message};
use airloom::interrupt::Interrupt;
use airloom::serving::lengths::LengthSource;
use airloom::serving::trace::{Extract, RequestTrace, TraceFormat, TracedPrompt};
use std::fs;
use std::path::Path;

fn fixture(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/requests");
    fs::read(folder.join(name)).unwrap()
}

#[test]
fn request_traces() {
    let formats = [
        None,
        Some(TraceFormat::Azure),
        Some(TraceFormat::BurstGpt),
        Some(TraceFormat::Jsonl),
    ];
    Target {
        name: "request_traces",
        words: &[
            "TIMESTAMP",
            "Timestamp",
            "ContextTokens",
            "Response tokens",
            "2024-02-29T23:59:59.999999999999999+23:59",
            "0000-01-01 00:00:00",
            "9999-12-31 23:59:59",
            "\"arrival_s\":",
            "\"prompt\": \"\\u001b\\n\"",
            "\"user\": 18446744073709551615",
            "\"priority\":",
            "{",
            "}",
            "\u{feff}",
            "\r\n",
        ],
        seeds: ["azure.csv", "burst_gpt.csv", "requests.jsonl"]
            .map(fixture)
            .to_vec(),
        inputs: 10_000,
        read: &|input| {
            let whole = formats.map(|format| (format, 0, u64::MAX));
            for (format, first, count) in whole.into_iter().chain([(None, 1, 2)]) {
                let extract = Extract { first, count };
                let read = RequestTrace::read(input, "t", format, extract, Interrupt::NEVER);
                let trace = match read {
                    Ok(trace) => trace,
                    Err(error) => {
                        check_message(&error.to_string());
                        continue;
                    }
                };
                let requests = trace.requests;
                assert!(!requests.is_empty() && trace.bytes <= input.len() as u64);
                assert!(requests.len() as u64 <= count);
                assert!(requests.is_sorted_by(|one, next| one.at_s <= next.at_s));
                for request in requests {
                    assert!(request.at_s >= 0.0 && request.at_s.is_finite());
                    assert!(request.output > 0 && request.prompt != TracedPrompt::Tokens(0));
                }
            }
        },
    }
    .run();
}

#[test]
fn files_of_lengths() {
    Target {
        name: "lengths",
        words: &["tokens", "1048576", "1048577", "\r\n", "\u{feff}"],
        seeds: vec![b"tokens\n128\n7\n4000\n".to_vec(), b"1\n2\n\n3".to_vec()],
        inputs: 5_000,
        read: &|input| {
            let text = String::from_utf8_lossy(input);
            match LengthSource::parse(Path::new("lengths.csv"), &text) {
                Ok(lengths) => assert!(lengths.most() > 0),
                Err(message) => check_message(&message),
            }
        },
    }
    .run();
}
