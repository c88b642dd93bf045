//! Places where results cannot be written: no result, no remains.

use crate::desk::{Desk, TINY};

const SWEEP: &str = "sweep: (runs: 2),\n    workload: [";

/// Runs `script` where it may mount file systems that nobody else sees; none if this
/// machine does not allow it.
#[cfg(target_os = "linux")]
fn with_mounts(desk: &Desk, script: &str) -> Option<crate::desk::Outcome> {
    use std::process::Command;
    std::fs::create_dir(desk.path("small")).unwrap();
    let unshared = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--mount", "sh", "-c", script]);
        command.env("AIRLOOM", env!("CARGO_BIN_EXE_airloom"));
        command.current_dir(desk.path("."));
        command.output()
    };
    let allowed = unshared("mount -t tmpfs none small");
    if !allowed.is_ok_and(|output| output.status.success()) {
        println!("skipped: this machine does not let a test mount a tmpfs of its own");
        return None;
    }
    Some(unshared(script).unwrap().into())
}

#[test]
fn a_place_under_a_file_is_refused() {
    let desk = Desk::new();
    desk.write("file", "mine");
    desk.write("many.ron", &TINY.replace("workload: [", SWEEP));
    for (verb, scenario) in [("run", "tiny.ron"), ("sweep", "many.ron")] {
        for place in ["file/x", "file/x/y"] {
            assert_eq!(
                desk.airloom(&[verb, scenario, "--out", place]).refused(2),
                format!(
                    "error: {place} cannot become a run folder: file is a file; choose another \
                     folder with --out\n"
                )
            );
        }
    }
    assert_eq!(desk.names("."), ["file", "many.ron", "tiny.ron"]);
}

#[test]
fn a_place_without_a_name_is_refused() {
    let desk = Desk::new();
    for place in [".", "..", "/"] {
        let message = desk
            .airloom(&["run", "tiny.ron", "--out", place])
            .refused(2);
        assert!(
            message.contains("is not a name for a new folder; choose"),
            "{message}"
        );
    }
    assert_eq!(desk.names("."), ["tiny.ron"]);
}

#[test]
#[cfg(target_os = "linux")]
fn a_read_only_place_is_an_error() {
    let desk = Desk::new();
    let script = "mount -t tmpfs -o ro none small && $AIRLOOM run tiny.ron --out small/a/b";
    let Some(run) = with_mounts(&desk, script) else {
        return;
    };
    assert_eq!(
        run.refused(1),
        "error: cannot write small/a: Read-only file system (os error 30); nothing was left behind\n"
    );
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_keeps_nothing_of_a_run() {
    let desk = Desk::new();
    let script = "mount -t tmpfs -o size=64k none small; $AIRLOOM run tiny.ron --out small/a/b; \
                  echo code $?; ls -A small";
    let Some(run) = with_mounts(&desk, script) else {
        return;
    };
    assert_eq!(run.stdout, "code 1\n");
    assert!(
        run.stderr.starts_with("error: cannot write small/a/b/"),
        "{}",
        run.stderr
    );
    let expected = ": No space left on device (os error 28); nothing was left behind\n";
    assert!(run.stderr.ends_with(expected), "{}", run.stderr);
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_keeps_the_finished_points_of_a_sweep() {
    let desk = Desk::new();
    desk.write("many.ron", &TINY.replace("workload: [", SWEEP));
    // Room for one and a half run folders, in pages.
    desk.airloom(&["run", "tiny.ron", "--out", "one"]).good();
    let pages: usize = desk
        .tree("one")
        .values()
        .map(|file| file.len().div_ceil(4096))
        .sum();
    let script = format!(
        "mount -t tmpfs -o size={}k none small; $AIRLOOM sweep many.ron --out small/a >/dev/null; \
         echo code $?; ls -A small/a; ls -A small/a/points | wc -l",
        6 * pages
    );
    let Some(run) = with_mounts(&desk, &script) else {
        return;
    };
    let listing = "code 1\naggregates.csv\nindex.html\npoints\npoints.csv\nsweep.json\n1\n";
    assert_eq!(run.stdout, listing, "{}", run.stderr);
    let expected = "error: 1 of 2 points failed; small/a/points.csv says why\n";
    assert!(run.stderr.ends_with(expected), "{}", run.stderr);
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_device_behind_stdout_is_an_error() {
    let desk = Desk::new();
    let full = std::fs::File::options()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let mut command = desk.command(&["list"]);
    let run = crate::desk::Outcome::from(command.stdout(full).output().unwrap());
    assert_eq!(
        run.refused(1),
        "error: cannot write to stdout: No space left on device (os error 28)\n"
    );
}
