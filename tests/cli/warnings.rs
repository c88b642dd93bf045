//! Settings that change nothing are told of, on stderr, and stop nobody.

use crate::desk::{Desk, TINY};

/// What `airloom check` remarks about the small scenario with `changes`.
fn warned(desk: &Desk, changes: &[&str]) -> Vec<String> {
    let mut arguments = vec!["check", "tiny.ron"];
    for change in changes {
        arguments.extend(["--set", change]);
    }
    let check = desk.airloom(&arguments).good();
    assert_eq!(check.stdout, "tiny.ron: ok\n");
    let lines = check.stderr.lines();
    lines
        .filter_map(|line| line.strip_prefix("warning: "))
        .map(str::to_owned)
        .collect()
}

#[test]
fn a_setting_without_effect_is_named_with_the_reason() {
    let desk = Desk::new();
    for (changes, path, reason) in [
        (
            &[
                "architecture.design=AntennaSelection",
                "architecture.all_reduce=UncodedFdma()",
            ][..],
            "architecture.design",
            "only AirComp combines over the air, and all_reduce is UncodedFdma",
        ),
        (
            &["radio.csi.delay=1 ms"],
            "radio.csi.delay",
            "channels without Doppler do not age",
        ),
        (
            &["radio.csi.doppler=30 Hz"],
            "radio.csi.doppler",
            "the moment they are measured",
        ),
        (
            &[
                "radio.synchronisation.phase_error=5 deg",
                "architecture.all_reduce=Digital()",
            ],
            "radio.synchronisation",
            "only analog symbols",
        ),
        (
            &["devices.count=1", "architecture.assignment=Equal"],
            "radio",
            "one device alone has nothing to add",
        ),
        (
            &["radio.lone_device_transmits=true"],
            "radio.lone_device_transmits",
            "there are 2 devices",
        ),
    ] {
        let warned = warned(&desk, changes);
        assert_eq!(warned.len(), 1, "{warned:?}");
        let named = format!("{path}: it has no effect: ");
        assert!(
            warned[0].contains(&named) && warned[0].contains(reason),
            "{warned:?}"
        );
    }
}

#[test]
fn a_budget_that_the_path_loss_drowns_is_told_before_the_run_fails() {
    let desk = Desk::new();
    let fading = "radio.fading=Rayleigh(carrier: \"3.5 GHz\", distance: \"100 m\")";
    let warned = warned(&desk, &[fading]);
    assert_eq!(warned.len(), 1, "{warned:?}");
    // 32.4 + 20 log10(3.5) + 20 log10(100) = 83.3 dB.
    assert!(
        warned[0].contains("a path loss of 83 dB or more"),
        "{warned:?}"
    );
    assert!(
        warned[0].contains("leaves -63 dB; give watts, for example Physical("),
        "{warned:?}"
    );
}

#[test]
fn what_has_an_effect_or_is_swept_is_not_remarked_upon() {
    let desk = Desk::new();
    for changes in [
        &[][..],
        &["architecture.design=AntennaSelection"],
        &["architecture.all_reduce=UncodedFdma()"],
        &["radio.csi.delay=1 ms", "radio.csi.doppler=30 Hz"],
        &["radio.csi.delay=1 ms", "radio.doppler=Shift(\"30 Hz\")"],
    ] {
        assert_eq!(warned(&desk, changes), [""; 0], "{changes:?}");
    }
    let swept = TINY
        .replace("AirComp(streams: 4)", "Ideal, design: Descent()")
        .replace(
            "    workload:",
            "    sweep: (axes: [(path: \"architecture.all_reduce\", values: [Ideal, AirComp()])]),\n    \
             workload:",
        );
    desk.write("tiny.ron", &swept);
    assert_eq!(warned(&desk, &[]), [""; 0]);
    assert_eq!(warned(&desk, &["sweep=None"]).len(), 1);
}

#[test]
fn a_run_warns_once_and_goes_on() {
    let desk = Desk::new();
    let run = desk
        .airloom(&["run", "tiny.ron", "--set", "radio.csi.delay=1 ms"])
        .good();
    assert_eq!(run.stderr.matches("warning: ").count(), 1, "{}", run.stderr);
}

#[test]
fn no_shipped_scenario_is_remarked_upon() {
    let desk = Desk::new();
    let mut folders = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "ron") {
                let check = desk.airloom(&["check", path.to_str().unwrap()]).good();
                assert_eq!(check.stderr, "");
            }
        }
    }
}

#[test]
fn a_prefix_that_makes_no_sense_is_told_where_it_is_written() {
    let desk = Desk::new();
    let told = warned(&desk, &["radio.bandwidth=40 mHz"]);
    assert_eq!(
        told,
        [
            "--set radio.bandwidth=\"40 mHz\": radio.bandwidth: `40 mHz` is 4e-2 Hz, hardly the frequency \
          that is meant; did you mean `40 MHz`?"
        ]
    );
    let budget = "radio.budget.reference_power=100 MW";
    assert!(warned(&desk, &[budget])[0].contains("`100 mW`"));
    // A prompt is no quantity.
    let workload = "workload=[Generate(prompt: \"40 mHz\", max_tokens: 1)]";
    assert_eq!(warned(&desk, &[workload]), [""; 0]);
    let sweep = "sweep=(axes: [(path: \"radio.bandwidth\", values: [\"10 MHz\", \"20 mHz\"])])";
    let told = warned(&desk, &[sweep]);
    assert!(
        told.len() == 1 && told[0].contains("sweep.axes[0].values[1]: `20 mHz`"),
        "{told:?}"
    );
}

#[test]
fn more_threads_than_are_of_use_are_not_started() {
    let desk = Desk::new();
    let run = |threads: &str, out: &str| {
        let mut command = desk.command(&["run", "tiny.ron", "--out", out]);
        let output = command.env("RAYON_NUM_THREADS", threads).output().unwrap();
        crate::desk::Outcome::from(output).good().stderr
    };
    assert_eq!(run("3", "few"), "");
    let warning = run("100000", "many");
    assert!(
        warning.starts_with("warning: RAYON_NUM_THREADS asks for 100000 threads; "),
        "{warning}"
    );
    let (few, many) = (desk.hashed_tree("few"), desk.hashed_tree("many"));
    crate::desk::assert_same(&few, &many);
}
