//! What decoding cannot be, said at its place.

use super::beginning;
use airloom::interrupt::Interrupt;
use airloom::scenario;
use airloom::simulation::{check_inputs, simulate};
use std::path::Path;

fn fault(fields: &str) -> String {
    let text = format!("Scenario({fields})");
    match scenario::parse(&text, Path::new("test.ron"), &[]) {
        Err(error) => error.to_string(),
        Ok(resolved) => match simulate(&resolved, &mut ()) {
            Err(error) => error.to_string(),
            Ok(_) => panic!("{fields} is accepted"),
        },
    }
}

fn scenario_of(models: &str, decoding: &str) -> String {
    format!("Scenario({})", fields_of(models, decoding))
}

fn decoding(models: &str, decoding: &str) -> String {
    fault(&fields_of(models, decoding))
}

fn fields_of(models: &str, decoding: &str) -> String {
    format!(
        r#"model: Folder("models/tiny-llama"), {models}
        nodes: {{"edge": (profile: Preset("edge-server-l4")), "far": (profile: Preset("phone-a17-pro"))}},
        workload: [Generate(prompt: "Mara")],
        replicas: [(placement: Single(at: "edge"), decoding: {decoding})]"#
    )
}

#[test]
fn impossible_fields_are_told_at_their_place() {
    for (given, path, says) in [
        ("Sample(temperature: 0.0)", "temperature", "above 0"),
        ("Sample(temperature: -1.0)", "temperature", "above 0"),
        ("Sample(top_p: 1.1)", "top_p", "up to 1"),
        ("Sample(top_k: Some(0))", "top_k", "1 or more"),
        (
            "Speculative(draft: Lookup(), length: Fixed(0))",
            "length",
            "drafts nothing",
        ),
        (
            "Speculative(draft: Lookup(longest: 0))",
            "draft.longest",
            "shortest",
        ),
        (
            "Speculative(draft: Lookup(), sampling: Some((temperature: 0.0)))",
            "sampling.temperature",
            "above 0",
        ),
        (
            r#"Speculative(draft: Model(model: "draft", at: "edge"))"#,
            "draft.model",
            "there is no `draft` among `models`",
        ),
    ] {
        let told = decoding("", given);
        assert!(
            told.contains(&format!("replicas[0].decoding.{path}")),
            "{told}"
        );
        assert!(told.contains(says), "{told}");
        assert!(told.contains("test.ron:"), "{told}");
    }
}

#[test]
fn who_cannot_be_reached_drafts_for_nobody() {
    let models = r#"models: {"draft": Folder("models/tiny-llama")},"#;
    let told = decoding(
        models,
        r#"Speculative(draft: Model(model: "draft", at: "far"))"#,
    );
    assert!(told.contains("no link leads from far to edge"), "{told}");
    let told = decoding(
        models,
        r#"Speculative(draft: Model(model: "draft", at: "fax"))"#,
    );
    assert!(told.contains("there is no node or group `fax`"), "{told}");
}

#[test]
fn other_words_cannot_draft() {
    let folder = beginning(2);
    let path = folder.path().join("tokenizer.json");
    let tokenizer = std::fs::read_to_string(&path).unwrap();
    // Two tokens change places.
    let swapped = tokenizer
        .replacen("\"b\"", "\"#\"", 1)
        .replacen("\"c\"", "\"b\"", 1)
        .replacen("\"#\"", "\"c\"", 1);
    assert_ne!(swapped, tokenizer);
    std::fs::write(&path, swapped).unwrap();
    let models = format!(
        r#"models: {{"draft": Folder("{}")}},"#,
        folder.path().display()
    );
    let told = decoding(
        &models,
        r#"Speculative(draft: Model(model: "draft", at: "edge"))"#,
    );
    assert!(told.contains("shares the vocabulary"), "{told}");
}

#[test]
fn a_damaged_draft_model_is_told_where_it_is_named() {
    let folder = beginning(2);
    std::fs::write(folder.path().join("model.safetensors"), b"nothing").unwrap();
    let models = format!(
        r#"models: {{"draft": Folder("{}")}},"#,
        folder.path().display()
    );
    let told = decoding(
        &models,
        r#"Speculative(draft: Model(model: "draft", at: "edge"))"#,
    );
    assert!(told.contains(": models.draft: "), "{told}");
}

#[test]
fn a_check_opens_the_second_model_too() {
    let folder = beginning(2);
    std::fs::write(folder.path().join("config.json"), b"nothing").unwrap();
    let models = format!(
        r#"models: {{"small": Folder("{}")}},"#,
        folder.path().display()
    );
    for decoding in [
        r#"Speculative(draft: Model(model: "small", at: "edge"))"#,
        r#"Cascade(model: "small", at: "edge", threshold: 0.5)"#,
    ] {
        let text = scenario_of(&models, decoding);
        let resolved = scenario::parse(&text, Path::new("test.ron"), &[]).unwrap();
        let told = check_inputs(&resolved, Interrupt::NEVER).unwrap_err();
        assert!(told.to_string().contains(": models.small: "), "{told}");
    }
}

#[test]
fn a_cascade_that_cannot_be_is_told_at_its_place() {
    let models =
        r#"models: {"small": Folder("models/tiny-llama-draft"), "shape": Shape("llama-2-7b")},"#;
    for (given, path, says) in [
        (
            r#"Cascade(model: "small", at: "edge", threshold: 1.5)"#,
            "threshold",
            "no probability",
        ),
        (
            r#"Cascade(model: "smell", at: "edge", threshold: 0.5)"#,
            "model",
            "there is no `smell` among `models`",
        ),
        (
            r#"Cascade(model: "shape", at: "edge", threshold: 0.5)"#,
            "model",
            "computes no token",
        ),
        (
            r#"Cascade(model: "small", at: "far", threshold: 0.5)"#,
            "at",
            "no link leads from far to edge",
        ),
        (
            r#"Cascade(model: "small", at: "edge", threshold: 0.5, sampling: Some((top_k: Some(0))))"#,
            "sampling.top_k",
            "1 or more",
        ),
    ] {
        let told = decoding(models, given);
        assert!(
            told.contains(&format!("replicas[0].decoding.{path}")),
            "{told}"
        );
        assert!(told.contains(says) && told.contains("test.ron:"), "{told}");
    }
}

#[test]
fn a_draft_that_does_not_fit_is_told_with_its_node() {
    let told = fault(
        r#"model: Folder("models/tiny-llama"), models: {"draft": Folder("models/tiny-llama")},
        nodes: {"edge": (profile: Preset("edge-server-l4")),
                "phone": (profile: Custom(name: "small", peak: "1 TFLOP/s", memory_bandwidth: "10 GB/s", memory: "1 MB"))},
        links: {"wire": Wire(between: ("phone", "edge"), rate: "1 Gbit/s")},
        workload: [Generate(prompt: "Mara")],
        replicas: [(placement: Single(at: "edge"), decoding: Speculative(draft: Model(model: "draft", at: "phone")))]"#,
    );
    assert!(told.contains("phone"), "{told}");
}

#[test]
fn a_shape_has_nothing_to_draft() {
    let told = fault(
        r#"model: Shape("llama-2-7b"), nodes: {"edge": (profile: Preset("edge-server-l4"))},
        workload: [Tokens(prompt: 5, generate: 3)],
        replicas: [(placement: Single(at: "edge"), decoding: Speculative(draft: Lookup()))]"#,
    );
    assert!(told.contains("a Shape computes no tokens"), "{told}");
}

#[test]
fn a_stream_that_cannot_draw_is_told_at_its_place() {
    let model = r#"Folder("models/tiny-llama")"#;
    let shape = r#"Shape("llama-2-7b")"#;
    let stream = |model: &str, prompt: &str, sampling: &str| {
        fault(&format!(
            r#"model: {model}, nodes: {{"edge": (profile: Preset("edge-server-l4"))}},
            workload: [Arrivals(process: Poisson(rate: "2 /s"), count: 2, output: Fixed(6),
                                prompt: {prompt}, sampling: Some(({sampling})))]"#
        ))
    };
    let told = stream(model, r#"Text("Mara")"#, "temperature: 0.0");
    assert!(told.contains("workload[0].sampling.temperature"), "{told}");
    let told = stream(shape, "Tokens(Fixed(8))", "");
    assert!(
        told.contains("workload[0].sampling") && told.contains("no probabilities"),
        "{told}"
    );
}
