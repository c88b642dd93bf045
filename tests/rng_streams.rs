//! The named random streams: their bits against vectors computed elsewhere, their
//! distribution against theory, and law 6 (no draw depends on another consumer).

use airloom::rng::{NO_DEVICE, Stream, StreamKey, Streams};

const VECTORS: &str = include_str!("fixtures/rng_vectors.txt");

/// Largest distance between the empirical distribution of `samples` and `cdf`.
fn kolmogorov_smirnov(samples: &mut [f64], cdf: impl Fn(f64) -> f64) -> f64 {
    samples.sort_by(f64::total_cmp);
    let n = samples.len() as f64;
    samples
        .iter()
        .enumerate()
        .map(|(i, &x)| {
            let p = cdf(x);
            (p - i as f64 / n).abs().max(((i + 1) as f64 / n - p).abs())
        })
        .fold(0.0, f64::max)
}

fn normal_cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x / std::f64::consts::SQRT_2)
}

#[test]
fn streams_give_the_known_answers() {
    let mut keys = 0;
    let mut stream: Option<Stream> = None;
    let mut normals: std::vec::IntoIter<f64> = Vec::new().into_iter();
    for line in VECTORS.lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        match fields[..] {
            ["key", seed, run, device, index, purpose] => {
                keys += 1;
                let key = StreamKey {
                    seed: seed.parse().unwrap(),
                    run: run.parse().unwrap(),
                    device: device.parse().unwrap(),
                    purpose: ["test.vectors", "radio.fading", "radio.noise"]
                        .into_iter()
                        .find(|name| *name == purpose)
                        .unwrap(),
                    index: index.parse().unwrap(),
                };
                let mut drawn = vec![0.0; 80];
                Stream::new(key).fill_normal(&mut drawn);
                normals = drawn.into_iter();
                stream = Some(Stream::new(key));
            }
            ["word", hex] => {
                let word = stream.as_mut().unwrap().bits();
                assert_eq!(format!("{word:016x}"), hex);
            }
            ["normal", hex, truth] => {
                let normal = normals.next().unwrap();
                assert_eq!(format!("{:016x}", normal.to_bits()), hex);
                let truth: f64 = truth.parse().unwrap();
                assert!(
                    (normal - truth).abs() <= 2e-15 * truth.abs(),
                    "{normal} {truth}"
                );
            }
            _ => panic!("unreadable vector: {line}"),
        }
    }
    assert_eq!(keys, 3);
}

#[test]
fn normals_are_normal_by_kolmogorov_and_smirnov() {
    let mut samples = vec![0.0; 500_000];
    Streams { seed: 11, run: 0 }
        .open("test.normal", NO_DEVICE, 0)
        .fill_normal(&mut samples);
    // 1.95/√n is exceeded once in a thousand seeds.
    let limit = 1.95 / (samples.len() as f64).sqrt();
    assert!(kolmogorov_smirnov(&mut samples, normal_cdf) < limit);
}

#[test]
fn normals_have_the_moments_of_a_normal() {
    let mut samples = vec![0.0; 1_000_000];
    Streams { seed: 12, run: 3 }
        .open("test.normal", NO_DEVICE, 0)
        .fill_normal(&mut samples);
    let n = samples.len() as f64;
    // (power, E xᵏ, variance of xᵏ): E x²ᵏ = (2k − 1)!!.
    for (power, mean, variance) in [
        (1, 0.0, 1.0),
        (2, 1.0, 2.0),
        (3, 0.0, 15.0),
        (4, 3.0, 96.0),
        (6, 15.0, 10_170.0),
    ] {
        let measured = samples.iter().map(|x| x.powi(power)).sum::<f64>() / n;
        let error = (measured - mean) / (variance / n).sqrt();
        assert!(
            error.abs() < 4.0,
            "moment {power}: {measured}, {error} deviations"
        );
    }
}

#[test]
fn neighbours_in_a_pair_and_across_pairs_are_uncorrelated() {
    let mut samples = vec![0.0; 400_000];
    Streams { seed: 13, run: 0 }
        .open("test.normal", NO_DEVICE, 0)
        .fill_normal(&mut samples);
    let n = samples.len() as f64;
    for lag in 1..=8 {
        let products = samples.iter().zip(&samples[lag..]);
        let plain = products.clone().map(|(x, y)| x * y).sum::<f64>() / n;
        let squares = products
            .map(|(x, y)| (x * x - 1.0) * (y * y - 1.0))
            .sum::<f64>()
            / (2.0 * n);
        assert!(plain.abs() < 4.0 / n.sqrt(), "lag {lag}: {plain}");
        assert!(squares.abs() < 4.0 / n.sqrt(), "lag {lag}: {squares}");
    }
}

#[test]
fn a_complex_normal_has_unit_power_and_an_exponential_square() {
    let mut stream = Streams { seed: 14, run: 0 }.open("test.normal", NO_DEVICE, 0);
    let mut powers: Vec<f64> = (0..500_000)
        .map(|_| stream.complex_normal().norm_sqr())
        .collect();
    let limit = 1.95 / (powers.len() as f64).sqrt();
    assert!(kolmogorov_smirnov(&mut powers, |x| 1.0 - libm::exp(-x)) < limit);
}

#[test]
fn filling_in_pieces_equals_filling_at_once() {
    let open = || Streams { seed: 15, run: 1 }.open("test.pieces", 2, 9);
    let mut whole = vec![0.0; 1000];
    open().fill_normal(&mut whole);
    for piece in [2, 6, 254, 256, 258, 998] {
        let mut stream = open();
        let mut parts = vec![0.0; 1000];
        for part in parts.chunks_mut(piece) {
            stream.fill_normal(part);
        }
        assert_eq!(whole, parts, "pieces of {piece}");
    }
    let mut stream = open();
    let pairs: Vec<f64> = (0..500)
        .flat_map(|_| <[f64; 2]>::from(stream.normal_pair()))
        .collect();
    assert_eq!(whole, pairs);
}

#[test]
fn words_in_bulk_equal_words_one_by_one() {
    let open = || Streams { seed: 16, run: 0 }.open("test.words", NO_DEVICE, 0);
    let mut bulk = vec![0; 333];
    open().fill_bits(&mut bulk);
    let mut stream = open();
    let single: Vec<u64> = (0..333).map(|_| stream.bits()).collect();
    assert_eq!(bulk, single);
}

#[test]
fn skipping_words_equals_drawing_them() {
    for (before, skipped) in [(0, 0), (0, 1), (3, 29), (31, 1), (7, 1000)] {
        let open = || Streams { seed: 19, run: 0 }.open("test.skip", NO_DEVICE, 0);
        let (mut drawn, mut jumped) = (open(), open());
        drawn.fill_bits(&mut vec![0; before + skipped]);
        jumped.fill_bits(&mut vec![0; before]);
        jumped.skip(skipped as u64);
        assert_eq!(drawn.bits(), jumped.bits(), "{before} {skipped}");
    }
}

/// Law 6: randomness is named.
#[test]
fn law_6_no_draw_depends_on_what_another_consumer_took() {
    let streams = Streams { seed: 17, run: 0 };
    let mut alone = vec![0.0; 64];
    streams.open("radio.noise", 1, 5).fill_normal(&mut alone);

    let mut others = [
        streams.open("radio.noise", 1, 6),
        streams.open("radio.noise", 2, 5),
        streams.open("radio.fading", 1, 5),
        Streams { seed: 17, run: 1 }.open("radio.noise", 1, 5),
        Streams { seed: 18, run: 0 }.open("radio.noise", 1, 5),
    ];
    let mut beside = vec![0.0; 64];
    let mut stream = streams.open("radio.noise", 1, 5);
    for two in beside.chunks_mut(2) {
        for other in &mut others {
            other.bits();
            other.below(7);
        }
        stream.fill_normal(two);
    }
    assert_eq!(alone, beside);

    for mut other in others {
        let mut drawn = vec![0.0; 64];
        other.fill_normal(&mut drawn);
        assert!(alone.iter().zip(&drawn).all(|(x, y)| x != y));
    }
}
