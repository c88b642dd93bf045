//! Replay finds nothing where nothing changed, and the first effect where something did.

use airloom::rng::Streams;
use airloom::scenario;
use airloom::simulation::{Difference, Replay, ReplayOptions, RunOptions, prepare, replay, run};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use tempfile::TempDir;

static IDLE: AtomicBool = AtomicBool::new(false);

const SCENARIO: &str = "Scenario(
    model: Folder(\"model\"),
    devices: (count: 3),
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
        run(prepared, &options, Box::new(|_| ())).unwrap();
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
        replay(&self.path(name), &options, Box::new(|_| ())).unwrap()
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
                assert!(row.starts_with("0,0,2,mlp,0,,"), "{row}");
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
        let error = replay(&place.path(name), &options, Box::new(|_| ())).unwrap_err();
        assert!(error.is_input());
        error.to_string()
    };
    assert!(refuse("model").contains("manifest.json"));
    assert!(refuse("small.ron").contains("is no manifest"));
}
