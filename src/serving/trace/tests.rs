use super::*;
use proptest::prelude::*;

const ALL: Extract = Extract {
    first: 0,
    count: u64::MAX,
};

fn extract(text: &str, extract: Extract) -> Result<RequestTrace, RequestTraceError> {
    RequestTrace::read(text.as_bytes(), "t", None, extract, Interrupt::NEVER)
}

fn rows(text: &str) -> Vec<(f64, TracedPrompt, u32)> {
    let trace = extract(text, ALL).unwrap_or_else(|error| panic!("{error}"));
    let requests = trace.requests.into_iter();
    requests
        .map(|request| (request.at_s, request.prompt, request.output))
        .collect()
}

fn tokens(at: f64, prompt: u32, output: u32) -> (f64, TracedPrompt, u32) {
    (at, TracedPrompt::Tokens(prompt), output)
}

const AZURE: &str = "TIMESTAMP,ContextTokens,GeneratedTokens\n\
    2023-11-16 18:17:03.9799600,4808,10\n\
    2023-11-16 18:17:04.0319600,3180,8\n\
    2023-11-16 18:17:04.0319600,110,27\n";

const BURST_GPT: &str = "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n\
    5,ChatGPT,472,18,490,Conversation log\n\
    45.5,GPT-4,1087,230,1317,\"Conversation, log\"\n";

const OBJECTS: &str = "{\"arrival_s\": 0.5, \"prompt_tokens\": 812, \"output_tokens\": 120, \"user\": \"ann\"}\n\
    {\"arrival_s\": 0.75, \"prompt\": \"Once\", \"output_tokens\": 3, \"user\": 7, \"priority\": 2}\n\
    {\"arrival_s\": 2, \"prompt_tokens\": 1, \"output_tokens\": 1, \"user\": \"ann\"}\n";

#[test]
fn each_layout_is_known_by_its_content() {
    let expected = [
        tokens(0.0, 4808, 10),
        tokens(0.052, 3180, 8),
        tokens(0.052, 110, 27),
    ];
    assert_eq!(rows(AZURE), expected);
    let excel = format!("\u{feff}{}\r\n\r\n", AZURE.replace('\n', "\r\n"));
    assert_eq!(rows(&excel), expected);
    let expected = [tokens(0.0, 472, 18), tokens(40.5, 1087, 230)];
    assert_eq!(rows(BURST_GPT), expected);
    let text = (0.75, TracedPrompt::Text("Once".to_owned()), 3);
    let expected = [tokens(0.5, 812, 120), text, tokens(2.0, 1, 1)];
    assert_eq!(rows(OBJECTS), expected);
    let users = extract(OBJECTS, ALL).unwrap().requests;
    let users: Vec<_> = users.iter().map(|r| (r.user, r.priority, r.line)).collect();
    let expected = [
        (Some(0), None, 1),
        (Some(1), Some(2), 2),
        (Some(0), None, 3),
    ];
    assert_eq!(users, expected);
}

#[test]
fn a_part_is_taken_and_counts_from_its_first_request() {
    let part = |first, count| Extract { first, count };
    let found = extract(AZURE, part(1, 1)).unwrap();
    assert_eq!(found.requests.len(), 1);
    assert_eq!((found.requests[0].at_s, found.requests[0].line), (0.0, 3));
    let found = extract(OBJECTS, part(1, 9)).unwrap();
    let at: Vec<f64> = found.requests.iter().map(|request| request.at_s).collect();
    assert_eq!(at, [0.0, 1.25]);
    let message = extract(AZURE, part(3, 1)).unwrap_err().to_string();
    assert!(message.starts_with("t has 3 requests"), "{message}");
    let heading = "TIMESTAMP,ContextTokens,GeneratedTokens\n";
    let message = extract(heading, ALL).unwrap_err().to_string();
    assert_eq!(message, "t holds no request; write one a line");
}

#[test]
fn a_bad_line_is_told_with_its_place() {
    let azure = |line: &str| format!("TIMESTAMP,ContextTokens,GeneratedTokens\n{line}\n");
    let burst = |line: &str| {
        format!(
            "{}{line}\n",
            BURST_GPT.split_inclusive('\n').next().unwrap()
        )
    };
    for (text, start) in [
        (
            azure("2023-11-16 18:17,1,1"),
            "t:2:1: TIMESTAMP is `2023-11-16 18:17`; write it like",
        ),
        (
            azure("2023-11-16 18:17:03,0,1"),
            "t:2:21: ContextTokens is `0`; write 1 to",
        ),
        (
            azure("2023-11-16 18:17:03,1,-1"),
            "t:2:23: GeneratedTokens is `-1`; write 1 to",
        ),
        (
            azure("2023-11-16 18:17:03,1"),
            "t:2:1: 2 cells; the heading has 3",
        ),
        (
            format!("{AZURE}2023-11-16 18:17:03,1,1\n"),
            "t:5:1: it comes before the one above; sort",
        ),
        (
            burst("NaN,a,1,1,2,b"),
            "t:2:1: Timestamp is `NaN`; write a number of seconds",
        ),
        (burst("1,a,1,0,1,b"), "t:2:7: Response tokens is `0`"),
        (
            burst("1,a,1,99999999999,1,b"),
            "t:2:7: Response tokens is `99999999999`",
        ),
        (
            "a,b\n".to_owned(),
            "t:1:1: it is no trace that is known; begin it",
        ),
        (
            "TIMESTAMP,ContextTokens\n".to_owned(),
            "t:1:1: there is no column `GeneratedTokens`; Azure has",
        ),
        (
            "{\"arrival_s\": 1}\n".to_owned(),
            "t:1:16: missing field `output_tokens`; write an object",
        ),
        (OBJECTS.replace("priority", "prio"), "t:2:"),
        (OBJECTS.replace("0.75", "-1"), "t:2:2: arrival_s is -1"),
        (OBJECTS.replace("0.75", "0.25"), "t:2:2: it comes before"),
        (OBJECTS.replace("0.75", "1e999"), "t:2:"),
        (OBJECTS.replace("812", "0"), "t:1:20: prompt_tokens is 0"),
        (OBJECTS.replace("Once", " "), "t:2:21: prompt holds no word"),
        (
            OBJECTS.replace("\"prompt\": \"Once\", ", ""),
            "t:2:1: there is neither prompt nor",
        ),
        ("{}\n\u{7}\n".to_owned(), "t:1:2: missing field `arrival_s`"),
    ] {
        let message = extract(&text, ALL).unwrap_err().to_string();
        assert!(message.starts_with(start), "{start}\n{message}");
    }
}

#[test]
fn a_given_format_has_to_be_that_of_the_file() {
    let read = |text: &str, format| {
        let read = RequestTrace::read(text.as_bytes(), "t", Some(format), ALL, Interrupt::NEVER);
        read.map_err(|error| error.to_string())
    };
    assert!(read(AZURE, TraceFormat::Azure).is_ok());
    let message = read(AZURE, TraceFormat::BurstGpt).unwrap_err();
    assert!(
        message.starts_with("t:1:1: there is no column `Timestamp`"),
        "{message}"
    );
    let message = read(AZURE, TraceFormat::Jsonl).unwrap_err();
    assert!(message.starts_with("t:1:1: expected value"), "{message}");
}

#[test]
fn a_line_without_end_takes_no_memory() {
    let endless = std::io::BufReader::new(std::io::repeat(b'7'));
    let read = RequestTrace::read(endless, "t", None, ALL, Interrupt::NEVER);
    let message = read.unwrap_err().to_string();
    assert!(
        message.contains("the line has more than 1048576 bytes"),
        "{message}"
    );
    let message = RequestTrace::read(&b"{\"\xff"[..], "t", None, ALL, Interrupt::NEVER);
    assert_eq!(
        message.unwrap_err().to_string(),
        "t:1:3: it is not UTF-8; convert the file"
    );
}

#[test]
fn the_digest_is_that_of_what_was_read() {
    let whole = extract(AZURE, ALL).unwrap();
    assert_eq!(whole.bytes, AZURE.len() as u64);
    assert_eq!(
        whole.blake3,
        blake3::hash(AZURE.as_bytes()).to_hex().to_string()
    );
    let one = Extract { first: 0, count: 1 };
    assert!(extract(AZURE, one).unwrap().bytes < whole.bytes);
}

proptest! {
    /// The same requests, written in each way, are read alike.
    #[test]
    fn what_is_written_is_read(requests in prop::collection::vec((0u32..5000, 1u32..9999, 1u32..999), 1..40)) {
        let mut at = 0;
        let mut expected = Vec::new();
        let (mut azure, mut burst, mut objects) = (
            "TIMESTAMP,ContextTokens,GeneratedTokens\n".to_owned(),
            "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n".to_owned(),
            String::new(),
        );
        for (place, (gap, prompt, output)) in requests.into_iter().enumerate() {
            at += if place == 0 { 0 } else { gap };
            let (seconds, milliseconds) = (at / 1000, at % 1000);
            let (minutes, left) = (seconds / 60, seconds % 60);
            azure += &format!("2024-05-10 00:{minutes:02}:{left:02}.{milliseconds:03}+00:00,{prompt},{output}\n");
            burst += &format!("{seconds}.{milliseconds:03},x,{prompt},{output},0,y\n");
            objects += &format!(
                "{{\"output_tokens\":{output},\"arrival_s\":{seconds}.{milliseconds:03},\"prompt_tokens\":{prompt}}}\n"
            );
            expected.push(tokens(f64::from(at) / 1000.0, prompt, output));
        }
        for text in [azure, burst, objects] {
            prop_assert_eq!(rows(&text), expected.clone());
        }
    }
}
