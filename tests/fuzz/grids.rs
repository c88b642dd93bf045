//! Arrays of channels and traces of gates: numbers in a grid.

use crate::campaign::Target;
use airloom::execution::GateTrace;
use airloom::radio::{ChannelTrace, LONGEST_PREFIX, NpyHeader, TraceShape, npy_bytes};
use num_complex::Complex;

#[test]
fn npy() {
    let entries: Vec<Complex<f64>> = (0..24).map(|n| Complex::new(f64::from(n), 0.5)).collect();
    let good = npy_bytes(&[2, 2, 3, 2], &entries);
    let mut fortran = good.clone();
    let place = fortran
        .windows(5)
        .position(|five| five == b"False")
        .unwrap();
    fortran.splice(place..place + 5, *b"True ");
    let seeds = vec![
        good,
        fortran,
        npy_bytes(&[1, 1, 1, 24], &entries),
        npy_bytes(&[0], &[]),
    ];
    Target {
        name: "npy",
        words: &[
            "<c8",
            "<c16",
            "True",
            "False",
            "(",
            ",)",
            "shape",
            "descr",
            "[('a', '<f8')]",
        ],
        seeds,
        inputs: 20_000,
        read: &|input| {
            let prefix = &input[..input.len().min(LONGEST_PREFIX)];
            match NpyHeader::parse(prefix, input.len() as u64) {
                Ok(header) => {
                    if let Ok(shape) = TraceShape::of(&header) {
                        let _ = shape.validate(2, 3, 2);
                    }
                    assert!(header.entries_of(input).len() * 8 <= input.len());
                }
                Err(error) => assert!(!error.to_string().is_empty()),
            }
            if let Err(fault) = ChannelTrace::from_npy(input) {
                assert!(!fault.message.is_empty());
            }
        },
    }
    .run();
}

#[test]
fn gate_traces() {
    let seeds = vec![
        b"block,token,w0,w1,w2\n1,0,0.5,0.5,0\n0,1,0.1,0.2,0.7\n0,0,1,0,0\n1,1,1,0,0\n".to_vec(),
        b"block,token,w0,w1,w2\r\n1,0,\"0.5\",0.5,0\r\n".to_vec(),
    ];
    Target {
        name: "gate_traces",
        words: &["block", "token", "w0", "w2", "0.333", "\"", "\r\n"],
        seeds,
        inputs: 20_000,
        read: &|input| {
            if let Err(error) = GateTrace::parse("gates.csv", input, 2, 3) {
                assert!(error.to_string().starts_with("gates.csv:"), "{error}");
            }
        },
    }
    .run();
}
