//! The market: prices, sums to pay and what is left in the purse.

use super::{ask, capital, counted, ends, near};
use crate::corpus::question::Suite;
use crate::corpus::teller::{Teller, Told};
use crate::corpus::world::World;

/// The most of one good that is bought at once.
const MOST: usize = 4;

pub(super) fn tell(world: &World, teller: &mut Teller<'_>) -> Told {
    let person = &world.people[teller.pick(world.people.len())?];
    let mut purse = 12 + teller.pick(19)?;
    teller.say(format!(
        "{} goes to the market with {purse} coins.",
        person.name
    ))?;
    let mut bought = Vec::new();
    for visit in 0..3 {
        let affordable: Vec<usize> = (0..world.goods.len())
            .filter(|&good| world.goods[good].price <= purse)
            .collect();
        if affordable.is_empty() {
            break;
        }
        let index = teller.pick_from(&affordable)?;
        let good = &world.goods[index];
        let most = MOST.min(purse / good.price);
        let count = 1 + teller.pick(most)?;
        let lead = if visit == 0 {
            person.pronouns.subject_capital().to_owned()
        } else {
            format!("Then {}", person.pronouns.subject())
        };
        teller.say(format!(
            " {lead} buys {}",
            counted(count, good.singular, good.plural)
        ))?;
        let cost = count * good.price;
        purse -= cost;
        bought.push((index, count));
        teller.say(format!(
            " at {} each, pays {cost} and has {purse} left.",
            good.price
        ))?;
    }
    if ends(teller)? {
        return Ok(());
    }
    match teller.pick(3)? {
        0 => {
            let (first, _) = bought[0];
            ask(
                teller,
                Suite::Reasoning,
                &format!("What did {} buy first", person.name),
                &capital(world.goods[first].plural),
                world.goods.iter().map(|good| capital(good.plural)),
            )
        }
        1 => {
            let good = teller.pick_from(&distinct(&bought))?;
            ask(
                teller,
                Suite::Reasoning,
                &format!("How much is one {}", world.goods[good].singular),
                &coins(world.goods[good].price),
                (1..=5).map(coins),
            )
        }
        _ => ask(
            teller,
            Suite::Reasoning,
            &format!("How much has {} left", person.name),
            &coins(purse),
            near(purse).map(coins),
        ),
    }
}

fn coins(count: usize) -> String {
    counted(count, "coin", "coins")
}

/// The goods bought, each once, in the order of the first purchase.
fn distinct(bought: &[(usize, usize)]) -> Vec<usize> {
    let mut goods = Vec::new();
    for &(good, _) in bought {
        if !goods.contains(&good) {
            goods.push(good);
        }
    }
    goods
}
