//! Experts on devices: whole runs against the paper's closed forms, and conservation laws
//! over the event log.

mod conservation;
mod likelihood;
mod outage;
mod placement;
mod policies;
mod refusals;
mod roofline;
mod router;
mod timing;

use airloom::measurement::Measurements;
use airloom::policy::TokenLink;
use airloom::radio::path_loss_db;
use airloom::rng::{BulkDistribution, StandardNormal, Streams};
use airloom::scenario::{self, Resolved};
use airloom::simulation::{Finished, RunOptions, prepare, run};
use airloom::units::{Hertz, Meters};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use tempfile::TempDir;

struct Run {
    finished: Finished,
    measured: Measurements,
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

const DEVICES: &str = "nodes: {\"device\": (count: 4, profile: Custom(peak: \"10 TFLOP/s\", \
    memory_bandwidth: \"100 GB/s\", memory: \"64 GB\", energy_per_flop: \"1 pJ/FLOP\", \
    energy_per_byte: \"10 pJ/B\", idle_power: \"1 W\"))}";

const RADIO: &str = "links: {\"air\": Radio(bandwidth: \"20 MHz\", device_antennas: 1, server_antennas: 1, \
    fading: Rayleigh(carrier: \"3.5 GHz\", distance: [\"60 m\", \"100 m\", \"200 m\", \"300 m\"]), \
    coherence: Static, budget: Physical(transmit_power: \"200 mW\", \
    noise_density: \"-174 dBm/Hz\", noise_figure: \"3 dB\"))}";

const SYNTHETIC: &str = "router: Synthetic()";

const TINY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/tiny-mixtral");

fn body(architecture: &str, workload: &str) -> String {
    format!(
        "{DEVICES}, {RADIO}, replicas: [(placement: Experts(compute: Flops, {architecture}))], \
         workload: [{workload}], model: Shape(\"mixtral-8x7b\")"
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
    let mut measured = Measurements::default();
    let finished = run(prepared, &options, &mut measured).unwrap();
    Run {
        finished,
        measured,
        folder,
    }
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
            StandardNormal.fill(
                &mut Streams { seed: 1, run: 0 }.open("radio.fading", device as u32, 0),
                &mut normals,
            );
            let loss = path_loss_db(Hertz(3.5e9), Meters(*metres));
            let power = (normals[0] * normals[0] + normals[1] * normals[1]) / 2.0;
            let gain = power * 10f64.powf(-loss / 10.0);
            TokenLink {
                downlink_bits: 65536.0,
                uplink_bits: 65536.0,
                downlink_reach: 10.0 * gain / noise,
                uplink_reach: 0.2 * gain / noise,
                ceiling: f64::INFINITY,
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
        let device: usize = row["node"].strip_prefix("device").unwrap().parse().unwrap();
        loads[number(&row, "layer") as usize][device] = number(&row, "tokens");
    }
    loads
}

/// What a scenario of `body` gives, or what is wrong with it.
fn outcome(body: &str, folder: &Path) -> Result<(Finished, Measurements), String> {
    let text = format!("Scenario({body})");
    let place = folder.join("test.ron");
    let resolved = scenario::parse(&text, &place, &[]).map_err(|fault| fault.to_string())?;
    let interrupt = AtomicBool::new(false);
    let options = RunOptions {
        out: TempDir::new_in(folder).unwrap().path().join("run"),
        interrupt: &interrupt,
    };
    let prepared = prepare(&resolved, Streams { seed: 1, run: 0 }, Vec::new()).unwrap();
    let mut measured = Measurements::default();
    let finished = run(prepared, &options, &mut measured);
    let finished = finished.map_err(|fault| fault.to_string())?;
    Ok((finished, measured))
}
