//! Laws 7 and 9: wherever the layers lie, the model computes what it computes on one node.

use super::simulated;

const TEXTS: &str = r#"workload: [
    Score(text: World(documents: 2), arrival: At("0 s")),
    Generate(prompt: "Once Clara was in the barn", max_tokens: 6, arrival: At("0 s")),
    Generate(prompt: "The town of Arden lies in", max_tokens: 6, arrival: At("1 ms")),
],"#;

/// −ln p of every pass by request and step, to the bit.
type Nats = Vec<(u32, u32, u64)>;

/// −ln p of all passes, and the texts.
fn answers(placements: &str) -> (Nats, Vec<Option<String>>) {
    let run = simulated(&format!("{TEXTS} replicas: [{placements}],"));
    let mut nats: Nats = run
        .measured
        .passes
        .iter()
        .map(|pass| {
            let nats = pass.negative_log_likelihood.unwrap();
            (pass.request, pass.step, nats.to_bits())
        })
        .collect();
    nats.sort_unstable();
    let requests = run.measured.requests.iter();
    (nats, requests.map(|request| request.text.clone()).collect())
}

const SINGLE: &str = r#"(placement: Single(at: "edge"))"#;

#[test]
fn law_7_a_pipeline_that_carries_all_bits_is_the_whole_model_bit_for_bit() {
    let whole = answers(SINGLE);
    for pipeline in [
        r#"(placement: Pipeline(over: "left", bits: 32))"#,
        r#"(placement: Pipeline(bits: 32, partition: Fixed([1, 4, 1]), stages: [
            Single(at: "right1"), Single(at: "cloud"), Single(at: "right1")]))"#,
    ] {
        assert_eq!(answers(pipeline), whole, "{pipeline}");
    }
}

#[test]
fn law_9_a_request_is_answered_the_same_alone_or_beside_others_on_any_replica() {
    let whole = answers(SINGLE);
    for several in [
        r#"(placement: Pipeline(over: "left", bits: 32), in_flight: 3)"#,
        r#"(placement: Pipeline(over: "left", bits: 32), in_flight: 1)"#,
        r#"(placement: Single(at: "edge"), in_flight: 2)"#,
        r#"(placement: Single(at: "edge")), (placement: Single(at: "cloud"))"#,
    ] {
        assert_eq!(answers(several), whole, "{several}");
    }
}

#[test]
fn law_7_groups_that_sum_exactly_in_a_pipeline_leave_the_model_as_it_is() {
    let perplexity = |placement: &str| {
        let run = simulated(&format!("{TEXTS} replicas: [(placement: {placement})],"));
        run.metrics.get("perplexity").unwrap()
    };
    let exact = perplexity(r#"Single(at: "edge")"#);
    let hybrid = perplexity(
        r#"Pipeline(bits: 32, stages: [
            TensorParallel(over: "left", at: "edge", all_reduce: Ideal),
            TensorParallel(over: "right", at: "edge", all_reduce: Ideal)])"#,
    );
    assert!((hybrid / exact - 1.0).abs() < 1e-4, "{hybrid} {exact}");
}

#[test]
fn what_a_cut_carries_in_few_bits_is_felt() {
    let perplexity = |bits: u32| {
        let run = simulated(&format!(
            r#"{TEXTS} replicas: [(placement: Pipeline(over: "left", bits: {bits}))],"#
        ));
        run.metrics.get("perplexity").unwrap()
    };
    let [exact, half, coarse] = [32, 16, 2].map(perplexity);
    assert!((half / exact - 1.0).abs() < 1e-2, "{half} {exact}");
    assert!(coarse > 1.01 * exact, "{coarse} {exact}");
}
