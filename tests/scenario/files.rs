//! The scenarios that ship with airloom, and the resolved form of any scenario.

use airloom::device::PRESETS;
use airloom::placement::{Placed, TensorParallel};
use airloom::policy::Assignment;
use airloom::radio::Scheme;
use airloom::scenario::{self, Configurations, Override, Request, Resolved, Scenario};
use proptest::prelude::*;
use std::path::{Path, PathBuf};

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("scenarios")
        .join(name)
}

pub fn every_shipped_scenario() -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = ["", "papers"]
        .iter()
        .flat_map(|folder| std::fs::read_dir(shipped(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .collect();
    paths.sort();
    paths
}

pub fn load(path: &Path, changes: &[&str]) -> Resolved {
    let changes: Vec<Override> = changes.iter().map(|c| c.parse().unwrap()).collect();
    scenario::load(path, &changes).unwrap_or_else(|error| panic!("{error}"))
}

fn parallel(resolved: &Resolved) -> &TensorParallel {
    match &resolved.replicas[0] {
        Placed::Tensor { fields, .. } => fields,
        other => panic!("the scenario is tensor-parallel and not {other:?}"),
    }
}

#[test]
pub fn every_shipped_scenario_and_every_point_of_it_is_good() {
    for path in every_shipped_scenario() {
        let resolved = load(&path, &[]);
        let points = scenario::points(&resolved).unwrap_or_else(|error| panic!("{error}"));
        assert!(!points.is_empty());
        assert!(!resolved.scenario.description.is_empty(), "{path:?}");
    }
}

/// The second route from a text to a scenario: ron's parser into the same types.
#[test]
fn ron_reads_every_resolved_scenario_alike() {
    use ron::extensions::Extensions;
    let options = ron::Options::default()
        .with_default_extension(Extensions::UNWRAP_NEWTYPES)
        .with_default_extension(Extensions::IMPLICIT_SOME)
        .with_default_extension(Extensions::UNWRAP_VARIANT_NEWTYPES);
    for path in every_shipped_scenario() {
        // A sweep's values have no type of their own that ron could know.
        let resolved = load(&path, &["sweep=None"]);
        let text = resolved.to_ron();
        let read: Scenario = options
            .from_str(&text)
            .unwrap_or_else(|error| panic!("{error} in {text}"));
        assert_eq!(read, resolved.scenario, "{path:?}");
    }
}

/// A merge finds the points again from what the sweep has recorded, on a machine that need
/// not have the scenario's files.
#[test]
fn the_points_of_a_recorded_sweep_are_those_of_the_scenario() {
    let mut compared = 0;
    for path in every_shipped_scenario() {
        let resolved = load(&path, &[]);
        let recorded = Configurations::of(&resolved.to_ron(), "sweep.json").unwrap();
        let runs = recorded.sweep.runs as usize;
        let points = scenario::points(&resolved).unwrap();
        let mut firsts = points.chunks(runs);
        for configuration in recorded {
            let point = &firsts.next().unwrap()[0];
            let text = point.resolve().unwrap().configuration();
            assert_eq!(configuration.unwrap(), text, "{path:?}: {}", point.label);
            compared += 1;
        }
        assert_eq!(firsts.next().map(|point| &point[0].label), None, "{path:?}");
    }
    assert!(compared > 100, "{compared}");
}

#[test]
fn the_flagship_is_what_its_comments_say() {
    let resolved = load(&shipped("aircomp_tensor_parallel.ron"), &[]);
    assert_eq!(resolved.name, "aircomp_tensor_parallel");
    assert_eq!(resolved.seed(), 7);
    let nodes = &resolved.topology.nodes;
    let names: Vec<&str> = nodes.iter().map(|node| node.label.as_str()).collect();
    let fast = "jetson-orin-nano";
    assert_eq!(
        names,
        [fast, fast, fast, "raspberry-pi-5", "edge-server-l4"]
    );
    let server = resolved.topology.node("server").unwrap();
    assert_eq!(resolved.replicas[0].at(), server);
    let preset = |name| PRESETS.iter().find(|p| p.name == name).unwrap().profile;
    assert_eq!(nodes[3].profile, preset("raspberry-pi-5"));
    let parallel = parallel(&resolved);
    assert_eq!(parallel.assignment, Assignment::Equal);
    assert!(
        resolved
            .model_folder()
            .unwrap()
            .join("config.json")
            .is_file()
    );
    let generates = |request: &&Request| matches!(request, Request::Generate(_));
    assert_eq!(
        resolved.scenario.workload.iter().filter(generates).count(),
        3
    );
}

#[test]
fn the_comparison_crosses_three_schemes_with_eight_fleets() {
    let points = scenario::points(&load(&shipped("compare_all_reduce.ron"), &[])).unwrap();
    assert_eq!(points.len(), 3 * 8 * 3);
    let seen: Vec<(&str, usize, u32)> = points
        .iter()
        .map(|point| {
            let resolved = point.resolve().unwrap();
            let scheme: &Scheme = &parallel(&resolved).all_reduce;
            (
                scheme.name(),
                resolved.replicas[0].members().len(),
                point.run,
            )
        })
        .collect();
    assert_eq!(seen[0], ("AirComp", 1, 0));
    assert_eq!(seen[1], ("AirComp", 1, 1));
    assert_eq!(seen[3], ("AirComp", 2, 0));
    assert_eq!(seen[24], ("Digital", 1, 0));
    assert_eq!(seen[71], ("UncodedFdma", 8, 2));
}

/// The resolved text read back in the same folder.
fn reread(resolved: &Resolved) -> Resolved {
    let text = resolved.to_ron();
    let path = resolved.folder.join("resolved.ron");
    scenario::parse(&text, &path, &[]).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

#[test]
fn a_resolved_scenario_resolves_to_itself() {
    for path in every_shipped_scenario() {
        let resolved = load(&path, &[]);
        let again = reread(&resolved);
        assert_eq!(again.scenario, resolved.scenario);
        assert_eq!(again.topology.nodes, resolved.topology.nodes);
        assert_eq!(again.topology.links, resolved.topology.links);
        assert_eq!(again.replicas, resolved.replicas);
        assert_eq!(again.to_ron(), resolved.to_ron());
    }
}

#[test]
fn a_resolved_scenario_shows_the_defaults() {
    let text = load(&shipped("compare_all_reduce.ron"), &[]).to_ron();
    for shown in [
        "Scenario(\n    description: \"AirComp",
        "round_overhead: \"0 s\"",
        "reals_per_symbol: 2",
        "design: AlternatingMmse(max_turns: 100, tolerance: 0.0001)",
        "World(documents: 16, first: 0, seed: 1)",
        "Digital(bits: 8)",
        "arrival: AfterPrevious",
        "except: {}",
    ] {
        assert!(text.contains(shown), "`{shown}` is not in\n{text}");
    }
}

/// Changes that any combination of which is a good scenario.
const CHANGES: [&[&str]; 10] = [
    &["seed=18446744073709551615", "seed=0x1F", "seed=1_000"],
    &[
        "description=\"\\\"quoted\\\" \\\\ \\n\\t {unicode: ü\u{200b}\u{7f}}\"",
        "description=\"// no comment /* here\"",
    ],
    &[
        "nodes.device.profile=Custom(peak: \"3 TFLOP/s\", memory_bandwidth: \"1e-3 GB/s\", memory: \"2 GiB\")",
        "nodes.device.profile=Custom(peak: \"3.3 TFLOP/s\", memory_bandwidth: \"33.3 GB/s\", memory: \"2 GiB\", \
         measured: (weight_rate: \"58.2 Gparam/s\"))",
    ],
    &[
        "nodes.device.except={}",
        "nodes.device.except={0: Preset(\"table-i-vm\")}",
    ],
    &[
        "links.air.budget=Normalised(snr: \"-3.7 dB\")",
        "links.air.budget=Physical(transmit_power: \"23 dBm\", noise_density: \"-174 dBm/Hz\", noise_figure: \"7 dB\")",
    ],
    &[
        "links.air.fading=Rayleigh(carrier: \"3.5 GHz\", distance: \"80 m\")",
        "links.air.fading=Rayleigh(carrier: \"3.5 GHz\", distance: [\"80 m\", \"0.1 km\", \"1e2 m\", \"90 m\"])",
        "links.air.fading.mean=1e-300",
        "links.air.fading=Tr38901(environment: UMa, carrier: \"2 GHz\", distance: \"0.3 km\", rice_factor: \"-3 dB\")",
    ],
    &[
        "links.air.coherence=Time(\"5 ms\")",
        "links.air.coherence=Static",
    ],
    &[
        "replicas[0].placement.all_reduce=Digital(rate: Fixed(\"13.1 bit/s/Hz\"), subchannel_power: Whole)",
        "replicas[0].placement.all_reduce=AirComp",
        "replicas[0].placement.all_reduce=Ideal",
    ],
    &[
        "replicas[0].placement.assignment=Fixed([0.1, 0.2, 0.3, 0.4])",
        "replicas[0].placement.assignment=Equal",
    ],
    &[
        "workload[1].arrival=At(\"1.5 s\")",
        "sweep=(axes: [(path: \"workload[0].text\", values: [World(documents: 1), World])])",
        "sweep=Some((axes: [(path: \"links.air.bandwidth\", values: [\"1 MHz\", \"2 MHz\"])], runs: 2))",
        "sweep=(axes: [(zip: [(path: \"trace\", values: [Full, Summary, Off]), \
         (path: \"links.air.bandwidth\", range: (from: \"1 MHz\", to: \"9 MHz\", count: 3, scale: Log))])])",
    ],
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_resolved_scenario_resolves_to_itself(choice in prop::collection::vec(0usize..5, CHANGES.len())) {
        let changes: Vec<&str> = CHANGES
            .iter()
            .zip(choice)
            .filter_map(|(changes, index)| changes.get(index).copied())
            .collect();
        let resolved = load(&shipped("aircomp_tensor_parallel.ron"), &changes);
        let again = reread(&resolved);
        prop_assert_eq!(&again.scenario, &resolved.scenario);
        prop_assert_eq!(again.to_ron(), resolved.to_ron());
        let points = |resolved: &Resolved| -> Vec<String> {
            let points = scenario::points(resolved).unwrap();
            points.iter().map(|point| point.label.clone() + &point.resolve().unwrap().to_ron()).collect()
        };
        prop_assert_eq!(points(&again), points(&resolved));
    }
}
