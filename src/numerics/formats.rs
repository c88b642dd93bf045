//! What a model folder without the files that are read here has instead, and how to
//! convert it.

use std::path::Path;

/// Endings of weights that are not read here.
const WEIGHTS: [&str; 9] = [
    "safetensors",
    "bin",
    "pt",
    "pth",
    "gguf",
    "ggml",
    "h5",
    "msgpack",
    "onnx",
];

/// What to do in a folder without `model.safetensors` and without an index of several.
pub(super) fn instead_of_weights(folder: &Path) -> String {
    let needs = "a model folder needs model.safetensors, or model.safetensors.index.json and the \
                 files it lists";
    let other = names(folder).into_iter().find(|name| {
        let ending = Path::new(name).extension();
        ending.is_some_and(|ending| WEIGHTS.iter().any(|known| ending == *known))
    });
    match other {
        Some(name) if name.ends_with(".safetensors") => {
            format!("{needs}; `{name}` is neither: rename it, or fetch the index too")
        }
        Some(name) => format!(
            "{needs}, and of `{name}` nothing is read; with transformers, \
             AutoModelForCausalLM.from_pretrained(folder).save_pretrained(folder) writes them"
        ),
        None => needs.to_owned(),
    }
}

/// What to do in a folder without `tokenizer.json`.
pub(super) fn instead_of_tokenizer(folder: &Path) -> String {
    let needs = "a model folder needs the tokenizer.json of a fast tokenizer";
    let other = names(folder)
        .into_iter()
        .find(|name| name.starts_with("tokenizer.model") || name == "vocab.json");
    match other {
        Some(name) => format!(
            "{needs}, and of `{name}` nothing is read; with transformers, \
             AutoTokenizer.from_pretrained(folder).save_pretrained(folder) writes it"
        ),
        None => needs.to_owned(),
    }
}

/// The names in `folder`, in order.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}
