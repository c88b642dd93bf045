//! Scenarios to begin with, explained in their comments.

use std::path::Path;

/// A scenario to begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Template {
    /// A LLaMA, divided among devices.
    TensorParallel,
    /// A Mixtral's experts on devices.
    Experts,
}

/// What stands in a template for its words in capitals, where it depends on whether there
/// are weights.
struct Parts {
    model: &'static str,
    router: &'static str,
    workload: &'static str,
}

const LLAMA: Parts = Parts {
    model: "\
    // Any Hugging Face LLaMA folder; paths are relative to this file.
    model: Folder(\"PATH\"),",
    router: "",
    workload: "\
    workload: [
        Score(text: World(documents: 16)),        // perplexity on text it has never seen
        Generate(prompt: \"The town of Arden lies in\", max_tokens: 32), // first token, pace
    ],",
};

const LLAMA_SHAPE: Parts = Parts {
    model: "\
    // Only a shape: it is timed without weights, and no text is read. With Folder(\"…\") and requests
    // of text, Score(text: …) or Generate(prompt: \"…\"), it computes.
    model: Shape(\"llama-2-7b\"),",
    router: "",
    workload: "\
    workload: [
        Tokens(prompt: 128, generate: 8),         // time to first token, pace
    ],",
};

const MIXTRAL: Parts = Parts {
    model: "\
    // Any Hugging Face Mixtral folder; paths are relative to this file. Shape(\"mixtral-8x7b\") would
    // only be timed.
    model: Folder(\"PATH\"),",
    router: "router: Model,                            // the model's own gate decides",
    workload: "\
    workload: [
        Score(text: World(documents: 16)),        // perplexity on text it has never seen
        Choose(suite: Reasoning, questions: 16),  // right answers
        Generate(prompt: \"The town of Arden lies in\", max_tokens: 16), // first token, pace
    ],",
};

const MIXTRAL_SHAPE: Parts = Parts {
    model: "\
    // Only a shape: it is timed without weights, and no text is read. With Folder(\"…\"),
    // router: Model and requests of text, Score(text: …) or Generate(prompt: \"…\"), it computes.
    model: Shape(\"mixtral-8x7b\"),",
    router: "router: Synthetic(),                      // stands for the gate: drawn weights",
    workload: "\
    workload: [
        Tokens(prompt: 500),                      // a batch of 500 tokens, one pass
        Tokens(prompt: 500),
    ],",
};

impl Template {
    /// The text of a scenario to be written to the file `name`; `model` is the model's
    /// folder as seen from there. Without one a published shape is timed.
    pub fn text(self, name: &str, model: Option<&Path>) -> String {
        let (text, parts) = match (self, model) {
            (Self::TensorParallel, Some(_)) => (include_str!("tensor_parallel.ron"), LLAMA),
            (Self::TensorParallel, None) => (include_str!("tensor_parallel.ron"), LLAMA_SHAPE),
            (Self::Experts, Some(_)) => (include_str!("experts.ron"), MIXTRAL),
            (Self::Experts, None) => (include_str!("experts.ron"), MIXTRAL_SHAPE),
        };
        let model = model.map_or(String::new(), |folder| folder.display().to_string());
        // Each word stands where its part begins, so that only further lines of a part
        // bring their indentation with them.
        text.replace("MODEL", parts.model)
            .replace("ROUTER", parts.router)
            .replace("WORKLOAD", parts.workload)
            .replace("FILE", name)
            // RON's escapes are Rust's.
            .replace("\"PATH\"", &format!("{model:?}"))
    }
}
