//! Gate weights recorded elsewhere.

use crate::body;
use airloom::measurement::Measurements;
use airloom::rng::Streams;
use airloom::scenario::{self};
use airloom::simulation::{RunOptions, prepare, run};
use std::sync::atomic::AtomicBool;
use tempfile::TempDir;

#[test]
fn a_recorded_router_says_what_was_recorded() {
    let folder = TempDir::new().unwrap();
    let mut text = "block,token,w0,w1,w2,w3,w4,w5,w6,w7\n".to_owned();
    for block in 0..32 {
        for token in 0..3 {
            let heavy = (block + token) % 7;
            let row: Vec<&str> = (0..8)
                .map(|expert| match expert {
                    e if e == heavy => "0.6",
                    e if e == heavy + 1 => "0.4",
                    _ => "0",
                })
                .collect();
            text += &format!("{block},{token},{}\n", row.join(","));
        }
    }
    std::fs::write(folder.path().join("gate.csv"), text).unwrap();
    let scenario = |tokens: u32| {
        let body = body(
            "router: Trace(\"gate.csv\")",
            &format!("Tokens(prompt: {tokens})"),
        );
        let path = folder.path().join("test.ron");
        scenario::parse(&format!("Scenario({body})"), &path, &[]).unwrap()
    };
    let interrupt = AtomicBool::new(false);
    let options = |name: &str| RunOptions {
        out: folder.path().join(name),
        interrupt: &interrupt,
    };
    let streams = Streams { seed: 1, run: 0 };
    let prepared = prepare(&scenario(3), streams, Vec::new()).unwrap();
    let mut measured = Measurements::default();
    run(prepared, &options("short"), &mut measured).unwrap();
    for expert in &measured.experts {
        let heavy = |token| (expert.layer + token) % 7;
        let visits = (0..3).filter(|t| [heavy(*t), heavy(*t) + 1].contains(&expert.expert));
        assert_eq!(expert.visits, visits.count() as u64);
    }
    let prepared = prepare(&scenario(4), streams, Vec::new()).unwrap();
    let missing = run(prepared, &options("long"), &mut ()).unwrap_err();
    assert!(
        missing.to_string().contains("block 0, token 3"),
        "{missing}"
    );
}
