//! Energy budgets and model assignment in whole runs.

use airloom::rng::Streams;
use airloom::scenario::{self, Resolved, ScenarioError};
use airloom::simulation::{RunError, prepare};
use std::path::Path;

const MODEL: &str = "models/tiny-llama";

fn parse(body: &str) -> Result<Resolved, ScenarioError> {
    let text = format!("Scenario(model: Folder({MODEL:?}), {body})");
    scenario::parse(&text, Path::new("test.ron"), &[])
}

fn resolve(body: &str) -> Resolved {
    match parse(body) {
        Ok(resolved) => resolved,
        Err(error) => panic!("{error}"),
    }
}

const WORKLOAD: &str = "workload: [Generate(prompt: \"Mara\", max_tokens: 2)]";

#[test]
fn compute_beyond_the_energy_budget_is_infeasible() {
    let body = format!(
        "nodes: {{\"device\": (count: 2)}},
         links: {{\"air\": Radio(
            budget: Normalised(snr: \"0 dB\", reference_power: \"100 mW\"),
            convention: EnergyPerVector(energy: \"1 mJ\"),
            budget_offsets: {{1: \"-20 dB\"}},
         )}},
         replicas: [(placement: TensorParallel(assignment: Fixed([0.25, 0.75])))],
         {WORKLOAD}"
    );
    let streams = Streams { seed: 1, run: 0 };
    let error = prepare(&resolve(&body), streams, Vec::new()).unwrap_err();
    assert!(matches!(error, RunError::Radio(_)) && error.is_infeasible() && error.is_input());
    // 192 · 192 · 4 · 6/8 + 3 · 192 · 384 weights and two norms of 192, half of them, at
    // 2 bytes of 40 pJ and two operations of (25 − 5 − 4.08)/16.7 pJ.
    let weights = 4.0 * 192.0 * 144.0 + 3.0 * 192.0 * 384.0 + 2.0 * 192.0;
    let needs = weights / 2.0 * (2.0 * 40.0 + 2.0 * 15.92 / 16.7) * 1e-6;
    let expected = format!(
        "device 1 spends {needs:.1} µJ on computing its part of the model before each \
         all-reduce, but its budget is 10 µJ: {:.3} µJ short, ",
        needs - 10.0
    );
    assert!(
        error.to_string().starts_with(&expected),
        "{error} {expected}"
    );
}

#[test]
fn an_energy_budget_needs_a_profile_that_knows_its_energies() {
    let body = format!(
        "nodes: {{\"device\": (count: 2, except: {{1: Preset(\"table-i-vm\")}})}},
         links: {{\"air\": Radio(
            budget: Normalised(snr: \"0 dB\", reference_power: \"100 mW\"),
            convention: EnergyPerVector(energy: \"1 mJ\"),
         )}},
         {WORKLOAD}"
    );
    let error = parse(&body).unwrap_err().to_string();
    assert!(
        error.contains("nodes.device.except[1]: EnergyPerVector charges compute"),
        "{error}"
    );
    let unit = body.replace(", reference_power: \"100 mW\"", "");
    let error = parse(&unit).unwrap_err().to_string();
    assert!(
        error.contains("links.air.budget.reference_power: "),
        "{error}"
    );
}
