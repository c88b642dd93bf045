//! Sweeps that cannot be crossed.

use super::{Desk, GOOD};

#[test]
fn sweeps_that_cannot_be_crossed_are_refused() {
    let desk = Desk::new();
    for (sweep, part) in [
        (
            "(axes: [(path: \"nodes.device.count\", values: [])])",
            "sweep.axes[0].values: the list is empty",
        ),
        (
            "(axes: [(path: \"nodes.device.count\", values: [1]), (path: \"nodes.device.count\", values: [2])])",
            "sweep.axes[1].path: `nodes.device.count` is varied twice",
        ),
        (
            "(axes: [(path: \"sweep.runs\", values: [1])])",
            "sweep.axes[0].path: a sweep cannot vary itself",
        ),
        (
            "(axes: [(path: \"se ed\", values: [1])])",
            "`se ed` is not a path",
        ),
        (
            "(axes: [(path: \"seed\", values: [1])])",
            "sweep.axes[0].path: the seed names the experiment",
        ),
        (
            "(axes: [(path: \"0.a\", values: [1])])",
            "`0.a` is not a path",
        ),
        (
            "(axes: [(path: \"links.air.bandwidth\", values: [\"1 Hz\"]), (path: \"links.air\", values: [()])])",
            "sweep.axes[1].path: it would overwrite `links.air.bandwidth`",
        ),
        (
            "(axes: [(values: [1])])",
            "sweep.axes[0].path: an axis needs a path",
        ),
        (
            "(axes: [(path: \"nodes.device.count\")])",
            "sweep.axes[0].values: an axis needs values",
        ),
        (
            "(axes: [(path: \"nodes.device.count\", values: [1, 2, 1])])",
            "sweep.axes[0].values[2]: 1 is there twice; remove one",
        ),
        (
            "(axes: [(path: \"nodes.device.count\", range: (from: 1, to: \"x\", count: 2))])",
            "sweep.axes[0].range.to: \"x\" is no number",
        ),
        (
            "(axes: [(path: \"nodes.device.count\", range: (from: 1, to: 2, count: 4000000000))])",
            "sweep.axes: 4000000000 points",
        ),
        (
            "(axes: [(zip: [(path: \"nodes.device.count\", values: [1, 2]), \
             (path: \"links.air.bandwidth\", values: [\"1 Hz\"])])])",
            "sweep.axes[0].zip[1]: it has 1 values, but the first of the zipped axes has 2",
        ),
        (
            "(axes: [(zip: [(path: \"nodes.device.count\", values: [1, 2, 2], labels: [\"a\", \"b\", \"b\"]), \
             (path: \"trace\", values: [Off, Off, Full], labels: [\"off\", \"off\", \"off\"])])])",
            "sweep.axes[0].zip[0].labels[2]: `b, off` is there twice",
        ),
        (
            "(axes: [(path: \"nodes.device.count\", zip: [(path: \"trace\", values: [Off])])])",
            "sweep.axes[0].path: beside `zip` this has no meaning",
        ),
        ("(runs: 0)", "sweep.runs: 0 runs measure nothing"),
        ("(runs: 4294967295)", "4294967295 points"),
    ] {
        let text = GOOD.replace(
            "    workload:",
            &format!("    sweep: {sweep},\n    workload:"),
        );
        let message = desk.message(&text, &[]);
        assert!(message.contains(part), "`{part}` is not in:\n{message}");
        assert!(message.starts_with("bad.ron:12:"), "{message}");
    }
}
