//! One target's inputs, one after the other, and what becomes of those that do harm.

use crate::mutator::Mutator;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// What the process may map, in bytes: far more than any honest input needs, and less than
/// claims of damaged ones ask for.
pub const MOST_MEMORY: u64 = 4 << 30;

/// So many inputs that did harm are told before a target gives up.
const MOST_TOLD: usize = 20;

/// A kind of input and the program's door for it.
pub struct Target<'a> {
    /// Its name, also of the folder of its regressions.
    pub name: &'static str,
    /// Words that mean something in its format.
    pub words: &'static [&'static str],
    /// Good inputs, from which damaged ones are made.
    pub seeds: Vec<Vec<u8>>,
    /// How many damaged inputs are read unless `AIRLOOM_FUZZ_INPUTS` says otherwise.
    pub inputs: usize,
    /// Reads an input; a panic is harm.
    pub read: &'a dyn Fn(&[u8]),
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// FNV-1a: a number of its own for each name.
fn number_of(name: &str) -> u64 {
    let offset = 0xcbf2_9ce4_8422_2325;
    name.bytes().fold(offset, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Refuses memory beyond the limit to the whole process, which then ends with a message.
fn limit_memory() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let limit = Rlimit {
            current: Some(MOST_MEMORY),
            maximum: getrlimit(Resource::As).maximum,
        };
        setrlimit(Resource::As, limit).expect("a lower limit");
    }
}

fn regressions(name: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/regressions");
    let entries = fs::read_dir(folder.join(name)).into_iter().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

impl Target<'_> {
    /// Reads everything.
    ///
    /// # Panics
    /// If any input did harm.
    #[track_caller]
    pub fn run(&self) {
        limit_memory();
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("fuzz")
            .join(self.name);
        fs::create_dir_all(&kept).unwrap();
        let mut harm: Vec<String> = Vec::new();
        let mut read = |what: &str, input: &[u8]| {
            // Whoever aborts the process leaves it there.
            let path = kept.join("current");
            fs::write(&path, input).unwrap();
            if catch_unwind(AssertUnwindSafe(|| (self.read)(input))).is_err() {
                let own = kept.join(format!("harm-{:016x}", number_of(&format!("{input:?}"))));
                fs::rename(&path, &own).unwrap();
                harm.push(format!("{what}: {}", own.display()));
            }
            harm.len() < MOST_TOLD
        };
        for path in regressions(self.name) {
            read(&path.display().to_string(), &fs::read(&path).unwrap());
        }
        for (number, seed) in self.seeds.iter().enumerate() {
            read(&format!("seed {number}"), seed);
        }
        let seed = variable("AIRLOOM_FUZZ_SEED").unwrap_or(1);
        let mut mutator = Mutator::new(number_of(self.name) ^ seed, self.words);
        let inputs = variable("AIRLOOM_FUZZ_INPUTS").map_or(self.inputs, |count| count as usize);
        for number in 0..inputs {
            if !read(&format!("input {number}"), &mutator.damaged(&self.seeds)) {
                break;
            }
        }
        let _ = fs::remove_file(kept.join("current"));
        assert!(harm.is_empty(), "{}:\n{}", self.name, harm.join("\n"));
    }
}

/// Holds a message to be one that may be shown: it says something, and acts on no terminal.
#[track_caller]
pub fn check_message(message: &str) {
    assert!(!message.is_empty());
    let acting = |c: char| c.is_control() && c != '\n';
    assert!(!message.contains(acting), "{message:?}");
}
