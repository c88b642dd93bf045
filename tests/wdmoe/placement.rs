//! Experts that share a device, stay at the server, or have one device to themselves.

use crate::{SYNTHETIC, body, links, number, outcome, simulate};
use tempfile::TempDir;

#[test]
fn experts_may_share_a_device_or_stay_at_the_server() {
    let placement = "experts: Experts([Device(0), Device(0), Device(1), Server, Server, \
        Device(1), Device(0), Server])";
    let run = simulate(&format!("{SYNTHETIC}, {placement}"), "Tokens(prompt: 20)");
    let used: Vec<String> = run
        .rows("waits.csv")
        .iter()
        .map(|r| r["node"].clone())
        .collect();
    assert!(
        used.iter()
            .all(|device| device == "device0" || device == "device1")
    );
    let experts = run.rows("experts.csv");
    let sum = |server: bool| -> f64 {
        let held = experts.iter().filter(|e| (e["node"] == "server") == server);
        held.map(|e| number(e, "visits")).sum()
    };
    assert!(sum(true) > 0.0);
    let sent: f64 = run
        .rows("waits.csv")
        .iter()
        .map(|r| number(r, "tokens"))
        .sum();
    assert_eq!(sent, sum(false));
    assert_eq!(sent + sum(true), 2.0 * 20.0 * 32.0);
    // Three experts of 32 layers, 176 160 768 weights of 16 bits each.
    let held = run.rows("nodes.csv")[0]["weight_bytes"].clone();
    assert_eq!(held, (3u64 * 32 * 176_160_768 * 2).to_string());
}

#[test]
fn a_single_device_has_the_band_to_itself_and_holds_every_barrier() {
    let folder = TempDir::new().unwrap();
    let single = body(SYNTHETIC, "Tokens(prompt: 9)")
        .replace("count: 4", "count: 1")
        .replace("\"64 GB\"", "\"200 GB\"")
        .replace(", \"100 m\", \"200 m\", \"300 m\"", "");
    let one = outcome(&single, folder.path()).unwrap();
    // All on one of four devices: the others wait for ever and get nothing.
    let all = ["Device(0)"; 8].join(", ");
    let placed = format!("{SYNTHETIC}, experts: Experts([{all}])");
    let crowded = body(&placed, "Tokens(prompt: 9)").replace("\"64 GB\"", "\"200 GB\"");
    let crowded = outcome(&crowded, folder.path()).unwrap();
    let expected = 32.0 * 18.0 * links()[0].delay(20e6);
    for (finished, measured) in [one, crowded] {
        let batch = finished.metrics.get("batch_latency_s").unwrap();
        assert!((batch - expected).abs() < 1e-9, "{batch} {expected}");
        assert_eq!(measured.visits.len(), 32);
        for visit in &measured.visits {
            assert!(visit.holds_barrier && visit.node == 0);
            assert_eq!((visit.tokens, visit.bandwidth_hz), (18, 20e6));
        }
    }
}
