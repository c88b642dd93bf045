//! Names and values that a field cannot have.

use super::refused;

#[test]
fn names_that_do_not_exist_are_refused_with_a_suggestion() {
    refused(&[
        (
            "nodes:",
            "node:",
            &["unknown field `node`", "did you mean `nodes`?"],
        ),
        (
            "AirComp",
            "AirCom",
            &[
                "bad.ron:10:21: `AirCom` is not known here",
                "did you mean `AirComp`? known are Ideal, AirComp, Digital",
            ],
        ),
        (
            "(count: 4)",
            "(count: 4, profile: Preset(\"jetson\"))",
            &[
                "bad.ron:3:43: nodes.device.profile: there is no device `jetson`; did you mean `jetson-agx-orin`?",
            ],
        ),
        (
            "Score(",
            "Scores(",
            &["bad.ron:13:9", "did you mean `Score`?"],
        ),
        (
            "Scenario(",
            "Scenarios(",
            &["bad.ron:1:1: expected `Scenario(…)`"],
        ),
    ]);
}

#[test]
fn values_that_a_field_cannot_have_are_refused_at_the_place() {
    refused(&[
        (
            "\"10 MHz\"",
            "10",
            &[
                "bad.ron:5:20: expected a frequency with its unit, such as \"10 MHz\", found the number 10",
            ],
        ),
        (
            "10 MHz",
            "-10 MHz",
            &["bad.ron:5:20: `-10 MHz` is not a frequency: it must not be negative"],
        ),
        (
            "10 MHz",
            "0 Hz",
            &["bad.ron:5:20: links.air.bandwidth: 0 must be a finite number above zero"],
        ),
        (
            "10 MHz",
            "NaN MHz",
            &["bad.ron:5:20: `NaN MHz` is not a frequency"],
        ),
        (
            "count: 4",
            "count: 0",
            &["bad.ron:3:31: nodes.device.count: 0 nodes; use 1 to 65535, or leave"],
        ),
        (
            "count: 4",
            "count: 1000000000",
            &["nodes.device.count: 1000000000 nodes; use 1 to 65535, or leave"],
        ),
        (
            "count: 4",
            "count: -4",
            &["bad.ron:3:31: -4 must not be negative"],
        ),
        (
            "count: 4",
            "count: 4.5",
            &["bad.ron:3:31: 4.5 must be a whole number"],
        ),
        (
            "count: 4",
            "count: 99999999999999999999999",
            &["must lie between 0 and 18446744073709551615"],
        ),
        ("0.4", "NaN", &["bad.ron:9:28: NaN is not a finite number"]),
        (
            "0.4",
            "1e999",
            &["bad.ron:9:28: 1e999 is not a finite number"],
        ),
        (
            "0.4",
            "\"0.4\"",
            &["bad.ron:9:28: expected a number, found the text \"0.4\""],
        ),
        (
            "Folder(\"model\")",
            "Folder",
            &["bad.ron:2:12: expected a text, found `Folder` alone"],
        ),
        (
            "Folder(\"model\")",
            "\"model\"",
            &["bad.ron:2:12: expected one of Folder, Gguf, Shape, found the text \"model\""],
        ),
        (
            "AirComp(streams: 2)",
            "(streams: 2)",
            &[
                "expected one of Ideal, AirComp, Digital, Star, Ring, Hierarchy, UncodedFdma, found fields in parentheses",
            ],
        ),
        (
            "AirComp(streams: 2)",
            "Ideal(streams: 2)",
            &["`Ideal` has nothing inside"],
        ),
        (
            "    nodes: {\"device\": (count: 4)},\n",
            "",
            &[
                "bad.ron:1:1: the field `nodes` is missing",
                "add `nodes: …`",
            ],
        ),
        (
            "prompt: \"Anna\", ",
            "",
            &["bad.ron:14:9: the field `prompt` is missing"],
        ),
        (
            "max_tokens: 4",
            "max_tokens: 0",
            &["workload[1].max_tokens: 0 tokens"],
        ),
        (
            "max_tokens: 4",
            "arrival: At(\"300000 h\")",
            &["bad.ron:14:43: workload[1].arrival: ", "213 days"],
        ),
        (
            "documents: 8",
            "documents: 0",
            &["bad.ron:13:38: workload[0].text.documents: 0 documents"],
        ),
        (
            "World(documents: 8)",
            "World, window: 64",
            &["bad.ron:13:36: workload[0].window: each document of the world is a window"],
        ),
        (
            "World(documents: 8)",
            "File(\"text.txt\"), window: 1",
            &["workload[0].window: a window needs 2 tokens"],
        ),
        (
            "World(documents: 8)",
            "File(\"text.txt\"), windows: 0",
            &["workload[0].windows: 0 windows"],
        ),
    ]);
}
