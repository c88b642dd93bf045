//! Table I: the cells against the closed form that they follow, against the paper, and the
//! constants against a fit of their own.

use super::fit::{Constants, fit};
use super::{FOLDER, committed};
use crate::publishes_what_is_committed;
use airloom::device::Measured;
use airloom::model::ModelShape;
use airloom::placement::Placed;
use airloom::radio::{AirComp, Digital, LinkRate, Scheme};
use airloom::rng::Streams;
use airloom::scenario::{self, Model, Publication, Resolved, ShapeSource};
use airloom::simulation::{RunOptions, prepare, run};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use tempfile::TempDir;

const TABLE: &str = "scenarios/papers/aircomp_table1.ron";
const HELD_OUT: &str = "scenarios/papers/aircomp_table1_held_out.ron";

/// B, in Hz.
const BANDWIDTH: f64 = 10e6;

/// One cell of the table.
pub struct Cell {
    shape: ModelShape,
    scheme: Scheme,
    devices: usize,
    measured: Measured,
    /// Milliseconds; `None` for "N/A".
    pub published: Option<f64>,
    resolved: Resolved,
}

fn cells(file: &str) -> Vec<Cell> {
    let scenario = scenario::load(Path::new(file), &[]).unwrap();
    let sweep = scenario.scenario.sweep.as_ref().unwrap();
    let [Publication::Table(table), ..] = &sweep.publish[..] else {
        panic!("{file} publishes a table first");
    };
    let points = scenario::points(&scenario).unwrap();
    assert_eq!(points.len(), table.published.len());
    let pairs = points.iter().zip(&table.published);
    pairs
        .map(|(point, published)| {
            let resolved = point.resolve().unwrap();
            let Model::Shape(ShapeSource::Named(name)) = &resolved.scenario.model else {
                panic!("Table I is timed");
            };
            let Placed::Tensor {
                members, fields, ..
            } = &resolved.replicas[0]
            else {
                panic!("Table I is tensor-parallel");
            };
            Cell {
                shape: ModelShape::named(name).unwrap(),
                scheme: fields.all_reduce.clone(),
                devices: members.len(),
                measured: resolved.profile(members[0]).measured.unwrap(),
                published: *published,
                resolved,
            }
        })
        .collect()
}

/// `tpot_s` of a cell in milliseconds; `None` if a device's memory is too small.
fn simulated(cell: &Cell) -> Option<f64> {
    let folder = TempDir::new().unwrap();
    let options = RunOptions {
        out: folder.path().join("run"),
        interrupt: &AtomicBool::new(false),
    };
    let streams = Streams { seed: 1, run: 0 };
    let prepared = prepare(&cell.resolved, streams, Vec::new()).unwrap();
    match run(prepared, &options, &mut ()) {
        Ok(finished) => finished.metrics.get("tpot_s").map(|seconds| 1e3 * seconds),
        Err(error) => {
            assert!(error.is_infeasible(), "{error}");
            None
        }
    }
}

impl Cell {
    fn is_digital(&self) -> bool {
        matches!(self.scheme, Scheme::Digital(_))
    }

    /// Seconds of one all-reduce.
    fn air(&self) -> f64 {
        let (entries, devices) = (self.shape.hidden as f64, self.devices as f64);
        match self.scheme {
            _ if self.devices == 1 => 0.0,
            Scheme::AirComp(AirComp { streams, .. }) => {
                (entries / (2 * streams) as f64).ceil() / BANDWIDTH
            }
            Scheme::Digital(Digital {
                bits,
                rate: LinkRate::Fixed(rate),
                ..
            }) => devices * entries * f64::from(bits) / (BANDWIDTH * rate.0),
            _ => panic!("Table I has two schemes"),
        }
    }

    /// The time per token in seconds that the devices' measured rate and the air come to,
    /// norms replicated: κ/R [w + α (W − w) + β (N − 1) W] for each half layer and the LM
    /// head with w of its W weights on a device.
    fn exact(&self) -> f64 {
        let ModelShape {
            layers,
            hidden,
            heads,
            kv_heads,
            head_dim,
            ffn,
            vocabulary,
            ..
        } = self.shape;
        let Measured {
            weight_rate,
            replicated_fraction,
            contention_per_peer,
            model_slowdown,
            ..
        } = self.measured;
        let weight_rate = weight_rate.unwrap();
        let devices = self.devices as f64;
        let seconds = |matrices: usize, norm: usize, whole: usize| {
            let own = matrices as f64 / devices + norm as f64;
            let whole = whole as f64;
            let others = (whole - own).max(0.0);
            let weights =
                own + replicated_fraction * others + contention_per_peer * (devices - 1.0) * whole;
            model_slowdown * weights / weight_rate.0
        };
        let attention = 2 * hidden * head_dim * (heads + kv_heads);
        let mlp = 3 * hidden * ffn;
        let head = vocabulary * hidden;
        let layer = seconds(attention, hidden, attention + hidden)
            + seconds(mlp, hidden, mlp + hidden)
            + 2.0 * self.air();
        layers as f64 * layer + seconds(head, hidden, head)
    }

    /// The closed form of the fit, in seconds.
    pub fn closed_form(&self, constants: &Constants) -> f64 {
        let [
            rate,
            replicated,
            contention,
            efficiency,
            efficiency_7b,
            slowdown,
        ] = *constants;
        let devices = self.devices as f64;
        let peers = devices - 1.0;
        let weights = (self.shape.parameters() - self.shape.embedding_parameters()) as f64;
        let slowdown = match self.shape.name.as_str() {
            "llama-3-70b" => slowdown,
            _ => 1.0,
        };
        let shared = 1.0 / devices + replicated * peers / devices + contention * peers;
        let compute = weights / rate * slowdown * shared;
        let entries = (2 * self.shape.layers * self.shape.hidden) as f64;
        let air = match (self.devices, self.is_digital()) {
            (1, _) => 0.0,
            (_, false) => entries / (BANDWIDTH * 8.0),
            (_, true) => {
                let efficiency = match self.shape.name.as_str() {
                    "llama-2-7b" => efficiency_7b,
                    _ => efficiency,
                };
                devices * entries * 8.0 / (BANDWIDTH * efficiency)
            }
        };
        compute + air
    }
}

/// The constants that the scenario of `cells` holds.
fn constants(cells: &[Cell]) -> Constants {
    let efficiency = |name: &str| {
        let cell = cells
            .iter()
            .find(|cell| cell.is_digital() && cell.shape.name == name);
        match cell.map(|cell| cell.scheme.clone()) {
            Some(Scheme::Digital(Digital {
                rate: LinkRate::Fixed(rate),
                ..
            })) => rate.0,
            _ => panic!("{name} has a fixed rate"),
        }
    };
    let Measured {
        weight_rate,
        replicated_fraction,
        contention_per_peer,
        ..
    } = cells[0].measured;
    let weight_rate = weight_rate.unwrap();
    [
        weight_rate.0,
        replicated_fraction,
        contention_per_peer,
        efficiency("llama-2-13b"),
        efficiency("llama-2-7b"),
        cells.last().unwrap().measured.model_slowdown,
    ]
}

/// Mean and largest |ours/published − 1|.
fn errors(pairs: impl Iterator<Item = (f64, f64)>) -> (f64, f64) {
    let errors: Vec<f64> = pairs.map(|(a, b)| (a / b - 1.0).abs()).collect();
    let worst = errors.iter().copied().fold(0.0, f64::max);
    (errors.iter().sum::<f64>() / errors.len() as f64, worst)
}

fn compared<'a>(
    cells: &'a [Cell],
    ours: &'a [Option<f64>],
    of: fn(&Cell) -> bool,
) -> impl Iterator<Item = (f64, f64)> + 'a {
    let pairs = cells.iter().zip(ours).filter(move |(cell, _)| of(cell));
    pairs.filter_map(|(cell, ours)| Some((*ours.as_ref()?, cell.published?)))
}

#[test]
fn the_cells_of_table_1_are_their_closed_form_and_near_the_published() {
    let cells = cells(TABLE);
    let ours: Vec<Option<f64>> = cells.iter().map(simulated).collect();
    assert_eq!(ours.iter().flatten().count(), 28);
    for (cell, ours) in cells.iter().zip(&ours) {
        // No memory, no number: the same cells as in the paper.
        assert_eq!(ours.is_some(), cell.published.is_some());
        let Some(ours) = ours else { continue };
        let exact = cell.exact();
        // Every task of a pass rounds up to a picosecond: four for each layer, LM head,
        // embedding and sampling. The means of them are known to f64's rounding.
        let late = ours * 1e-3 - exact;
        let tasks = (4 * cell.shape.layers + 3) as f64;
        assert!((-1e-15..=1e-12 * tasks).contains(&late), "{late} s");
        // What the fit takes for it leaves replicated norms out.
        let short = cell.closed_form(&constants(&cells));
        assert!((short / exact - 1.0).abs() < 1e-3, "{short} {exact}");
    }
    let (mean, worst) = errors(compared(&cells, &ours, |_| true));
    assert!(mean <= 0.02 && worst <= 0.05, "{mean} {worst}");
}

#[test]
fn the_constants_of_table_1_are_the_least_squares_fit() {
    let readme = committed("README.md");
    for (file, most) in [(TABLE, 8), (HELD_OUT, 4)] {
        let cells = cells(file);
        let fitted = cells
            .iter()
            .filter(|cell| cell.published.is_some() && cell.devices <= most);
        let fitted = fit(&fitted.collect::<Vec<_>>());
        for (written, fitted) in constants(&cells).iter().zip(fitted) {
            // Written with four digits.
            assert!(
                (written / fitted - 1.0).abs() < 5e-4,
                "{file}: {written} {fitted}"
            );
            let written = match *written {
                rate if rate > 1e9 => format!("{} G", rate / 1e9),
                constant => format!("{constant}"),
            };
            assert!(readme.contains(&written), "the README lacks {written}");
        }
    }
}

#[test]
fn constants_fitted_on_up_to_four_devices_predict_eight() {
    let cells = cells(HELD_OUT);
    let ours: Vec<Option<f64>> = cells.iter().map(simulated).collect();
    let (mean, worst) = errors(compared(&cells, &ours, |cell| cell.devices == 8));
    assert!(mean <= 0.062 && worst <= 0.125, "{mean} {worst}");
    let said = format!("mean {:.1} %, worst {:.1} %", 100.0 * mean, 100.0 * worst);
    assert!(committed("README.md").contains(&said), "{said}");
    let (mean, worst) = errors(compared(&cells, &ours, |cell| cell.devices < 8));
    assert!(mean <= 0.02 && worst <= 0.055, "{mean} {worst}");
}

#[test]
fn table_1_is_published_as_it_is_committed() {
    publishes_what_is_committed(
        "aircomp_table1.ron",
        FOLDER,
        &["table1.csv", "table1.md", "table1_times.csv"],
    );
    publishes_what_is_committed(
        "aircomp_table1_held_out.ron",
        FOLDER,
        &["table1_held_out.csv", "table1_held_out.md"],
    );
}

#[test]
fn the_readme_sums_table_1_up_as_the_table_does() {
    let table = committed("table1.md");
    let summary = table.trim_end().lines().last().unwrap();
    assert!(summary.starts_with("28 cells compared"), "{summary}");
    assert!(committed("README.md").contains(summary), "{summary}");
}
