//! The fit of Table I's constants.
//!
//! It minimises Σ (ours/published − 1)² over the cells by Gauss and Newton: relative
//! errors, because the cells span a factor of 27; squares, because their minimum is found
//! from afar.

use super::table1::Cell;

/// The constants that are fitted, in this order: R in weights per second, α, β, SE, SE of
/// the 7B model, κ of LLaMA 3 70B.
pub type Constants = [f64; 6];

/// Least squares of the relative error over `cells`, by Gauss and Newton.
pub fn fit(cells: &[&Cell]) -> Constants {
    let residuals = |constants: &Constants| -> Vec<f64> {
        let error = |cell: &&Cell| {
            let published = cell.published.expect("only numbers are fitted");
            1e3 * cell.closed_form(constants) / published - 1.0
        };
        cells.iter().map(error).collect()
    };
    let mut constants = [50e9, 0.1, 0.01, 12.0, 12.0, 1.0];
    for _ in 0..100 {
        let now = residuals(&constants);
        let slopes: Vec<Vec<f64>> = (0..6)
            .map(|place| {
                let mut moved = constants;
                let step = 1e-6 * constants[place];
                moved[place] += step;
                let there = residuals(&moved);
                there
                    .iter()
                    .zip(&now)
                    .map(|(b, a)| (b - a) / step)
                    .collect()
            })
            .collect();
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let system: [[f64; 7]; 6] = std::array::from_fn(|i| {
            std::array::from_fn(|j| match j {
                6 => -dot(&slopes[i], &now),
                _ => dot(&slopes[i], &slopes[j]),
            })
        });
        let step = solve(system);
        for (constant, step) in constants.iter_mut().zip(step) {
            *constant += step;
        }
    }
    constants
}

/// x of A x = b, from the rows of (A, b).
fn solve(mut rows: [[f64; 7]; 6]) -> [f64; 6] {
    for pivot in 0..6 {
        let scale = rows[pivot][pivot];
        rows[pivot].iter_mut().for_each(|entry| *entry /= scale);
        let row = rows[pivot];
        for (other, entries) in rows.iter_mut().enumerate() {
            let factor = entries[pivot];
            if other != pivot {
                entries
                    .iter_mut()
                    .zip(row)
                    .for_each(|(entry, above)| *entry -= factor * above);
            }
        }
    }
    rows.map(|row| row[6])
}
