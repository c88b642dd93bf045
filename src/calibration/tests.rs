//! Calibration against what made the rows, and what it says of tables that are wrong.

use super::*;
use crate::device::basis::{Ground, Kind};
use crate::units::BytesPerSecond;

const TENSOR: &str = include_str!("measurements/tensor_parallel.csv");
const SINGLE: &str = include_str!("measurements/single_board.csv");
const WALL: &str = include_str!("measurements/wall_power.csv");

fn all() -> Vec<Row> {
    let tables = [
        (TENSOR, "tensor_parallel.csv"),
        (SINGLE, "single_board.csv"),
        (WALL, "wall_power.csv"),
    ];
    let rows = tables
        .iter()
        .flat_map(|(text, name)| read(text, name).unwrap());
    rows.collect()
}

fn of(rows: &[Row], board: &str, base: Option<&str>) -> Calibration {
    let choice = Choice {
        board: Some(board.to_owned()),
        base: base.map(str::to_owned),
    };
    calibrate(rows, &choice).unwrap()
}

/// What made the rows, with a rate at 4.5 and one at 8.5 bits.
const RATES: [(f64, f64); 2] = [(4.5, 20e9), (8.5, 14e9)];
const REPLICATED: f64 = 0.08;
const OVERHEAD: f64 = 150e-6;
const CACHE: f64 = 5e9;

/// Rows of a board that is just as the model has it, times `noise` of the row's number.
fn made(noise: impl Fn(usize) -> f64) -> Vec<Row> {
    let mut table = "board,model,weight_bits,cache_bits,devices,context,compute_ms\n".to_owned();
    let rows = [
        ("llama-2-7b", 1, 0, 0),
        ("llama-2-7b", 2, 0, 0),
        ("llama-2-7b", 4, 2000, 0),
        ("llama-2-13b", 1, 4000, 0),
        ("llama-2-13b", 4, 0, 0),
        ("llama-2-7b", 1, 0, 1),
        ("llama-2-13b", 2, 1000, 1),
        ("llama-3-8b", 8, 0, 0),
    ];
    for (number, (model, devices, context, kind)) in rows.into_iter().enumerate() {
        let (bits, rate) = RATES[kind];
        let shape = format!("board,{model},{bits},32,{devices},{context},1");
        let header = table.lines().next().unwrap();
        let row = read(&format!("{header}\n{shape}\n"), "made")
            .unwrap()
            .remove(0);
        let counts = counts(&row, 1, context).unwrap();
        let seconds = (counts.own + REPLICATED * counts.others) / rate
            + OVERHEAD * counts.tasks
            + counts.cache_bytes / CACHE;
        let ms = seconds * 1e3 * noise(number);
        table += &format!("board,{model},{bits},32,{devices},{context},{ms:e}\n");
    }
    read(&table, "made.csv").unwrap()
}

#[test]
fn what_made_the_rows_comes_back() {
    let found = of(&made(|_| 1.0), "board", Some("raspberry-pi-5"));
    let profile = found.calibrated.profile;
    let measured = profile.measured.unwrap();
    let close = |value: f64, expected: f64| {
        assert!((value / expected - 1.0).abs() < 1e-6, "{value} {expected}");
    };
    for (known, (bits, rate)) in measured.weight_rates.iter().zip(RATES) {
        close(known.bits, bits);
        close(known.rate.0, rate);
    }
    close(measured.replicated_fraction, REPLICATED);
    close(profile.overhead.0, OVERHEAD);
    close(profile.cache_rate.unwrap().0, CACHE);
    let (mean, worst, count) = found.error().unwrap();
    assert!(
        worst < 1e-6 && mean <= worst && count >= 6,
        "{worst} {count}"
    );
    assert_eq!(found.calibrated.basis.context.kind(), Kind::Fitted);
}

/// One row that is twice too slow moves a robust fit less than half of one per cent of it.
#[test]
fn a_row_that_is_wrong_counts_for_little() {
    let rows = made(|number| if number == 4 { 2.0 } else { 1.0 });
    let found = of(&rows, "board", Some("raspberry-pi-5"));
    let off = |row: &Compared| (row.fitted / row.measured - 1.0).abs();
    for (number, row) in found.compared.iter().enumerate() {
        assert_eq!(off(row) > 0.1, number == 4, "{number}: {}", off(row));
    }
}

/// Intervals hold what made the rows where these scatter as they are told to.
#[test]
fn intervals_hold_the_truth() {
    let (mut held, mut told) = (0, 0);
    for seed in 0..12u32 {
        let noise = |number: usize| {
            let phase = f64::from(seed) * 1.7 + number as f64 * 2.4;
            1.0 + 0.01 * libm::sin(phase * phase)
        };
        let found = of(&made(noise), "board", Some("raspberry-pi-5"));
        for fitted in &found.parameters {
            let truth = match fitted.parameter {
                Parameter::Replicated => REPLICATED,
                Parameter::Overhead => OVERHEAD,
                _ => continue,
            };
            if let Certainty::Determined {
                half_width: Some(half_width),
            } = fitted.certainty
            {
                told += 1;
                held += u32::from((fitted.value - truth).abs() <= half_width);
            }
        }
    }
    assert!(
        told >= 18 && f64::from(held) / f64::from(told) > 0.85,
        "{held} of {told}"
    );
}

#[test]
fn rows_say_which_parameters_they_determine() {
    let found = of(&all(), "raspberry-pi-4b", None);
    let words = found.undetermined.join("\n");
    for absent in ["cache_rate", "efficiency", "power", "messages"] {
        assert!(words.contains(absent), "{words}");
    }
    assert!(!words.contains("replicated_fraction") && !words.contains("overhead"));
    let lone = of(&all(), "raspberry-pi-cm5", None);
    let words = lone.undetermined.join("\n");
    assert!(words.contains("replicated_fraction") && !words.contains("efficiency"));
    assert_eq!(lone.error(), None);
    assert!(matches!(lone.calibrated.basis.compute, Ground::Measured(_)));
    assert!(lone.to_string().contains("the error is not known"));
}

/// What CI and the manual say of the tables of this folder.
#[test]
fn the_tables_of_the_presets_are_predicted_from_each_other() {
    for (board, mean, worst) in [
        ("raspberry-pi-4b", 0.02, 0.02),
        ("gcp-c3d-highcpu-30", 0.01, 0.012),
    ] {
        let found = of(&all(), board, None).error().unwrap();
        assert!(found.0 < mean && found.1 < worst, "{board}: {found:?}");
    }
}

/// The presets of measured boards are what their rows come to, to four digits.
#[test]
fn presets_are_their_fits() {
    for (preset, board) in [
        ("raspberry-pi-4b", "raspberry-pi-4b"),
        ("raspberry-pi-cm5", "raspberry-pi-cm5"),
        ("raspberry-pi-5", "raspberry-pi-5-16gb"),
        ("gcp-c3d-highcpu-30", "gcp-c3d-highcpu-30"),
        ("framework-13-ai-340", "framework-13-ai-340"),
        ("minisforum-ms-r1", "minisforum-ms-r1"),
        ("nvidia-gb10", "nvidia-gb10"),
    ] {
        let found = of(&all(), board, Some(preset)).calibrated.profile;
        let stated = PRESETS.iter().find(|known| known.name == preset);
        let stated = stated.unwrap().profile;
        let close = |what: &str, stated: f64, found: f64| {
            let off = (stated - found).abs() / found.abs().max(1e-30);
            assert!(
                stated == found || off < 2e-3,
                "{preset} {what}: {stated} {found}"
            );
        };
        let rate = |profile: crate::device::DeviceProfile| {
            let rates = profile.measured.unwrap().weight_rates;
            1.0 / rates.iter().next().unwrap().rate.0
        };
        close("rate", rate(stated), rate(found));
        let replicated =
            |profile: crate::device::DeviceProfile| profile.measured.unwrap().replicated_fraction;
        close("replicated", replicated(stated), replicated(found));
        close("overhead", stated.overhead.0, found.overhead.0);
        close("per_token", stated.per_token.0, found.per_token.0);
        close("efficiency", stated.efficiency, found.efficiency);
        let cache = |rate: Option<BytesPerSecond>| rate.unwrap().0;
        close("cache", cache(stated.cache_rate), cache(found.cache_rate));
        let busy = |profile: crate::device::DeviceProfile| {
            profile.power.map_or(0.0, |power| power.memory_bound.0)
        };
        close("power", busy(stated), busy(found));
        let messages =
            |profile: crate::device::DeviceProfile| profile.messages.unwrap_or_default().total();
        close("messages", messages(stated), messages(found));
    }
}

#[test]
fn the_same_rows_give_the_same_bits() {
    let text = |found: Calibration| format!("{}{found}", found.calibrated.to_ron());
    let once = text(of(&all(), "gcp-c3d-highcpu-30", None));
    assert_eq!(once, text(of(&all(), "gcp-c3d-highcpu-30", None)));
}

#[test]
fn a_profile_is_read_as_it_was_written() {
    let found = of(&all(), "raspberry-pi-4b", None).calibrated;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("profile.ron");
    std::fs::write(&path, found.to_ron()).unwrap();
    assert_eq!(Calibrated::read(&path).unwrap(), found);
    std::fs::write(&path, found.to_ron().replace("per_token", "per_tokn")).unwrap();
    let error = Calibrated::read(&path).unwrap_err();
    assert!(
        error.contains("profile.ron:") && error.contains("per_tokn"),
        "{error}"
    );
}

#[test]
fn wrong_tables_are_told_by_line_and_column() {
    let fault = |text: &str| read(text, "t.csv").unwrap_err().to_string();
    for (text, words) in [
        (
            "board,model,compute_s\nb,llama-2-7b,1.3",
            &["t.csv:1: column 3", "compute_s", "compute_ms", "unit is ms"][..],
        ),
        ("board,compute_ms\nb,1", &["t.csv:1", "`model` is missing"]),
        (
            "board,model,compute_ms\nb,llama-2-7b,NaN",
            &["t.csv:2: column 3 (compute_ms)", "NaN", "above zero"],
        ),
        (
            "board,model,compute_ms\nb,llama-2-7b,-3",
            &["t.csv:2: column 3", "-3"],
        ),
        (
            "board,model,compute_ms\nb,llama-2-7b,3 ms",
            &["t.csv:2", "`3 ms` is no number", "in ms"],
        ),
        (
            "board,model,compute_ms\nb,llama-9,3",
            &["t.csv:2", "no model `llama-9`", "llama-2-7b"],
        ),
        (
            "board,model,devices,compute_ms\nb,llama-2-7b,1.5,3",
            &["t.csv:2: column 3", "whole number"],
        ),
        (
            "board,model,compute_ms,transfer_ms,total_ms\nb,llama-2-7b,1307,1,1.3",
            &["t.csv:2", "all three in milliseconds"],
        ),
        (
            "board,model,model_gib,compute_ms\nb,llama-2-7b,3700,1307",
            &["t.csv:2", "bits per weight", "GiB"],
        ),
        (
            "board,model,prefill_tokens_per_s\nb,llama-2-7b,15",
            &["t.csv:2", "belong together"],
        ),
        (
            "board,model,compute_ms\nb,llama-2-7b,4\n\n\nb,llama-2-7b,x\n",
            &["t.csv:5: column 3"],
        ),
        ("board,model,board\n", &["column 3", "there twice"]),
        ("board,model\nb,llama-2-7b,4\n", &["t.csv:2", "no CSV"]),
    ] {
        let message = fault(text);
        for word in words {
            assert!(message.contains(word), "`{message}` lacks `{word}`");
        }
    }
}

#[test]
fn rows_that_do_not_suffice_or_agree_are_refused() {
    let refused = |text: &str, board: Option<&str>, base: Option<&str>| {
        let choice = Choice {
            board: board.map(str::to_owned),
            base: base.map(str::to_owned),
        };
        let rows = read(text, "t.csv").unwrap();
        calibrate(&rows, &choice).unwrap_err().to_string()
    };
    let holds = |message: String, words: &[&str]| {
        for word in words {
            assert!(message.contains(word), "`{message}` lacks `{word}`");
        }
    };
    let pi = Some("raspberry-pi-5");
    holds(refused("board,model\n", None, pi), &["no rows"]);
    let watts = "board,model,watts\nb,llama-2-7b,5\n";
    holds(refused(watts, None, pi), &["no row of `b`", "compute_ms"]);
    let two = "board,model,compute_ms\nb,llama-2-7b,500\nc,llama-2-7b,500\n";
    holds(refused(two, None, pi), &["2 boards", "--board", "b, c"]);
    holds(refused(two, Some("d"), pi), &["no row is of the board `d`"]);
    holds(refused(two, Some("b"), None), &["no preset `b`", "--base"]);
    let both = "board,model,compute_ms\nb,llama-2-7b,500\nb,llama-2-7b,900\n";
    holds(
        refused(both, None, pi),
        &[
            "t.csv:2",
            "t.csv:3",
            "contradict",
            "0.5000 s per token and 0.9000",
        ],
    );
    for (column, unit) in [("transfer_ms", "s per token"), ("watts", "W")] {
        let both = format!(
            "board,model,devices,compute_ms,{column}\nb,llama-2-7b,2,500,20\n\
             b,llama-2-7b,2,510,200\n"
        );
        holds(refused(&both, None, pi), &["contradict", unit]);
    }
    let twice = "board,model,compute_ms\nb,llama-2-7b,500\nb,llama-2-7b,500\n";
    holds(refused(twice, None, pi), &["t.csv:3", "that of t.csv:2"]);
    let fast = "board,model,compute_ms,prefill_tokens,prefill_tokens_per_s\n\
                b,llama-2-7b,500,512,51200\n";
    holds(
        refused(fast, None, pi),
        &["t.csv:2", "peak of 153.6 GFLOP/s"],
    );
    let flat = "board,model,compute_ms\nb,llama-2-7b,500\nb,llama-2-13b,250\n\
                b,llama-2-70b,100\n";
    holds(refused(flat, None, pi), &["no time for weights", "devices"]);
    for slip in ["0.5", "1300000"] {
        let slip = format!("board,model,weight_bits,compute_ms\nb,llama-2-7b,4.5,{slip}\n");
        holds(refused(&slip, None, pi), &["t.csv:2", "in ms"]);
    }
    let tired = "board,model,compute_ms,watts,idle_watts\nb,llama-2-7b,500,5,9\n";
    let error = read(tired, "t.csv").unwrap_err().to_string();
    holds(error, &["t.csv:2", "5 W and resting 9 W"]);
}

/// What another board's rows say is not told as if it had been measured on this one.
#[test]
fn what_the_base_knows_is_assumed_of_another_board() {
    let text = "board,model,weight_bits,compute_ms\nraspberry-pi-4b,llama-2-7b,4.5,1300\n\
                phone,llama-2-7b,4.5,300\n";
    let rows = read(text, "t.csv").unwrap();
    let base = |name: &str| {
        let preset = PRESETS.iter().find(|preset| preset.name == name);
        preset.unwrap().basis.clone()
    };
    let own = of(&rows, "raspberry-pi-4b", Some("raspberry-pi-4b")).calibrated;
    assert_eq!(own.basis.links, base("raspberry-pi-4b").links);
    let phone = of(&rows, "phone", Some("raspberry-pi-4b"));
    let links = phone.calibrated.basis.links.as_ref().map(Ground::kind);
    assert_eq!(links, Some(Kind::Assumed));
    assert!(
        phone
            .undetermined
            .iter()
            .any(|told| told.contains("transfer_ms"))
    );
    let drawing = of(&rows, "phone", Some("nvidia-gb10")).calibrated.basis;
    assert_eq!(base("nvidia-gb10").power.kind(), Kind::Measured);
    assert_eq!(drawing.power.kind(), Kind::Assumed);
}

/// The range of contexts is known only where rows tell it.
#[test]
fn a_context_that_no_row_tells_bounds_nothing() {
    let range = |context: &str, cell: &str| {
        let text = format!("board,model,compute_ms{context}\nb,llama-2-7b,500{cell}\n");
        let found = of(&read(&text, "t.csv").unwrap(), "b", Some("raspberry-pi-5"));
        match found.calibrated.basis.compute {
            Ground::Measured(evidence) => evidence.range.context,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(range("", ""), None);
    assert_eq!(range(",context", ",40"), Some((40, 40)));
}
