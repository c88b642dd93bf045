//! Nature: two kinds of animals meet; what holds for a class holds for its
//! animals, and some of them go away.

use super::{article, ask, capital, counted, ends};
use crate::corpus::facts::{ANIMALS, CLASSES, PLACES};
use crate::corpus::question::Suite;
use crate::corpus::teller::{Teller, Told};
use crate::corpus::world::World;

pub(super) fn tell(world: &World, teller: &mut Teller<'_>) -> Told {
    let place = PLACES[teller.pick(world.places)?];
    let kind = teller.pick(world.animals)?;
    let count = 2 + teller.pick(5)?;
    let (singular, plural, class, food) = ANIMALS[kind];
    teller.say(format!("In the {place} there are {count} {plural}"))?;
    let other = teller.pick_other(world.animals, &[kind])?;
    let others = 2 + teller.pick(5)?;
    let (other_singular, other_plural, other_class, other_food) = ANIMALS[other];
    teller.say(format!(
        " and {others} {other_plural}, {} animals in all.",
        count + others
    ))?;
    teller.say(format!(
        " {} are {} and have {}.",
        capital(plural),
        CLASSES[class].plural,
        CLASSES[class].cover
    ))?;
    teller.say(if class == other_class {
        format!(" {} do too.", capital(other_plural))
    } else {
        format!(
            " {} are {} and have {}.",
            capital(other_plural),
            CLASSES[other_class].plural,
            CLASSES[other_class].cover
        )
    })?;

    let leaver = teller.pick(2)?;
    let (who, whose, before, eats) = [
        (singular, plural, count, food),
        (other_singular, other_plural, others, other_food),
    ][leaver];
    let gone = 1 + teller.pick(before - 1)?;
    teller.say(format!(" Then {}", counted(gone, who, whose)))?;
    teller.say(format!(
        " {} away to eat {eats}, and {} left.",
        if gone == 1 { "goes" } else { "go" },
        if before - gone == 1 {
            format!("1 {who} is")
        } else {
            format!("{} {whose} are", before - gone)
        }
    ))?;

    if ends(teller)? {
        return Ok(());
    }
    match teller.pick(3)? {
        0 => ask(
            teller,
            Suite::Facts,
            &format!("How many legs has {} {singular}", article(singular)),
            &CLASSES[class].legs.to_string(),
            ["2", "4", "6", "8"],
        ),
        1 => {
            let cover = CLASSES[teller.pick(CLASSES.len())?].cover;
            let answer = if cover == CLASSES[class].cover {
                "Yes"
            } else {
                "No"
            };
            ask(
                teller,
                Suite::YesNo,
                &format!("Do {plural} have {cover}"),
                answer,
                ["Yes", "No"],
            )
        }
        _ => ask(
            teller,
            Suite::Facts,
            &format!("What do {other_plural} eat"),
            &capital(other_food),
            ANIMALS.iter().map(|(_, _, _, food)| capital(food)),
        ),
    }
}
