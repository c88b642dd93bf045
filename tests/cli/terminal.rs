//! On a terminal: what is printed fits it, bars show what is left, and nothing is coloured
//! for those who want none. A pseudo-terminal stands for it.

use crate::desk::{Desk, TINY};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use std::fs::File;
use std::io::Read;
use std::process::Command;

/// What `command` writes to a terminal of `columns`, and how it exits.
fn on_a_terminal(mut command: Command, columns: u16) -> (String, Option<i32>) {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap();
    let size = Winsize {
        ws_row: 24,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    let mut both_ways = File::options();
    both_ways.read(true).write(true);
    let end = both_ways.open(name.to_str().unwrap()).unwrap();
    tcsetwinsize(&end, size).unwrap();
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "CI"] {
        if !command.get_envs().any(|(set, _)| set == name) {
            command.env_remove(name);
        }
    }
    command
        .env("TERM", "xterm")
        .stdin(end.try_clone().unwrap())
        .stdout(end.try_clone().unwrap())
        .stderr(end);
    let mut child = command.spawn().unwrap();
    // It holds the terminal's other end.
    drop(command);
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    let mut terminal = File::from(terminal);
    // The last end that closes is an error on Linux and the end of file elsewhere.
    while let Ok(read @ 1..) = terminal.read(&mut buffer) {
        bytes.extend_from_slice(&buffer[..read]);
    }
    let code = child.wait().unwrap().code();
    (String::from_utf8(bytes).unwrap(), code)
}

/// The lines that were ever seen, without what moves the cursor or clears.
fn seen(written: &str) -> Vec<String> {
    let mut plain = String::new();
    let mut rest = written;
    while let Some((before, after)) = rest.split_once('\x1b') {
        plain.push_str(before);
        let end = after.find(|c: char| c.is_ascii_alphabetic()).unwrap();
        rest = &after[end + 1..];
    }
    plain.push_str(rest);
    let lines = plain.split(['\r', '\n']).map(str::trim_end);
    lines
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}

#[track_caller]
fn assert_fits(lines: &[String], columns: usize) {
    for line in lines {
        assert!(line.chars().count() <= columns, "{line}");
    }
}

#[test]
fn everything_fits_sixty_columns() {
    let desk = Desk::new();
    let sweep = TINY.replace(
        "    workload:",
        "    sweep: (axes: [(path: \"nodes.device.count\", values: [2]),\n        \
         (path: \"replicas[0].placement.all_reduce\", values: [AirComp(), Digital()])]),\n    workload:",
    );
    desk.write("many.ron", &sweep);
    for arguments in [
        &["--help"][..],
        &["help"],
        &["run", "--help"],
        &["sweep", "--help"],
        &["new", "--help"],
        &["train", "--help"],
        &["list"],
        &["fields", "nodes"],
        &["run", "tiny.ron", "--out", "a"],
        &["sweep", "many.ron", "--out", "b"],
        &["explain", "a"],
        &["channel", "tiny.ron", "--blocks", "2", "--out", "c"],
        &[],
    ] {
        let (written, code) = on_a_terminal(desk.command(arguments), 60);
        assert_eq!(
            code,
            Some(if arguments.is_empty() { 2 } else { 0 }),
            "{written}"
        );
        let lines: Vec<String> = seen(&written)
            .into_iter()
            // Prose that tells of points; paths and commands stay whole to be copied.
            .filter(|line| !line.starts_with("point ") && !line.contains("--set"))
            .filter(|line| line.trim().contains(' '))
            .collect();
        assert!(lines.len() > 3, "{written}");
        assert_fits(&lines, 60);
    }
}

#[test]
fn a_sweep_shows_one_bar_with_the_time_left_and_a_line_for_every_point() {
    let desk = Desk::new();
    let sweep = TINY.replace(
        "    workload:",
        "    sweep: (axes: [(path: \"links.air.budget.snr\", values: [\"0 dB\", \"9 dB\"])], runs: 2),\n    \
         workload:",
    );
    desk.write("many.ron", &sweep);
    let (written, code) = on_a_terminal(desk.command(&["sweep", "many.ron"]), 60);
    assert_eq!(code, Some(0), "{written}");
    let lines = seen(&written);
    for point in 0..4 {
        let told = |line: &&String| {
            line.starts_with(&format!("point {point}: ")) && line.ends_with(": done")
        };
        assert_eq!(lines.iter().filter(told).count(), 1, "{lines:?}");
    }
    let bars: Vec<&String> = lines
        .iter()
        .filter(|line| line.contains("/4 points"))
        .collect();
    assert!(!bars.is_empty(), "{lines:?}");
    for bar in &bars {
        assert!(bar.ends_with(" left"), "{bar}");
    }
    // The bar goes when all is done: the table begins where it stood.
    let last = lines.iter().rposition(|line| line.contains("/4 points"));
    let table = lines.iter().position(|line| line.starts_with("snr "));
    assert!(last < table, "{lines:?}");
}

#[test]
fn a_run_shows_its_passes() {
    let desk = Desk::new();
    let (written, code) = on_a_terminal(desk.command(&["run", "tiny.ron"]), 60);
    assert_eq!(code, Some(0), "{written}");
    let lines = seen(&written);
    assert!(
        lines.iter().any(|line| line.contains(" passes, ")),
        "{lines:?}"
    );
}

#[test]
fn colours_are_for_terminals_whose_users_want_them() {
    let desk = Desk::new();
    let help = || desk.command(&["run", "--help"]);
    let wrong = || desk.command(&["runn"]);
    let coloured = |command: Command| on_a_terminal(command, 80).0.contains("\x1b[");
    assert!(coloured(help()));
    assert!(coloured(wrong()));
    for (name, value) in [("NO_COLOR", "1"), ("CLICOLOR", "0")] {
        for mut command in [help(), wrong()] {
            command.env(name, value);
            assert!(!coloured(command), "{name}");
        }
    }
    // Nor where nobody watches.
    let piped = desk.airloom(&["run", "--help"]).good().stdout;
    assert!(!piped.contains('\x1b'));
}
