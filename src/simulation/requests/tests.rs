use super::*;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const GAPS: &str = "process: Gamma(rate: \"5 /s\", cv: 2.0)";
const LENGTHS_OF_BOTH: &str =
    "prompt: Tokens(Uniform(from: 10, to: 500)), output: LogNormal(median: 20, sigma: 1, most: 99)";

struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/requests");
        for name in ["azure.csv", "burst_gpt.csv", "requests.jsonl"] {
            fs::copy(fixtures.join(name), folder.path().join(name)).unwrap();
        }
        fs::write(folder.path().join("lengths.csv"), "tokens\n3\n5\n").unwrap();
        Self(folder)
    }

    fn resolved(&self, workload: &str) -> Resolved {
        let text = format!(
            "Scenario(model: Shape(\"llama-2-7b\"), nodes: {{\"phone\": (count: 3), \"edge\": ()}}, \
             links: {{\"cell\": Radio(hub: \"edge\", members: \"phone\")}}, \
             replicas: [(placement: Single(at: \"edge\"))], workload: [{workload}])"
        );
        let path = self.0.path().join("s.ron");
        scenario::parse(&text, &path, &[]).unwrap_or_else(|error| panic!("{error}"))
    }

    fn lowered(&self, workload: &str, run: u32) -> Result<Vec<Request>, RunError> {
        let resolved = self.resolved(workload);
        let lowering = Lowering {
            resolved: &resolved,
            streams: Streams { seed: 3, run },
            reader: None,
            interrupt: Interrupt::NEVER,
        };
        lowering.requests(&mut Vec::new())
    }

    fn requests(&self, workload: &str) -> Vec<Request> {
        self.lowered(workload, 0)
            .unwrap_or_else(|error| panic!("{error}"))
    }
}

fn lengths(request: &Request) -> (u32, u32) {
    match request.task {
        Task::Tokens { prompt, generate } => (prompt, generate),
        _ => panic!("a shape counts tokens"),
    }
}

fn at(request: &Request) -> f64 {
    match request.arrival {
        Arrival::At(instant) => instant.as_seconds(),
        Arrival::After { .. } => panic!("it waits for nobody"),
    }
}

#[test]
fn streams_unfold_where_they_stand_and_a_single_request_follows_the_last() {
    let desk = Desk::new();
    let stream = "Arrivals(process: Deterministic(gap: \"2 s\"), count: 3, start: \"1 s\", prompt: \
                  Tokens(Fixed(40)), output: Empirical(\"lengths.csv\"), from: \"phone\", \
                  priority: 4, shared_prefix: 64)";
    let workload =
        format!("Tokens(prompt: 7, generate: 2, from: \"phone1\"), {stream}, Tokens(prompt: 9)");
    let requests = desk.requests(&workload);
    assert_eq!(requests.len(), 5);
    let entries: Vec<u32> = requests.iter().map(|request| request.entry).collect();
    assert_eq!(entries, [0, 1, 1, 1, 2]);
    let from: Vec<Option<u16>> = requests.iter().map(|r| r.from.map(|node| node.0)).collect();
    assert_eq!(from, [Some(2), Some(1), Some(2), Some(3), None]);
    let streamed = &requests[1..4];
    assert_eq!(streamed.iter().map(at).collect::<Vec<_>>(), [1.0, 3.0, 5.0]);
    for request in streamed {
        let (prompt, output) = lengths(request);
        assert!(prompt == 40 && [3, 5].contains(&output), "{request:?}");
        assert_eq!((request.priority, request.shared_prefix), (4, 40));
        assert!(request.tells_output && request.prefix_group == 1);
    }
    let after = Arrival::After {
        request: 3,
        pause: Duration::ZERO,
    };
    assert_eq!(requests[4].arrival, after);
}

#[test]
fn no_entry_moves_another_and_runs_differ() {
    let desk = Desk::new();
    let stream = format!("Arrivals({GAPS}, count: 40, {LENGTHS_OF_BOTH})");
    let shown = |requests: &[Request]| format!("{:?}", &requests[..40]);
    let alone = desk.requests(&stream);
    let beside = desk.requests(&format!(
        "{stream}, Arrivals({GAPS}, count: 9, {LENGTHS_OF_BOTH})"
    ));
    assert_eq!(shown(&alone), shown(&beside));
    assert_ne!(lengths(&beside[0]), lengths(&beside[40]));
    let longer = desk.requests(&stream.replace("to: 500", "to: 900"));
    assert!(alone.iter().map(at).eq(longer.iter().map(at)));
    let outputs = |requests: &[Request]| -> Vec<u32> {
        requests.iter().map(|request| lengths(request).1).collect()
    };
    assert_eq!(outputs(&alone), outputs(&longer));
    let again = desk.lowered(&stream, 1).unwrap();
    assert_ne!(shown(&alone), shown(&again));
}

#[test]
fn users_keep_to_one_node_each() {
    let desk = Desk::new();
    let users = "process: ClosedLoop(users: 4, think: \"1 s\"), count: 9, from: \"phone\"";
    let requests = desk.requests(&format!(
        "Tokens(prompt: 1), Arrivals({users}, {LENGTHS_OF_BOTH})"
    ));
    let of_user: Vec<_> = requests[1..]
        .iter()
        .map(|request| request.from.unwrap())
        .collect();
    for (place, node) in of_user.iter().enumerate() {
        assert_eq!(*node, of_user[place % 4]);
    }
    assert_eq!(of_user[0], of_user[3]);
    let follows = |number: usize| match requests[number].arrival {
        Arrival::After { request, .. } => Some(request),
        Arrival::At(_) => None,
    };
    assert_eq!([4, 5, 9].map(follows), [None, Some(1), Some(5)]);
    let counted =
        "{\"arrival_s\": 0, \"prompt_tokens\": 9, \"output_tokens\": 1, \"user\": \"ann\"}\n";
    let text = [counted, &counted.replace("ann", "ben"), counted].concat();
    fs::write(desk.0.path().join("users.jsonl"), text).unwrap();
    let traced = desk.requests("Trace(file: \"users.jsonl\", from: \"phone\")");
    let from: Vec<_> = traced.iter().map(|request| request.from.unwrap()).collect();
    assert!(from[0] == from[2] && from[0] != from[1], "{from:?}");
}

#[test]
fn traces_become_requests() {
    let desk = Desk::new();
    let requests = desk.requests(
        "Trace(file: \"azure.csv\", speed: 0.5, start: \"10 s\", from: \"edge\"), \
         Trace(file: \"burst_gpt.csv\", first: 1, count: 2, priority: 3)",
    );
    let shown: Vec<_> = requests
        .iter()
        .map(|request| (at(request), lengths(request)))
        .collect();
    let expected = [
        (10.0, (480, 10)),
        (10.104, (318, 8)),
        (10.196398, (110, 27)),
        (11.087904, (91, 2)),
        (0.0, (87, 230)),
        (73.0, (417, 276)),
    ];
    for ((at, lengths), (expected, both)) in shown.iter().zip(expected) {
        assert!(
            (at - expected).abs() < 2e-12 && *lengths == both,
            "{shown:?}"
        );
    }
    assert_eq!(shown.len(), expected.len());
    let classes: Vec<u32> = requests.iter().map(|request| request.priority).collect();
    assert_eq!(classes, [0, 0, 0, 0, 3, 3]);
    let refused = |workload: &str| desk.lowered(workload, 0).unwrap_err().to_string();
    let message = refused("Trace(file: \"requests.jsonl\")");
    assert!(
        message.contains("requests.jsonl:2: a Shape has no weights to read `prompt`"),
        "{message}"
    );
    let message = refused("Trace(file: \"lengths.csv\")");
    assert!(
        message.contains("workload[0].file: ") && message.contains("lengths.csv:1:1: "),
        "{message}"
    );
    let message = refused("Trace(file: \"azure.csv\", speed: 1e-9)");
    assert!(
        message.contains("azure.csv:3: ") && message.contains("213 days"),
        "{message}"
    );
}

#[test]
fn a_hundred_thousand_requests_are_made_at_once() {
    let stream = format!("Arrivals({GAPS}, count: 100000, {LENGTHS_OF_BOTH})");
    let begin = std::time::Instant::now();
    let requests = Desk::new().requests(&stream);
    assert_eq!(requests.len(), 100_000);
    assert!(requests.is_sorted_by_key(at));
    assert!(begin.elapsed().as_secs() < 5, "{:?}", begin.elapsed());
}
