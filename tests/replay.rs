//! Replay finds nothing where nothing changed (law 1), and the first effect where something
//! did.

use airloom::results::drawn::is_drawn;
use airloom::results::folder::{FileDigest, hash_of};
use airloom::results::manifest::Manifest;
use airloom::rng::Streams;
use airloom::scenario;
use airloom::simulation::{
    Difference, Replay, ReplayOptions, RunOptions, SweepOptions, prepare, replay, run, sweep,
};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use tempfile::TempDir;

static IDLE: AtomicBool = AtomicBool::new(false);

const SCENARIO: &str = "Scenario(
    model: Folder(\"model\"),
    nodes: {\"device\": (count: 3)},
    workload: [Score(text: World(documents: 1)), Generate(prompt: \"The\", max_tokens: 4)],
)";

/// A model, a scenario and a run of it in one folder.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(TempDir::new().unwrap());
        fs::create_dir(place.path("model")).unwrap();
        for file in ["config.json", "model.safetensors", "tokenizer.json"] {
            let bundled = Path::new("models/tiny-llama").join(file);
            fs::copy(bundled, place.path("model").join(file)).unwrap();
        }
        fs::write(place.path("small.ron"), SCENARIO).unwrap();
        let resolved = scenario::load(&place.path("small.ron"), &[]).unwrap();
        let streams = Streams { seed: 1, run: 0 };
        let prepared = prepare(&resolved, streams, Vec::new()).unwrap();
        let options = RunOptions {
            out: place.path("run"),
            interrupt: &IDLE,
        };
        run(prepared, &options, &mut ()).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn replay(&self, name: &str) -> Replay {
        let options = ReplayOptions {
            base: None,
            interrupt: &IDLE,
        };
        replay(&self.path(name), &options).unwrap()
    }

    /// Changes the run's manifest.
    fn edit(&self, edit: impl FnOnce(&mut Manifest)) {
        let path = self.path("run/manifest.json");
        let mut manifest = Manifest::parse(&fs::read_to_string(&path).unwrap()).unwrap();
        edit(&mut manifest);
        fs::write(path, manifest.to_json()).unwrap();
    }

    /// Draws the run's timeline otherwise, as if it had been made so.
    fn redraw(&self, commit: &str) {
        let timeline = self.path("run/timeline.svg");
        fs::write(&timeline, "<svg/>").unwrap();
        self.edit(|manifest| {
            let listed = |file: &&mut FileDigest| file.name == "timeline.svg";
            let file = manifest.files.iter_mut().find(listed).unwrap();
            file.bytes = 6;
            file.blake3 = hash_of(&timeline).unwrap();
            manifest.host.commit = commit.to_owned();
            manifest.seal();
        });
    }

    fn flip_one_mantissa_bit(&self, tensor: &str) {
        let path = self.path("model/model.safetensors");
        let mut bytes = fs::read(&path).unwrap();
        let header_length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        let header: serde_json::Value =
            serde_json::from_slice(&bytes[8..8 + header_length]).unwrap();
        let offset = header[tensor]["data_offsets"][0].as_u64().unwrap() as usize;
        // The lowest mantissa bit of the first bf16 entry.
        bytes[8 + header_length + offset] ^= 1;
        fs::write(&path, bytes).unwrap();
    }
}

#[test]
fn an_unchanged_run_is_bit_equal_from_folder_and_from_manifest_alone() {
    let place = Place::new();
    let replayed = place.replay("run");
    assert!(replayed.is_equal(), "{replayed}");
    assert!(
        replayed.to_string().starts_with("bit-equal: "),
        "{replayed}"
    );
    fs::rename(place.path("run/manifest.json"), place.path("alone.json")).unwrap();
    assert!(place.replay("alone.json").is_equal());
}

#[test]
fn a_flipped_mantissa_bit_is_reported_with_the_first_tensor_it_changed() {
    let place = Place::new();
    place.flip_one_mantissa_bit("model.layers.2.mlp.down_proj.weight");
    let replayed = place.replay("run");
    assert_eq!(replayed.changes.len(), 1, "{replayed}");
    assert!(
        replayed.changes[0].contains("model.safetensors"),
        "{replayed}"
    );
    // Timing depends on shapes, not on weights: no event differs.
    assert_eq!(replayed.event, None);
    // The first entry of down_proj belongs to the first column, so to device 0.
    match replayed.tensor.as_ref().expect("a tensor differs") {
        Difference::Rows { there, here, .. } => {
            for row in [there, here] {
                let row = row.as_ref().unwrap();
                assert!(row.starts_with("0,0,2,mlp,device0,,"), "{row}");
            }
            assert_ne!(there, here);
        }
        other => panic!("both rows are at hand: {other:?}"),
    }
}

#[test]
fn a_bare_manifest_bounds_the_first_difference() {
    let place = Place::new();
    fs::copy(place.path("run/manifest.json"), place.path("alone.json")).unwrap();
    let rows = |replayed: &Replay| match replayed.tensor.as_ref() {
        Some(Difference::Window(window)) => window.clone(),
        other => panic!("{other:?}"),
    };
    place.flip_one_mantissa_bit("model.layers.5.mlp.down_proj.weight");
    let window = rows(&place.replay("alone.json"));
    // Layers before it have 2 × (3 partial outputs + 1 sum) tensors each; in its own,
    // attention's four come first.
    let first = 5 * 8 + 4;
    assert!(window.contains(&first), "{window:?}");
}

#[test]
fn a_changed_scenario_file_is_reported_and_the_runs_own_is_replayed() {
    let place = Place::new();
    let changed = SCENARIO.replace("count: 3", "count: 2");
    fs::write(place.path("small.ron"), changed).unwrap();
    let replayed = place.replay("run");
    assert_eq!(replayed.changes.len(), 1, "{replayed}");
    assert!(replayed.changes[0].contains("count: 2"), "{replayed}");
    assert_eq!((replayed.event, replayed.tensor), (None, None));
}

#[test]
fn an_edited_manifest_is_told_by_its_own_digest_and_the_run_is_made_all_the_same() {
    let place = Place::new();
    place.edit(|manifest| manifest.digest = "00".to_owned());
    let replayed = place.replay("run");
    assert_eq!(replayed.changes.len(), 1, "{replayed}");
    assert!(
        replayed.changes[0].starts_with("manifest: it was edited: it says digest 00…"),
        "{replayed}"
    );
    assert!(replayed.made.is_ok() && !replayed.is_equal());
    assert_eq!((replayed.event, replayed.tensor), (None, None));
    // Rows and notes are no part of the digest.
    place.edit(|manifest| {
        manifest.seal();
        manifest.trace.rows += 1;
        manifest.trace.stride = 0;
    });
    assert!(place.replay("run").event.is_some());
}

#[test]
fn logits_alone_can_differ() {
    let place = Place::new();
    place.edit(|manifest| {
        manifest.logits_blake3 = "00".to_owned();
        manifest.seal();
    });
    let replayed = place.replay("run");
    assert!(replayed.changes.is_empty() && replayed.files.is_empty());
    assert!(
        replayed
            .to_string()
            .starts_with("logits differ: BLAKE3 00… there"),
        "{replayed}"
    );
    assert!(!replayed.is_equal());
}

#[test]
fn a_scenario_that_is_not_here_is_noted_and_one_with_a_fault_is_a_change() {
    let place = Place::new();
    fs::write(
        place.path("small.ron"),
        SCENARIO.replace("count: 3", "cuont: 3"),
    )
    .unwrap();
    let replayed = place.replay("run");
    assert_eq!(replayed.changes.len(), 1, "{replayed}");
    for part in ["its file has a fault now", "small.ron:3", "cuont"] {
        assert!(replayed.changes[0].contains(part), "{replayed}");
    }
    fs::remove_file(place.path("small.ron")).unwrap();
    let replayed = place.replay("run");
    assert!(replayed.is_equal(), "{replayed}");
    let text = replayed.to_string();
    let (note, rest) = text.split_once('\n').unwrap();
    assert!(
        note.ends_with("small.ron cannot be read here; replaying the manifest's own copy"),
        "{note}"
    );
    assert!(rest.starts_with("bit-equal: "), "{rest}");
}

#[test]
fn every_changed_line_of_a_scenario_is_named_up_to_eight() {
    let place = Place::new();
    let change = |from: &str, to: &str| {
        fs::write(place.path("small.ron"), SCENARIO.replace(from, to)).unwrap();
        place.replay("run")
    };
    let replayed = change(
        "nodes: {\"device\": (count: 3)},",
        "seed: 9, trace: Summary, nodes: {\"device\": (count: 3)},",
    );
    assert_eq!(replayed.changes.len(), 2, "{replayed}");
    for (change, now) in replayed
        .changes
        .iter()
        .zip(["`seed: 9,`", "`trace: Summary,`"])
    {
        assert!(
            change.contains(&format!("now says {now} where the run had")),
            "{replayed}"
        );
    }
    let many = "Generate(prompt: \"The\", max_tokens: 5),".repeat(9);
    let replayed = change("Generate(", &format!("{many} Generate("));
    assert_eq!(replayed.changes.len(), 9, "{replayed}");
    assert!(
        replayed.changes[..8]
            .iter()
            .all(|line| line.contains("now adds"))
    );
    assert!(replayed.changes[8].contains("more lines"), "{replayed}");
}

#[test]
fn a_point_of_a_sweep_has_the_scenario_it_came_from() {
    let place = Place::new();
    let swept = SCENARIO.replace(
        "model:",
        "sweep: (axes: [(path: \"nodes.device.count\", values: [2, 3])]), model:",
    );
    fs::write(place.path("small.ron"), swept).unwrap();
    let resolved = scenario::load(&place.path("small.ron"), &[]).unwrap();
    let options = SweepOptions {
        scenario: &resolved,
        out: place.path("swept"),
        seed: 1,
        jobs: 1,
        overrides: Vec::new(),
        shard: None,
        publish: None,
        interrupt: &IDLE,
    };
    let points = scenario::points(&resolved).unwrap();
    sweep(&points, &options, &|_| ()).unwrap();
    let mut points = fs::read_dir(place.path("swept/points")).unwrap();
    let point = points.next().unwrap().unwrap().path();
    let replayed = place.replay(point.to_str().unwrap());
    assert!(
        replayed.is_equal() && replayed.notes.is_empty(),
        "{replayed}"
    );
}

#[test]
fn a_changed_input_is_named_even_if_no_run_can_be_made_of_it() {
    let place = Place::new();
    let config = place.path("model/config.json");
    let text = fs::read_to_string(&config).unwrap();
    let changed = text.replace("\"hidden_size\": 192", "\"hidden_size\": 100");
    assert_ne!(changed, text);
    fs::write(&config, changed).unwrap();
    let replayed = place.replay("run");
    assert_eq!(replayed.changes.len(), 1, "{replayed}");
    assert!(
        replayed.changes[0].starts_with("input config.json: "),
        "{replayed}"
    );
    assert!(replayed.made.is_err() && !replayed.is_equal());
}

#[test]
fn a_figure_drawn_by_another_commit_is_no_difference_and_one_by_this_commit_is() {
    let place = Place::new();
    place.redraw("another");
    let replayed = place.replay("run");
    assert!(replayed.is_equal(), "{replayed}");
    assert!(
        replayed
            .to_string()
            .starts_with("bit-equal; figures are drawn differently by this version: "),
        "{replayed}"
    );
    let (_, _, here) = replayed
        .host
        .iter()
        .find(|(fact, _, _)| *fact == "commit")
        .unwrap();
    place.redraw(here);
    let replayed = place.replay("run");
    assert_eq!(replayed.files, ["timeline.svg"]);
    assert!(!replayed.is_equal());
    // Data are not excused.
    place.redraw("another");
    place.edit(|manifest| {
        let listed = |file: &&mut FileDigest| file.name == "metrics.json";
        let file = manifest.files.iter_mut().find(listed).unwrap();
        file.bytes += 1;
        manifest.seal();
    });
    let replayed = place.replay("run");
    let changed = ["metrics.json", "metrics.json was changed after the run"];
    assert_eq!(replayed.files, changed, "{replayed}");
    assert!(!replayed.is_equal());
}

#[test]
fn metrics_from_before_anybody_told_how_far_they_are_known_are_no_difference() {
    let place = Place::new();
    let file = place.path("run").join("metrics.json");
    let mut metrics: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    assert!(metrics.as_object_mut().unwrap().remove("trust").is_some());
    let write = |metrics: &serde_json::Value| {
        fs::write(&file, metrics.to_string()).unwrap();
        place.edit(|manifest| {
            let listed = |file: &&mut FileDigest| file.name == "metrics.json";
            let own = manifest.files.iter_mut().find(listed).unwrap();
            own.bytes = fs::metadata(&file).unwrap().len();
            own.blake3 = hash_of(&file).unwrap();
            manifest.seal();
        });
    };
    write(&metrics);
    let replayed = place.replay("run");
    assert!(replayed.files.is_empty(), "{replayed}");
    metrics["makespan_s"] = 1.0.into();
    write(&metrics);
    assert_eq!(place.replay("run").files, ["metrics.json"]);
}

#[test]
fn what_an_older_version_did_not_draw_is_no_difference() {
    let place = Place::new();
    for entry in fs::read_dir(place.path("run")).unwrap() {
        let path = entry.unwrap().path();
        if is_drawn(&path.file_name().unwrap().to_string_lossy()) {
            fs::remove_file(path).unwrap();
        }
    }
    place.edit(|manifest| {
        manifest.files.retain(|file| !is_drawn(&file.name));
        manifest.headline.clear();
        manifest.host.commit = "older".to_owned();
        manifest.seal();
    });
    let replayed = place.replay("run");
    assert!(replayed.is_equal(), "{replayed}");
    for name in ["report.html", "timeline.svg"] {
        assert!(replayed.figures.iter().any(|drawn| drawn == name), "{name}");
    }
}

#[test]
fn an_edited_event_is_shown_with_both_rows() {
    let place = Place::new();
    let path = place.path("run/events.csv");
    let text = fs::read_to_string(&path).unwrap();
    let number = 5;
    let row = text.lines().nth(1 + number).unwrap().to_owned();
    assert!(row.contains("device"), "{row}");
    let edited = text.replace(&row, &row.replace("device", "divice"));
    fs::write(&path, edited).unwrap();
    let replayed = place.replay("run");
    match replayed.event.as_ref().expect("a row differs") {
        Difference::Rows {
            number: found,
            there,
            here,
            ..
        } => {
            assert_eq!(*found, number as u64);
            assert!(there.as_ref().unwrap().contains("divice"));
            assert_eq!(here.as_ref(), Some(&row));
        }
        other => panic!("both rows are at hand: {other:?}"),
    }
    assert!(
        replayed
            .files
            .iter()
            .any(|file| file == "events.csv was changed after the run"),
        "{replayed}"
    );
}

#[test]
fn what_is_no_run_is_refused() {
    let place = Place::new();
    let options = ReplayOptions {
        base: None,
        interrupt: &IDLE,
    };
    let refuse = |name: &str| {
        let error = replay(&place.path(name), &options).unwrap_err();
        assert!(error.is_input());
        error.to_string()
    };
    assert!(refuse("model").contains("manifest.json"));
    assert!(refuse("small.ron").contains("is no manifest"));
    place.edit(|manifest| manifest.format = 99);
    let refused = refuse("run");
    assert!(
        refused.contains("its format is 99, and the one known here is 1"),
        "{refused}"
    );
    let manifest = place.path("run/manifest.json");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(
        &manifest,
        text.replacen("\"format\": 99", "\"format\": 1", 1),
    )
    .unwrap();
    fs::remove_file(place.path("model/model.safetensors")).unwrap();
    assert!(refuse("run").contains("model"), "nothing has changed");
}
