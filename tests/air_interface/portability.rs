//! Law 1 across machines: the bits of a few rounds, pinned. They are equal in debug and
//! release builds and on processors with and without AVX or FMA; a change of a pin must
//! be meant, and its commit says why.

use crate::{config, slices, tensors};
use airloom::policy::{Descent, Design};
use airloom::radio::{
    Air, AirComp, Digital, Downlink, Fading, LinkRate, Matrix, RadioConfig, Scheme, UncodedFdma,
    singular_values,
};
use airloom::rng::Streams;
use airloom::units::{Decibels, Instant};

/// 16 hexadecimal digits over everything that a round gives.
fn digest(design: Design, scheme: Scheme) -> String {
    let config = RadioConfig {
        downlink: Downlink::Multicast {
            bits: 24,
            rate: LinkRate::Drawn,
            server_power: Decibels(3.0),
        },
        ..config(12.0)
    };
    let streams = Streams { seed: 9, run: 2 };
    let mut air = Air::new(config, scheme, design.transceiver_design(), 5, streams).unwrap();
    let mut hasher = blake3::Hasher::new();
    for index in 0..3 {
        let entries = 5000 * index as usize + 77;
        let parts = tensors(5, entries, index);
        let mut sum = vec![0.0; entries];
        let round = air.round(index, Instant::ZERO).unwrap();
        let distortion = round.reduce(&slices(&parts), &mut sum).unwrap();
        let plan = round.plan(entries).unwrap();
        for entry in &sum {
            hasher.update(&entry.to_bits().to_le_bytes());
        }
        let d = distortion;
        for value in [
            d.error,
            d.misalignment,
            d.noise,
            d.analytic,
            d.nmse,
            d.scale,
        ] {
            hasher.update(&value.to_bits().to_le_bytes());
        }
        for sent in plan.uplink.transmissions.iter().chain(&plan.downlink) {
            hasher.update(&sent.duration.0.to_le_bytes());
            hasher.update(&sent.joules.unwrap().to_bits().to_le_bytes());
        }
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

#[test]
fn law_1_rounds_have_the_same_bits_everywhere() {
    let narrow = AirComp {
        streams: 3,
        reals_per_symbol: 1,
    };
    let found = [
        digest(Design::Descent(Descent::default()), Scheme::default()),
        digest(Design::DominantEigenvectors, Scheme::AirComp(narrow)),
        digest(
            Design::Descent(Descent::default()),
            Scheme::Digital(Digital::default()),
        ),
        digest(Design::Descent(Descent::default()), Scheme::Ideal),
        digest(
            Design::Descent(Descent::default()),
            Scheme::UncodedFdma(UncodedFdma::default()),
        ),
    ];
    assert_eq!(found, PINNED);
}

/// nalgebra's products and decompositions, of sizes that its fast paths would take.
#[test]
fn law_1_decompositions_have_the_same_bits_everywhere() {
    let mut hasher = blake3::Hasher::new();
    let mut tell = |values: &[f64]| {
        for value in values {
            hasher.update(&value.to_bits().to_le_bytes());
        }
    };
    for (device, (rows, columns)) in [(20, 8), (8, 8), (3, 5)].into_iter().enumerate() {
        let streams = Streams { seed: 9, run: 2 };
        let h = Fading::default().draw(streams, device, 0, rows, columns);
        tell(&singular_values(&h));
        let gram = &h * h.adjoint();
        let shifted = &gram + Matrix::identity(rows, rows);
        tell(shifted.symmetric_eigenvalues().as_slice());
        for matrix in [&gram, &shifted.cholesky().unwrap().inverse(), &h.qr().r()] {
            for entry in matrix {
                tell(&[entry.re, entry.im]);
            }
        }
        let real = gram.map(|entry| entry.re);
        tell((&real * &real).as_slice());
        tell(&[real.lu().determinant()]);
    }
    let found = &hasher.finalize().to_hex()[..16];
    assert_eq!(found, "126b6719ad24a83e");
}

const PINNED: [&str; 5] = [
    "b452fb68e9cbca3a",
    "d5c3f4733e1a4247",
    "ca89b75d0b08baf0",
    "c04e5e3062e28aea",
    "313f062ef8a255ec",
];
