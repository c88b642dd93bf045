//! Settings that change nothing are told of, on stderr, and stop nobody.

use crate::desk::{Desk, TINY};
use airloom::radio::npy_bytes;
use num_complex::Complex;

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
                "replicas[0].placement.design=AntennaSelection",
                "replicas[0].placement.all_reduce=UncodedFdma()",
            ][..],
            "replicas[0].placement.design",
            "only AirComp combines over the air, and all_reduce is UncodedFdma",
        ),
        (
            &["links.air.csi.delay=1 ms"],
            "links.air.csi.delay",
            "channels without Doppler do not age",
        ),
        (
            &["links.air.csi.doppler=30 Hz"],
            "links.air.csi.doppler",
            "the moment they are measured",
        ),
        (
            &[
                "links.air.synchronisation.phase_error=5 deg",
                "replicas[0].placement.all_reduce=Digital()",
            ],
            "links.air.synchronisation",
            "only analog symbols",
        ),
        (
            &[
                "nodes.device.count=1",
                "replicas[0].placement.assignment=Equal",
            ],
            "links.air",
            "one device alone has nothing to add",
        ),
        (
            &["links.air.coding.gap=3 dB"],
            "links.air.coding",
            "no link is digital",
        ),
        (
            &[
                "links.air.coding.ceiling=Some(\"6 bit/s/Hz\")",
                "replicas[0].placement.all_reduce=Digital(rate: Fixed(\"5 bit/s/Hz\"))",
            ],
            "links.air.coding",
            "every rate is Fixed",
        ),
        (
            &[
                "links.air.fading=Rician(mean: 0.5, variance: 1.0)",
                "replicas[0].placement.all_reduce=Digital(rate: Fixed(\"5 bit/s/Hz\"))",
            ],
            "links.air.fading",
            "every link has a Fixed rate",
        ),
        (
            &["replicas[0].placement.all_reduce=Ideal"],
            "links.air",
            "nothing is sent",
        ),
        (
            &["workload[1].from=\"server\""],
            "workload[1].from",
            "every replica begins there, and nothing travels",
        ),
        (
            &[
                "goals=(ttft: \"1 s\")",
                "workload=[Score(text: World(documents: 1))]",
            ],
            "goals",
            "no request generates tokens",
        ),
        (
            &[
                "workload=[Arrivals(process: ClosedLoop(users: 3), count: 2, prompt: Text(\"Once\"), output: Fixed(1))]",
                "workload[0].process.think=1 s",
            ],
            "workload[0].process.users",
            "of 3 users only 2 ask",
        ),
        (
            &["links.air.lone_device_transmits=true"],
            "links.air.lone_device_transmits",
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

/// A physical budget of −99 dBm of noise in 10 MHz.
const PHYSICAL: &str = "links.air.budget=Physical(transmit_power: \"23 dBm\", \
    noise_density: \"-174 dBm/Hz\", noise_figure: \"5 dB\")";

/// One rule for all models of channels: their mean gain against the budget.
#[test]
fn a_budget_that_does_not_belong_to_its_channels_is_told_before_the_run() {
    let desk = Desk::new();
    // Two devices with path gains of −120 dB and −118.2 dB, as a ray tracer gives them.
    let gains = [1e-6, 1.23e-6].map(|gain| Complex::new(0.0, gain));
    let entries: Vec<_> = (0..2 * 2 * 80).map(|n| gains[n / 80 % 2]).collect();
    std::fs::write(desk.path("far.npy"), npy_bytes(&[2, 2, 20, 4], &entries)).unwrap();
    let near: Vec<_> = entries.iter().map(|h| h * 1e6).collect();
    std::fs::write(desk.path("unit.npy"), npy_bytes(&[2, 2, 20, 4], &near)).unwrap();
    let rayleigh = |distance: &str| {
        format!("links.air.fading=Rayleigh(carrier: \"3.5 GHz\", distance: \"{distance}\")")
    };
    let (far, close) = (rayleigh("100 m"), rayleigh("50 mm"));
    let urban =
        "links.air.fading=Tr38901(environment: UMa, carrier: \"3.5 GHz\", distance: \"200 m\")";
    let weak = "links.air.fading=Rician(mean: 0.0, variance: 1e-9)";
    for (changes, path, words) in [
        // 32.4 + 20 log10(3.5) + 20 log10(100) = 83.3 dB.
        (
            &[far.as_str()][..],
            "links.air.budget",
            "a mean gain of -83 dB, that of device 0, leave -63 dB at an antenna; a Normalised snr \
             holds before the channel: give watts, for example Physical(",
        ),
        (
            &[urban],
            "links.air.budget",
            "next to nothing arrives: 20 dB before",
        ),
        (&[weak], "links.air.budget", "a mean gain of -90 dB"),
        (
            &["links.air.fading=Trace(\"far.npy\")"],
            "links.air.budget",
            "a mean gain of -120 dB, that of device 0, leave -100 dB",
        ),
        (
            &[PHYSICAL, "links.air.fading=Trace(\"unit.npy\")"],
            "links.air.fading",
            "the channels' mean gain is 1.8 dB",
        ),
        (
            &[PHYSICAL],
            "links.air.fading",
            "the channels' mean gain is 3.0 dB",
        ),
        (
            &[close.as_str()],
            "links.air.fading",
            "a path loss holds in the far field",
        ),
        (
            &[
                PHYSICAL,
                weak,
                "links.air.budget.transmit_power=\"-60 dBm\"",
            ],
            "links.air.budget",
            "raise transmit_power or antenna gains",
        ),
        (
            &[
                "links.air.budget.snr=\"90 dB\"",
                "links.air.fading=Rician(mean: 9.0, variance: 1.0)",
            ],
            "links.air.budget",
            "no receiver has such a ratio",
        ),
    ] {
        let warned = warned(&desk, changes);
        assert_eq!(warned.len(), 1, "{changes:?}: {warned:?}");
        assert!(
            warned[0].contains(&format!("{path}: ")) && warned[0].contains(words),
            "{warned:?}"
        );
    }
    for changes in [
        &[PHYSICAL, far.as_str()][..],
        &[PHYSICAL, urban],
        &[PHYSICAL, "links.air.fading=Trace(\"far.npy\")"],
        &["links.air.fading=Trace(\"unit.npy\")"],
    ] {
        assert_eq!(warned(&desk, changes), [""; 0], "{changes:?}");
    }
}

#[test]
fn what_no_radio_can_be_is_refused() {
    let desk = Desk::new();
    for (change, words) in [
        (
            "links.air.fading=Rayleigh(carrier: \"3.5 GHz\", distance: \"1 mm\")",
            // λ/4π is 6.8 mm, and free space would amplify nearer than that.
            "free space at 1 mm would amplify by 16.7 dB",
        ),
        (
            "links.air.budget=Physical(transmit_power: \"23 dBm\", noise_density: \"-174 dBm/Hz\", \
             noise_figure: \"-6 dB\")",
            "no receiver takes noise away; use 0 dB or more, and for antennas with a gain \
             device_antenna_gain",
        ),
    ] {
        let fault = desk
            .airloom(&["check", "tiny.ron", "--set", change])
            .refused(2);
        assert!(fault.contains(words), "{fault}");
    }
}

#[test]
fn what_has_an_effect_or_is_swept_is_not_remarked_upon() {
    let desk = Desk::new();
    for changes in [
        &[][..],
        &["replicas[0].placement.design=AntennaSelection"],
        &["replicas[0].placement.all_reduce=UncodedFdma()"],
        &["links.air.csi.delay=1 ms", "links.air.csi.doppler=30 Hz"],
        &[
            "links.air.csi.delay=1 ms",
            "links.air.doppler=Shift(\"30 Hz\")",
        ],
    ] {
        assert_eq!(warned(&desk, changes), [""; 0], "{changes:?}");
    }
    let swept = TINY
        .replace("AirComp(streams: 4)", "Ideal, design: Descent()")
        .replace(
            "    workload:",
            "    sweep: (axes: [(path: \"replicas[0].placement.all_reduce\", values: [Ideal, AirComp()])]),\n    \
             workload:",
        );
    desk.write("tiny.ron", &swept);
    assert_eq!(warned(&desk, &[]), [""; 0]);
    // Of the design and of the radio.
    assert_eq!(warned(&desk, &["sweep=None"]).len(), 2);
}

/// The wdmoe template with changes.
#[test]
fn experts_that_count_flops_alone_say_what_they_do_not_read() {
    let desk = Desk::new();
    let scenario = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/wdmoe_simulated.ron");
    let told = |changes: &[&str]| {
        let mut arguments = vec!["check", scenario];
        for change in changes {
            arguments.extend(["--set", change]);
        }
        desk.airloom(&arguments).good().stderr
    };
    let slow = "nodes.device.profile.overhead=1 ms";
    let table = "nodes.device.except={2: Preset(\"table-i-vm\")}";
    assert_eq!(told(&[slow]), "");
    let flops = "replicas[0].placement.compute=Flops";
    let overhead = told(&[slow, flops]);
    assert!(
        overhead.contains("nodes.device.profile.overhead: it has no effect: with compute: Flops"),
        "{overhead}"
    );
    let measured = told(&[table, flops]);
    assert!(
        measured.contains("nodes.device.except[2]: it has no effect"),
        "{measured}"
    );
    let peers = told(&[table]);
    assert!(
        peers.contains("of replicated_fraction and contention_per_peer"),
        "{peers}"
    );
    let server = "nodes.server.profile=Custom(peak: \"1 TFLOP/s\", memory_bandwidth: \"1 TB/s\", memory: \"100 GB\")";
    assert!(told(&[server]).contains("server_compute is Negligible"));
    assert_eq!(
        told(&[server, "replicas[0].placement.server_compute=Timed"]),
        ""
    );
}

#[test]
fn a_run_warns_once_and_goes_on() {
    let desk = Desk::new();
    let run = desk
        .airloom(&["run", "tiny.ron", "--set", "links.air.csi.delay=1 ms"])
        .good();
    assert_eq!(run.stderr.matches("warning: ").count(), 1, "{}", run.stderr);
}

/// What only the results can tell is told after the run, and of every point of a sweep.
#[test]
fn a_budget_that_a_run_passes_is_told_of() {
    let desk = Desk::new();
    let tight = "links.air.convention=EnergyPerVector(energy: \"12 uJ\")";
    let swept = "sweep=(axes: [(path: \"links.air.budget.snr\", values: [\"20 dB\"])])";
    for arguments in [
        &["run", "tiny.ron", "--set", tight][..],
        &["sweep", "tiny.ron", "--set", tight, "--set", swept],
    ] {
        let told = desk.airloom(arguments).good().stderr;
        assert!(told.contains("times its budget P_n for a vector"), "{told}");
    }
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
    let told = warned(&desk, &["links.air.bandwidth=40 mHz"]);
    assert_eq!(
        told,
        [
            "--set links.air.bandwidth=\"40 mHz\": links.air.bandwidth: `40 mHz` is 4e-2 Hz, hardly the frequency \
          that is meant; did you mean `40 MHz`?"
        ]
    );
    let budget = "links.air.budget.reference_power=100 MW";
    assert!(warned(&desk, &[budget])[0].contains("`100 mW`"));
    // A prompt is no quantity.
    let workload = "workload=[Generate(prompt: \"40 mHz\", max_tokens: 1)]";
    assert_eq!(warned(&desk, &[workload]), [""; 0]);
    let sweep = "sweep=(axes: [(path: \"links.air.bandwidth\", values: [\"10 MHz\", \"20 mHz\"])])";
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
