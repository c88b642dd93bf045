//! Fields that do not fit each other, and files that are not there.

use super::{Desk, GOOD, refused};
use airloom::scenario;
use std::fs;
use std::path::PathBuf;

#[test]
fn fields_that_do_not_fit_each_other_are_refused_by_path() {
    refused(&[
        (
            "count: 4",
            "count: 3",
            &["bad.ron:9:21: replicas[0].placement.assignment: 4 shares for 3 devices"],
        ),
        (
            "0.4,",
            "0.5,",
            &[
                "bad.ron:9:21: replicas[0].placement.assignment: the shares of 4 devices sum to 1.1, not to 1",
            ],
        ),
        (
            "[0.4, 0.3,",
            "[-0.4, 1.1,",
            &["replicas[0].placement.assignment: the share of device 0 is -0.4"],
        ),
        (
            "device_antennas: 4",
            "device_antennas: 1",
            &[
                "bad.ron:10:38: replicas[0].placement.all_reduce.streams: 2 streams, but each device has 1 antennas",
            ],
        ),
        (
            "device_antennas: 4",
            "server_antennas: 1",
            &["replicas[0].placement.all_reduce.streams: 2 streams, but the server has 1 antennas"],
        ),
        (
            "(count: 4)",
            "(count: 4, except: {4: Preset(\"raspberry-pi-5\")})",
            &["bad.ron:3:46: nodes.device.except[4]: there is no node 4 among 4"],
        ),
        (
            "(count: 4)",
            "(count: 4, except: {1: Custom(peak: \"1 TFLOP/s\", memory_bandwidth: \"1 GB/s\", memory: \"1 GB\", efficiency: 1.5)})",
            &["nodes.device.except[1].efficiency: 1.5 exceeds 1"],
        ),
        (
            "bandwidth: \"10 MHz\"",
            "fading: Rayleigh(carrier: \"3.5 GHz\", distance: [\"9 m\"])",
            &["links.air.fading.distance: 1 distances for 4 devices"],
        ),
        (
            "bandwidth: \"10 MHz\"",
            "fading: Rayleigh(carrier: \"3.5 GHz\", distance: \"9 mm2\")",
            &["bad.ron:5:56: `9 mm2` is not a length: unknown unit `mm2`"],
        ),
        (
            "bandwidth: \"10 MHz\"",
            "fading: Rayleigh(carrier: \"3.5 GHz\", distance: [\"9 m\", 9])",
            &["bad.ron:5:64: expected a length with its unit"],
        ),
        (
            "bandwidth: \"10 MHz\"",
            "fading: Rayleigh(carrier: \"3.5 GHz\", distance: 9)",
            &[
                "bad.ron:5:56: ",
                "a length with its unit, such as \"120 m\", or a list",
            ],
        ),
        (
            "bandwidth: \"10 MHz\"",
            "fading: Tr38901(environment: UMa, carrier: \"3.5 GHz\", distance: \"6 km\")",
            &[
                "bad.ron:5:73: links.air.fading.distance: 6 km is outside the range of TR 38.901, Table \
                 7.4.1-1, for UMa; use 10 m to 5 km",
            ],
        ),
        (
            "bandwidth: \"10 MHz\"",
            "fading: Tr38901(environment: RMa, carrier: \"3.5 GHz\", distance: \"1 km\")",
            &["known are UMiStreetCanyon, UMa, InHMixedOffice, InHOpenOffice"],
        ),
        (
            "bandwidth: \"10 MHz\"",
            "downlink: Multicast(bits: 1)",
            &["links.air.downlink.bits: 1 bits per entry"],
        ),
    ]);
}

#[test]
fn files_that_are_not_there_are_refused_by_path() {
    refused(&[
        (
            "Folder(\"model\")",
            "Folder(\"modell\")",
            &["bad.ron:2:12: model: there is no folder modell; paths are relative"],
        ),
        (
            "Folder(\"model\")",
            "Folder(\"empty\")",
            &["model: empty holds no config.json"],
        ),
        (
            "World(documents: 8)",
            "File(\"t.txt\")",
            &["bad.ron:13:21: workload[0].text: there is no file t.txt"],
        ),
    ]);
    let desk = Desk::new();
    let nowhere = scenario::load(&desk.folder.path().join("none.ron"), &[]);
    let message = nowhere.unwrap_err().to_string();
    assert!(
        message.starts_with("cannot read the scenario "),
        "{message}"
    );
    let path: PathBuf = desk.folder.path().join("binary.ron");
    fs::write(&path, b"Scenario(\xff)").unwrap();
    let message = scenario::load(&path, &[]).unwrap_err().to_string();
    assert!(message.contains("not UTF-8 from byte 9 on"), "{message}");
}

#[test]
fn energy_per_vector_needs_a_known_number_of_channel_uses() {
    let desk = Desk::new();
    let changes = [
        "links.air.convention=EnergyPerVector(energy: \"1 mJ\")",
        "links.air.budget=Normalised(snr: \"0 dB\", reference_power: \"100 mW\")",
        "replicas[0].placement.all_reduce=Digital(bits: 8)",
    ];
    let message = desk.message(GOOD, &changes);
    assert!(
        message.contains("replicas[0].placement.all_reduce: "),
        "{message}"
    );
    assert!(message.contains("rate: Fixed("), "{message}");
    let fixed = "replicas[0].placement.all_reduce=Digital(bits: 8, rate: Fixed(\"12 bit/s/Hz\"))";
    desk.load(GOOD, &[changes[0], changes[1], fixed]).unwrap();
}
