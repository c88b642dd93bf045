//! Experts on devices: whole runs against the paper's closed forms, and conservation laws
//! over the event log.

use airloom::corpus::{Split, World};
use airloom::device::PRESETS;
use airloom::model::ModelShape;
use airloom::numerics::{Mixtral, Rows, Tokenizer, score};
use airloom::policy::{BandwidthPolicy, MinMax, TokenLink, Uniform};
use airloom::radio::{npy_bytes, path_loss_db};
use airloom::rng::Streams;
use airloom::scenario::{self, Resolved};
use airloom::simulation::{Finished, RunOptions, prepare, run};
use airloom::units::{Duration, Hertz, Meters};
use num_complex::Complex;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use tempfile::TempDir;

struct Run {
    finished: Finished,
    folder: TempDir,
}

impl Run {
    fn metric(&self, name: &str) -> f64 {
        let value = self.finished.metrics.get(name);
        value.unwrap_or_else(|| panic!("{name} was not measured"))
    }

    fn rows(&self, file: &str) -> Vec<BTreeMap<String, String>> {
        let path = self.folder.path().join("run").join(file);
        let mut reader = csv::Reader::from_path(path).unwrap();
        reader.deserialize().map(Result::unwrap).collect()
    }
}

const DEVICES: &str = "devices: (count: 4, profile: Custom(peak: \"10 TFLOP/s\", \
    memory_bandwidth: \"100 GB/s\", memory: \"64 GB\", energy_per_flop: \"1 pJ/FLOP\", \
    energy_per_byte: \"10 pJ/B\", idle_power: \"1 W\"))";

const RADIO: &str = "radio: (bandwidth: \"20 MHz\", device_antennas: 1, server_antennas: 1, \
    fading: Rayleigh(carrier: \"3.5 GHz\", distance: [\"60 m\", \"100 m\", \"200 m\", \"300 m\"]), \
    coherence: Static, budget: Physical(transmit_power: \"200 mW\", \
    noise_density: \"-174 dBm/Hz\", noise_figure: \"3 dB\"))";

fn body(architecture: &str, workload: &str) -> String {
    format!(
        "{DEVICES}, {RADIO}, architecture: Wdmoe({architecture}), workload: [{workload}], \
         model: Shape(\"mixtral-8x7b\")"
    )
}

fn parse(body: &str) -> Result<Resolved, String> {
    let text = format!("Scenario({body})");
    scenario::parse(&text, Path::new("test.ron"), &[]).map_err(|error| error.to_string())
}

fn simulate(architecture: &str, workload: &str) -> Run {
    let resolved = parse(&body(architecture, workload)).unwrap_or_else(|error| panic!("{error}"));
    let folder = TempDir::new().unwrap();
    let options = RunOptions {
        out: folder.path().join("run"),
        interrupt: &AtomicBool::new(false),
    };
    let streams = Streams { seed: 1, run: 0 };
    let prepared = prepare(&resolved, streams, Vec::new()).unwrap();
    let finished = run(prepared, &options, Box::new(|_| ())).unwrap();
    Run { finished, folder }
}

/// The links of the fleet above, from the formulas: (2), (3), (5), (7), and |h|² as the
/// channel stream draws it.
fn links() -> Vec<TokenLink> {
    let noise = 1e-3 * 10f64.powf(-17.4) * 10f64.powf(0.3);
    [60.0, 100.0, 200.0, 300.0]
        .iter()
        .enumerate()
        .map(|(device, metres)| {
            let mut normals = [0.0; 2];
            Streams { seed: 1, run: 0 }
                .open("radio.fading", device as u32, 0)
                .fill_normal(&mut normals);
            let loss = path_loss_db(Hertz(3.5e9), Meters(*metres));
            let power = (normals[0] * normals[0] + normals[1] * normals[1]) / 2.0;
            let gain = power * 10f64.powf(-loss / 10.0);
            TokenLink {
                downlink_bits: 65536.0,
                uplink_bits: 65536.0,
                downlink_reach: 10.0 * gain / noise,
                uplink_reach: 0.2 * gain / noise,
                compute: 14336.0 * (6.0 * 4096.0 + 9.0) / 10e12,
            }
        })
        .collect()
}

fn number(row: &BTreeMap<String, String>, column: &str) -> f64 {
    row[column].parse().unwrap()
}

/// q of every block from `waits.csv`.
fn loads(run: &Run, devices: usize) -> Vec<Vec<f64>> {
    let mut loads = vec![vec![0.0; devices]; 32];
    for row in run.rows("waits.csv") {
        loads[number(&row, "layer") as usize][number(&row, "device") as usize] =
            number(&row, "tokens");
    }
    loads
}

const SYNTHETIC: &str = "router: Synthetic()";

#[test]
fn a_batch_takes_the_papers_sum_over_blocks_of_the_slowest_device() {
    for (bandwidth, policy) in [
        ("Uniform", &Uniform as &dyn BandwidthPolicy),
        ("MinMax", &MinMax),
    ] {
        let fields = format!("{SYNTHETIC}, bandwidth: {bandwidth}");
        let run = simulate(&fields, "Tokens(prompt: 40)");
        let links = links();
        let mut batch = 0.0;
        for loads in loads(&run, 4) {
            let shares = policy.allocate(&links, &loads, 20e6).unwrap();
            let devices = links.iter().zip(&loads).zip(&shares);
            // (8), (10), (11).
            batch += devices
                .filter(|((_, load), _)| **load > 0.0)
                .map(|((link, load), b)| load * link.delay(*b))
                .fold(0.0, f64::max);
        }
        // Every stage of every device is rounded up to a picosecond.
        let error = run.metric("batch_latency_s") - batch;
        assert!(error.abs() < 1e-9, "{bandwidth}: {error}");
        assert!((run.metric("attention_wait_s") - batch).abs() < 1e-9);
    }
}

#[test]
fn blocks_and_events_tell_the_same_barriers() {
    for pipelining in ["None", "Tokens"] {
        let fields = format!("{SYNTHETIC}, pipelining: {pipelining}");
        let run = simulate(
            &fields,
            "Tokens(prompt: 24), Tokens(prompt: 8, generate: 3)",
        );
        let events = run.rows("events.csv");
        let barriers: Vec<&str> = events
            .iter()
            .filter(|event| event["stage"] == "expert_gather")
            .map(|event| event["end_ps"].as_str())
            .collect();
        let blocks = run.rows("blocks.csv");
        let gathered: Vec<&str> = blocks.iter().map(|b| b["gathered_ps"].as_str()).collect();
        assert_eq!(barriers, gathered, "{pipelining}");
        assert_eq!(barriers.len(), 32 * 4);
        // Who holds a barrier is the device whose last uplink released it.
        let last_up = |row: &BTreeMap<String, String>| {
            events
                .iter()
                .filter(|event| {
                    event["stage"] == "token_uplink"
                        && ["request", "step", "layer", "device"]
                            .iter()
                            .all(|column| event[*column] == row[*column])
                })
                .map(|event| event["end_ps"].parse::<u64>().unwrap())
                .max()
                .unwrap()
        };
        for row in run.rows("waits.csv").iter().step_by(7) {
            assert_eq!(last_up(row).to_string(), row["end_ps"], "{pipelining}");
        }
    }
}

#[test]
fn a_pipeline_takes_its_slowest_stage_per_token_and_the_others_once() {
    let fields = format!("{SYNTHETIC}, bandwidth: Uniform, pipelining: Tokens");
    let run = simulate(&fields, "Tokens(prompt: 40)");
    let links = links();
    let share = 20e6 / 4.0;
    let mut batch = 0.0;
    for loads in loads(&run, 4) {
        let spans = links.iter().zip(&loads).filter(|(_, load)| **load > 0.0);
        batch += spans
            .map(|(link, load)| {
                let (down, up) = (link.downlink_time(share), link.uplink_time(share));
                link.delay(share) + (load - 1.0) * down.max(up).max(link.compute)
            })
            .fold(0.0, f64::max);
    }
    assert!((run.metric("batch_latency_s") - batch).abs() < 1e-8);
    let whole = simulate(
        &format!("{SYNTHETIC}, bandwidth: Uniform"),
        "Tokens(prompt: 40)",
    );
    assert!(batch < whole.metric("batch_latency_s"));
}

#[test]
fn every_token_comes_back_and_every_joule_is_someones() {
    let fields = format!("{SYNTHETIC}, server_compute: Timed");
    let run = simulate(
        &fields,
        "Tokens(prompt: 30), Tokens(prompt: 5, generate: 2)",
    );
    let events = run.rows("events.csv");
    let bits = |kind: &str| -> u64 {
        let of_kind = events.iter().filter(|event| event["kind"] == kind);
        of_kind
            .map(|event| event["bits"].parse::<u64>().unwrap_or(0))
            .sum()
    };
    let visits: f64 = run
        .rows("experts.csv")
        .iter()
        .map(|e| number(e, "visits"))
        .sum();
    assert_eq!(visits, 2.0 * 32.0 * 36.0);
    assert_eq!(run.metric("expert_visits"), visits);
    assert_eq!(bits("downlink"), visits as u64 * 65536);
    assert_eq!(bits("uplink"), visits as u64 * 65536);
    let joules: f64 = events
        .iter()
        .map(|e| e["joules"].parse::<f64>().unwrap_or(0.0))
        .sum();
    let parts = [
        "energy_compute_j",
        "energy_radio_j",
        "energy_idle_j",
        "energy_server_j",
    ];
    let parts: f64 = parts.iter().map(|part| run.metric(part)).sum();
    assert!((run.metric("energy_j") / parts - 1.0).abs() < 1e-12);
    let makespan = run.metric("makespan_s");
    let server = PRESETS
        .iter()
        .find(|preset| preset.name == "edge-server-l4");
    let server_idle = server.unwrap().profile.idle_power.unwrap().0;
    let server_busy: f64 = events
        .iter()
        .filter(|event| event["resource"] == "server.compute")
        .map(|event| (number(event, "end_ps") - number(event, "start_ps")) * 1e-12)
        .sum();
    let idle = run.metric("energy_idle_j") + server_idle * (makespan - server_busy);
    assert!(((joules + idle) / parts - 1.0).abs() < 1e-9);
    // Whatever was not measured is absent.
    for name in ["perplexity", "ttft_s", "accuracy", "all_reduce_mse"] {
        assert_eq!(run.finished.metrics.get(name), None, "{name}");
    }
}

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
fn experts_may_share_a_device_or_stay_at_the_server() {
    let placement = "placement: Experts([Device(0), Device(0), Device(1), Server, Server, \
        Device(1), Device(0), Server])";
    let run = simulate(&format!("{SYNTHETIC}, {placement}"), "Tokens(prompt: 20)");
    let used: Vec<String> = run
        .rows("waits.csv")
        .iter()
        .map(|r| r["device"].clone())
        .collect();
    assert!(used.iter().all(|device| device == "0" || device == "1"));
    let experts = run.rows("experts.csv");
    let sum = |server: bool| -> f64 {
        let held = experts
            .iter()
            .filter(|e| (e["device"] == "server") == server);
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
    let held = run.rows("devices.csv")[0]["weight_bytes"].clone();
    assert_eq!(held, (3u64 * 32 * 176_160_768 * 2).to_string());
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
            .filter(|row| row["request"] == request && row["device"] == "2")
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

#[test]
fn a_recorded_router_says_what_was_recorded() {
    let folder = TempDir::new().unwrap();
    let mut text = "block,token,w0,w1,w2,w3,w4,w5,w6,w7\n".to_owned();
    for block in 0..32 {
        for token in 0..3 {
            let heavy = (block + token) % 7;
            let row: Vec<&str> = (0..8)
                .map(|expert| match expert {
                    e if e == heavy => "0.6",
                    e if e == heavy + 1 => "0.4",
                    _ => "0",
                })
                .collect();
            text += &format!("{block},{token},{}\n", row.join(","));
        }
    }
    std::fs::write(folder.path().join("gate.csv"), text).unwrap();
    let scenario = |tokens: u32| {
        let body = body(
            "router: Trace(\"gate.csv\")",
            &format!("Tokens(prompt: {tokens})"),
        );
        let path = folder.path().join("test.ron");
        scenario::parse(&format!("Scenario({body})"), &path, &[]).unwrap()
    };
    let interrupt = AtomicBool::new(false);
    let options = |name: &str| RunOptions {
        out: folder.path().join(name),
        interrupt: &interrupt,
    };
    let streams = Streams { seed: 1, run: 0 };
    let prepared = prepare(&scenario(3), streams, Vec::new()).unwrap();
    let finished = run(prepared, &options("short"), Box::new(|_| ())).unwrap();
    for expert in &finished.measured.experts {
        let heavy = |token| (expert.layer + token) % 7;
        let visits = (0..3).filter(|t| [heavy(*t), heavy(*t) + 1].contains(&expert.expert));
        assert_eq!(expert.visits, visits.count() as u64);
    }
    let prepared = prepare(&scenario(4), streams, Vec::new()).unwrap();
    let missing = run(prepared, &options("long"), Box::new(|_| ())).unwrap_err();
    assert!(
        missing.to_string().contains("block 0, token 3"),
        "{missing}"
    );
}

#[test]
fn links_that_carry_too_little_end_the_run_or_lose_their_experts() {
    let uplink = |link: &TokenLink| 65536.0 / link.uplink_time(5e6) / 5e6;
    let links = links();
    let mut rates: Vec<f64> = links.iter().map(uplink).collect();
    rates.sort_by(f64::total_cmp);
    // Two devices are above, two below.
    let threshold = (rates[1] + rates[2]) / 2.0;
    let cut = format!("outage: \"{threshold} bit/s/Hz\"");
    let resolved = parse(&body(&format!("{SYNTHETIC}, {cut}"), "Tokens(prompt: 9)")).unwrap();
    let streams = Streams { seed: 1, run: 0 };
    let folder = TempDir::new().unwrap();
    let options = RunOptions {
        out: folder.path().join("run"),
        interrupt: &AtomicBool::new(false),
    };
    let prepared = prepare(&resolved, streams, Vec::new()).unwrap();
    let fault = run(prepared, &options, Box::new(|_| ()))
        .unwrap_err()
        .to_string();
    assert!(fault.contains("on_outage: Drop"), "{fault}");
    let run = simulate(
        &format!("{SYNTHETIC}, {cut}, on_outage: Drop"),
        "Tokens(prompt: 9)",
    );
    let cut_off: Vec<String> = links
        .iter()
        .enumerate()
        .filter(|(_, link)| uplink(link) <= threshold)
        .map(|(device, _)| device.to_string())
        .collect();
    assert_eq!(cut_off.len(), 2);
    assert!(
        run.rows("waits.csv")
            .iter()
            .all(|row| !cut_off.contains(&row["device"]))
    );
    assert_eq!(run.metric("expert_visits"), 2.0 * 9.0 * 32.0);
}

/// What a scenario of `body` gives, or what is wrong with it.
fn outcome(body: &str, folder: &Path) -> Result<Finished, String> {
    let text = format!("Scenario({body})");
    let place = folder.join("test.ron");
    let resolved = scenario::parse(&text, &place, &[]).map_err(|fault| fault.to_string())?;
    let interrupt = AtomicBool::new(false);
    let options = RunOptions {
        out: TempDir::new_in(folder).unwrap().path().join("run"),
        interrupt: &interrupt,
    };
    let prepared = prepare(&resolved, Streams { seed: 1, run: 0 }, Vec::new()).unwrap();
    run(prepared, &options, Box::new(|_| ())).map_err(|fault| fault.to_string())
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
    let finished = outcome(&far("on_outage: Drop"), folder.path()).unwrap();
    let measured = &finished.measured;
    assert!(measured.visits.iter().all(|visit| visit.device != 2));
    // Lost are the visits that would have been made were the device near.
    let near = simulate(SYNTHETIC, tokens);
    let there: u64 = near
        .finished
        .measured
        .visits
        .iter()
        .filter(|visit| visit.device == 2)
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
        let finished = outcome(&body, folder.path()).unwrap();
        let visits = || finished.measured.visits.iter();
        let mut back = visits().filter(|visit| visit.device == 1).peekable();
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
fn a_single_device_has_the_band_to_itself_and_holds_every_barrier() {
    let folder = TempDir::new().unwrap();
    let single = body(SYNTHETIC, "Tokens(prompt: 9)")
        .replace("count: 4", "count: 1")
        .replace("\"64 GB\"", "\"200 GB\"")
        .replace(", \"100 m\", \"200 m\", \"300 m\"", "");
    let one = outcome(&single, folder.path()).unwrap();
    // All on one of four devices: the others wait for ever and get nothing.
    let all = ["Device(0)"; 8].join(", ");
    let placed = format!("{SYNTHETIC}, placement: Experts([{all}])");
    let crowded = body(&placed, "Tokens(prompt: 9)").replace("\"64 GB\"", "\"200 GB\"");
    let crowded = outcome(&crowded, folder.path()).unwrap();
    let expected = 32.0 * 18.0 * links()[0].delay(20e6);
    for finished in [one, crowded] {
        let batch = finished.metrics.get("batch_latency_s").unwrap();
        assert!((batch - expected).abs() < 1e-9, "{batch} {expected}");
        assert_eq!(finished.measured.visits.len(), 32);
        for visit in &finished.measured.visits {
            assert!(visit.holds_barrier && visit.device == 0);
            assert_eq!((visit.tokens, visit.bandwidth_hz), (18, 20e6));
        }
    }
}

#[test]
fn the_barriers_holder_is_the_device_that_returns_last() {
    let run = simulate(
        &format!("{SYNTHETIC}, bandwidth: Uniform"),
        "Tokens(prompt: 12)",
    );
    let visits = &run.finished.measured.visits;
    for block in visits.chunk_by(|a, b| a.layer == b.layer) {
        let last = block.iter().map(|visit| visit.end).max();
        for visit in block {
            assert_eq!(visit.holds_barrier, Some(visit.end) == last);
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
    let finished = outcome(&far, folder.path()).unwrap();
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
    let model = format!(
        "Folder({:?})",
        Path::new(env!("CARGO_MANIFEST_DIR")).join(TINY)
    );
    let near = body("on_outage: Drop", "Score(text: World(documents: 3))")
        .replace("Shape(\"mixtral-8x7b\")", &model);
    let far = near.replace("200 m", "1e12 m").replace("300 m", "1e12 m");
    let near = outcome(&near, folder.path()).unwrap().metrics;
    let far = outcome(&far, folder.path()).unwrap().metrics;
    assert_eq!(near.get("expert_visits_lost"), Some(0.0));
    assert!(far.get("expert_visits_lost").unwrap() > 0.0);
    assert_eq!(far.get("expert_visits"), near.get("expert_visits"));
    assert!(far.get("perplexity").unwrap() > 1.05 * near.get("perplexity").unwrap());
}

#[test]
fn what_does_not_fit_is_refused_by_field() {
    let refused = |body: String, words: &[&str]| {
        let fault = parse(&body).map(|_| ()).unwrap_err();
        for word in words {
            assert!(fault.contains(word), "{fault}");
        }
    };
    let tokens = "Tokens(prompt: 9)";
    refused(body("", tokens), &["architecture.router", "Synthetic()"]);
    refused(
        body("router: Synthetic(correlation: 1.0)", tokens),
        &["architecture.router.correlation"],
    );
    refused(
        body("router: Trace(\"nowhere.csv\")", tokens),
        &["architecture.router", "there is no file"],
    );
    refused(
        body(
            &format!("{SYNTHETIC}, placement: Experts([Device(9)])"),
            tokens,
        ),
        &["architecture.placement", "no device 9"],
    );
    refused(
        body(&format!("{SYNTHETIC}, bits: 1"), tokens),
        &["bits", "use 2 to 16"],
    );
    refused(
        body(SYNTHETIC, "Generate(prompt: \"Mara\")"),
        &["workload[0]", "Tokens(prompt: 500)"],
    );
    refused(
        body(SYNTHETIC, tokens).replace("device_antennas: 1", "device_antennas: 2"),
        &["radio.device_antennas", "write 1"],
    );
    refused(
        body(SYNTHETIC, tokens).replace("mixtral-8x7b", "mixtral"),
        &["model", "mixtral-8x7b"],
    );
    let dense = parse(&body(SYNTHETIC, tokens).replace("mixtral-8x7b", "llama-2-7b")).unwrap();
    let fault = prepare(&dense, Streams { seed: 1, run: 0 }, Vec::new()).unwrap_err();
    assert!(fault.to_string().contains("no experts"), "{fault}");
    assert!(
        ModelShape::named("mixtral-8x7b")
            .unwrap()
            .expert_work(1)
            .flops
            == 352_450_560
    );
}

const TINY: &str = "models/tiny-mixtral";

/// −ln p of the bundled world's first held-out documents, from the model alone.
fn undistributed_nats(documents: u64) -> f64 {
    let model = Mixtral::load(Path::new(TINY)).unwrap();
    let tokenizer = Tokenizer::load(Path::new(TINY)).unwrap();
    let config = model.config();
    let mut workspace = model.workspace();
    let world = World::new(World::BUNDLED_SEED);
    let mut nats = 0.0;
    for number in 0..documents {
        let text = world.document(Split::HeldOut, number).text;
        let mut tokens: Vec<u32> = config.bos.into_iter().collect();
        tokens.extend(tokenizer.encode(&text).unwrap());
        tokens.extend(config.eos.first());
        let (inputs, targets) = (&tokens[..tokens.len() - 1], &tokens[1..]);
        let mut cache = model.cache(inputs.len()).unwrap();
        model
            .forward(inputs, &mut cache, &mut workspace, Rows::All)
            .unwrap();
        let logits = workspace.logits().unwrap();
        let scored = score(logits, model.shape().vocabulary, targets).unwrap();
        nats += scored.iter().sum::<f64>();
    }
    nats
}

#[test]
fn exact_entries_and_the_models_own_choice_give_the_models_own_likelihood() {
    let simulate = |architecture: &str| -> f64 {
        let workload = "Score(text: World(documents: 2))";
        let body = body(architecture, workload)
            .replace("Shape(\"mixtral-8x7b\")", &format!("Folder({TINY:?})"));
        let resolved = parse(&body).unwrap_or_else(|error| panic!("{error}"));
        let folder = TempDir::new().unwrap();
        let options = RunOptions {
            out: folder.path().join("run"),
            interrupt: &AtomicBool::new(false),
        };
        let prepared = prepare(&resolved, Streams { seed: 1, run: 0 }, Vec::new()).unwrap();
        let finished = run(prepared, &options, Box::new(|_| ())).unwrap();
        finished.measured.requests[0]
            .negative_log_likelihood
            .unwrap()
    };
    let alone = undistributed_nats(2);
    // To the bit, wherever the experts are.
    assert_eq!(simulate("bits: 32"), alone);
    assert_eq!(
        simulate("bits: 32, pipelining: Tokens, bandwidth: Uniform"),
        alone
    );
    // What stays at the server is not quantised, however few the bits.
    let server = ["Server"; 8].join(", ");
    assert_eq!(
        simulate(&format!("bits: 2, placement: Experts([{server}])")),
        alone
    );
    // Half precision is felt and hardly matters; two bits ruin it.
    let half = simulate("bits: 16");
    assert!(
        half != alone && (half / alone - 1.0).abs() < 1e-2,
        "{half} {alone}"
    );
    assert!(simulate("bits: 2") > 2.0 * alone);
}
