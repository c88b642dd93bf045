//! `airloom merge`: shards of a sweep, put together or refused.

use crate::desk::{Desk, TINY, assert_same};
use crate::sweep::{AXES, desk};

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
    std::fs::write(desk.path("whole/points/2/metrics.json"), "{}").unwrap();
    refused(
        &["whole"],
        "whole/points/2: this point is damaged: metrics.json has another digest",
    );
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
