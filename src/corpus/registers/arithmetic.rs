//! Arithmetic: a running total that stays between 0 and the world's largest
//! number.

use super::{ask, ends, near};
use crate::corpus::question::Suite;
use crate::corpus::teller::{Teller, Told};
use crate::corpus::world::World;

/// The largest number added or taken away at once.
const LARGEST_STEP: usize = 9;

pub(super) fn tell(world: &World, teller: &mut Teller<'_>) -> Told {
    let mut total = 1 + teller.pick(world.largest.min(12))?;
    let mut highest = total;
    teller.say(format!("Start with {total}."))?;
    let steps = 2 + teller.pick(4)?;
    for step in 0..steps {
        let lead = if step + 1 == steps {
            " At last"
        } else {
            " Then"
        };
        teller.say(lead)?;
        // Equal chances for the kinds of step that stay within bounds, and the
        // number after the kind, so that the text shows both.
        let mut kinds = Vec::with_capacity(3);
        if total < world.largest {
            kinds.push(0);
        }
        if total > 0 {
            kinds.push(1);
        }
        if total > 0 && 2 * total <= world.largest {
            kinds.push(2);
        }
        match teller.pick_from(&kinds)? {
            0 => {
                let number = 1 + teller.pick(LARGEST_STEP.min(world.largest - total))?;
                teller.say(format!(" add {number}"))?;
                total += number;
            }
            1 => {
                let number = 1 + teller.pick(LARGEST_STEP.min(total))?;
                teller.say(format!(" take away {number}"))?;
                total -= number;
            }
            _ => {
                teller.say(" double it")?;
                total *= 2;
            }
        }
        highest = highest.max(total);
        teller.say(format!(", which makes {total}."))?;
    }
    if ends(teller)? {
        return Ok(());
    }
    match teller.pick(2)? {
        0 => ask(
            teller,
            Suite::Reasoning,
            "What was the largest number on the way",
            &highest.to_string(),
            near(highest).map(|number| number.to_string()),
        ),
        _ => {
            let odd = if total % 2 == 1 { "Odd" } else { "Even" };
            ask(
                teller,
                Suite::Pairs,
                &format!("Is {total} odd or even"),
                odd,
                ["Odd", "Even"],
            )
        }
    }
}
