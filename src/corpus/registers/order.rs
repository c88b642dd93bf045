//! Order: four people compared pair by pair, and what follows from it.

use super::{ask, ends};
use crate::corpus::facts::ORDERINGS;
use crate::corpus::question::Suite;
use crate::corpus::teller::{Teller, Told};
use crate::corpus::world::World;

/// People in a chain.
const CHAIN: usize = 4;

pub(super) fn tell(world: &World, teller: &mut Teller<'_>) -> Told {
    let ordering = &ORDERINGS[teller.pick(ORDERINGS.len())?];
    // The chain is told from its upper end with the one comparative, or from its
    // lower end with the opposite one.
    let downwards = teller.pick(2)? == 0;
    let (comparative, opposite) = if downwards {
        (ordering.more, ordering.less)
    } else {
        (ordering.less, ordering.more)
    };
    let (this_end, other_end) = if downwards {
        (ordering.most, ordering.least)
    } else {
        (ordering.least, ordering.most)
    };
    let mut chain = Vec::with_capacity(CHAIN);
    for _ in 0..CHAIN {
        let person = teller.pick_other(world.people.len(), &chain)?;
        chain.push(person);
        let name = world.people[person].name;
        match chain.len() {
            1 => teller.say(name)?,
            2 => teller.say(format!(" is {comparative} than {name}."))?,
            _ => {
                let before = world.people[chain[chain.len() - 2]].name;
                let flipped = teller.pick(2)? == 0;
                teller.say(if flipped {
                    format!(" {name} is {opposite} than {before}.")
                } else {
                    format!(" {before} is {comparative} than {name}.")
                })?;
            }
        }
    }
    let name = |place: usize| world.people[chain[place]].name;
    teller.say(format!(
        " So {} is the {this_end} and {} is the {other_end}.",
        name(0),
        name(CHAIN - 1)
    ))?;
    // Pairs that no sentence has compared yet.
    let (upper, lower) = teller.pick_from(&[(0, 2), (1, 3), (0, 3)])?;
    teller.say(format!(" Also {}", name(upper)))?;
    teller.say(format!(" is {comparative} than {}.", name(lower)))?;

    if ends(teller)? {
        return Ok(());
    }
    match teller.pick(2)? {
        0 => {
            let (end, who) = teller.pick_from(&[(this_end, 0), (other_end, CHAIN - 1)])?;
            ask(
                teller,
                Suite::Pairs,
                &format!("Who is the {end}"),
                name(who),
                [name(0), name(CHAIN - 1)],
            )
        }
        _ => {
            let first = teller.pick(CHAIN)?;
            let second = teller.pick_other(CHAIN, &[first])?;
            let answer = if first < second { "Yes" } else { "No" };
            ask(
                teller,
                Suite::YesNo,
                &format!("Is {} {comparative} than {}", name(first), name(second)),
                answer,
                ["Yes", "No"],
            )
        }
    }
}
