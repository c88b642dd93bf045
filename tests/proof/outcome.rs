//! A run folder as it is compared: what differs is named, not only that something does.

use airloom::results::manifest::Manifest;
use std::path::PathBuf;
use tempfile::TempDir;

/// A run folder that goes with its value.
#[derive(Debug)]
pub struct Outcome {
    manifest: Manifest,
    path: PathBuf,
    _folder: TempDir,
}

impl Outcome {
    /// Reads the run folder `path` inside `folder`.
    pub fn read(folder: TempDir, path: PathBuf) -> Self {
        let text = std::fs::read_to_string(path.join("manifest.json")).expect("a manifest");
        Self {
            manifest: Manifest::parse(&text).expect("a manifest of this version"),
            path,
            _folder: folder,
        }
    }

    /// A file of the folder, as text.
    pub fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path.join(name)).unwrap_or_default()
    }

    /// What, how many and which digest, of everything that is pinned.
    pub fn pins(&self) -> Vec<(&'static str, u64, String)> {
        let logits = self.text("tensors.digest");
        let logits = logits.lines().filter(|line| line.contains("logits"));
        let metrics = self.manifest.files.iter();
        let metrics = metrics.clone().find(|file| file.name == "metrics.json");
        let metrics = metrics.expect("every run has metrics");
        let (trace, tensors) = (&self.manifest.trace, &self.manifest.tensors);
        vec![
            ("events", trace.rows, trace.blake3.clone()),
            ("tensors", tensors.rows, tensors.blake3.clone()),
            (
                "logits rows",
                logits.count() as u64,
                self.manifest.logits_blake3.clone(),
            ),
            ("metrics bytes", metrics.bytes, metrics.blake3.clone()),
        ]
    }

    /// The first thing in which `other` differs, in words.
    pub fn difference(&self, other: &Self) -> Option<String> {
        for name in ["tensors.digest", "events.csv"] {
            if let Some(difference) = self.first_line(other, name) {
                return Some(difference);
            }
        }
        for (ours, theirs) in self.manifest.files.iter().zip(&other.manifest.files) {
            if ours != theirs {
                let line = self.first_line(other, &ours.name);
                return Some(line.unwrap_or_else(|| format!("{ours:?} is not {theirs:?}")));
            }
        }
        (self.manifest.digest != other.manifest.digest).then(|| {
            format!(
                "manifest digests {} and {}",
                self.manifest.digest, other.manifest.digest
            )
        })
    }

    fn first_line(&self, other: &Self, name: &str) -> Option<String> {
        let (ours, theirs) = (self.text(name), other.text(name));
        if ours == theirs {
            return None;
        }
        let differing = ours.lines().zip(theirs.lines()).enumerate();
        let mut differing = differing.filter(|(_, (a, b))| a != b);
        Some(match differing.next() {
            Some((number, (a, b))) => format!("{name}, line {}:\n  {a}\n  {b}", number + 1),
            None => format!("{name} has another length"),
        })
    }
}
