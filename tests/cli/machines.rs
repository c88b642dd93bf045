//! A sweep shared by many machines: its points as a document, by number, and through the engines
//! whose scripts the manual shows, run for real where they are installed.

use crate::desk::{Desk, assert_same};
use crate::sweep::{desk, rows};
use serde_json::Value;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const PAGE: &str = include_str!("../../src/manual/machines.md");

/// How long an engine may take: most of it is the engine's own start.
const PATIENCE: Duration = Duration::from_secs(300);

/// The first fenced text of the page's section `title`.
fn script(title: &str) -> &'static str {
    let section = PAGE.split("\n## ").find(|part| part.starts_with(title));
    let section = section.expect("the page has that section");
    let fenced = section.split("```").nth(1).expect("it shows a script");
    fenced.split_once('\n').expect("of some lines").1
}

fn listed(desk: &Desk, more: &[&str]) -> Value {
    let list = ["sweep", "grid.ron", "--dry-run", "--format", "json"];
    let listed = desk.airloom(&[&list, more].concat()).good();
    serde_json::from_str(&listed.stdout).unwrap()
}

/// A desk with the whole sweep in `whole`.
fn swept() -> Desk {
    let desk = desk();
    let out = ["sweep", "grid.ron", "--out", "whole"];
    desk.airloom(&out).good();
    desk
}

fn assert_merged(desk: &Desk) {
    assert_same(
        &desk.hashed_tree("results/whole"),
        &desk.hashed_tree("whole"),
    );
}

/// A command of another program that finds airloom by its name.
fn beside(desk: &Desk, program: &str, arguments: &[&str]) -> Command {
    let airloom = std::path::Path::new(env!("CARGO_BIN_EXE_airloom"));
    let own = airloom.parent().unwrap().to_owned();
    let others = std::env::var_os("PATH").unwrap_or_default();
    let path = std::iter::once(own).chain(std::env::split_paths(&others));
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(desk.path("."))
        .env("PATH", std::env::join_paths(path).unwrap())
        .stdin(Stdio::null());
    command
}

fn is_there(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    let quiet = command.args(arguments).stdin(Stdio::null());
    quiet.output().is_ok_and(|output| output.status.success())
}

#[track_caller]
fn succeeds(mut command: Command) {
    let output = command.output().unwrap();
    let words = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (words(&output.stdout), words(&output.stderr));
    assert!(output.status.success(), "{out}{err}");
}

#[test]
fn points_are_listed_as_one_document_with_the_cells_and_folders_of_the_table() {
    let desk = desk();
    let before = listed(&desk, &["--out", "whole"]);
    desk.airloom(&["sweep", "grid.ron", "--out", "whole", "--points", "0-2,5"])
        .good();
    let after = listed(&desk, &["--out", "whole"]);
    desk.airloom(&["sweep", "grid.ron", "--out", "whole"])
        .good();
    let rows = rows(&desk, "whole/points.csv");
    let [before, after] = [before, after].map(|list| list["points"].as_array().unwrap().clone());
    assert_eq!(before.len(), rows.len());
    for (index, row) in rows.iter().enumerate() {
        let (point, later) = (&before[index], &after[index]);
        assert_eq!(point["point"].to_string(), row["point"]);
        assert_eq!(point["run"].to_string(), row["run"]);
        assert_eq!(point["folder"].as_str(), Some(row["folder"].as_str()));
        for (column, cell) in point["settings"].as_object().unwrap() {
            assert_eq!(cell.as_str(), Some(row[column].as_str()), "{column}");
        }
        assert_eq!(point["standing"], "to run");
        let made = [0, 1, 2, 5].contains(&index);
        assert_eq!(later["standing"], if made { "finished" } else { "to run" });
    }
    assert_eq!(
        before[6]["set"],
        serde_json::json!([
            "replicas[0].placement.all_reduce=Ideal",
            "nodes.device.count=2"
        ])
    );
    let some = listed(&desk, &["--points", "7"]);
    assert_eq!(some["points"].as_array().unwrap().len(), 1);
}

#[test]
fn parts_by_number_are_merged_to_the_whole_and_wrong_numbers_are_refused() {
    let desk = swept();
    for (part, points) in [("a", "0,7"), ("b", "1-5"), ("c", "5,6")] {
        let out = format!("parts/{part}");
        desk.airloom(&["sweep", "grid.ron", "--points", points, "--out", &out])
            .good();
    }
    let merge = ["merge", "parts/b", "parts/a", "parts/c"];
    desk.airloom(&[&merge[..], &["--out", "results/whole"]].concat())
        .good();
    assert_merged(&desk);
    let beyond = ["sweep", "grid.ron", "--points", "8", "--out", "parts/d"];
    assert_eq!(
        desk.airloom(&beyond).refused(2),
        "error: the sweep has no point 8: its 8 points are numbered from 0; `airloom sweep \
         --dry-run` lists them\n"
    );
    assert!(!desk.path("parts/d").exists());
    let words = desk.airloom(&["sweep", "grid.ron", "--points", "first"]);
    let words = words.refused(2);
    assert!(
        words.contains("`first` names no points; write their numbers"),
        "{words}"
    );
    let listing = desk.airloom(&["sweep", "grid.ron", "--format", "json"]);
    let listing = listing.refused(2);
    assert!(listing.contains("--dry-run"), "{listing}");
}

/// Processes that end with the test.
struct Daemons(Vec<Child>);

impl Drop for Daemons {
    fn drop(&mut self) {
        for daemon in &mut self.0 {
            // It may have ended by itself, and then there is nothing to end.
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }
}

#[test]
fn a_slurm_array_makes_the_whole_sweep() {
    let missing = ["sbatch", "slurmctld", "slurmd"];
    let missing = missing.iter().find(|program| !is_there(program, &["-V"]));
    let root = Command::new("id").arg("-u").output();
    let root = root.is_ok_and(|output| output.stdout == b"0\n");
    if let Some(program) = missing {
        eprintln!("skipped: no {program} on this machine (Debian's package `slurm-wlm`)");
        return;
    }
    if !root {
        eprintln!("skipped: Slurm's own daemons want to be root");
        return;
    }
    let desk = swept();
    let host = Command::new("hostname").output().unwrap().stdout;
    let host = String::from_utf8(host).unwrap();
    let ports = [(); 2].map(|()| {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        free.local_addr().unwrap().port()
    });
    for folder in ["slurm/state", "slurm/spool"] {
        fs::create_dir_all(desk.path(folder)).unwrap();
    }
    let config = include_str!("slurm.conf")
        .replace("HOST", host.trim())
        .replace("FOLDER", &desk.path("slurm").display().to_string())
        .replace("PORT0", &ports[0].to_string())
        .replace("PORT1", &ports[1].to_string());
    fs::write(desk.path("slurm/slurm.conf"), config).unwrap();
    fs::write(desk.path("sweep.sbatch"), script("Slurm")).unwrap();
    let slurm = |program: &str, arguments: &[&str]| {
        let mut command = beside(&desk, program, arguments);
        command.env("SLURM_CONF", desk.path("slurm/slurm.conf"));
        command
    };
    let quiet = |mut command: Command| {
        let command = command.stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap()
    };
    let _daemons = Daemons(vec![
        quiet(slurm("slurmctld", &["-D"])),
        quiet(slurm("slurmd", &["-D"])),
    ]);
    let began = Instant::now();
    let is_idle = || {
        let told = slurm("sinfo", &["--noheader", "--format=%T"]).output();
        told.is_ok_and(|output| output.stdout.starts_with(b"idle"))
    };
    while !is_idle() {
        assert!(began.elapsed() < PATIENCE, "Slurm does not come up");
        sleep(Duration::from_millis(200));
    }
    succeeds(slurm("sbatch", &["--wait", "sweep.sbatch", "grid.ron"]));
    let parts = ["parts/0", "parts/1", "parts/2", "parts/3"];
    desk.airloom(&[&["merge"], &parts[..], &["--out", "results/whole"]].concat())
        .good();
    assert_merged(&desk);
}

#[test]
fn a_snakemake_workflow_makes_the_whole_sweep() {
    if !is_there("snakemake", &["--version"]) {
        eprintln!("skipped: no snakemake on this machine (PyPI's package `snakemake`)");
        return;
    }
    let desk = swept();
    fs::write(desk.path("Snakefile"), script("Snakemake")).unwrap();
    let arguments = ["--cores", "2", "--config", "scenario=grid.ron"];
    succeeds(beside(&desk, "snakemake", &arguments));
    assert_merged(&desk);
}

#[test]
fn a_ray_script_makes_the_whole_sweep() {
    if !is_there("python3", &["-c", "import ray"]) {
        eprintln!("skipped: no Ray on this machine (PyPI's package `ray`)");
        return;
    }
    let desk = swept();
    fs::write(desk.path("sweep.py"), script("Ray")).unwrap();
    succeeds(beside(&desk, "python3", &["sweep.py", "grid.ron"]));
    assert_merged(&desk);
}
