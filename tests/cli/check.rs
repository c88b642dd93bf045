//! `airloom check` and `airloom list`: what is right, in full, and what may be named.

use crate::desk::{Desk, TINY, assert_same};

#[test]
fn a_resolved_scenario_resolves_to_itself_and_runs_to_the_same_bits() {
    let desk = Desk::new();
    let resolved = desk.airloom(&["check", "--resolved", "tiny.ron"]).good();
    assert_eq!(resolved.stderr, "");
    desk.write("again/tiny.ron", &resolved.stdout);
    let again = desk
        .airloom(&["check", "--resolved", "again/tiny.ron"])
        .good();
    assert_eq!(again.stdout, resolved.stdout);
    desk.airloom(&["run", "tiny.ron", "--out", "a"]).good();
    desk.airloom(&["run", "again/tiny.ron", "--out", "b"])
        .good();
    assert_same(&desk.hashed_tree("a"), &desk.hashed_tree("b"));
    // It is also what the manifest keeps.
    assert_eq!(desk.json("a/manifest.json")["scenario"], resolved.stdout);
}

#[test]
fn check_tells_good_files_on_stdout_and_bad_ones_on_stderr() {
    let desk = Desk::new();
    desk.write("bad.ron", &TINY.replace("count: 2", "count: 0"));
    let check = desk.airloom(&["check", "tiny.ron", "bad.ron", "tinny.ron"]);
    assert_eq!(check.code, Some(2));
    assert_eq!(check.stdout, "tiny.ron: ok\n");
    let faults: Vec<&str> = check
        .stderr
        .lines()
        .filter(|l| l.starts_with("error: "))
        .collect();
    assert_eq!(faults.len(), 2, "{}", check.stderr);
    assert!(faults[0].starts_with("error: bad.ron:4:31: nodes.device.count: 0 nodes;"));
    assert!(faults[1].ends_with("did you mean tiny.ron?"));
    assert_eq!(desk.names("."), ["bad.ron", "tiny.ron"]);
}

/// What is printed in JSON is a scenario that runs to the same bits.
#[test]
fn a_resolved_scenario_in_json_resolves_to_the_same() {
    let desk = Desk::new();
    let resolved = desk.airloom(&["check", "--resolved", "tiny.ron"]).good();
    let json = desk
        .airloom(&["check", "--resolved", "--format", "json", "tiny.ron"])
        .good();
    desk.write("tiny.json", &json.stdout);
    let again = desk.airloom(&["check", "--resolved", "tiny.json"]).good();
    assert_eq!(again.stdout, resolved.stdout);
    desk.airloom(&["check", "--format", "json", "tiny.ron"])
        .refused(2);
    let schema = desk.airloom(&["fields", "--schema"]).good().stdout;
    assert!(schema.contains("\"$schema\""), "{schema}");
}

#[test]
fn check_shows_the_effect_of_overrides() {
    let desk = Desk::new();
    let arguments = [
        "check",
        "--resolved",
        "tiny.ron",
        "--set",
        "links.air.bandwidth=\"1 GHz\"",
    ];
    let check = desk.airloom(&arguments).good();
    assert!(
        check.stdout.contains("bandwidth: \"1 GHz\""),
        "{}",
        check.stdout
    );
}

/// The names that `airloom list` gives under `title`.
fn listed(text: &str, title: &str) -> Vec<String> {
    let mut lines = text.lines().skip_while(|line| *line != title);
    assert_eq!(lines.next(), Some(title));
    let entries = lines.take_while(|line| !line.is_empty());
    let names = entries.map(|line| line.split_whitespace().next().unwrap().to_owned());
    names.collect()
}

/// The names in the last line of `text` after `known are` or `known is only`.
fn known(text: &str) -> Vec<String> {
    let (_, names) = text
        .rsplit_once("known are ")
        .or(text.rsplit_once("known is only "))
        .unwrap();
    let names = names.lines().next().unwrap();
    names.split(", ").map(str::to_owned).collect()
}

#[test]
fn every_name_that_list_gives_may_be_used_and_no_other() {
    let desk = Desk::new();
    let list = desk.airloom(&["list"]).good().stdout;
    for (title, path, least) in [
        ("all-reduce schemes", "replicas[0].placement.all_reduce", 3),
        ("transceiver designs", "replicas[0].placement.design", 5),
    ] {
        let names = listed(&list, title);
        assert!(names.len() >= least, "{names:?}");
        for name in &names {
            desk.airloom(&["check", "tiny.ron", "--set", &format!("{path}={name}")])
                .good();
        }
        let message = desk
            .airloom(&["check", "tiny.ron", "--set", &format!("{path}=Xyz")])
            .refused(2);
        let mut known = known(&message);
        let mut names = names;
        known.sort();
        names.sort();
        assert_eq!(names, known, "{title}");
    }
    let presets = listed(&list, "device presets");
    assert!(
        presets.contains(&"raspberry-pi-5".to_owned()),
        "{presets:?}"
    );
    for name in &presets {
        let setting = format!("nodes.device.profile=Preset(\"{name}\")");
        desk.airloom(&["check", "tiny.ron", "--set", &setting])
            .good();
    }
    let setting = "nodes.device.profile=Preset(\"xyz\")";
    let message = desk
        .airloom(&["check", "tiny.ron", "--set", setting])
        .refused(2);
    assert_eq!(known(&message), presets);
    let models = listed(&list, "channel models");
    let message = desk
        .airloom(&["check", "tiny.ron", "--set", "links.air.fading=Xyz"])
        .refused(2);
    assert_eq!(known(&message), models);
    let placements = listed(&list, "placements");
    let message = desk
        .airloom(&["check", "tiny.ron", "--set", "replicas[0].placement=Xyz"])
        .refused(2);
    assert_eq!(known(&message), placements);
    let links = listed(&list, "links");
    let message = desk
        .airloom(&["check", "tiny.ron", "--set", "links.air=Xyz"])
        .refused(2);
    assert_eq!(known(&message), links);
}

#[test]
fn list_explains_every_metric_that_a_run_writes() {
    let desk = Desk::new();
    let metrics = listed(&desk.airloom(&["list"]).good().stdout, "metrics");
    desk.airloom(&["run", "tiny.ron", "--out", "x"]).good();
    for name in desk.json("x/metrics.json").as_object().unwrap().keys() {
        assert!(name == "trust" || metrics.contains(name), "{name}");
    }
}

/// What a model is, by its settings and headers alone; and by settings without weights.
#[test]
fn a_model_is_described_without_its_weights() {
    let desk = Desk::new();
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let llama = root.join("models/tiny-llama");
    let check = desk.airloom(&["check", llama.to_str().unwrap()]).good();
    for word in [
        ": ok",
        "LLaMA",
        "parameters",
        "2 853",
        "rotary",
        "RMSNorm, Silu that gates",
        "MB",
    ] {
        assert!(check.stdout.contains(word), "{word}: {}", check.stdout);
    }
    let opt = root.join("tests/fixtures/families/opt/config.json");
    let check = desk.airloom(&["check", opt.to_str().unwrap()]).good();
    for word in [
        "OPT",
        "64, learned",
        "LayerNorm, Relu\n",
        "there are none",
        "tied",
    ] {
        assert!(check.stdout.contains(word), "{word}: {}", check.stdout);
    }
    let experts = root.join("tests/fixtures/families/qwen2_moe");
    let check = desk.airloom(&["check", experts.to_str().unwrap()]).good();
    assert!(
        check
            .stdout
            .contains("6 per layer, 2 per token, and one of 28 columns")
    );
    desk.write(
        "odd/config.json",
        r#"{"architectures": ["GPT2LMHeadModel"]}"#,
    );
    let message = desk.airloom(&["check", "odd/config.json"]).refused(2);
    assert!(
        message.contains("odd/config.json") && message.contains("GPT2LMHeadModel"),
        "{message}"
    );
}

const OF_A_FILE: &str = "Scenario(
    model: Shape(File(\"yi/config.json\")),
    precision: (weight_bits: 4.5),
    nodes: {\"board\": (profile: Preset(\"jetson-agx-orin\"))},
    workload: [Tokens(prompt: 16, generate: 2)],
)";

/// 60 layers, 7168 wide, 56 and 8 heads: Yi-34B by its settings alone.
const YI: &str = r#"{"architectures": ["LlamaForCausalLM"], "hidden_size": 7168,
    "intermediate_size": 20480, "num_hidden_layers": 60, "num_attention_heads": 56,
    "num_key_value_heads": 8, "vocab_size": 64000, "max_position_embeddings": 4096,
    "rms_norm_eps": 1e-05, "rope_theta": 5000000.0}"#;

#[test]
fn a_shape_may_be_that_of_a_file() {
    let desk = Desk::new();
    desk.write("file.ron", OF_A_FILE);
    let message = desk.airloom(&["check", "file.ron"]).refused(2);
    assert!(message.contains("yi/config.json"), "{message}");
    desk.write("yi/config.json", YI);
    // It is the shape of that name, and a run of it takes as long.
    desk.write(
        "name.ron",
        &OF_A_FILE.replace("File(\"yi/config.json\")", "\"yi-34b\""),
    );
    let mut times = Vec::new();
    for scenario in ["file", "name"] {
        let file = format!("{scenario}.ron");
        desk.airloom(&["run", &file, "--out", scenario]).good();
        times.push(desk.json(&format!("{scenario}/metrics.json")));
    }
    assert_eq!(times[0], times[1]);
    let resolved = desk.airloom(&["check", "--resolved", "file.ron"]).good();
    assert!(
        resolved.stdout.contains("Shape(File(\"yi/config.json\"))"),
        "{}",
        resolved.stdout
    );
    let json = desk
        .airloom(&["check", "--resolved", "--format", "json", "file.ron"])
        .good();
    desk.write("file.json", &json.stdout);
    let again = desk.airloom(&["check", "--resolved", "file.json"]).good();
    assert_eq!(again.stdout, resolved.stdout);
    desk.write(
        "yi/config.json",
        &YI.replace("\"rope_theta\"", "\"clip_qkv\": 8, \"rope_theta\""),
    );
    let message = desk.airloom(&["check", "file.ron"]).refused(2);
    assert!(
        message.contains("clip_qkv is 8") && message.contains("file.ron:2"),
        "{message}"
    );
}
