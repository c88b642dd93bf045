//! Results appear whole or not at all, whatever befalls the program: it is killed, the disk
//! is full, nobody hears it, or the place is a link.
#![cfg(unix)]

use crate::desk::{Desk, Outcome, TINY, assert_same};
use crate::interrupt::interrupted;
use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

/// Runs `script` in the desk's folder, with the program as `$AIRLOOM`.
fn shell(desk: &Desk, script: &str) -> Outcome {
    let mut command = Command::new("sh");
    command.args(["-c", script]).current_dir(desk.path("."));
    command.env("AIRLOOM", env!("CARGO_BIN_EXE_airloom"));
    command.stdin(Stdio::null()).output().unwrap().into()
}

/// Names beginning with a dot anywhere on the desk.
fn hidden(desk: &Desk) -> Vec<String> {
    let all = shell(desk, "find . -name '.?*'").stdout;
    all.lines().map(str::to_owned).collect()
}

/// Makes what was killed before it had content or a name, which may still be somebody's,
/// so old that it is nobody's.
fn age_what_died_young(desk: &Desk) {
    let old = SystemTime::now() - Duration::from_secs(3600);
    for unnamed in hidden(desk) {
        let path = desk.path(&unnamed);
        for entry in fs::read_dir(&path).into_iter().flatten() {
            assert_eq!(entry.unwrap().metadata().unwrap().len(), 0, "{unnamed}");
        }
        File::open(&path).unwrap().set_modified(old).unwrap();
    }
}

/// Starts the program and kills it after `delay`, if it still runs by then.
fn killed(desk: &Desk, arguments: &[&str], delay: Duration) {
    let mut command = desk.command(arguments);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    std::thread::sleep(delay);
    let _ = child.kill();
    child.wait().unwrap();
}

#[test]
fn a_run_killed_at_any_moment_keeps_the_earlier_result_and_its_remains_are_swept() {
    let desk = Desk::new();
    let arguments = ["run", "tiny.ron", "--out", "o/run"];
    desk.airloom(&arguments).good();
    let whole = desk.hashed_tree("o/run");
    for step in 0..24 {
        killed(&desk, &arguments, Duration::from_millis(12 * step));
        assert_same(&desk.hashed_tree("o/run"), &whole);
    }
    desk.airloom(&arguments).good();
    assert_same(&desk.hashed_tree("o/run"), &whole);
    age_what_died_young(&desk);
    desk.airloom(&arguments).good();
    assert_eq!(hidden(&desk), Vec::<String>::new());
}

#[test]
fn a_sweep_killed_at_any_moment_goes_on_and_its_remains_are_swept() {
    let desk = Desk::new();
    let sweep = "sweep: (runs: 8), trace: Summary,\n    workload: [";
    desk.write("many.ron", &TINY.replace("workload: [", sweep));
    let arguments = ["sweep", "many.ron", "--out", "out"];
    for step in 0..12 {
        killed(&desk, &arguments, Duration::from_millis(25 * step));
    }
    desk.airloom(&arguments).good();
    age_what_died_young(&desk);
    desk.airloom(&[&arguments[..], &["--set", "sweep.runs=9"]].concat())
        .good();
    assert_eq!(hidden(&desk), Vec::<String>::new());
    desk.airloom(&[
        "sweep",
        "many.ron",
        "--out",
        "whole",
        "--set",
        "sweep.runs=9",
    ])
    .good();
    assert_same(&desk.hashed_tree("out"), &desk.hashed_tree("whole"));
}

#[test]
fn channels_that_are_interrupted_leave_nothing_behind() {
    let desk = Desk::new();
    let arguments = [
        "channel", "tiny.ron", "--blocks", "300000", "--out", "a/b/c",
    ];
    let outcome = interrupted(&desk, &arguments, || desk.path("a/b").is_dir());
    assert_eq!(
        outcome.refused(1),
        "error: interrupted; nothing was written\n"
    );
    assert_eq!(desk.names("."), ["tiny.ron"]);
}

#[test]
fn a_merge_that_is_interrupted_leaves_nothing_or_all() {
    let desk = Desk::new();
    let sweep = "sweep: (runs: 12),\n    workload: [";
    desk.write("many.ron", &TINY.replace("workload: [", sweep));
    desk.airloom(&["sweep", "many.ron", "--out", "whole"])
        .good();
    let mut left = 0;
    for out in ["m0", "m1", "m2", "m3"] {
        let place = format!("a{out}/b");
        let mut command = desk.command(&["merge", "whole", "--out", &place]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        // As soon as the folder is begun, if not before.
        for _ in 0..2000 {
            if desk.path(format!("a{out}")).exists() {
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        let mut kill = Command::new("kill");
        kill.args(["-INT", &child.id().to_string()]);
        kill.status().unwrap();
        let outcome: Outcome = child.wait_with_output().unwrap().into();
        match outcome.code {
            Some(0) => assert_same(&desk.hashed_tree(&place), &desk.hashed_tree("whole")),
            code => {
                assert_eq!(code, Some(1), "{}", outcome.stderr);
                assert_eq!(outcome.stderr, "error: interrupted; nothing was written\n");
                assert!(!desk.path(format!("a{out}")).exists());
                left += 1;
            }
        }
    }
    assert!(left > 0, "no merge was interrupted before its end");
    assert_eq!(hidden(&desk), Vec::<String>::new());
}

/// A limit on the size of files takes the place of a full disk.
#[test]
fn what_finds_no_room_leaves_nothing_behind() {
    let desk = Desk::new();
    let full = |blocks: u32, command: &str| {
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec $AIRLOOM {command}");
        shell(&desk, &script)
    };
    let new = full(0, "new first");
    assert!(new.refused(1).contains("nothing was left behind"));
    desk.airloom(&["new", "first"]).good();
    fs::remove_file(desk.path("first.ron")).unwrap();
    for command in [
        "run tiny.ron --out a/run",
        "channel tiny.ron --out a/channel",
        "train --out a/model --hidden 16 --layers 1 --heads 2 --ffn 16 --steps 2 --documents 2 \
         --held-out 4",
    ] {
        let message = full(2, command).refused(1);
        assert!(message.contains("cannot write a/"), "{message}");
        assert_eq!(desk.names("."), ["tiny.ron"], "{command}");
    }
    // A result of before stays as it was.
    desk.airloom(&["run", "tiny.ron", "--out", "run"]).good();
    let before = desk.tree("run");
    for command in ["run tiny.ron --out run", "plot run"] {
        full(2, command).refused(1);
        assert_same(&desk.tree("run"), &before);
        assert_eq!(hidden(&desk), Vec::<String>::new());
    }
}

#[test]
fn what_nobody_hears_stops_no_work() {
    let desk = Desk::new();
    let sweep = "sweep: (runs: 3), trace: Off,\n    workload: [";
    desk.write("many.ron", &TINY.replace("workload: [", sweep));
    for (number, stderr) in ["2>&-", "2>/dev/full", "2>&1 >/dev/null | true"]
        .iter()
        .enumerate()
    {
        let script = format!("$AIRLOOM sweep many.ron --out out{number} {stderr}");
        shell(&desk, &script);
        let table = desk.text(&format!("out{number}/points.csv"));
        assert_eq!(table.matches(",done,").count(), 3, "{stderr}: {table}");
    }
    for stderr in ["2>&-", "2>/dev/full"] {
        assert_eq!(
            shell(&desk, &format!("$AIRLOOM check nope.ron {stderr}")).code,
            Some(2)
        );
    }
}

#[test]
fn modes_are_those_that_the_umask_leaves() {
    let desk = Desk::new();
    let sweep = "sweep: (axes: [(path: \"nodes.device.count\", values: [1, 2])], \
                 publish: [Table(file: \"t\", metric: \"tpot_s\")]),\n    workload: [";
    let text = TINY.replace("workload: [", sweep);
    desk.write("grid.ron", &text.replace("Fixed([0.5, 0.5])", "Equal"));
    for (umask, files, folders) in [("022", 0o644, 0o755), ("077", 0o600, 0o700)] {
        let out = format!("u{umask}");
        let script = format!(
            "umask {umask}; $AIRLOOM sweep grid.ron --out {out}/sweep --publish {out}/paper \
             && $AIRLOOM plot {out}/sweep && $AIRLOOM merge {out}/sweep --out {out}/merged \
             && $AIRLOOM channel tiny.ron --out {out}/channel && $AIRLOOM new {out}/first \
             && $AIRLOOM run tiny.ron --out {out}/run && $AIRLOOM plot {out}/run"
        );
        shell(&desk, &script).good();
        let mut seen = 0;
        let mut paths = vec![desk.path(&out)];
        while let Some(path) = paths.pop() {
            let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
            if path.is_dir() {
                assert_eq!(mode, folders, "{}", path.display());
                let entries = fs::read_dir(path).unwrap();
                paths.extend(entries.map(|entry| entry.unwrap().path()));
            } else {
                assert_eq!(mode, files, "{}", path.display());
                seen += 1;
            }
        }
        assert!(seen > 60, "{seen}");
    }
}

#[test]
fn a_link_as_the_place_is_followed_and_stays_a_link() {
    let desk = Desk::new();
    let sweep = "sweep: (runs: 2), trace: Off,\n    workload: [";
    desk.write("many.ron", &TINY.replace("workload: [", sweep));
    desk.airloom(&["sweep", "many.ron", "--out", "whole"])
        .good();
    for (verb, arguments) in [
        ("run", &["run", "tiny.ron"][..]),
        ("channel", &["channel", "tiny.ron"]),
        ("sweep", &["sweep", "many.ron"]),
        ("merge", &["merge", "whole"]),
    ] {
        let place = format!("scratch/{verb}");
        fs::create_dir_all(desk.path(&place)).unwrap();
        symlink(&place, desk.path(verb)).unwrap();
        for _ in 0..2 {
            desk.airloom(&[arguments, &["--out", verb]].concat()).good();
            assert!(desk.path(verb).is_symlink(), "{verb}");
            assert!(!desk.names(&place).is_empty(), "{verb}");
        }
        let broken = format!("broken-{verb}");
        symlink("nowhere", desk.path(&broken)).unwrap();
        let message = desk
            .airloom(&[arguments, &["--out", &broken]].concat())
            .refused(2);
        assert!(message.contains("leads nowhere"), "{message}");
        assert!(desk.path(&broken).is_symlink());
    }
    assert_eq!(hidden(&desk), Vec::<String>::new());
}
