//! All designs on the same draws, for people:
//!
//!     cargo test --release --test transceivers table -- --ignored --nocapture

use crate::{draw, total_error};
use airloom::policy::{
    Descent, Design, Randomisation, Relaxation, least_error_bound, relax, zero_forcing_bound,
};
use airloom::radio::TransceiverProblem;

#[test]
#[ignore = "prints a table and asserts nothing"]
fn table_of_all_designs_on_the_same_draws() {
    let draws = 100;
    let fleets = [1, 2, 4, 8];
    let mut designs: Vec<(String, Design)> = Design::all()
        .into_iter()
        .map(|design| (design.name().to_owned(), design))
        .collect();
    let four = Descent { starts: 4 };
    designs.push(("Descent(starts: 4)".to_owned(), Design::Descent(four)));
    let orthonormal = Relaxation {
        kind: Randomisation::Orthonormal,
        ..Relaxation::default()
    };
    let name = "Relaxation(kind: Orthonormal)".to_owned();
    designs.push((name, Design::Relaxation(orthonormal)));
    for decibels in [0, 10, 20] {
        let noise = 10f64.powf(-f64::from(decibels) / 10.0);
        println!(
            "\nmean error (7) of 4 entries in units of the noise, {decibels} dB, {draws} draws"
        );
        println!("{:<34}{:>10}{:>10}{:>10}{:>10}", "N", 1, 2, 4, 8);
        let row = |name: &str, value: &dyn Fn(&TransceiverProblem<'_>) -> f64| {
            print!("{name:<34}");
            for devices in fleets {
                let sum: f64 = (0..draws)
                    .map(|block| {
                        let channels = draw(devices, block);
                        value(&TransceiverProblem {
                            channels: &channels,
                            powers: &vec![1.0; devices],
                            noise,
                            streams: 4,
                        })
                    })
                    .sum();
                print!("{:>10.4}", sum / (noise * draws as f64));
            }
            println!();
        };
        for (name, design) in &designs {
            row(name, &|problem| total_error(*design, problem));
        }
        row("value of the relaxation (17)", &|problem| {
            noise * 4.0 / relax(problem, 1e-6).unwrap().value
        });
        row("bound, aligned", &|problem| {
            zero_forcing_bound(problem).unwrap()
        });
        row("bound, any", &|problem| least_error_bound(problem).unwrap());
    }
}
