//! Every family from a GGUF file equals itself from a folder, bit for bit.

use super::fixture;
use airloom::model::{Architecture, ShardPlan};
use airloom::numerics::{Llama, Mixtral, Rows, architecture};
use std::fs;
use std::path::Path;

const FAMILIES: [&str; 11] = [
    "gemma2",
    "llama_biased",
    "llama_yarn",
    "mistral",
    "mixtral_window",
    "phi3",
    "phi3_longrope",
    "qwen2",
    "qwen2_moe",
    "qwen3",
    "qwen3_moe",
];

const TOKENS: [u32; 20] = [
    1, 7, 30, 12, 5, 39, 0, 22, 22, 8, 17, 3, 28, 31, 2, 9, 14, 14, 6, 35,
];

fn logits(path: &Path) -> Vec<u32> {
    let logits = match architecture(path).expect("a family that is known") {
        Architecture::Llama => {
            let model = Llama::load(path).unwrap_or_else(|error| panic!("{error}"));
            let plan = ShardPlan::whole(model.shape()).expect("a model's shape");
            let model = model.shard(&plan).expect("its own plan");
            let mut cache = model.cache(TOKENS.len()).expect("short");
            let mut workspace = model.workspace();
            model
                .forward_ideal(&TOKENS, &mut cache, &mut workspace, Rows::All)
                .expect("a valid step");
            workspace.logits().expect("just computed").to_vec()
        }
        Architecture::Mixtral => {
            let model = Mixtral::load(path).unwrap_or_else(|error| panic!("{error}"));
            let mut cache = model.cache(TOKENS.len()).expect("short");
            let mut workspace = model.workspace();
            model
                .forward(&TOKENS, &mut cache, &mut workspace, Rows::All)
                .expect("a valid step");
            workspace.logits().expect("just computed").to_vec()
        }
    };
    assert!(logits.iter().any(|logit| *logit != 0.0));
    logits.into_iter().map(f32::to_bits).collect()
}

#[test]
fn every_family_is_the_same_model_in_either_layout() {
    for name in FAMILIES {
        let layout = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/families");
        let own = tempfile::tempdir().expect("a folder");
        for file in ["config.json", "model.safetensors"] {
            fs::copy(layout.join(name).join(file), own.path().join(file)).expect("copied");
        }
        if name == "gemma2" {
            // A GGUF file cannot say that scores are divided by anything but √(entries per head).
            let config = own.path().join("config.json");
            let text = fs::read_to_string(&config).expect("there");
            let from = "\"query_pre_attn_scalar\": 12";
            assert!(text.contains(from));
            fs::write(&config, text.replace(from, "\"query_pre_attn_scalar\": 8"))
                .expect("written");
        }
        let from_folder = logits(own.path());
        let from_file = logits(&fixture(&format!("{name}.gguf")));
        assert_eq!(from_folder, from_file, "{name}");
    }
}

#[test]
fn a_file_says_what_a_config_would() {
    for (file, name) in [("qwen2_moe.gguf", "Qwen2-MoE"), ("mistral.gguf", "Mistral")] {
        let path = fixture(file);
        let architecture = architecture(&path).expect("known");
        let config = airloom::numerics::inspect(&path, architecture).expect("intact");
        assert_eq!(config.family, name);
        assert_eq!(config.shape.weight_bits, 32.0);
        assert_eq!(config.formats, [("F32", 1.0)]);
        assert_eq!(config.max_positions, 64);
    }
    let error = Llama::load(&fixture("qwen2_moe.gguf")).expect_err("it has experts");
    let error = error.to_string();
    assert!(
        error.contains("qwen2_moe.gguf") && error.contains("Qwen2-MoE"),
        "{error}"
    );
}
