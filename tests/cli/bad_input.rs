//! Wrong scenarios and arguments: exit code 2, where it is wrong, how to put it
//! right, and nothing left behind.

use crate::desk::{Desk, TINY};

/// What `airloom run` says about the small scenario with `from` replaced by `to`.
#[track_caller]
fn refuse(from: &str, to: &str) -> String {
    assert!(TINY.contains(from), "{from}");
    let desk = Desk::new();
    desk.write("bad.ron", &TINY.replacen(from, to, 1));
    said(&desk, &["run", "bad.ron"])
}

/// What the program says to `arguments`, which it must refuse without leaving a trace.
#[track_caller]
fn said(desk: &Desk, arguments: &[&str]) -> String {
    let before = desk.names(".");
    let message = desk.airloom(arguments).refused(2);
    assert_eq!(desk.names("."), before, "something was left behind");
    message
}

#[test]
fn a_missing_comma() {
    assert_eq!(
        refuse("seed: 3,", "seed: 3"),
        "error: bad.ron:2:12: a comma is missing before `model`\n   |\n 2 |     seed: 3\n   |            ^ \
         put a `,` here\n"
    );
}

#[test]
fn an_unknown_field() {
    assert_eq!(
        refuse("bandwidth", "bandwith"),
        "error: bad.ron:6:9: unknown field `bandwith`
   |
 6 |         bandwith: \"10 MHz\",
   |         ^^^^^^^^ did you mean `bandwidth`? known are hub, members, sharing, messages, \
         bandwidth, device_antennas, device_antennas_except, server_antennas, fading, coherence, \
         doppler, budget, convention, budget_offsets, coding, csi, synchronisation, downlink, \
         round_overhead, lone_device_transmits\n"
    );
}

#[test]
fn a_wrong_unit() {
    assert_eq!(
        refuse("10 MHz", "10 MHzz"),
        "error: bad.ron:6:20: `10 MHzz` is not a frequency: unknown unit `MHzz`; write for example \
         \"10 MHz\"\n   |\n 6 |         bandwidth: \"10 MHzz\",\n   |                    ^^^^^^^^^\n"
    );
}

#[test]
fn a_negative_bandwidth() {
    assert_eq!(
        refuse("10 MHz", "-10 MHz"),
        "error: bad.ron:6:20: `-10 MHz` is not a frequency: it must not be negative; write for \
         example \"10 MHz\"\n   |\n 6 |         bandwidth: \"-10 MHz\",\n   |                    \
         ^^^^^^^^^\n"
    );
}

#[test]
fn no_device() {
    assert_eq!(
        refuse("count: 2", "count: 0"),
        "error: bad.ron:4:31: nodes.device.count: 0 nodes; use 1 to 65535, or leave the group out\n   |\n 4 |     \
         nodes: {\"device\": (count: 0)},\n   |                               ^\n"
    );
}

#[test]
fn shares_that_do_not_sum_to_one() {
    let message = refuse("[0.5, 0.5]", "[0.5, 0.4]");
    let expected = "error: bad.ron:10:21: replicas[0].placement.assignment: the shares of 2 devices sum to \
                    0.9, not to 1; divide each by 0.9\n";
    assert!(message.starts_with(expected), "{message}");
}

#[test]
fn more_streams_than_antennas() {
    let message = refuse("streams: 4", "streams: 9");
    let expected = "error: bad.ron:11:38: replicas[0].placement.all_reduce.streams: 9 streams, but each \
                    device has 4 antennas; use at most 4\n";
    assert!(message.starts_with(expected), "{message}");
}

#[test]
fn not_a_number() {
    for (from, to, expected) in [
        (
            "[0.5, 0.5]",
            "[NaN, 0.5]",
            "bad.ron:10:28: NaN is not a finite number",
        ),
        (
            "\"10 MHz\"",
            "NaN",
            "bad.ron:6:20: expected a frequency with its unit",
        ),
        (
            "10 MHz",
            "NaN Hz",
            "bad.ron:6:20: `NaN Hz` is not a frequency",
        ),
        ("20 dB", "inf dB", "bad.ron:7:33: `inf dB` is not"),
    ] {
        let message = refuse(from, to);
        assert!(
            message.starts_with(&format!("error: {expected}")),
            "{message}"
        );
    }
}

#[test]
fn a_text_shorter_than_one_window() {
    let desk = Desk::new();
    desk.write(
        "bad.ron",
        &TINY.replace("World(documents: 1)", "File(\"short.txt\")"),
    );
    desk.write("short.txt", "Clara was in the barn.");
    let message = said(&desk, &["run", "bad.ron"]);
    let expected = "error: bad.ron:14:21: workload[0].text: ./short.txt holds 6 tokens, fewer than \
                    one window of 128; use a longer text or a smaller `window`\n";
    assert!(message.starts_with(expected), "{message}");
}

#[test]
fn a_text_that_is_missing_empty_or_not_text() {
    let desk = Desk::new();
    desk.write(
        "bad.ron",
        &TINY.replace("World(documents: 1)", "File(\"it.txt\")"),
    );
    let message = said(&desk, &["run", "bad.ron"]);
    let expected = "error: bad.ron:14:21: workload[0].text: there is no file ./it.txt; paths are";
    assert!(message.starts_with(expected), "{message}");
    desk.write("it.txt", "");
    let message = said(&desk, &["run", "bad.ron"]);
    assert!(
        message.contains("./it.txt holds nothing but white space"),
        "{message}"
    );
    std::fs::write(desk.path("it.txt"), [b'a', 0xff, b'b']).unwrap();
    let message = said(&desk, &["run", "bad.ron"]);
    assert!(
        message.contains("./it.txt is not UTF-8: byte 0xff at offset 1"),
        "{message}"
    );
}

#[test]
fn more_tokens_than_the_model_has_positions() {
    let message = refuse("max_tokens: 2", "max_tokens: 20000");
    let expected = "error: bad.ron:15:52: workload[1].max_tokens: needs a context of 20002 tokens, \
                    but the model was made for 128 (max_position_embeddings); shorten it\n";
    assert!(message.starts_with(expected), "{message}");
}

#[test]
fn a_model_folder_that_does_not_exist_or_holds_no_model() {
    let message = refuse("MODEL", "nowhere");
    let expected = "error: bad.ron:3:12: model: there is no folder ./nowhere; paths are relative to \
                    the scenario's file\n";
    assert!(message.starts_with(expected), "{message}");
    let message = refuse("MODEL", ".");
    assert!(
        message.contains("model: ./. holds no config.json; give a model folder"),
        "{message}"
    );
}

#[test]
fn a_damaged_model() {
    let desk = Desk::new();
    let whole = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/models/tiny-llama/model.safetensors"
    );
    for file in ["config.json", "tokenizer.json"] {
        let source = whole.replace("model.safetensors", file);
        desk.write(
            &format!("model/{file}"),
            &std::fs::read_to_string(source).unwrap(),
        );
    }
    let weights = std::fs::read(whole).unwrap();
    std::fs::write(
        desk.path("model/model.safetensors"),
        &weights[..weights.len() / 2],
    )
    .unwrap();
    desk.write("bad.ron", &TINY.replace("MODEL", "model"));
    let message = said(&desk, &["run", "bad.ron"]);
    assert!(message.contains("model/model.safetensors"), "{message}");
}

#[test]
fn too_little_memory() {
    let small = "count: 2, profile: Custom(peak: \"1 TFLOP/s\", memory: \"2 MB\", \
                 memory_bandwidth: \"10 GB/s\")";
    assert_eq!(
        refuse("count: 2", small),
        "error: device0 (custom) needs 3.245184 MB (weights 2.856 MB, KV cache 179.712 kB, \
         activations 209.664 kB) but has 2 MB; give it a smaller share, use more devices, fewer \
         bits per weight or a shorter context\n"
    );
}

#[test]
fn a_device_that_no_preset_describes() {
    let message = refuse("count: 2", "count: 2, profile: Preset(\"jetson-orin-nno\")");
    assert!(message.starts_with("error: bad.ron:4:"), "{message}");
    assert!(
        message.contains("did you mean `jetson-orin-nano`?"),
        "{message}"
    );
}

#[test]
fn two_faults_are_told_at_once() {
    let desk = Desk::new();
    let changed = TINY
        .replace("10 MHz", "10 MHzz")
        .replace("streams", "stream");
    desk.write("bad.ron", &changed);
    let message = said(&desk, &["check", "bad.ron"]);
    assert!(
        message.contains("bad.ron:6:20: ") && message.contains("bad.ron:11:29: "),
        "{message}"
    );
}

#[test]
fn a_scenario_that_is_not_there() {
    let desk = Desk::new();
    let message = said(&desk, &["run", "tinny.ron"]);
    assert!(
        message.starts_with("error: cannot read the scenario tinny.ron: "),
        "{message}"
    );
    assert!(message.ends_with("did you mean tiny.ron?\n"), "{message}");
    let message = said(&desk, &["run", "elsewhere/tiny.ron"]);
    assert!(
        message.ends_with("there is no folder elsewhere either\n"),
        "{message}"
    );
    let message = said(&desk, &["run", "quite_another_thing.ron"]);
    assert!(
        message.ends_with("no scenario in . has a similar name\n"),
        "{message}"
    );
    let message = said(&desk, &["run", "."]);
    assert!(
        message.ends_with("give a scenario's file, which ends in .ron or .json\n"),
        "{message}"
    );
}

#[test]
fn a_bad_override() {
    let desk = Desk::new();
    for (setting, expected) in [
        (
            "nodes.device.cuont=3",
            "error: --set nodes.device.cuont=3: unknown field `cuont`\n",
        ),
        (
            "nodes.device.cuont=3",
            "^ did you mean `count`? known are count, profile, except\n",
        ),
        (
            "nodes.device.count=three",
            "expected a whole number, found `three`\n",
        ),
        (
            "nodes.device.count",
            "`nodes.device.count` changes nothing; write path=value, such as",
        ),
        (
            "=3",
            "`` is not a path; write for example `nodes.device.count`",
        ),
        (
            "links.air.bandwidth=\"10 MHzz\"",
            "unknown unit `MHzz`; write for example \"10 MHz\"\n",
        ),
        (
            "nodes.device.count=0",
            "nodes.device.count: 0 nodes; use 1 to 65535, or leave the group out\n",
        ),
    ] {
        let message = said(&desk, &["run", "tiny.ron", "--set", setting]);
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn a_wrong_verb_or_argument() {
    let desk = Desk::new();
    for (arguments, expected) in [
        (
            &["swep", "tiny.ron"][..],
            "a similar subcommand exists: 'sweep'",
        ),
        (&["run"], "<SCENARIO>"),
        (
            &["run", "tiny.ron", "--threads", "0"],
            "0 is not in 1..=65535",
        ),
        (
            &["run", "tiny.ron", "--seed", "x"],
            "invalid value 'x' for '--seed <SEED>'",
        ),
        (
            &["sweep", "tiny.ron", "--jobs", "0"],
            "0 is not in 1..=65535",
        ),
        (
            &["run", "tiny.ron", "--out", ""],
            "a value is required for '--out <DIR>'",
        ),
    ] {
        let message = said(&desk, arguments);
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn a_count_of_zero_is_refused_before_anything_is_computed_from_it() {
    let scenario = |name: &str| format!("{}/scenarios/{name}", env!("CARGO_MANIFEST_DIR"));
    let desk = Desk::new();
    let assignment = scenario("model_assignment.ron");
    for (setting, expected) in [
        (
            "replicas[0].placement.all_reduce.streams=0",
            "replicas[0].placement.all_reduce.streams: 0 streams carry nothing; use 1 or more\n",
        ),
        (
            "replicas[0].placement.all_reduce=UncodedFdma(streams: 0)",
            "replicas[0].placement.all_reduce.streams: 0 streams carry nothing; use 1 or more\n",
        ),
        (
            "replicas[0].placement.all_reduce.reals_per_symbol=0",
            "a complex symbol carries 1 or 2 real entries, not 0\n",
        ),
        (
            "replicas[0].placement.all_reduce=Digital(bits: 0, rate: Fixed(\"12 bit/s/Hz\"))",
            "replicas[0].placement.all_reduce.bits: ",
        ),
        (
            "replicas[0].placement.all_reduce=Digital(rate: Fixed(\"0 bit/s/Hz\"))",
            "replicas[0].placement.all_reduce.rate",
        ),
        (
            "replicas[0].placement.all_reduce=Digital(subchannels: Some(0), rate: Fixed(\"12 bit/s/Hz\"))",
            "replicas[0].placement.all_reduce.subchannels: ",
        ),
    ] {
        let message = said(&desk, &["check", &assignment, "--set", setting]);
        assert!(message.contains(expected), "{setting}: {message}");
    }
}

#[test]
fn a_scenario_that_is_too_long_with_its_defaults_is_refused_by_all_verbs() {
    let desk = Desk::new();
    let one = "Tokens(prompt: 1),".repeat(21_000);
    let text = format!(
        "Scenario(model: Shape(\"llama-2-7b\"), nodes: {{\"device\": (count: 2)}}, workload: [{one}])"
    );
    desk.write("long.ron", &text);
    for verb in [&["check"][..], &["check", "--resolved"], &["run"]] {
        let message = said(&desk, &[verb, &["long.ron"]].concat());
        let expected = "error: long.ron:1:1: with every default written out, as run folders keep it, \
                        the scenario has ";
        assert!(message.starts_with(expected), "{message}");
        assert!(message.contains("and the limit is 1048576"), "{message}");
    }
    let quotes = format!("description: r#\"{}\"#,", "\"".repeat(525_000));
    desk.write("long.ron", &TINY.replace("seed: 3,", &quotes));
    said(&desk, &["check", "long.ron"]);
    desk.write("long.ron", &" ".repeat((1 << 20) + 1));
    let message = said(&desk, &["check", "long.ron"]);
    assert!(
        message.contains("it has more than 1048576 bytes"),
        "{message}"
    );
}

#[test]
fn a_path_of_windows_is_told_about_its_backslashes() {
    let message = refuse("MODEL", r"C:\new\tiny");
    assert!(
        message.starts_with(
            "error: bad.ron:3:12: model: there is no folder ./C:\\new\\tiny; its backslashes began \
             escapes such as \\n and \\t: write the path with `/`, with each backslash doubled, or as \
             r\"C:\\folder\"\n"
        ),
        "{message}"
    );
    let message = refuse("MODEL", r"C:\models\tiny");
    assert!(
        message.contains(r"`\m` is no escape") && message.contains(r#"or as r"C:\folder""#),
        "{message}"
    );
}

#[test]
fn a_field_at_another_place_is_named() {
    let desk = Desk::new();
    let message = said(&desk, &["check", "tiny.ron", "--set", "links.air.snr=10"]);
    assert!(
        message.contains("unknown field `snr`")
            && message
                .contains("did you mean `links.*.budget.snr`? `airloom fields snr` explains it"),
        "{message}"
    );
}

#[test]
fn no_message_holds_what_would_act_on_a_terminal() {
    let desk = Desk::new();
    desk.write(
        "a\nb\u{1b}.ron",
        &TINY.replace("count: 2", "count: 0, \u{7}x\u{9b}: 1"),
    );
    for arguments in [
        &["check", "a\nb\u{1b}.ron"][..],
        &["check", "no\nwhere\u{1b}.ron"],
        &["plot", "no\nwhere\u{1b}"],
        &["explain", "no\nwhere\u{1b}"],
        &["replay", "no\nwhere\u{1b}"],
        &[
            "run",
            "tiny.ron",
            "--set",
            "description=\"\u{1b}\"",
            "--set",
            "nodes=\"\u{1b}\"",
        ],
    ] {
        let message = said(&desk, arguments);
        let acting = |c: char| c.is_control() && c != '\n';
        assert!(!message.contains(acting), "{message:?}");
        assert!(
            !message.contains("no\nwhere") && !message.contains("a\nb"),
            "{message:?}"
        );
    }
}
