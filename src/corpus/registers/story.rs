//! Stories: somebody wants a thing, asks its owner for it, and gets it, swaps
//! for it, or is refused; then one of the two walks off. Who holds the thing and
//! where it is follow from what was said.

use super::{ask, capital, ends};
use crate::corpus::facts::{COLOURS, OBJECTS, PLACES};
use crate::corpus::question::Suite;
use crate::corpus::teller::{Teller, Told};
use crate::corpus::world::World;

pub(super) fn tell(world: &World, teller: &mut Teller<'_>) -> Told {
    let seeker = teller.pick(world.people.len())?;
    let start = teller.pick(world.places)?;
    let wish = teller.pick_from(&["wanted", "needed", "missed"])?;
    let colour = teller.pick_from(&COLOURS[..world.colours])?;
    let thing = teller.pick(world.objects)?;
    let (object, many) = OBJECTS[thing];
    let (it, was) = if many {
        ("them", "were")
    } else {
        ("it", "was")
    };
    let hero = &world.people[seeker];
    teller.say(format!(
        "Once {} was in the {} and {wish} the {colour} {object}.",
        hero.name, PLACES[start]
    ))?;

    let owner = teller.pick_other(world.people.len(), &[seeker])?;
    let there = teller.pick_other(world.places, &[start])?;
    let keeper = &world.people[owner];
    teller.say(format!(
        " {} had the {object} in the {}.",
        keeper.name, PLACES[there]
    ))?;
    teller.say(format!(
        " So {} went to the {} and asked {} for {it}.",
        hero.name,
        PLACES[there],
        keeper.pronouns.object()
    ))?;

    let outcome = teller.pick(3)?;
    let (her, she) = (hero.pronouns.object(), hero.pronouns.subject_capital());
    let (him, he) = (keeper.pronouns.object(), keeper.pronouns.subject());
    match outcome {
        0 => teller.say(format!(
            " {} was kind and gave {it} to {her}. Now {} had the {object} and was happy.",
            keeper.name, hero.name
        ))?,
        1 => teller.say(format!(
            " {} said no and kept {it}. Now {} still had the {object} and {} was sad.",
            keeper.name, keeper.name, hero.name
        ))?,
        _ => {
            let (price, _) = OBJECTS[teller.pick_other(world.objects, &[thing])?];
            teller.say(format!(" {} wanted the {price} for {it}.", keeper.name))?;
            teller.say(format!(
                " {she} gave {him} the {price} and {he} gave {her} the {object}. \
                 Now {} had the {object} and {} had the {price}.",
                hero.name, keeper.name
            ))?;
        }
    }
    let holder = if outcome == 1 { owner } else { seeker };

    let walker = teller.pick_from(&[seeker, owner])?;
    let away = teller.pick_other(world.places, &[there])?;
    teller.say(format!(
        " Then {} went to the {}",
        world.people[walker].name, PLACES[away]
    ))?;
    let where_is = |person| if person == walker { away } else { there };
    teller.say(format!(
        ", so the {object} {was} in the {}.",
        PLACES[where_is(holder)]
    ))?;

    if ends(teller)? {
        return Ok(());
    }
    match teller.pick(3)? {
        0 => ask(
            teller,
            Suite::Stories,
            &format!("Who had the {object}"),
            world.people[holder].name,
            world.people.iter().map(|person| person.name),
        ),
        1 => {
            let person = teller.pick_from(&[seeker, owner])?;
            ask(
                teller,
                Suite::Stories,
                &format!("Where was {}", world.people[person].name),
                &format!("In the {}", PLACES[where_is(person)]),
                PLACES.map(|place| format!("In the {place}")),
            )
        }
        _ => ask(
            teller,
            Suite::Stories,
            &format!("What colour {was} the {object}"),
            &capital(colour),
            COLOURS.map(capital),
        ),
    }
}
