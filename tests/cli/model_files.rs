//! Model folders and texts as they are found: `check` says what `run` would, and a run that
//! cannot mean anything says so.

use crate::desk::Desk;
use crate::tiny_model::{self, Tensors};
use std::fs;

/// A damage to the folder and what is said of it.
type Damage = (fn(&Desk), &'static str);

fn written(desk: &Desk, change: impl FnOnce(&mut Tensors)) {
    tiny_model::write(desk, change);
}

fn configured(desk: &Desk, from: &str, to: &str) {
    let text = desk.text("model/config.json");
    assert!(text.contains(from), "{text}");
    desk.write("model/config.json", &text.replace(from, to));
}

#[test]
fn check_says_what_run_would_of_a_model_folder() {
    let damages: [Damage; 10] = [
        (
            |desk| fs::remove_file(desk.path("model/tokenizer.json")).unwrap(),
            "tokenizer.json",
        ),
        (
            |desk| desk.write("model/tokenizer.json", "{\"version\": \"1.0\""),
            "tokenizer.json: not JSON",
        ),
        (
            |desk| desk.write("model/tokenizer.json", "{\"normalizer\": 7}"),
            "tokenizer.json: ",
        ),
        (
            |desk| {
                let from = desk.path("model/model.safetensors");
                fs::rename(from, desk.path("model/pytorch_model.bin")).unwrap();
            },
            "of `pytorch_model.bin` nothing is read",
        ),
        (
            |desk| configured(desk, "\"num_hidden_layers\":1", "\"num_hidden_layers\":2"),
            "`model.layers.1.input_layernorm.weight` is missing",
        ),
        (
            |desk| configured(desk, "\"vocab_size\":300", "\"vocab_size\":301"),
            "has shape [300, 16], expected [301, 16]",
        ),
        (
            |desk| configured(desk, "LlamaForCausalLM", "MixtralForCausalLM"),
            "place this Mixtral by `Experts` or `Single`",
        ),
        (
            |desk| {
                written(desk, |tensors| {
                    let bias = "model.layers.0.self_attn.q_proj.bias".to_owned();
                    tensors.insert(bias, (vec![16], vec![0.0; 16]));
                });
            },
            "`model.layers.0.self_attn.q_proj.bias`",
        ),
        (
            |desk| desk.write("model/generation_config.json", "[1"),
            "generation_config.json: not JSON",
        ),
        (
            |desk| {
                configured(
                    desk,
                    "\"max_position_embeddings\":512",
                    "\"max_position_embeddings\":4",
                )
            },
            "needs a context of",
        ),
    ];
    for (damage, said) in damages {
        let desk = Desk::new();
        written(&desk, |_| ());
        desk.airloom(&["check", "model.ron"]).good();
        damage(&desk);
        let check = desk.airloom(&["check", "model.ron"]).refused(2);
        assert!(check.starts_with("error: model.ron:"), "{check}");
        assert!(
            check.contains(said) && !check.contains("panicked"),
            "{check}"
        );
        let run = desk
            .airloom(&["run", "model.ron", "--out", "out"])
            .refused(2);
        // A run that comes so far has warned of settings without effect.
        assert!(run.ends_with(&check), "{run}\n{check}");
        assert!(!desk.path("out").exists());
    }
}

#[test]
fn check_looks_at_the_models_that_a_sweep_names() {
    let desk = Desk::new();
    written(&desk, |_| ());
    fs::create_dir(desk.path("other")).unwrap();
    fs::copy(
        desk.path("model/config.json"),
        desk.path("other/config.json"),
    )
    .unwrap();
    let axis = r#"sweep=(axes: [(path: "model", values: [Folder("model"), Folder("other")])])"#;
    let said = desk
        .airloom(&["check", "model.ron", "--set", axis])
        .refused(2);
    assert!(said.contains("other/model.safetensors"), "{said}");
}

#[test]
fn a_tokenizer_of_more_tokens_than_the_model_is_another_models() {
    let desk = Desk::new();
    written(&desk, |tensors| {
        for name in ["model.embed_tokens.weight", "lm_head.weight"] {
            let (shape, entries) = tensors.get_mut(name).unwrap();
            shape[0] = 60;
            entries.truncate(60 * 16);
        }
    });
    configured(&desk, "300", "60");
    let said = desk.airloom(&["check", "model.ron"]).refused(2);
    assert!(
        said.contains("outside the model's vocabulary of 60"),
        "{said}"
    );
}

/// The tiny model with every entry of its last norm set to `value`.
fn normed(value: f32) -> Desk {
    let desk = Desk::new();
    written(&desk, |tensors| {
        tensors.get_mut("model.norm.weight").unwrap().1.fill(value);
    });
    desk
}

#[test]
fn weights_that_are_no_numbers_are_refused() {
    let said = normed(f32::NAN).airloom(&["run", "model.ron"]).refused(2);
    assert!(
        said.contains("`model.norm.weight`") && said.contains("holds NaN at entry 0"),
        "{said}"
    );
}

#[test]
fn logits_that_are_no_numbers_end_the_run() {
    let desk = normed(3e38);
    for workload in [
        "workload=[Score(text: World(documents: 1))]",
        "workload=[Generate(prompt: \"Mara was\", max_tokens: 3)]",
        "workload=[Choose(suite: Pairs, questions: 1)]",
    ] {
        let said = desk
            .airloom(&["run", "model.ron", "--set", workload, "--out", "out"])
            .refused(1);
        assert!(said.contains("are not finite"), "{said}");
        assert!(!desk.path("out").exists());
    }
}

#[test]
fn a_perplexity_beyond_every_number_is_told() {
    let desk = normed(1e30);
    let workload = "workload=[Score(text: World(documents: 1))]";
    let run = desk
        .airloom(&["run", "model.ron", "--set", workload, "--out", "out"])
        .good();
    let row = run.stdout.lines().find(|line| line.contains("perplexity"));
    assert!(row.is_some_and(|row| row.contains("NaN")), "{}", run.stdout);
    assert!(
        run.stderr.contains("warning: perplexity is beyond"),
        "{}",
        run.stderr
    );
    let metrics = desk.json("out/metrics.json");
    assert!(metrics["perplexity"].is_null() && metrics["scored_tokens"].is_number());
    assert!(metrics.as_object().unwrap().contains_key("perplexity"));
}

#[test]
fn input_tokens_are_the_prompts() {
    let desk = Desk::new();
    written(&desk, |_| ());
    let workload = r#"workload=[Generate(prompt: "The relay", max_tokens: 5)]"#;
    desk.airloom(&["run", "model.ron", "--set", workload, "--out", "out"])
        .good();
    let table = desk.text("out/requests.csv");
    let mut rows = table.lines().map(|row| row.split(',').collect::<Vec<_>>());
    let (names, row) = (rows.next().unwrap(), rows.next().unwrap());
    let column = names
        .iter()
        .position(|name| *name == "input_tokens")
        .unwrap();
    // transformers 5.24.0 makes nine tokens of it, the beginning among them.
    assert_eq!(row[column], "9");
}

#[test]
fn a_long_text_is_read_no_further_than_its_windows() {
    let desk = Desk::new();
    let file = fs::File::create(desk.path("sparse.txt")).unwrap();
    file.set_len(1 << 40).unwrap();
    let scenario = desk.text("tiny.ron");
    let text = |windows: &str| format!("Score(text: File(\"sparse.txt\"){windows})");
    let world = "Score(text: World(documents: 1))";
    desk.write(
        "few.ron",
        &scenario.replace(world, &text(", windows: 2, window: 8")),
    );
    desk.airloom(&["check", "few.ron"]).good();
    desk.airloom(&["run", "few.ron", "--out", "out"]).good();
    assert_eq!(desk.json("out/metrics.json")["scored_tokens"], 16.0);
    for (windows, said) in [
        (
            "",
            "1099511627776 bytes, and at most 33554432 are scored whole; say with `windows`",
        ),
        (
            ", windows: 300000",
            "300000 windows of 128 tokens; use at most 131072",
        ),
        (", window: 99999999", "99999999 tokens; use 2 to 1048576"),
    ] {
        desk.write("many.ron", &scenario.replace(world, &text(windows)));
        let message = desk.airloom(&["check", "many.ron"]).refused(2);
        assert!(message.contains(said), "{message}");
        assert!(message.starts_with("error: many.ron:14:"), "{message}");
    }
}

#[test]
fn documents_and_questions_have_a_bound() {
    let desk = Desk::new();
    let scenario = desk.text("tiny.ron");
    for (request, said) in [
        (
            "Score(text: World(documents: 18446744073709551615))",
            "18446744073709551615 documents; use 1 to 1048576",
        ),
        (
            "Choose(suite: Pairs, questions: 4294967295)",
            "4294967295 questions; use 1 to 1048576",
        ),
    ] {
        desk.write(
            "many.ron",
            &scenario.replace("Score(text: World(documents: 1))", request),
        );
        let message = desk.airloom(&["check", "many.ron"]).refused(2);
        assert!(
            message.starts_with("error: many.ron:14:") && message.contains(said),
            "{message}"
        );
    }
}
