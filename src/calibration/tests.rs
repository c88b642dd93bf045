//! Calibration against itself: what made the rows comes back.

use super::*;

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

fn of(board: &str, base: Option<&str>) -> Calibration {
    let choice = Choice {
        board: Some(board.to_owned()),
        base: base.map(str::to_owned),
    };
    calibrate(&all(), &choice).unwrap()
}

#[test]
fn show() {
    for board in ["raspberry-pi-4b", "gcp-c3d-highcpu-30", "raspberry-pi-cm5"] {
        println!("{}", of(board, None));
        println!("{}", of(board, None).calibrated.to_ron());
    }
    println!("{}", of("raspberry-pi-5-16gb", Some("raspberry-pi-5")));
}
