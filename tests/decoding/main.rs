//! How tokens are chosen: drawn as the model's distribution says, and the same text whoever drafts.

mod cascade;
mod faults;
mod sampling;
mod speculative;
mod tables;

use airloom::scenario::{self, Resolved};
use airloom::simulation::{Simulated, simulate};
use safetensors::SafeTensors;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// The scenario with these fields.
fn resolved(fields: &str) -> Resolved {
    let text = format!("Scenario({fields})");
    match scenario::parse(&text, Path::new("test.ron"), &[]) {
        Ok(resolved) => resolved,
        Err(error) => panic!("{error}"),
    }
}

fn simulated(fields: &str) -> Simulated {
    match simulate(&resolved(fields), &mut ()) {
        Ok(simulated) => simulated,
        Err(error) => panic!("{error}"),
    }
}

/// Every text of a run, in order.
fn texts(run: &Simulated) -> Vec<String> {
    let requests = run.measured.requests.iter();
    requests
        .map(|request| {
            assert_eq!(request.rejected, None);
            request.text.clone().unwrap()
        })
        .collect()
}

/// Law 5: the joules of requests are those of nodes, drafts and what was begun in vain included.
fn joules_add_up(run: &Simulated) {
    let requests = run.measured.requests.iter();
    let Some(of_requests) = requests
        .map(|request| request.energy_j)
        .sum::<Option<f64>>()
    else {
        return;
    };
    let nodes = run.measured.totals.per_node.iter();
    let of_nodes: f64 = nodes
        .map(|node| node.compute_j.unwrap() + node.radio_j.unwrap())
        .sum();
    assert!(
        (of_requests / of_nodes - 1.0).abs() < 1e-9,
        "{of_requests} {of_nodes}"
    );
}

/// A model that begins like the bundled one and ends after so many of its layers: it says mostly
/// other things, and sometimes the same.
fn beginning(layers: usize) -> TempDir {
    let folder = TempDir::new().unwrap();
    let model = Path::new("models/tiny-llama");
    let (own, tokenizer) = (folder.path(), "tokenizer.json");
    fs::copy(model.join(tokenizer), own.join(tokenizer)).unwrap();
    let config = fs::read_to_string(model.join("config.json")).unwrap();
    let cut = format!("\"num_hidden_layers\": {layers}");
    let cut = config.replace("\"num_hidden_layers\": 6", &cut);
    fs::write(own.join("config.json"), cut).unwrap();
    let bytes = fs::read(model.join("model.safetensors")).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let is_kept = |name: &str| {
        let layer = name.strip_prefix("model.layers.");
        let layer = layer.and_then(|rest| rest.split('.').next()?.parse::<usize>().ok());
        layer.is_none_or(|layer| layer < layers)
    };
    let kept = tensors
        .tensors()
        .into_iter()
        .filter(|(name, _)| is_kept(name));
    let bytes = safetensors::serialize(kept, None).unwrap();
    fs::write(own.join("model.safetensors"), bytes).unwrap();
    folder
}

/// χ² of what was seen against what is expected: as many standard deviations above its mean as
/// its Wilson–Hilferty normal says, over cells that expect 5 or more, the others together.
fn surprise(seen: &[(f64, f64)]) -> f64 {
    let (mut square, mut cells) = (0.0, 0.0);
    let mut rest = (0.0, 0.0);
    let mut enter = |(seen, expected): (f64, f64)| {
        square += (seen - expected) * (seen - expected) / expected;
        cells += 1.0;
    };
    for (count, expected) in seen {
        if *expected >= 5.0 {
            enter((*count, *expected));
        } else {
            rest = (rest.0 + count, rest.1 + expected);
        }
    }
    if rest.1 > 1.0 {
        enter(rest);
    }
    let freedom: f64 = cells - 1.0;
    if freedom < 1.0 {
        return 0.0;
    }
    let spread = 2.0 / (9.0 * freedom);
    ((square / freedom).powf(1.0 / 3.0) - (1.0 - spread)) / spread.sqrt()
}
