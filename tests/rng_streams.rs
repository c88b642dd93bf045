//! The named random streams: their bits against vectors computed elsewhere, their
//! distribution against theory, and law 6 (no draw depends on another consumer).

use airloom::rng::{
    Below, BulkDistribution, NO_DEVICE, Permutation, StandardNormal, Stream, StreamKey, Streams,
};
use num_complex::Complex;
use rand::{Rng, RngExt, SeedableRng};

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
                StandardNormal.fill(&mut Stream::new(key), &mut drawn);
                normals = drawn.into_iter();
                stream = Some(Stream::new(key));
            }
            ["word", hex] => {
                let word = stream.as_mut().unwrap().next_u64();
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
    StandardNormal.fill(
        &mut Streams { seed: 11, run: 0 }.open("test.normal", NO_DEVICE, 0),
        &mut samples,
    );
    // 1.95/√n is exceeded once in a thousand seeds.
    let limit = 1.95 / (samples.len() as f64).sqrt();
    assert!(kolmogorov_smirnov(&mut samples, normal_cdf) < limit);
}

#[test]
fn normals_have_the_moments_of_a_normal() {
    let mut samples = vec![0.0f64; 1_000_000];
    StandardNormal.fill(
        &mut Streams { seed: 12, run: 3 }.open("test.normal", NO_DEVICE, 0),
        &mut samples,
    );
    let n = samples.len() as f64;
    // (power, E xᵏ, variance of xᵏ): E x²ᵏ = (2k − 1)!!.
    for (power, mean, variance) in [
        (1, 0.0, 1.0),
        (2, 1.0, 2.0),
        (3, 0.0, 15.0),
        (4, 3.0, 96.0),
        (6, 15.0, 10_170.0),
    ] {
        let measured = samples.iter().map(|x: &f64| x.powi(power)).sum::<f64>() / n;
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
    StandardNormal.fill(
        &mut Streams { seed: 13, run: 0 }.open("test.normal", NO_DEVICE, 0),
        &mut samples,
    );
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
        .map(|_| stream.sample::<Complex<f64>, _>(StandardNormal).norm_sqr())
        .collect();
    let limit = 1.95 / (powers.len() as f64).sqrt();
    assert!(kolmogorov_smirnov(&mut powers, |x| 1.0 - libm::exp(-x)) < limit);
}

#[test]
fn filling_in_pieces_equals_filling_at_once() {
    let open = || Streams { seed: 15, run: 1 }.open("test.pieces", 2, 9);
    let mut whole = vec![0.0; 1000];
    StandardNormal.fill(&mut open(), &mut whole);
    for piece in [2, 6, 254, 256, 258, 998] {
        let mut stream = open();
        let mut parts = vec![0.0; 1000];
        for part in parts.chunks_mut(piece) {
            StandardNormal.fill(&mut stream, part);
        }
        assert_eq!(whole, parts, "pieces of {piece}");
    }
    let mut stream = open();
    for pair in whole.chunks(2) {
        let mut one = stream.clone();
        assert_eq!(pair[0], one.sample::<f64, _>(StandardNormal));
        let both: Complex<f64> = stream.sample(StandardNormal);
        assert!((both - Complex::new(pair[0], pair[1]) * 0.5f64.sqrt()).norm() < 1e-15);
        assert_eq!(one.next_u64(), stream.clone().next_u64());
    }
}

#[test]
fn words_in_bulk_equal_words_one_by_one() {
    let open = || Streams { seed: 16, run: 0 }.open("test.words", NO_DEVICE, 0);
    let mut bulk = vec![0u64; 333];
    open().fill(&mut bulk);
    let mut stream = open();
    let single: Vec<u64> = (0..333).map(|_| stream.next_u64()).collect();
    assert_eq!(bulk, single);
}

#[test]
fn skipping_words_equals_drawing_them() {
    for (before, skipped) in [(0, 0), (0, 1), (3, 29), (31, 1), (7, 1000)] {
        let open = || Streams { seed: 19, run: 0 }.open("test.skip", NO_DEVICE, 0);
        let (mut drawn, mut jumped) = (open(), open());
        drawn.fill(&mut vec![0u64; before + skipped]);
        jumped.fill(&mut vec![0u64; before]);
        jumped.skip(skipped as u64);
        assert_eq!(drawn.next_u64(), jumped.next_u64(), "{before} {skipped}");
    }
}

/// The rules of `rand` that are relied on, from the words by other arithmetic: another
/// version of it that draws otherwise is found out here.
#[test]
fn uniforms_and_decisions_are_what_the_words_say() {
    let mut words = Streams { seed: 20, run: 0 }.open("test.rand", NO_DEVICE, 0);
    let mut drawn = words.clone();
    for _ in 0..1000 {
        let word = words.next_u64();
        let uniform = (word >> 11) as f64 / 2f64.powi(53);
        assert_eq!(drawn.clone().random::<f64>(), uniform);
        for probability in [0.0, 0.1, 0.25, 0.5, 0.999] {
            let said = drawn.clone().random_bool(probability);
            assert_eq!(said, uniform < probability, "{word:#x} {probability}");
        }
        assert_eq!(drawn.clone().next_u32(), word as u32);
        drawn.next_u64();
    }
}

/// Lemire's rule by a division: words that are left over after the largest multiple of n
/// are drawn again, here found by their place, not by the product's low half.
#[test]
fn integers_below_a_bound_are_fair_and_what_the_words_say() {
    for n in [1, 2, 3, 7, 10, 1 << 20, (1 << 63) + 1] {
        let mut words = Streams { seed: 21, run: 0 }.open("test.below", NO_DEVICE, n as u64);
        let mut drawn = words.clone();
        for _ in 0..200 {
            let expected = loop {
                let product = u128::from(words.next_u64()) * n as u128;
                let (whole, part) = (product >> 64, product % (1 << 64));
                if part >= (1 << 64) % n as u128 {
                    break whole as usize;
                }
            };
            assert_eq!(drawn.sample(Below::new(n)), expected);
        }
    }
    let mut stream = Streams { seed: 22, run: 0 }.open("test.below", NO_DEVICE, 0);
    let mut counts = [0u32; 7];
    for _ in 0..70_000 {
        counts[stream.sample(Below::new(7))] += 1;
    }
    // χ² of 6 degrees of freedom exceeds 22.5 once in a thousand seeds.
    let distance = |count: &u32| (f64::from(*count) - 1e4).powi(2) / 1e4;
    assert!(
        counts.iter().map(distance).sum::<f64>() < 22.5,
        "{counts:?}"
    );
}

#[test]
fn permutations_are_all_alike_likely() {
    let mut stream = Streams { seed: 23, run: 0 }.open("test.permutation", NO_DEVICE, 0);
    let mut counts = std::collections::BTreeMap::new();
    for _ in 0..24_000 {
        let order: Vec<usize> = stream.sample(Permutation(4));
        *counts.entry(order).or_insert(0u32) += 1;
    }
    assert_eq!(counts.len(), 24);
    // χ² of 23 degrees of freedom exceeds 49.7 once in a thousand seeds.
    let distance = |count: &u32| (f64::from(*count) - 1e3).powi(2) / 1e3;
    assert!(counts.values().map(distance).sum::<f64>() < 49.7);
    assert!(stream.sample(Permutation(0)).is_empty());
}

/// A stream is a generator like any other: whatever draws through `rand` can draw from it.
#[test]
fn a_stream_can_be_seeded_by_its_key() {
    let mut key = [0; 32];
    key[0] = 24;
    key[12..16].copy_from_slice(&[255; 4]);
    key[16..24].copy_from_slice(&blake3::hash(b"test.key").as_bytes()[..8]);
    let mut seeded = Stream::from_seed(key);
    let mut named = Streams { seed: 24, run: 0 }.open("test.key", NO_DEVICE, 0);
    assert_eq!(seeded.next_u64(), named.next_u64());
}

/// Known answers, from BLAKE3's reference implementation over the bytes that the layout names.
#[test]
fn a_links_streams_follow_the_documented_layout() {
    let of_link = |seed, link| Streams { seed, run: 5 }.of_link(link);
    for (seed, link, expected) in [
        (11, "air", 11),
        (11, "cell", 0x9086_94e3_cb28_f483),
        (11, "backhaul", 0xbb93_bd8b_c647_c5b8),
        (u64::MAX, "cell", 0x3dd3_93d6_bd33_929c),
    ] {
        assert_eq!(
            of_link(seed, link),
            Streams {
                seed: expected,
                run: 5
            }
        );
    }
}

/// Law 6: randomness is named.
#[test]
fn law_6_no_draw_depends_on_what_another_consumer_took() {
    let streams = Streams { seed: 17, run: 0 };
    let mut alone = vec![0.0; 64];
    StandardNormal.fill(&mut streams.open("radio.noise", 1, 5), &mut alone);

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
            other.next_u64();
            other.sample(Below::new(7));
        }
        StandardNormal.fill(&mut stream, two);
    }
    assert_eq!(alone, beside);

    for mut other in others {
        let mut drawn = vec![0.0; 64];
        StandardNormal.fill(&mut other, &mut drawn);
        assert!(alone.iter().zip(&drawn).all(|(x, y)| x != y));
    }
}
