//! A folder to work in, with one small scenario, and the program to run there.

use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// Two devices, one document and two tokens: a run of a few hundredths of a second.
/// `MODEL` stands for the bundled model's folder.
pub const TINY: &str = r#"Scenario(
    seed: 3,
    model: Folder("MODEL"),
    nodes: {"device": (count: 2)},
    links: {"air": Radio(
        bandwidth: "10 MHz",
        budget: Normalised(snr: "20 dB", reference_power: "100 mW"),
    )},
    replicas: [(placement: TensorParallel(
        assignment: Fixed([0.5, 0.5]),
        all_reduce: AirComp(streams: 4),
    ))],
    workload: [
        Score(text: World(documents: 1)),
        Generate(prompt: "Once Clara", max_tokens: 2),
    ],
)
"#;

/// What the program did.
#[derive(Debug)]
pub struct Outcome {
    /// Its exit code; none if a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Outcome {
    /// The same, of a program that did what it was told.
    #[track_caller]
    pub fn good(self) -> Self {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        self
    }

    /// What a program said that refused, with `code`, before it printed anything.
    #[track_caller]
    pub fn refused(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{}{}", self.stdout, self.stderr);
        assert_eq!(self.stdout, "");
        self.stderr
    }
}

/// A folder to work in.
pub struct Desk {
    folder: TempDir,
}

impl Desk {
    /// With `tiny.ron`.
    pub fn new() -> Self {
        let desk = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        desk.write("tiny.ron", TINY);
        desk
    }

    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file, `MODEL` replaced by where the bundled model is.
    pub fn write(&self, name: &str, text: &str) {
        let model = concat!(env!("CARGO_MANIFEST_DIR"), "/models/tiny-llama");
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text.replace("MODEL", model)).unwrap();
    }

    /// The program with `arguments`, to be run on this desk.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_airloom"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs the program.
    pub fn airloom(&self, arguments: &[&str]) -> Outcome {
        self.command(arguments).output().unwrap().into()
    }

    /// Every file under `name`, by its path from there.
    pub fn tree(&self, name: &str) -> BTreeMap<String, Vec<u8>> {
        let root = self.path(name);
        let mut files = BTreeMap::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(&root).unwrap();
                    files.insert(name.display().to_string(), fs::read(&path).unwrap());
                }
            }
        }
        files
    }

    /// [`tree`](Self::tree) without the manifests' parts on origin and host, which
    /// alone may differ between equal runs.
    pub fn hashed_tree(&self, name: &str) -> BTreeMap<String, Vec<u8>> {
        let mut files = self.tree(name);
        for (name, content) in &mut files {
            if name.ends_with("manifest.json") {
                let mut manifest: Value = serde_json::from_slice(content).unwrap();
                for part in ["origin", "host"] {
                    manifest.as_object_mut().unwrap().remove(part).unwrap();
                }
                *content = manifest.to_string().into_bytes();
            }
        }
        files
    }

    /// Names in the folder `name`, in order.
    pub fn names(&self, name: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(name)).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    pub fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.text(name)).unwrap()
    }
}

/// Holds two folders' files to be the same, and says which is not.
#[track_caller]
pub fn assert_same(left: &BTreeMap<String, Vec<u8>>, right: &BTreeMap<String, Vec<u8>>) {
    let only = |one: &BTreeMap<String, Vec<u8>>, other: &BTreeMap<String, Vec<u8>>| {
        let names = one.keys().filter(|name| !other.contains_key(*name));
        names.cloned().collect::<Vec<_>>()
    };
    let lone = [only(left, right), only(right, left)];
    assert!(lone.iter().all(Vec::is_empty), "only on one side: {lone:?}");
    for (name, content) in left {
        assert!(content == &right[name], "{name} differs");
    }
}
