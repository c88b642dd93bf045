//! Antenna selection against all sets of antennas.

use crate::{SEEDS, error_of};
use airloom::policy::Design;
use airloom::radio::{Fading, Matrix, Transceiver, TransceiverProblem};
use num_complex::Complex;

#[test]
fn no_exchange_of_one_antenna_helps_and_few_sets_do_better() {
    let rows = 7;
    let mut exact = 0;
    for block in 0..20 {
        let channels: Vec<Matrix> = (0..3)
            .map(|n| Fading::default().draw(SEEDS, n, block, rows, 2 + n))
            .collect();
        let powers = [1.0, 0.5, 2.0];
        let problem = TransceiverProblem {
            channels: &channels,
            powers: &powers,
            noise: 1.0,
            streams: 2,
        };
        let found = error_of(Design::AntennaSelection, &channels, &powers, 2);
        let of = |i: usize, j: usize| {
            let direction = Matrix::from_fn(rows, 2, |r, l| {
                Complex::new(if r == [i, j][l] { 1.0 } else { 0.0 }, 0.0)
            });
            let transceiver = Transceiver::zero_forcing(&direction, &problem).unwrap();
            transceiver.mean_squared_error(&problem).noise
        };
        let mut all = Vec::new();
        let mut chosen = None;
        for i in 0..rows {
            for j in i + 1..rows {
                let error = of(i, j);
                if (error / found - 1.0).abs() < 1e-9 {
                    chosen = Some((i, j));
                }
                all.push(error);
            }
        }
        let (i, j) = chosen.expect("it is one of all sets");
        for other in (0..rows).filter(|row| *row != i && *row != j) {
            assert!(of(other, j) >= found * (1.0 - 1e-9));
            assert!(of(i, other) >= found * (1.0 - 1e-9));
        }
        exact += usize::from(all.iter().all(|error| *error >= found * (1.0 - 1e-9)));
    }
    assert!(exact >= 12, "the best of all sets only {exact} times of 20");
}
