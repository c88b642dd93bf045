//! People: who somebody is, where they live, and how a friend compares.

use super::{article, ask, counted, ends};
use crate::corpus::facts::{ANIMALS, LANDS, TRADES};
use crate::corpus::question::Suite;
use crate::corpus::teller::{Teller, Told};
use crate::corpus::world::World;

pub(super) fn tell(world: &World, teller: &mut Teller<'_>) -> Told {
    let first = teller.pick(world.people.len())?;
    let person = &world.people[first];
    let home = &world.towns[person.home];
    let (trade, work) = TRADES[person.trade];
    teller.say(format!(
        "Meet {}, {} {trade} from {} in {}.",
        person.name,
        article(trade),
        home.name,
        LANDS[home.land]
    ))?;
    let she = person.pronouns.subject_capital();
    let (animal, _, _, food) = ANIMALS[person.pet];
    match teller.pick(3)? {
        0 => teller.say(format!(" {she} {work} all day."))?,
        1 => teller.say(format!(" {she} has {} {animal} at home.", article(animal)))?,
        _ => teller.say(format!(
            " {} {animal} eats {food}.",
            person.pronouns.possessive_capital()
        ))?,
    }

    let second = teller.pick_other(world.people.len(), &[first])?;
    let friend = &world.people[second];
    let friend_home = &world.towns[friend.home];
    let (friend_trade, _) = TRADES[friend.trade];
    teller.say(format!(
        " {} friend {} is {} {friend_trade}",
        person.pronouns.possessive_capital(),
        friend.name,
        article(friend_trade)
    ))?;
    teller.say(if friend.trade == person.trade {
        " too"
    } else {
        ""
    })?;
    teller.say(if friend.home == person.home {
        " and lives in the same town.".to_owned()
    } else if friend_home.land == home.land {
        format!(" and lives in the same land, in {}.", friend_home.name)
    } else {
        format!(
            " and lives in {} in {}.",
            friend_home.name, LANDS[friend_home.land]
        )
    })?;

    let good = &world.goods[teller.pick(world.goods.len())?];
    let count = 1 + teller.pick(5)?;
    let brings_first = teller.pick(2)? == 0;
    let (giver, taker) = if brings_first {
        (person, friend)
    } else {
        (friend, person)
    };
    teller.say(format!(
        " Today {} brings {} {}",
        giver.name,
        taker.pronouns.object(),
        counted(count, good.singular, good.plural)
    ))?;
    teller.say(format!(
        ", which cost {}.",
        counted(count * good.price, "coin", "coins")
    ))?;

    if ends(teller)? {
        return Ok(());
    }
    let kind = teller.pick(4)?;
    let subject = teller.pick_from(&[first, second])?;
    let subject = &world.people[subject];
    let trade_of = |trade| format!("{} is {} {trade}", subject.name, article(trade));
    let pet_of = |animal| format!("{} has {} {animal}", subject.name, article(animal));
    match kind {
        0 => ask(
            teller,
            Suite::Facts,
            &format!("Where does {} live", subject.name),
            &format!("In {}", world.towns[subject.home].name),
            world.towns.iter().map(|town| format!("In {}", town.name)),
        ),
        1 => ask(
            teller,
            Suite::Facts,
            &format!("What is the trade of {}", subject.name),
            &trade_of(TRADES[subject.trade].0),
            TRADES.iter().map(|(trade, _)| trade_of(trade)),
        ),
        2 => ask(
            teller,
            Suite::Facts,
            &format!("Which animal has {}", subject.name),
            &pet_of(ANIMALS[subject.pet].0),
            ANIMALS.iter().map(|(animal, ..)| pet_of(animal)),
        ),
        _ => ask(
            teller,
            Suite::Facts,
            &format!("In which land does {} live", subject.name),
            &format!("In {}", LANDS[world.towns[subject.home].land]),
            LANDS.iter().map(|land| format!("In {land}")),
        ),
    }
}
