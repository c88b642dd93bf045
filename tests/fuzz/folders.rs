//! What is read back of run folders and sweeps: manifests, and every table.

use crate::campaign::{Target, check_message};
use airloom::analysis::explain;
use airloom::results::manifest::Manifest;
use airloom::simulation::{Drawing, Shown, plot};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

const WORDS: &[&str] = &[
    "iterate",
    "asked",
    "rounded",
    "generate",
    "score",
    "server",
    "device0.compute",
    "device",
    "0",
    "1",
    "true",
    "false",
    "done",
    "infeasible",
    "compute",
    "uplink",
    "downlink",
    "overhead",
    "barrier",
    "input",
    "resource",
    "arrival",
    "\"",
    "\"\n\"",
    ",",
    "\r\n",
    "\u{1b}[31m",
    "<script>",
    "null",
    "{}",
    "[]",
    "../../evil",
    "/dev/zero",
];

/// Results to be damaged.
struct Results {
    folder: TempDir,
}

impl Results {
    /// Of the program with `arguments`, in the folder `r`.
    fn of(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = Command::new(env!("CARGO_BIN_EXE_airloom"))
            .args(arguments)
            .args(["--out", "r"])
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        let results = Self { folder };
        results.forget_lengths();
        results
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("r")
    }

    /// Lets the manifest claim that every file was longer, lest that alone refuses a damaged one.
    fn forget_lengths(&self) {
        let path = self.root().join("manifest.json");
        let Ok(text) = fs::read_to_string(&path) else {
            return;
        };
        let mut manifest = Manifest::parse(&text).unwrap();
        manifest
            .files
            .iter_mut()
            .for_each(|file| file.bytes = u64::MAX);
        fs::write(path, manifest.to_json()).unwrap();
    }

    /// Draws and explains what is there; whatever fails is the input's fault and says so.
    fn read(&self) {
        let root = self.root().display().to_string();
        if let Err(error) = plot(&self.root(), Drawing::Figures(Shown::USUAL)) {
            assert!(error.is_input(), "{error}");
        }
        match explain(&self.root()) {
            Ok(explanation) => check_message(&explanation.to_string()),
            Err(error) => assert!(error.to_string().contains(&root), "{error}"),
        }
    }

    /// Reads damaged versions of the file `name`, each in its place.
    fn campaign(&self, target: &'static str, name: &str, inputs: usize) {
        let path = self.root().join(name);
        let good = fs::read(&path).unwrap();
        Target {
            name: target,
            words: WORDS,
            seeds: vec![good.clone()],
            inputs,
            read: &|input| {
                fs::write(&path, input).unwrap();
                self.read();
            },
        }
        .run();
        fs::write(path, good).unwrap();
    }
}

fn scenario(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    folder.join(name).display().to_string()
}

/// A LLaMA's run whose assignment took three iterations.
fn parallel() -> Results {
    Results::of(&[
        "run",
        &scenario("model_assignment.ron"),
        "--set",
        "trace=Full",
        "--set",
        "replicas[0].placement.assignment=StochasticSca(iterations: 3)",
        "--set",
        "workload=[Generate(prompt: \"Once Clara\", max_tokens: 2)]",
    ])
}

/// A Mixtral's run.
fn experts() -> Results {
    Results::of(&[
        "run",
        &scenario("wdmoe_simulated.ron"),
        "--set",
        "trace=Full",
        "--set",
        "workload=[Tokens(prompt: 9)]",
    ])
}

#[test]
fn tables_of_a_tensor_parallel_run() {
    let results = parallel();
    for (target, name, inputs) in [
        ("assignment.csv", "assignment.csv", 150),
        ("tokens.csv", "tokens.csv", 100),
        ("nodes.csv", "nodes.csv", 100),
        ("batches.csv", "batches.csv", 100),
        ("requests.csv", "requests.csv", 100),
        ("events.csv", "events.csv", 100),
        ("metrics.json", "metrics.json", 60),
        ("manifest.json", "manifest.json", 60),
    ] {
        results.campaign(target, name, inputs);
    }
}

#[test]
fn tables_of_an_expert_parallel_run() {
    let results = experts();
    for (target, name, inputs) in [
        ("waits.csv", "waits.csv", 100),
        ("expert_pairs.csv", "expert_pairs.csv", 100),
        ("events.csv", "events.csv", 50),
    ] {
        results.campaign(target, name, inputs);
    }
}

#[test]
fn tables_of_a_stream_of_requests() {
    let request = "Tokens(prompt: 3, generate: 2, arrival: At(\"1 s\"))";
    let results = Results::of(&[
        "run",
        &scenario("wdmoe_simulated.ron"),
        "--set",
        "trace=Off",
        "--set",
        &format!("workload=[{}]", [request; 6].join(", ")),
    ]);
    for (target, name, inputs) in [
        ("load.csv", "load.csv", 150),
        ("requests.csv", "requests.csv", 50),
    ] {
        results.campaign(target, name, inputs);
    }
}

#[test]
fn sweeps() {
    let results = Results::of(&[
        "sweep",
        &scenario("wdmoe_simulated.ron"),
        "--set",
        "workload=[Tokens(prompt: 9)]",
        "--set",
        "sweep=(axes: [(path: \"links.air.bandwidth\", values: [\"10 MHz\", \"20 MHz\"])], runs: 2)",
    ]);
    results.campaign("points.csv", "points.csv", 100);
    results.campaign("sweep.json", "sweep.json", 100);
}
