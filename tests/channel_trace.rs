//! Channels of the user's own: NumPy's files as NumPy writes them, back again bit for bit,
//! and every way in which a file may not fit.

use airloom::radio::{
    ChannelTrace, Channels, Fading, Matrix, NpyHeader, PastEnd, RadioConfig, Trace, npy_bytes,
};
use airloom::rng::Streams;
use airloom::units::Instant;
use num_complex::Complex;
use proptest::prelude::*;
use std::sync::Arc;

const SEEDS: Streams = Streams { seed: 2, run: 0 };

/// A file that `tests/fixtures/npy.py` has written with NumPy.
fn fixture(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");
    std::fs::read(format!("{folder}/npy_{name}.npy")).unwrap()
}

fn config(fading: Fading) -> RadioConfig {
    RadioConfig {
        fading,
        server_antennas: 2,
        device_antennas: 2,
        ..RadioConfig::default()
    }
}

fn traced(past_end: PastEnd) -> RadioConfig {
    config(Fading::Trace(Trace {
        file: "h.npy".to_owned(),
        past_end,
    }))
}

/// h[t, n, r, a] = t + 10 n + 0.5 j (r + 1) − 0.25 j a, of shape (2, 3, 2, 2).
#[test]
fn every_form_that_numpy_writes_reads_as_the_same_channels() {
    for name in ["c16", "c8", "fortran", "version_2", "version_3"] {
        let trace = ChannelTrace::from_npy(&fixture(name)).unwrap();
        let channels =
            Channels::new(&traced(PastEnd::Error), 3, SEEDS, Some(Arc::new(trace))).unwrap();
        for (t, n) in [(0u32, 0u32), (0, 2), (1, 0), (1, 1)] {
            let found = channels.block(n as usize, t.into(), Instant::ZERO).unwrap();
            let expected = Matrix::from_fn(2, 2, |r, a| {
                let real = f64::from(t) + 10.0 * f64::from(n);
                Complex::new(real, 0.5 * (r as f64 + 1.0) - 0.25 * a as f64)
            });
            assert_eq!(found, expected, "{name}: block {t}, device {n}");
        }
        // Device 1: reals 10 and 11; imaginary parts 0.5, 0.25, 1 and 0.75.
        let moments = channels.moments(1);
        let squares = (0.25 + 0.0625 + 1.0 + 0.5625) / 4.0;
        assert_eq!((moments.mean, moments.variance), (10.5, 0.25 + squares));
    }
}

#[test]
fn numpy_would_have_written_the_same_bytes() {
    let trace = ChannelTrace::from_npy(&fixture("fortran")).unwrap();
    assert!(trace.to_npy() == fixture("c16"));
}

/// NumPy Enhancement Proposal 1: magic, version, the header's length as 2 little-endian bytes,
/// a dictionary padded with spaces up to a newline, so that entries begin at a multiple of
/// 64.
#[test]
fn written_bytes_follow_the_format() {
    let entries = [Complex::new(1.0, -2.0)];
    let bytes = npy_bytes(&[1, 1, 1, 1], &entries);
    let dictionary = "{'descr': '<c16', 'fortran_order': False, 'shape': (1, 1, 1, 1), }";
    let mut expected = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
    expected.extend_from_slice(format!("{dictionary:<117}\n").as_bytes());
    assert_eq!(expected.len(), 128);
    expected.extend_from_slice(&1.0f64.to_le_bytes());
    expected.extend_from_slice(&(-2.0f64).to_le_bytes());
    assert!(bytes == expected);
}

#[test]
fn channels_written_and_read_again_are_equal_bit_for_bit() {
    let drawn = Channels::new(&config(Fading::default()), 3, SEEDS, None).unwrap();
    let block = |channels: &Channels, block| -> Vec<Matrix> {
        (0..3)
            .map(|n| channels.block(n, block, Instant::ZERO).unwrap())
            .collect()
    };
    let blocks: Vec<Vec<Matrix>> = (0..5).map(|index| block(&drawn, index)).collect();
    let bytes = ChannelTrace::of_blocks(&blocks).to_npy();
    let trace = Arc::new(ChannelTrace::from_npy(&bytes).unwrap());
    let read = Channels::new(&traced(PastEnd::Wrap), 3, SEEDS, Some(trace.clone())).unwrap();
    for index in 0..5 {
        assert_eq!(block(&read, index), blocks[index as usize]);
        assert_eq!(block(&read, index + 10), blocks[index as usize]);
    }
    let strict = Channels::new(&traced(PastEnd::Error), 3, SEEDS, Some(trace)).unwrap();
    strict.block(0, 4, Instant::ZERO).unwrap();
    let message = strict.block(0, 5, Instant::ZERO).unwrap_err().to_string();
    assert!(
        message
            .starts_with("coherence block 5 lies past the end of the channel trace, which has 5")
    );
    assert!(message.contains("past_end: Wrap"), "{message}");
}

/// A file with the header `dictionary` and `entries` bytes of zeros.
fn file(dictionary: &str, entries: usize) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend_from_slice(&(dictionary.len() as u16).to_le_bytes());
    bytes.extend_from_slice(dictionary.as_bytes());
    bytes.resize(bytes.len() + entries, 0);
    bytes
}

#[test]
fn headers_may_be_written_in_any_order_and_style() {
    for dictionary in [
        "{'descr': '<c8', 'fortran_order': False, 'shape': (1, 2, 1, 1), }",
        "{'shape': (1, 2, 1, 1), 'fortran_order': False, 'descr': '<c8'}\n",
        "{\"descr\":\"<c8\",\"fortran_order\":True,\"shape\":(1,2,1,1)}",
        "{'descr': '<c8', 'fortran_order': False, 'shape': (1L, 2L, 1L, 1L), }   \n",
    ] {
        let bytes = file(dictionary, 16);
        let header = NpyHeader::parse(&bytes, bytes.len() as u64).unwrap();
        assert_eq!(header.shape, [1, 2, 1, 1], "{dictionary}");
    }
}

#[test]
fn what_is_no_complex_array_says_what_it_is_instead() {
    let header = |fields: &str| format!("{{{fields}, 'fortran_order': False}}");
    let good = "'descr': '<c16', 'shape': (1, 1, 1, 1)";
    let mut future = file(&header(good), 16);
    future[6] = 9;
    for (bytes, fault) in [
        (b"PK\x03\x04".to_vec(), "it does not start with \\x93NUMPY"),
        (b"\x93NUMPY".to_vec(), "damaged: it is cut off"),
        (b"\x93NUMPY\x01\x00\xff".to_vec(), "damaged: it is cut off"),
        (future, "version 9.0 of the .npy format is not known"),
        (
            file(&header(good), 16)[..40].to_vec(),
            "damaged: it is cut off",
        ),
        (
            file(&header(good), 15),
            "the file has 89 bytes, but an array of shape (1, 1, 1, 1) and type <c16 takes 90",
        ),
        (
            file(&header("'descr': '<f8', 'shape': (1, 1, 1, 1)"), 8),
            "the array holds `<f8`, but `<c16` or `<c8` is needed",
        ),
        (
            file(&header("'descr': '>c16', 'shape': (1, 1, 1, 1)"), 16),
            "the array holds `>c16`",
        ),
        (
            file(
                &header("'descr': [('x', '<c16')], 'shape': (1, 1, 1, 1)"),
                16,
            ),
            "the array holds `[('x', '<c16')]`",
        ),
        (
            file(&header("'descr': '<c16', 'shape': (4, 2)"), 128),
            "the array has shape (4, 2), but four axes [time, device, N_r, N_t]",
        ),
        (
            file(&header("'descr': '<c16', 'shape': (3,)"), 48),
            "the array has shape (3,)",
        ),
        (
            file(&header("'descr': '<c16', 'shape': (2, 1, 1)"), 32),
            "h[None] if that is time",
        ),
        (
            file(&header("'descr': '<c16', 'shape': (1, 1, 1, 1, 3)"), 48),
            "channels are flat over the band here, so choose one entry of every axis that is none \
             of these: h[..., 0] takes the first of subcarriers",
        ),
        (
            file(&header("'descr': '<f8', 'shape': (1, 1, 1, 1, 2)"), 16),
            "real and imaginary parts, save h[..., 0] + 1j*h[..., 1]",
        ),
        (
            file(&header("'descr': '<f4', 'shape': (2, 1, 1, 1, 1)"), 8),
            "save h[0] + 1j*h[1]",
        ),
        (
            file(
                &header("'descr': [('re', '<f8'), ('im', '<f8')], 'shape': (1, 1, 1, 1)"),
                16,
            ),
            "save h['re'] + 1j*h['im']",
        ),
        (
            file(&header("'descr': '<f8', 'shape': (1, 1, 1, 2)"), 16),
            "save h.astype('<c16')",
        ),
        (
            file(&header("'descr': '<c16', 'shape': (0, 1, 1, 1)"), 0),
            "the trace has no block",
        ),
        (
            file(
                &header("'descr': '<c16', 'shape': (99999999999, 99999999999, 1, 1)"),
                0,
            ),
            "the file has ",
        ),
        (
            file(&header("'descr': '<c16'"), 16),
            "it has no field `shape`",
        ),
        (
            file("{'descr': '<c16', 'shape': (1, -1, 1, 1)}", 16),
            "in its shape is no length",
        ),
        (
            file("not a dictionary", 16),
            "`{` is expected before `not a dictio`",
        ),
    ] {
        let fault_found = ChannelTrace::from_npy(&bytes).unwrap_err();
        assert_eq!(fault_found.path, "file");
        assert!(
            fault_found.message.contains(fault),
            "{}\nis not: {fault}",
            fault_found.message
        );
    }
}

#[test]
fn an_entry_that_is_no_number_is_named_by_its_indices() {
    let mut entries = vec![Complex::new(1.0, 0.0); 24];
    entries[12 + 4 + 2 + 1].im = f64::NAN;
    let message = ChannelTrace::from_npy(&npy_bytes(&[2, 3, 2, 2], &entries))
        .unwrap_err()
        .message;
    assert!(message.starts_with("h[1, 1, 1, 1] is 1+NaNi"), "{message}");
}

#[test]
fn a_trace_of_another_fleet_says_what_was_found_and_expected() {
    let trace = Arc::new(ChannelTrace::from_npy(&fixture("c16")).unwrap());
    let refuse = |config: RadioConfig, devices| {
        let error = Channels::new(&config, devices, SEEDS, Some(trace.clone())).unwrap_err();
        error.to_string()
    };
    let good = traced(PastEnd::Error);
    let message = refuse(good.clone(), 4);
    assert!(
        message.starts_with("fading.file: the trace has 3 devices (axis 1"),
        "{message}"
    );
    assert!(
        message.contains("but the scenario has 4; set their count to 3"),
        "{message}"
    );
    let server = RadioConfig {
        server_antennas: 20,
        ..good.clone()
    };
    assert!(refuse(server, 3).contains("2 server antennas (axis 2"));
    let device = RadioConfig {
        device_antennas: 1,
        ..good.clone()
    };
    assert!(refuse(device, 3).contains("set the link's device_antennas to 2"));
    let missing = Channels::new(&good, 3, SEEDS, None)
        .unwrap_err()
        .to_string();
    assert!(
        missing.contains("the trace h.npy was not read"),
        "{missing}"
    );
}

proptest! {
    #[test]
    fn any_array_comes_back(shape in prop::array::uniform4(1u64..4), seed in any::<u64>()) {
        let count = shape.iter().product::<u64>();
        let entries: Vec<Complex<f64>> = (0..count)
            .map(|k| Complex::new((seed ^ k) as f64, -(k as f64) / 3.0))
            .collect();
        let bytes = npy_bytes(&shape, &entries);
        prop_assert_eq!((bytes.len() as u64 - 16 * count) % 64, 0);
        let header = NpyHeader::parse(&bytes, bytes.len() as u64).unwrap();
        prop_assert_eq!(&header.shape[..], &shape[..]);
        prop_assert_eq!(header.entries_of(&bytes), entries);
        prop_assert_eq!(ChannelTrace::from_npy(&bytes).unwrap().to_npy(), bytes);
    }

    #[test]
    fn damage_never_panics(at in 0usize..400, byte in any::<u8>(), cut in 0usize..600) {
        let mut bytes = npy_bytes(&[2, 3, 2, 2], &[Complex::new(1.0, 1.0); 24]);
        bytes[at] = byte;
        bytes.truncate(cut);
        let _ = ChannelTrace::from_npy(&bytes);
    }
}
