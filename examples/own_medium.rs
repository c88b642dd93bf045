//! A medium of one's own: a satellite that is in sight for ten of every hundred milliseconds, and
//! two ground stations that share its band. Whatever says how fast bits flow, and until when, is
//! one; the band divides itself, counts bits exactly and says when each transfer ends.
//!
//! ```text
//!   begin, end ─▶ Band ─▶ ends: when each transfer ends if nothing else begins
//!                  │ ▲
//!      share, now  ▼ │ bit/s, until when
//!                 Rates   ── in sight ──┐    ┌──
//!                                       └────┘
//! ```
//!
//! This is what carries messages in a run too. For a scenario to name a link, its fields join
//! `src/medium/config.rs`.
//!
//! ```sh
//! cargo run --release --example own_medium
//! ```

use airloom::medium::{Band, FluidError, Rate, Rates};
use airloom::radio::{RadioError, Sharing};
use airloom::units::Instant;

const MILLISECOND: u64 = 1_000_000_000;

/// In picoseconds, as all of simulated time.
struct Satellite {
    bits_per_second: f64,
    period: u64,
    in_sight: u64,
}

/// A transfer is known by whatever the caller likes: here by its station's name.
impl Rates<&'static str> for Satellite {
    fn rate(&self, _: &'static str, share: f64, at: Instant) -> Result<Rate, RadioError> {
        let orbit = at.0 / self.period * self.period;
        let (rate, until) = match at.0 - orbit < self.in_sight {
            true => (self.bits_per_second * share, orbit + self.in_sight),
            false => (0.0, orbit + self.period),
        };
        Ok(Rate {
            bits_per_second: rate,
            until: Some(Instant(until)),
        })
    }
}

fn main() -> Result<(), FluidError> {
    let satellite = Satellite {
        bits_per_second: 100e6,
        period: 100 * MILLISECOND,
        in_sight: 10 * MILLISECOND,
    };
    for sharing in [Sharing::Exclusive, Sharing::Equal, Sharing::Proportional] {
        let mut band = Band::new(sharing);
        // A million bits fit into one pass, the other's three million do not.
        band.begin("north", 3_000_000, Instant(0), &satellite)?;
        band.begin("south", 1_000_000, Instant(5 * MILLISECOND), &satellite)?;
        println!("{sharing:?}");
        let mut ends = band.ends(&satellite)?;
        ends.sort_by_key(|ending| ending.at);
        for ending in ends {
            // From now on the other has the band to itself.
            let moved = band.end(ending.id, ending.at, &satellite)?;
            println!(
                "  {}: {} bits by {:.2} ms, of which it sent {:.2} ms",
                ending.id,
                moved.delivered,
                ending.at.0 as f64 / MILLISECOND as f64,
                moved.airtime.0 as f64 / MILLISECOND as f64,
            );
        }
    }
    Ok(())
}
