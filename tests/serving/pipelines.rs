//! Micro-batches fill the bubble of a pipeline.

use super::simulated;

/// Time for `requests` prompts, which arrive together, through a pipeline of `stages` equal
/// nodes, with so many batches in flight.
fn makespan(stages: usize, requests: usize, in_flight: usize) -> f64 {
    let nodes: Vec<String> = (0..stages)
        .map(|number| format!(r#""node{number}": (profile: Preset("edge-server-l4"))"#))
        .collect();
    let links: Vec<String> = (1..stages)
        .map(|number| {
            let before = number - 1;
            format!(
                r#""wire{number}": Wire(between: ("node{before}", "node{number}"), rate: "1000 Tbit/s", delay: "0 s")"#
            )
        })
        .collect();
    let places: Vec<String> = (0..stages)
        .map(|number| format!(r#"Single(at: "node{number}")"#))
        .collect();
    let tokens = r#"Tokens(prompt: 256, arrival: At("0 s"))"#;
    let run = simulated(&format!(
        r#"model: Shape("llama-3-8b"), nodes: {{{}}}, links: {{{}}},
        replicas: [(placement: Pipeline(stages: [{}]), in_flight: {in_flight})],
        workload: [{}],"#,
        nodes.join(", "),
        links.join(", "),
        places.join(", "),
        vec![tokens; requests].join(", "),
    ));
    run.makespan.as_seconds()
}

#[test]
fn a_pipeline_is_as_efficient_as_its_micro_batches_let_it_be() {
    let stages = 4;
    let one = makespan(stages, 1, 1);
    // The last stage has the LM head too: it is the longest, and each further batch takes as
    // long as it does.
    let longest = makespan(stages, 2, stages) - one;
    for m in [1, 2, 4, 8, 16] {
        let filled = one + (m - 1) as f64 * longest;
        let taken = makespan(stages, m, stages);
        assert!((taken / filled - 1.0).abs() < 5e-3, "{m}: {taken} {filled}");
        // All stages busy would take m/stages of what one batch takes through all of them.
        let efficiency = one * m as f64 / stages as f64 / taken;
        let expected = m as f64 / (m + stages - 1) as f64;
        assert!(
            (efficiency / expected - 1.0).abs() < 0.2,
            "{m} micro-batches: {efficiency}, and not {expected}"
        );
    }
}

#[test]
fn one_batch_in_flight_leaves_all_stages_but_one_idle() {
    let (one, eight) = (makespan(4, 1, 1), makespan(4, 8, 1));
    assert!((eight / one - 8.0).abs() < 1e-3, "{eight} {one}");
}
