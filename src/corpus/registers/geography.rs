//! Geography: two towns, where they lie, what they are known for, what they
//! share.

use super::{ask, ends};
use crate::corpus::facts::{LANDS, PRODUCTS, RIVERS};
use crate::corpus::question::Suite;
use crate::corpus::teller::{Teller, Told};
use crate::corpus::world::World;

pub(super) fn tell(world: &World, teller: &mut Teller<'_>) -> Told {
    let first = teller.pick(world.towns.len())?;
    let town = &world.towns[first];
    teller.say(format!(
        "The town of {} lies in {}.",
        town.name, LANDS[town.land]
    ))?;
    let lead = teller.pick(FACTS)?;
    say_fact(world, teller, first, lead)?;
    let follow = teller.pick_other(FACTS, &[lead])?;
    say_fact(world, teller, first, follow)?;

    let second = teller.pick_other(world.towns.len(), &[first])?;
    let other = &world.towns[second];
    teller.say(format!(" The town of {}", other.name))?;
    teller.say(if other.land == town.land {
        " lies in the same land".to_owned()
    } else {
        format!(" lies in another land, {}", LANDS[other.land])
    })?;
    teller.say(if other.river == town.river {
        ", and on the same river.".to_owned()
    } else {
        format!(", and on the river {}.", RIVERS[other.river])
    })?;
    // The river has been said.
    let third = 1 + teller.pick(FACTS - 1)?;
    say_fact(world, teller, second, third)?;

    let third_town = teller.pick_other(world.towns.len(), &[first, second])?;
    let last = &world.towns[third_town];
    teller.say(format!(
        " From {} the train goes on to {}.",
        last.name, world.towns[last.next].name
    ))?;

    if ends(teller)? {
        return Ok(());
    }
    let kind = teller.pick(3)?;
    let subject = &world.towns[teller.pick_from(&[first, second, third_town])?];
    match kind {
        0 => ask(
            teller,
            Suite::Facts,
            &format!("In which land is {}", subject.name),
            &format!("In {}", LANDS[subject.land]),
            LANDS.iter().map(|land| format!("In {land}")),
        ),
        1 => ask(
            teller,
            Suite::Facts,
            &format!("On which river is {}", subject.name),
            &format!("On the {}", RIVERS[subject.river]),
            RIVERS.iter().map(|river| format!("On the {river}")),
        ),
        _ => ask(
            teller,
            Suite::Facts,
            &format!("What do people make in {}", subject.name),
            &format!("They make {}", PRODUCTS[subject.product]),
            PRODUCTS
                .iter()
                .map(|product| format!("They make {product}")),
        ),
    }
}

/// How many kinds of fact [`say_fact`] knows.
const FACTS: usize = 3;

/// Says fact number `kind` about `town`.
fn say_fact(world: &World, teller: &mut Teller<'_>, town: usize, kind: usize) -> Told {
    let facts = &world.towns[town];
    match kind {
        0 => teller.say(format!(" It is on the river {}.", RIVERS[facts.river])),
        1 => teller.say(format!(" Its people make {}.", PRODUCTS[facts.product])),
        _ if world.capitals[facts.land] == town => {
            teller.say(format!(" It is the capital of {}.", LANDS[facts.land]))
        }
        _ => teller.say(format!(
            " The capital of its land is {}.",
            world.towns[world.capitals[facts.land]].name
        )),
    }
}
