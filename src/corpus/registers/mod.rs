//! The registers: one grammar per file.
//!
//! A grammar may choose only through its teller and must say what it chose in
//! words from which the choice can be read back; the tests of this module hold
//! all of them to that.

mod arithmetic;
mod geography;
mod market;
mod nature;
mod order;
mod people;
mod schedule;
mod story;

use super::document::Register;
use super::question::Suite;
use super::teller::{Departure, Teller, Told};
use super::world::World;

/// Tells a document of a register that the first choice picks.
pub(super) fn tell(world: &World, teller: &mut Teller<'_>) -> Result<Register, Departure> {
    let register = teller.pick_from(&Register::ALL)?;
    tell_one(register, world, teller)?;
    Ok(register)
}

/// Tells a document of `register`.
fn tell_one(register: Register, world: &World, teller: &mut Teller<'_>) -> Told {
    match register {
        Register::Story => story::tell(world, teller),
        Register::Arithmetic => arithmetic::tell(world, teller),
        Register::Geography => geography::tell(world, teller),
        Register::Schedule => schedule::tell(world, teller),
        Register::Market => market::tell(world, teller),
        Register::Nature => nature::tell(world, teller),
        Register::Order => order::tell(world, teller),
        Register::People => people::tell(world, teller),
    }
}

/// Chooses whether the document ends here, without a question.
fn ends(teller: &mut Teller<'_>) -> Result<bool, Departure> {
    Ok(teller.pick(2)? == 0)
}

/// Appends a question and its answer. `others` are answers of the same form; those
/// that differ from the right one can stand beside it when `suite` is put as
/// multiple choice.
fn ask<T: AsRef<str>>(
    teller: &mut Teller<'_>,
    suite: Suite,
    question: &str,
    answer: &str,
    others: impl IntoIterator<Item = T>,
) -> Told {
    teller.say(format!(" Question: {question}? Answer:"))?;
    teller.note_question(suite, || {
        let mut rivals: Vec<String> = Vec::new();
        for other in others {
            let other = other.as_ref();
            if other != answer && !rivals.iter().any(|rival| rival == other) {
                rivals.push(other.to_owned());
            }
        }
        rivals
    });
    teller.say(format!(" {answer}."))
}

/// The numbers near `right` and not below zero: two on each side where there are
/// as many, then the next above.
fn near(right: usize) -> impl Iterator<Item = usize> {
    let least = right.saturating_sub(2);
    (least..least + 5).filter(move |&number| number != right)
}

/// `count` with the fitting form of the noun.
fn counted(count: usize, singular: &str, plural: &str) -> String {
    if count == 1 {
        format!("1 {singular}")
    } else {
        format!("{count} {plural}")
    }
}

/// The indefinite article that fits before `noun`.
fn article(noun: &str) -> &'static str {
    if noun.starts_with(['a', 'e', 'i', 'o', 'u']) {
        "an"
    } else {
        "a"
    }
}

/// The ASCII word with a capital letter.
fn capital(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    first.to_uppercase() + rest
}

#[cfg(test)]
mod tests;
