//! `airloom merge`: shards of a sweep, put together or refused.

use crate::desk::{Desk, TINY, assert_same};
use crate::sweep::{AXES, desk, folder, rows};
use airloom::results::manifest::{Identity, Manifest};
use std::fs;

#[test]
fn merged_shards_are_the_whole_sweep_byte_for_byte() {
    let desk = Desk::new();
    // With one device infeasible: a point without a folder.
    let small = "profile: Custom(peak: \"1 TFLOP/s\", memory: \"4 MB\", memory_bandwidth: \
                 \"10 GB/s\")";
    let scenario = TINY
        .replace("count: 2", &format!("count: 2, {small}"))
        .replace("Fixed([0.5, 0.5])", "Equal")
        .replace("workload: [", AXES);
    desk.write("grid.ron", &scenario);
    desk.airloom(&["sweep", "grid.ron", "--out", "whole"])
        .good();
    for shard in ["0", "1", "2"] {
        let (part, out) = (format!("{shard}/3"), format!("shards/{shard}"));
        desk.airloom(&["sweep", "grid.ron", "--shard", &part, "--out", &out])
            .good();
    }
    assert_eq!(
        desk.names("shards/0"),
        ["points", "points.csv", "sweep.json"]
    );
    let merge = [
        "merge", "shards/2", "shards/0", "shards/1", "--out", "merged",
    ];
    let merged = desk.airloom(&merge).good();
    assert!(
        merged.stdout.ends_with("written to merged\n"),
        "{}",
        merged.stdout
    );
    assert_same(&desk.hashed_tree("merged"), &desk.hashed_tree("whole"));
    // Again, with a shard twice and the whole beside it.
    let twice = ["merge", "shards/0", "whole", "shards/0", "--out", "merged"];
    desk.airloom(&twice).good();
    assert_same(&desk.hashed_tree("merged"), &desk.hashed_tree("whole"));

    let refused = |folders: &[&str], expected: &str| {
        let message = desk
            .airloom(&[&["merge", "--out", "bad"], folders].concat())
            .refused(2);
        assert!(
            message.starts_with(&format!("error: {expected}")),
            "{message}"
        );
        assert!(!desk.path("bad").exists());
    };
    refused(
        &["shards/0", "shards/2"],
        "shards/0, shards/2: of the sweep's 8 points these are missing: 1, 4, 7; ",
    );
    desk.airloom(&[
        "sweep", "grid.ron", "--seed", "9", "--shard", "1/3", "--out", "other",
    ])
    .good();
    refused(
        &["shards/0", "other"],
        "other: this is another sweep than shards/0: seed 9 instead of 3; ",
    );
    let fewer = ["--set", "sweep.runs=1", "--shard", "1/3", "--out", "fewer"];
    desk.airloom(&[&["sweep", "grid.ron"], &fewer[..]].concat())
        .good();
    refused(
        &["shards/0", "fewer"],
        "fewer: this is another sweep than shards/0: `runs: 1,` in its scenario instead of `runs: 2,`; ",
    );
    refused(&["points"], "points: cannot read sweep.json: ");
    let table = desk.text("shards/1/points.csv");
    let wrong = table.replace("but has 4 MB", "but has 5 MB");
    std::fs::write(desk.path("shards/1/points.csv"), wrong).unwrap();
    refused(
        &["whole", "shards/1"],
        "shards/1: point 1 differs from that in whole; ",
    );
    let damaged = folder(&desk, "whole", 2);
    std::fs::write(desk.path(&damaged).join("metrics.json"), "{}").unwrap();
    let expected = format!("{damaged}: this point is damaged: metrics.json has another digest");
    refused(&["whole"], &expected);
}

#[test]
fn a_shard_that_is_none_is_refused() {
    let desk = desk();
    for shard in ["3/3", "1", "0/0", "-1/2", "a/b"] {
        let message = desk
            .airloom(&["sweep", "grid.ron", &format!("--shard={shard}")])
            .refused(2);
        assert!(message.contains("is no shard; write i/n"), "{message}");
    }
}

/// A desk with the shards `0` and `1` of a small sweep, and the same sweep `whole`.
fn shards() -> Desk {
    let desk = desk();
    desk.airloom(&["sweep", "grid.ron", "--out", "whole"])
        .good();
    for shard in ["0", "1"] {
        let part = format!("{shard}/2");
        desk.airloom(&["sweep", "grid.ron", "--shard", &part, "--out", shard])
            .good();
    }
    desk
}

const MERGE: [&str; 5] = ["merge", "0", "1", "--out", "merged"];

/// Edits the manifest of a shard's first point, and seals it again if told so.
fn edit(desk: &Desk, seal: bool, edit: impl Fn(&mut Manifest)) {
    let path = desk.path(folder(desk, "0", 0)).join("manifest.json");
    let mut manifest = Manifest::parse(&fs::read_to_string(&path).unwrap()).unwrap();
    edit(&mut manifest);
    if seal {
        manifest.seal();
    }
    fs::write(path, manifest.to_json()).unwrap();
}

/// Settings follow from the scenario, whatever a table says.
#[test]
fn settings_are_those_of_the_scenario_and_not_of_a_table() {
    let desk = shards();
    let table = desk.text("0/points.csv");
    let edited = table.replace("AirComp(streams: 2)", "AirComp(streams: 99)");
    assert_ne!(edited, table);
    desk.write("0/points.csv", &edited);
    desk.airloom(&MERGE).good();
    assert_same(&desk.hashed_tree("merged"), &desk.hashed_tree("whole"));
    assert!(!rows(&desk, "merged/points.csv").is_empty());
}

#[test]
fn a_point_of_another_scenario_is_damaged() {
    let desk = shards();
    // All shards say the same, and no point is what they say.
    for shard in ["0", "1"] {
        let record = format!("{shard}/sweep.json");
        let text = desk.text(&record);
        let edited = text.replace("AirComp(streams: 2)", "AirComp(streams: 3)");
        assert_ne!(edited, text);
        desk.write(&record, &edited);
    }
    let message = desk.airloom(&MERGE).refused(2);
    assert!(message.contains("this point is damaged: "), "{message}");
    assert!(!desk.path("merged").exists());
}

#[test]
fn an_edited_manifest_is_damaged() {
    let desk = shards();
    let original = desk.text(&format!("{}/manifest.json", folder(&desk, "0", 0)));
    let check = |expected: &str| {
        let message = desk.airloom(&MERGE).refused(2);
        assert!(message.contains(expected), "{message}");
        let path = format!("{}/manifest.json", folder(&desk, "0", 0));
        desk.write(&path, &original);
    };
    edit(&desk, true, |manifest| manifest.run = 7);
    check("its scenario, seed or run was edited");
    edit(&desk, false, |manifest| manifest.files[0].bytes += 1);
    check("what it lists was edited");
    edit(&desk, true, |manifest| {
        manifest.airloom = "0.0.1".to_owned()
    });
    check("it is of airloom 0.0.1");
    edit(&desk, true, |manifest| {
        manifest.run = 7;
        let Manifest { scenario, seed, .. } = &*manifest;
        manifest.identity = Identity::of(scenario, *seed, 7).digest;
    });
    check("its manifest is that of another run");
    desk.airloom(&MERGE).good();
}

/// A manifest from elsewhere must not make us write, or read, outside the folder.
#[test]
fn a_name_that_leads_out_of_the_folder_is_refused() {
    let desk = shards();
    desk.write("evil.txt", "mine");
    let point = folder(&desk, "0", 0);
    for name in ["../../../evil.txt", "/dev/zero", "..", "a/b", "a\\b", ""] {
        let original = desk.text(&format!("{point}/manifest.json"));
        edit(&desk, true, |manifest| {
            let mut file = manifest.files[0].clone();
            file.name = name.to_owned();
            file.blake3 = blake3::hash(b"evil").to_hex().to_string();
            manifest.files.push(file);
        });
        let expected = format!("lists {name:?}, which is no plain name");
        for verb in [&MERGE[..], &["replay", &point], &["plot", &point]] {
            let message = desk.airloom(verb).refused(2);
            assert!(message.contains(&expected), "{verb:?}: {message}");
        }
        desk.write(&format!("{point}/manifest.json"), &original);
    }
    assert_eq!(desk.text("evil.txt"), "mine");
    assert!(!desk.path("merged").exists());
}

#[test]
#[cfg(unix)]
fn what_is_no_regular_file_is_not_read() {
    let desk = shards();
    let events = desk.path(folder(&desk, "0", 0)).join("events.csv");
    fs::remove_file(&events).unwrap();
    std::os::unix::fs::symlink("/dev/zero", &events).unwrap();
    let point = folder(&desk, "0", 0);
    let message = desk.airloom(&MERGE).refused(2);
    assert!(
        message.contains("events.csv cannot be read: it is a pipe, socket or device"),
        "{message}"
    );
    let replay = desk.airloom(&["replay", &point]);
    let expected = "differs  events.csv cannot be read: it is a pipe, socket or device";
    assert!(replay.stdout.contains(expected), "{}", replay.stdout);
    let table = desk.path("1/points.csv");
    fs::remove_file(&table).unwrap();
    std::os::unix::fs::symlink("/dev/zero", &table).unwrap();
    for verb in [&MERGE[..], &["plot", "1"]] {
        let code = desk.airloom(verb).code;
        assert_eq!(code, Some(2), "{verb:?}");
    }
}

#[test]
fn another_sweeps_folder_is_replaced_only_when_asked() {
    let desk = shards();
    desk.airloom(&["sweep", "grid.ron", "--seed", "4", "--out", "merged"])
        .good();
    let refused = desk.airloom(&MERGE).refused(2);
    let expected = "error: merged already holds another sweep (seed 4 instead of 3); choose \
                    another folder with --out, or replace it with --overwrite\n";
    assert_eq!(refused, expected);
    desk.airloom(&[&MERGE[..], &["--overwrite"]].concat())
        .good();
    assert_same(&desk.hashed_tree("merged"), &desk.hashed_tree("whole"));
    desk.write("thesis/chapter.txt", "mine");
    let thesis = ["merge", "0", "1", "--out", "thesis", "--overwrite"];
    desk.airloom(&thesis).refused(2);
    assert_eq!(desk.names("thesis"), ["chapter.txt"]);
}
