//! Links that carry too little: they end a run by name, or their experts are lost.

use crate::{RADIO, SYNTHETIC, TINY, body, links, outcome, simulate};
use airloom::policy::TokenLink;
use airloom::radio::npy_bytes;
use num_complex::Complex;
use tempfile::TempDir;

#[test]
fn links_that_carry_too_little_end_the_run_or_lose_their_experts() {
    let uplink = |link: &TokenLink| 65536.0 / link.uplink_time(5e6) / 5e6;
    let links = links();
    let mut rates: Vec<f64> = links.iter().map(uplink).collect();
    rates.sort_by(f64::total_cmp);
    // Two devices are above, two below.
    let threshold = (rates[1] + rates[2]) / 2.0;
    let cut = format!("outage: \"{threshold} bit/s/Hz\"");
    let folder = TempDir::new().unwrap();
    let ends = body(&format!("{SYNTHETIC}, {cut}"), "Tokens(prompt: 9)");
    let fault = outcome(&ends, folder.path()).unwrap_err();
    assert!(fault.contains("on_outage: Drop"), "{fault}");
    let run = simulate(
        &format!("{SYNTHETIC}, {cut}, on_outage: Drop"),
        "Tokens(prompt: 9)",
    );
    let cut_off: Vec<String> = links
        .iter()
        .enumerate()
        .filter(|(_, link)| uplink(link) <= threshold)
        .map(|(device, _)| format!("device{device}"))
        .collect();
    assert_eq!(cut_off.len(), 2);
    assert!(
        run.rows("waits.csv")
            .iter()
            .all(|row| !cut_off.contains(&row["node"]))
    );
    assert_eq!(run.metric("expert_visits"), 2.0 * 9.0 * 32.0);
}

#[test]
fn a_link_of_almost_no_rate_is_an_outage_of_its_own_device() {
    let tokens = "Tokens(prompt: 20)";
    let far =
        |fields: &str| body(&format!("{SYNTHETIC}, {fields}"), tokens).replace("200 m", "1e12 m");
    let folder = TempDir::new().unwrap();
    for bandwidth in ["MinMax", "Uniform", "PerPass()"] {
        let fields = format!("bandwidth: {bandwidth}");
        let fault = outcome(&far(&fields), folder.path()).unwrap_err();
        assert!(fault.contains("device 2 holds experts"), "{fault}");
        assert!(fault.contains("on_outage: Drop"), "{fault}");
        // Whoever counts nothing as an outage is still told which link it is.
        let fault = outcome(
            &far(&format!("{fields}, outage: \"0 bit/s/Hz\"")),
            folder.path(),
        )
        .unwrap_err();
        assert!(fault.contains("device 2"), "{fault}");
    }
    let (finished, measured) = outcome(&far("on_outage: Drop"), folder.path()).unwrap();
    assert!(measured.visits.iter().all(|visit| visit.node != 2));
    // Lost are the visits that would have been made were the device near.
    let near = simulate(SYNTHETIC, tokens);
    let there: u64 = near
        .measured
        .visits
        .iter()
        .filter(|visit| visit.node == 2)
        .map(|visit| visit.tokens)
        .sum();
    assert!(there > 0);
    assert_eq!(
        finished.metrics.get("expert_visits_lost"),
        Some(there as f64)
    );
    assert_eq!(near.metric("expert_visits_lost"), 0.0);
}

#[test]
fn one_division_per_pass_survives_devices_that_come_and_go() {
    // Device 1 has no channel in even blocks: at the start of every pass it is away, and
    // is back for the next block.
    let folder = TempDir::new().unwrap();
    let gain = |entry: usize| {
        let gone = entry % 4 == 1 && (entry / 4).is_multiple_of(2);
        Complex::new(if gone { 0.0 } else { 1e-5 }, 0.0)
    };
    let entries: Vec<Complex<f64>> = (0..4 * 64).map(gain).collect();
    std::fs::write(
        folder.path().join("h.npy"),
        npy_bytes(&[64, 4, 1, 1], &entries),
    )
    .unwrap();
    let start = RADIO.find("fading").unwrap();
    let end = RADIO.find("coherence").unwrap();
    for loads in ["Previous", "Oracle"] {
        let fields = format!("{SYNTHETIC}, on_outage: Drop, bandwidth: PerPass(loads: {loads})");
        let body = body(&fields, "Tokens(prompt: 20), Tokens(prompt: 20)")
            .replace(&RADIO[start..end], "fading: Trace(\"h.npy\"), ")
            .replace("coherence: Static", "coherence: PerAllReduce");
        let (_, measured) = outcome(&body, folder.path()).unwrap();
        let visits = || measured.visits.iter();
        let mut back = visits().filter(|visit| visit.node == 1).peekable();
        assert!(back.peek().is_some());
        for visit in back {
            assert_eq!(visit.layer % 2, 1);
            assert_eq!(visit.bandwidth_hz, 5e6);
        }
        for block in visits()
            .collect::<Vec<_>>()
            .chunk_by(|a, b| a.layer == b.layer)
        {
            let shares: f64 = block.iter().map(|visit| visit.bandwidth_hz).sum();
            assert!(shares <= 20e6 * (1.0 + 1e-9), "{shares}");
        }
    }
}

#[test]
fn fewer_experts_within_reach_than_a_token_may_visit_are_all_visited() {
    let folder = TempDir::new().unwrap();
    let fields = "router: Synthetic(), on_outage: Drop, experts_per_token: 5";
    let far = body(fields, "Tokens(prompt: 9)")
        .replace("200 m", "1e12 m")
        .replace("300 m", "1e12 m");
    let (finished, _) = outcome(&far, folder.path()).unwrap();
    // Two devices are left with two experts each.
    assert_eq!(
        finished.metrics.get("expert_visits"),
        Some(4.0 * 9.0 * 32.0)
    );
    let nobody = body(fields, "Tokens(prompt: 9)")
        .replace("60 m", "1e12 m")
        .replace("100 m", "1e12 m")
        .replace("200 m", "1e12 m")
        .replace("300 m", "1e12 m");
    let fault = outcome(&nobody, folder.path()).unwrap_err();
    assert!(fault.contains("no expert can be reached"), "{fault}");
}

#[test]
fn a_model_that_loses_experts_to_an_outage_knows_less() {
    let folder = TempDir::new().unwrap();
    let near = body("on_outage: Drop", "Score(text: World(documents: 3))")
        .replace("Shape(\"mixtral-8x7b\")", &format!("Folder({TINY:?})"));
    let far = near.replace("200 m", "1e12 m").replace("300 m", "1e12 m");
    let near = outcome(&near, folder.path()).unwrap().0.metrics;
    let far = outcome(&far, folder.path()).unwrap().0.metrics;
    assert_eq!(near.get("expert_visits_lost"), Some(0.0));
    assert!(far.get("expert_visits_lost").unwrap() > 0.0);
    assert_eq!(far.get("expert_visits"), near.get("expert_visits"));
    assert!(far.get("perplexity").unwrap() > 1.05 * near.get("perplexity").unwrap());
}
