//! Schedules: a ride along the ring line of a land, hour by hour.

use super::{ask, counted, ends, near};
use crate::corpus::facts::DAYS;
use crate::corpus::question::Suite;
use crate::corpus::teller::{Teller, Told};
use crate::corpus::world::World;

pub(super) fn tell(world: &World, teller: &mut Teller<'_>) -> Told {
    let day = teller.pick(DAYS.len())?;
    let person = &world.people[teller.pick(world.people.len())?];
    let start = teller.pick(world.towns.len())?;
    let departure = 5 + teller.pick(6)?;
    teller.say(format!(
        "On {} {} takes the train from {} at {departure}.",
        DAYS[day], person.name, world.towns[start].name
    ))?;
    let legs = 2 + teller.pick(2)?;
    let mut stops = vec![(start, departure)];
    let (mut here, mut clock) = (start, departure);
    for leg in 0..legs {
        let town = &world.towns[here];
        let next = &world.towns[town.next];
        clock += town.hours;
        here = town.next;
        stops.push((here, clock));
        let ride = counted(town.hours, "hour", "hours");
        if leg + 1 == legs {
            teller.say(format!(
                " After {ride} more {} gets off in {} at {clock}.",
                person.pronouns.subject(),
                next.name
            ))?;
        } else {
            let subject = if leg == 0 { "It" } else { "Then it" };
            teller.say(format!(
                " {subject} needs {ride} to {} and is there at {clock}.",
                next.name
            ))?;
            let wait = 1 + teller.pick(2)?;
            clock += wait;
            teller.say(format!(
                " It waits {} and goes on at {clock}.",
                counted(wait, "hour", "hours")
            ))?;
        }
    }
    if ends(teller)? {
        return Ok(());
    }
    match teller.pick(3)? {
        0 => {
            let (town, hour) = teller.pick_from(&stops[1..])?;
            ask(
                teller,
                Suite::Reasoning,
                &format!("When was the train in {}", world.towns[town].name),
                &format!("At {hour}"),
                near(hour).map(|other| format!("At {other}")),
            )
        }
        1 => ask(
            teller,
            Suite::Reasoning,
            "Where did the ride end",
            &format!("In {}", world.towns[here].name),
            world.towns.iter().map(|town| format!("In {}", town.name)),
        ),
        _ => ask(
            teller,
            Suite::Reasoning,
            &format!("Which day comes after {}", DAYS[day]),
            DAYS[(day + 1) % DAYS.len()],
            DAYS,
        ),
    }
}
