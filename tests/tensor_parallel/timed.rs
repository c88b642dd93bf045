//! Runs of a model that is only a shape: their events are those of a computed run.

use airloom::device::Profile;
use airloom::engine::{self, CsvTrace, Resources, TraceLevel};
use airloom::execution::{Dense, Execution, STAGE_NAMES, Source, System};
use airloom::measurement::{BlockRecord, Measurements, PassRecord};
use airloom::model::{ShardPlan, Shares};
use airloom::numerics::Llama;
use airloom::policy::Design;
use airloom::radio::{
    Air, AirComp, Coherence, Csi, Digital, Downlink, Hierarchy, LinkBudget, LinkRate, RadioConfig,
    Scheme, UncodedFdma,
};
use airloom::rng::Streams;
use airloom::scenario;
use airloom::serving::workload::{Arrival, Request, Task, Window};
use airloom::simulation::{Finished, RunOptions, prepare, run};
use airloom::topology::Node;
use airloom::units::{Decibels, Instant, Seconds, SpectralEfficiency, Watts};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use tempfile::TempDir;

const STREAMS: Streams = Streams { seed: 5, run: 0 };
const PROMPT: [u32; 3] = [5, 6, 7];
const GENERATED: u32 = 4;
const NODE_NAMES: &[&str] = &["device0", "device1", "device2", "server"];

/// The event log and the measurements of a run of `source` on three devices.
fn events(
    (plan, source): (&ShardPlan, Source),
    tasks: Vec<Task>,
    radio: &RadioConfig,
    scheme: Scheme,
) -> (String, Measurements) {
    let node = |name: &str, label: &str| Node {
        name: name.to_owned(),
        group: name.to_owned(),
        label: label.to_owned(),
        profile: Profile::Preset(label.to_owned()).resolve().unwrap(),
        basis: Profile::Preset(label.to_owned()).basis(),
    };
    let design = Design::default().transceiver_design();
    let requests = (0..).zip(tasks);
    let requests = requests.map(|(number, task)| {
        let arrival = Arrival::after_previous(number);
        Request::new(arrival, task)
    });
    let air = Air::new(radio.clone(), scheme, design, 3, STREAMS).unwrap();
    let system = System::of_group(
        vec![
            node("device0", "jetson-orin-nano"),
            node("device1", "raspberry-pi-5"),
            node("device2", "jetson-orin-nano"),
        ],
        node("server", "edge-server-l4"),
        (plan.clone(), air),
        source,
        requests.collect(),
        STREAMS,
    );
    let mut resources = Resources::new();
    let mut measured = Measurements::default();
    let mut program = Execution::new(system, &mut measured, &mut resources).unwrap();
    let mut trace = CsvTrace::new(TraceLevel::Full, Vec::new(), STAGE_NAMES, NODE_NAMES).unwrap();
    let never = AtomicBool::new(false);
    let report = engine::run(&mut program, &resources, &mut trace, &never).unwrap();
    let (totals, _) = program.finish(Instant(report.makespan.0));
    measured.totals = totals;
    let (_, text) = trace.finish().unwrap();
    (String::from_utf8(text).unwrap(), measured)
}

/// A text that is read, and one that is continued: by the model, or by their lengths.
fn tasks(continued: Task) -> Vec<Task> {
    let inputs: Vec<u32> = (0..9).collect();
    let window = Window {
        targets: inputs.clone(),
        inputs,
        source_nats: None,
    };
    let read = Task::Score {
        windows: vec![window],
        stepwise: false,
    };
    vec![read, continued]
}

#[test]
fn a_timed_run_has_the_events_of_a_computed_one_bit_for_bit() {
    let folder = Path::new(super::MODEL);
    let model = Llama::load(folder).unwrap();
    let shares = Shares::new(vec![0.5, 0.125, 0.375]).unwrap();
    let plan = ShardPlan::new(model.shape(), &shares).unwrap();
    let silent = RadioConfig {
        coherence: Coherence::Time(Seconds(2e-3)),
        csi: Csi {
            pilot_symbols: 16,
            ..Csi::default()
        },
        ..RadioConfig::default()
    };
    let counted = RadioConfig {
        budget: LinkBudget::Normalised {
            snr: Decibels(10.0),
            reference_power: Some(Watts(0.1)),
        },
        downlink: Downlink::Multicast {
            bits: 12,
            rate: LinkRate::Drawn,
            server_power: Decibels(0.0),
        },
        ..RadioConfig::default()
    };
    let fixed = Digital {
        rate: LinkRate::Fixed(SpectralEfficiency(12.0)),
        ..Digital::default()
    };
    for scheme in [
        Scheme::Ideal,
        Scheme::AirComp(AirComp::default()),
        Scheme::UncodedFdma(UncodedFdma::default()),
        Scheme::Digital(Digital::default()),
        Scheme::Digital(fixed),
        Scheme::Hierarchy(Hierarchy::default()),
    ] {
        for radio in [&silent, &counted] {
            let dense = model.shard(&plan).unwrap();
            let computed = Source::Dense(Box::new(Dense::new(vec![dense])));
            let text = tasks(Task::Generate {
                prompt: PROMPT.to_vec(),
                max_tokens: GENERATED,
            });
            let lengths = tasks(Task::Tokens {
                prompt: PROMPT.len() as u32,
                generate: GENERATED,
            });
            let (computed, with) = events((&plan, computed), text, radio, scheme.clone());
            let (timed, without) = events((&plan, Source::Timed), lengths, radio, scheme.clone());
            let same = computed.lines().zip(timed.lines()).find(|(a, b)| a != b);
            assert_eq!(same, None, "{} {radio:?}", scheme.name());
            assert_eq!(computed.len(), timed.len());
            for (a, b) in with.requests.iter().zip(&without.requests) {
                assert_eq!(
                    (a.first_token, a.output_tokens),
                    (b.first_token, b.output_tokens)
                );
                assert_eq!(a.energy_j, b.energy_j);
            }
            for (a, b) in with.totals.per_node.iter().zip(&without.totals.per_node) {
                assert_eq!((a.radio_j, a.kv_cache_bytes), (b.radio_j, b.kv_cache_bytes));
            }
            assert!(with.passes.iter().all(PassRecord::is_computed));
            assert!(!without.passes.iter().any(PassRecord::is_computed));
            // What a transceiver designed for its joules tells of the error comes for nothing.
            let analog = matches!(scheme, Scheme::AirComp(_) | Scheme::UncodedFdma(_));
            let tells = analog && radio == &counted;
            for (a, b) in with.blocks.iter().zip(&without.blocks) {
                assert_eq!(b.felt(), None);
                assert_eq!(a.distortion.is_some(), b.distortion.is_some());
                let analytic = |block: &BlockRecord| block.distortion.and_then(|d| d.analytic_mse);
                if let Scheme::Hierarchy(_) = scheme {
                    // How loud heads are is known of tensors alone.
                    assert_eq!(analytic(b).is_some(), radio == &counted);
                    continue;
                }
                assert_eq!(analytic(b), analytic(a).filter(|_| tells));
            }
        }
    }
}

fn scenario(model: &str, devices: &str, rest: &str) -> String {
    format!("Scenario(model: {model}, nodes: {{\"device\": ({devices})}}, {rest})")
}

fn simulate(text: &str) -> Result<(Finished, Measurements), String> {
    let folder = TempDir::new().unwrap();
    let resolved = scenario::parse(text, Path::new("test.ron"), &[]).map_err(|e| e.to_string())?;
    let options = RunOptions {
        out: folder.path().join("run"),
        interrupt: &AtomicBool::new(false),
    };
    let prepared = prepare(&resolved, STREAMS, Vec::new()).map_err(|e| e.to_string())?;
    let mut measured = Measurements::default();
    let finished = run(prepared, &options, &mut measured).map_err(|e| e.to_string())?;
    Ok((finished, measured))
}

#[test]
fn only_tokens_that_are_generated_have_a_pace() {
    let run = |generate: u32| {
        let text = scenario(
            "Shape(\"llama-3-8b\")",
            "count: 4, profile: Preset(\"table-i-vm\")",
            &format!("workload: [Tokens(prompt: 7, generate: {generate})]"),
        );
        simulate(&text).unwrap()
    };
    let (read, _) = run(0);
    assert_eq!(read.metrics.get("ttft_s"), None);
    assert_eq!(read.metrics.get("timed_passes"), Some(1.0));
    let (written, measured) = run(3);
    assert_eq!(written.metrics.get("timed_passes"), Some(3.0));
    assert_eq!(written.metrics.get("computed_passes"), Some(0.0));
    assert_eq!(written.metrics.get("generated_tokens"), Some(3.0));
    let [prefill, rest @ ..] = &measured.passes[..] else {
        panic!("three passes")
    };
    let seconds = |pass: &PassRecord| pass.end.since(pass.start).as_seconds();
    assert_eq!(written.metrics.get("ttft_s"), Some(seconds(prefill)));
    let pace = rest.iter().map(seconds).sum::<f64>() / 2.0;
    let tpot = written.metrics.get("tpot_s").unwrap();
    assert!((tpot / pace - 1.0).abs() < 1e-12, "{tpot} {pace}");
    assert_eq!(written.metrics.get("perplexity"), None);
    assert_eq!(written.metrics.get("all_reduce_mse"), None);
}

#[test]
fn a_shape_must_fit_the_memory_of_every_device() {
    let run = |devices: usize, bits: f64| {
        let text = scenario(
            "Shape(\"llama-2-70b\")",
            &format!("count: {devices}, profile: Preset(\"table-i-vm\")"),
            &format!("precision: (weight_bits: {bits}), workload: [Tokens(prompt: 1)]"),
        );
        simulate(&text).map(|(finished, _)| finished)
    };
    // 68.7 G weights at 4.5 bit are 38.7 GB.
    let error = run(1, 4.5).unwrap_err();
    for word in ["device0 (table-i-vm)", "needs 38.", "weights 38.", "has 24"] {
        assert!(error.contains(word), "`{error}` lacks `{word}`");
    }
    let held = run(2, 4.5).unwrap().metrics.get("peak_memory_bytes");
    let held = held.unwrap();
    assert!((19.3e9..19.5e9).contains(&held), "{held}");
    assert!(run(2, 16.0).unwrap_err().contains("weights 68."));
}

#[test]
fn what_no_shape_can_be_is_refused_by_field() {
    let workload = "workload: [Tokens(prompt: 1)]";
    for (model, rest, words) in [
        ("Shape(\"mixtral-8x7b\")", "", ["model", "Experts"]),
        (
            "Shape(\"llama-2-7b\")",
            "precision: (weight_bits: 0.0),",
            ["precision.weight_bits", "above 0"],
        ),
        (
            "Shape(\"llama-2-7b\")",
            "precision: (activation_bits: 65),",
            ["precision.activation_bits", "up to 64"],
        ),
        (
            "Folder(\"models/tiny-llama\")",
            "precision: (weight_bits: 4.5),",
            ["precision.weight_bits", "as its files have them"],
        ),
    ] {
        let text = scenario(model, "count: 1", &format!("{rest} {workload}"));
        let error = simulate(&text).map(drop).unwrap_err();
        for word in words {
            assert!(error.contains(word), "`{error}` lacks `{word}`");
        }
    }
}
