//! Tokens that are drawn.

use super::{simulated, surprise, texts};
use airloom::observer::{Observer, Travelling};
use airloom::scenario;
use airloom::simulation::simulate;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;

const NODES: &str =
    r#"model: Folder("models/tiny-llama"), nodes: {"edge": (profile: Preset("edge-server-l4"))},"#;

/// Keeps the first row of logits that it sees.
#[derive(Default)]
struct First(Option<Vec<f32>>);

impl Observer for First {
    fn tensors(&mut self, tensors: &[Travelling<'_>]) -> io::Result<()> {
        if let Some(logits) = tensors.iter().find(|tensor| tensor.stage == "logits") {
            self.0.get_or_insert_with(|| logits.values.to_vec());
        }
        Ok(())
    }
}

/// A softmax in plain f64 at a temperature, of which the k largest are kept and of those the fewest
/// that reach a part.
fn expected(logits: &[f32], temperature: f64, k: usize, part: f64) -> BTreeMap<u32, f64> {
    let greatest = logits.iter().copied().fold(f32::MIN, f32::max);
    let mut weights: Vec<(u32, f64)> = logits
        .iter()
        .enumerate()
        .map(|(token, logit)| {
            (
                token as u32,
                (f64::from(logit - greatest) / temperature).exp(),
            )
        })
        .collect();
    weights.sort_by(|a, b| b.1.total_cmp(&a.1));
    weights.truncate(k);
    let sum: f64 = weights.iter().map(|(_, weight)| weight).sum();
    let mut reached = 0.0;
    weights.retain(|(_, weight)| {
        let kept = reached < part * sum;
        reached += weight;
        kept
    });
    let sum: f64 = weights.iter().map(|(_, weight)| weight).sum();
    weights
        .into_iter()
        .map(|(token, weight)| (token, weight / sum))
        .collect()
}

#[test]
fn drawn_tokens_are_distributed_as_the_softmax_says() {
    let count = 2000;
    for (sampling, temperature, k, part) in [
        ("", 1.0, 1024, 1.0),
        ("temperature: 2.5", 2.5, 1024, 1.0),
        ("temperature: 1.5, top_k: Some(7)", 1.5, 7, 1.0),
        ("temperature: 1.5, top_p: 0.8", 1.5, 1024, 0.8),
        (
            "temperature: 3.0, top_k: Some(40), top_p: 0.6",
            3.0,
            40,
            0.6,
        ),
    ] {
        let one = r#"Generate(prompt: "The town of Arden lies in", max_tokens: 1),"#;
        let text = format!(
            "Scenario({NODES} workload: [{}], replicas: [(placement: Single(at: \"edge\"), \
             scheduler: Continuous(batch: 64), decoding: Sample({sampling}))])",
            one.repeat(count)
        );
        let resolved = scenario::parse(&text, Path::new("test.ron"), &[]).unwrap();
        let mut first = First::default();
        let run = simulate(&resolved, &mut first).unwrap();
        let expected = expected(&first.0.unwrap(), temperature, k, part);
        let mut seen: BTreeMap<u32, f64> = BTreeMap::new();
        for pass in &run.measured.passes {
            let (token, _) = pass.chosen.as_ref().unwrap();
            *seen.entry(*token).or_insert(0.0) += 1.0;
        }
        assert!(
            seen.keys().all(|token| expected.contains_key(token)),
            "{sampling}"
        );
        let cells: Vec<(f64, f64)> = expected
            .iter()
            .map(|(token, p)| (seen.get(token).copied().unwrap_or(0.0), p * count as f64))
            .collect();
        let surprise = surprise(&cells);
        assert!(
            surprise.abs() < 4.0,
            "{sampling}: {surprise} over {} cells",
            cells.len()
        );
    }
}

/// Laws 6 and 9: no draw depends on what else is in a batch, or on how it is scheduled.
#[test]
fn law_9_a_sampled_text_is_the_same_alone_and_in_any_batch() {
    let one =
        r#"Generate(prompt: "Once Clara was in the barn", max_tokens: 12, arrival: At("0 s")),"#;
    let others = r#"
        Generate(prompt: "Mara", max_tokens: 9, arrival: At("0 s")),
        Generate(prompt: "The town of Arden lies in", max_tokens: 14, arrival: At("1 ms")),"#;
    let told = |workload: &str, replica: &str| {
        let decoding = "decoding: Sample(temperature: 1.3, top_k: Some(50))";
        let replica =
            format!(r#"replicas: [(placement: Single(at: "edge"), {decoding}, {replica})]"#);
        texts(&simulated(&format!(
            "seed: 3, {NODES} workload: [{workload}], {replica}"
        )))
    };
    let alone = told(one, "");
    let sides = told(others, "");
    for replica in [
        "scheduler: Continuous(batch: 3)",
        "scheduler: Continuous(batch: 4, chunk: 3)",
        "scheduler: Static(batch: 3)",
        "scheduler: Continuous(batch: 4), cache: Paged(block: 4, tokens: 40, watermark: 0)",
        "scheduler: Continuous(batch: 2), in_flight: 2",
    ] {
        let together = told(&format!("{one}{others}"), replica);
        assert_eq!(together[0], alone[0], "{replica}");
        assert_eq!(together[1..], sides, "{replica}");
    }
    let greedy = texts(&simulated(&format!("seed: 3, {NODES} workload: [{one}]")));
    assert_ne!(greedy, alone);
}

#[test]
fn a_request_may_draw_in_its_own_way_and_meets_other_draws_when_asked_again() {
    let cold = r#"Generate(prompt: "The town of Arden lies in", max_tokens: 6, sampling: Some((temperature: 0.001)))"#;
    let hot = r#"Generate(prompt: "The town of Arden lies in", max_tokens: 6, sampling: Some((temperature: 4.0)))"#;
    let plain = r#"Generate(prompt: "The town of Arden lies in", max_tokens: 6)"#;
    let run = simulated(&format!(
        "{NODES} workload: [{plain}, {cold}, {hot}, {hot}]"
    ));
    let texts = texts(&run);
    assert_eq!(texts[0], texts[1], "as good as greedy");
    assert_ne!(texts[0], texts[2]);
    assert_ne!(texts[2], texts[3]);
}

/// All requests of a stream or of a trace draw as their entry says.
#[test]
fn a_stream_of_requests_draws_in_its_own_way() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("asked.jsonl");
    let line = |at: u32| {
        format!(
            "{{\"arrival_s\": {at}, \"prompt\": \"The town of Arden lies in\", \"output_tokens\": 6}}\n"
        )
    };
    std::fs::write(&file, line(0) + &line(1)).unwrap();
    let streams = |sampling: &str| {
        let drawn = format!(
            r#"Arrivals(process: Poisson(rate: "2 /s"), count: 2, output: Fixed(6),
               prompt: Text("The town of Arden lies in"), {sampling})"#
        );
        let recorded = format!(r#"Trace(file: {file:?}, {sampling})"#);
        texts(&simulated(&format!(
            "{NODES} workload: [{drawn}, {recorded}]"
        )))
    };
    let plain = streams("");
    assert_eq!(
        plain,
        streams("sampling: Some((temperature: 0.001))"),
        "as good as greedy"
    );
    let hot = streams("sampling: Some((temperature: 4.0))");
    let each = hot.iter().zip(&plain);
    assert!(each.into_iter().all(|(hot, plain)| hot != plain), "{hot:?}");
    assert_ne!(hot[2], hot[3]);
}
