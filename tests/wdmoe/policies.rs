//! What expert selection and the division of the band change in a whole run.

use crate::{Run, SYNTHETIC, number, simulate};
use airloom::units::Duration;

#[test]
fn less_is_sent_and_nobody_waits_longer_with_both_policies() {
    let variant = |selection: &str, bandwidth: &str| {
        let fields = format!("{SYNTHETIC}, selection: {selection}, bandwidth: {bandwidth}");
        simulate(&fields, "Tokens(prompt: 60)")
    };
    let vanilla = variant("TopK", "Uniform");
    let selected = variant("WeightToLatency()", "Uniform");
    let divided = variant("TopK", "MinMax");
    let both = variant("WeightToLatency()", "MinMax");
    assert_eq!(vanilla.metric("expert_visits_dropped"), 0.0);
    assert!(selected.metric("expert_visits_dropped") > 0.0);
    let batch = |run: &Run| run.metric("batch_latency_s");
    assert!(batch(&selected) <= batch(&vanilla));
    assert!(batch(&divided) < batch(&vanilla));
    assert!(batch(&both) <= batch(&divided));
    // All devices with tokens return together, to the rounding of three stages.
    let longest_wait = Duration::from_seconds(1e-9).unwrap();
    for row in divided.rows("waits.csv") {
        assert!(number(&row, "wait_s") < longest_wait.as_seconds());
    }
}

#[test]
fn one_division_per_pass_knows_the_last_pass_or_an_oracles() {
    let variant = |bandwidth: &str| {
        let fields = format!("{SYNTHETIC}, bandwidth: {bandwidth}");
        simulate(&fields, "Tokens(prompt: 60), Tokens(prompt: 60)")
    };
    let shares = |run: &Run, request: &str| -> Vec<String> {
        let rows = run.rows("waits.csv");
        let mut shares: Vec<String> = rows
            .iter()
            .filter(|row| row["request"] == request && row["node"] == "device2")
            .map(|row| row["bandwidth_hz"].clone())
            .collect();
        shares.dedup();
        shares
    };
    let previous = variant("PerPass()");
    // Nothing is known of a pass before the first: it is divided evenly.
    assert_eq!(shares(&previous, "0"), ["5000000.0"]);
    assert_eq!(shares(&previous, "1").len(), 1);
    assert_ne!(shares(&previous, "1"), shares(&previous, "0"));
    let oracle = variant("PerPass(loads: Oracle)");
    let per_block = variant("MinMax");
    let batch = |run: &Run| run.metric("attention_wait_s");
    assert!(batch(&per_block) < batch(&oracle));
    assert!(batch(&oracle) <= batch(&previous));
}
