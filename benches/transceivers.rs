//! How far each transceiver design errs and how far any could be from the best: a table of
//! errors rather than of times, for people. Lower bounds and the relaxation's value stand
//! below the designs.

#[path = "../tests/transceivers/table.rs"]
mod table;

use table::{DRAWS, FLEETS, STREAMS, cell, mean, rows};

fn main() {
    let rows = rows();
    for decibels in [0, 10, 20] {
        let noise = 10f64.powf(-f64::from(decibels) / 10.0);
        println!(
            "\nmean error (7) of {STREAMS} entries in units of the noise, {decibels} dB, \
             {DRAWS} draws"
        );
        println!("{:<34}{:>10}{:>10}{:>10}{:>10}", "N", 1, 2, 4, 8);
        for (name, value) in &rows {
            print!("{name:<34}");
            for devices in FLEETS {
                print!("{:>10}", cell(mean(value, devices, noise)));
            }
            println!();
        }
    }
}
