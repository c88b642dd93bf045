//! Antenna selection: a server with as many receive chains as streams.

use super::weakest::WeakestLink;
use crate::radio::{Matrix, RadioError, Transceiver, TransceiverDesign, TransceiverProblem};
use num_complex::Complex;

/// Listens on L of the N_r antennas, one stream per antenna, with zero-forcing precoders:
/// what a server without analog combining and with L receive chains can do.
///
/// From the L antennas that the weakest device reaches best, antennas are exchanged, always
/// the pair that lowers the demand α of (13) most, until no exchange does: a local optimum
/// among N_r choose L sets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AntennaSelection;

impl TransceiverDesign for AntennaSelection {
    fn design(&self, problem: &TransceiverProblem<'_>) -> Result<Transceiver, RadioError> {
        problem.check_streams()?;
        let rows = problem.channels.first().map_or(0, Matrix::nrows);
        let mut chosen = strongest(problem, rows);
        let mut objective = WeakestLink::new(problem.channels, problem.powers, problem.streams);
        let mut g = vec![0.0; objective.dimension()];
        for (l, row) in chosen.iter().enumerate() {
            g[2 * (l * rows + row)] = 1.0;
        }
        let mut least = objective.exact(&g);
        loop {
            let mut exchange = None;
            for l in 0..problem.streams {
                g[2 * (l * rows + chosen[l])] = 0.0;
                for row in (0..rows).filter(|row| !chosen.contains(row)) {
                    g[2 * (l * rows + row)] = 1.0;
                    let value = objective.exact(&g);
                    g[2 * (l * rows + row)] = 0.0;
                    if value < least {
                        least = value;
                        exchange = Some((l, row));
                    }
                }
                g[2 * (l * rows + chosen[l])] = 1.0;
            }
            let Some((l, row)) = exchange else { break };
            g[2 * (l * rows + chosen[l])] = 0.0;
            g[2 * (l * rows + row)] = 1.0;
            chosen[l] = row;
        }
        let one = Complex::new(1.0, 0.0);
        let mut direction = Matrix::zeros(rows, problem.streams);
        for (l, row) in chosen.iter().enumerate() {
            direction[(*row, l)] = one;
        }
        Transceiver::zero_forcing(&direction, problem)
    }
}

/// The L antennas at which min_n P_n ‖row of H_n‖² is largest, in ascending order.
fn strongest(problem: &TransceiverProblem<'_>, rows: usize) -> Vec<usize> {
    let heard: Vec<f64> = (0..rows)
        .map(|row| {
            let devices = problem.channels.iter().zip(problem.powers);
            devices.fold(f64::INFINITY, |least, (channel, power)| {
                let energy = channel
                    .row(row)
                    .iter()
                    .fold(0.0, |sum, x| sum + x.norm_sqr());
                least.min(power * energy)
            })
        })
        .collect();
    let mut order: Vec<usize> = (0..rows).collect();
    order.sort_by(|&i, &j| heard[j].total_cmp(&heard[i]));
    order.truncate(problem.streams);
    order.sort_unstable();
    order
}
