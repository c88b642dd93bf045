//! The generator's entropy against independent counts.

use std::collections::{BTreeMap, BTreeSet};

use super::tell_one;
use crate::corpus::teller::derivations;
use crate::corpus::{Register, Split, World};

/// All documents of one register of the reduced world: their probabilities must
/// sum to 1, and no two derivations may tell the same text.
fn exhaust(register: Register) -> Vec<(String, f64)> {
    let world = World::reduced();
    let all = derivations(None, |teller| tell_one(register, &world, teller));
    let total: f64 = all.iter().map(|(_, nats)| libm::exp(-nats)).sum();
    assert!(
        (total - 1.0).abs() < 1e-9,
        "{register:?}: probabilities sum to {total}"
    );
    let texts: BTreeSet<&str> = all.iter().map(|(text, _)| text.as_str()).collect();
    assert_eq!(texts.len(), all.len(), "{register:?} is ambiguous");
    all
}

#[test]
fn every_story_of_the_reduced_world_has_one_derivation() {
    exhaust(Register::Story);
}

#[test]
fn every_sum_of_the_reduced_world_has_one_derivation() {
    exhaust(Register::Arithmetic);
}

#[test]
fn every_geography_of_the_reduced_world_has_one_derivation() {
    // 3 towns × 3·2 facts × 2 towns × 2 facts × 1 town, then three questions
    // about three towns each, or none.
    let all = exhaust(Register::Geography);
    assert_eq!(all.len(), 3 * 6 * 2 * 2 * (1 + 3 * 3));
}

#[test]
fn every_schedule_of_the_reduced_world_has_one_derivation() {
    exhaust(Register::Schedule);
}

#[test]
fn every_purchase_of_the_reduced_world_has_one_derivation() {
    exhaust(Register::Market);
}

#[test]
fn every_animal_scene_of_the_reduced_world_has_one_derivation() {
    exhaust(Register::Nature);
}

#[test]
fn every_order_of_the_reduced_world_has_one_derivation() {
    exhaust(Register::Order);
}

#[test]
fn every_portrait_of_the_reduced_world_has_one_derivation() {
    exhaust(Register::People);
}

#[test]
fn a_drawn_document_of_the_full_world_has_one_derivation_of_its_own_nats() {
    let world = World::new(1);
    let mut seen = BTreeSet::new();
    for index in 0..160 {
        let document = world.document(Split::HeldOut, index);
        seen.insert(document.register);
        let nats = world.derivations(&document.text);
        assert_eq!(
            nats.len(),
            1,
            "{} derivations of {:?}",
            nats.len(),
            document.text
        );
        assert!(
            (nats[0] - document.nats).abs() < 1e-9,
            "{:?}",
            document.text
        );
    }
    assert_eq!(seen.len(), Register::ALL.len());
    assert!(
        world
            .derivations("The town of Arden lies in Atlantis.")
            .is_empty()
    );
}

#[test]
fn drawn_documents_are_as_frequent_as_their_nats_say() {
    // Marginal of the first sentence of a register, by enumeration of the
    // reduced world, against the counts of 40 000 draws.
    let world = World::reduced();
    let opening = |text: &str| text.split_inclusive('.').next().unwrap_or("").to_owned();
    let mut expected: BTreeMap<String, f64> = BTreeMap::new();
    for register in [Register::Nature, Register::Order, Register::Geography] {
        for (text, nats) in derivations(None, |teller| tell_one(register, &world, teller)) {
            *expected.entry(opening(&text)).or_default() += libm::exp(-nats) / 8.0;
        }
    }
    let draws = 40_000;
    let mut counted: BTreeMap<String, u32> = BTreeMap::new();
    for index in 0..draws {
        let document = world.document(Split::Train, index);
        *counted.entry(opening(&document.text)).or_default() += 1;
    }
    for (text, probability) in expected {
        let mean = probability * draws as f64;
        let count = f64::from(counted.get(&text).copied().unwrap_or(0));
        // Five standard deviations of a binomial count.
        let bound = 5.0 * (mean * (1.0 - probability)).sqrt();
        assert!(
            (count - mean).abs() <= bound,
            "{text:?}: {count} against {mean}"
        );
    }
}

#[test]
fn the_mean_of_drawn_nats_is_the_enumerated_entropy() {
    let world = World::reduced();
    let entropy: f64 = derivations(None, |teller| tell_one(Register::People, &world, teller))
        .iter()
        .map(|(_, nats)| nats * libm::exp(-nats))
        .sum();
    let (mut count, mut sum, mut squares) = (0.0, 0.0, 0.0);
    for index in 0..20_000 {
        let document = world.document(Split::Train, index);
        if document.register == Register::People {
            // The choice of the register is not part of the sub-grammar.
            let nats = document.nats - libm::log(8.0);
            count += 1.0;
            sum += nats;
            squares += nats * nats;
        }
    }
    let mean: f64 = sum / count;
    let error = ((squares / count - mean * mean) / count).sqrt();
    assert!(
        (mean - entropy).abs() < 5.0 * error,
        "drawn {mean} ± {error}, enumerated {entropy}"
    );
}

#[test]
fn the_same_seed_tells_the_same_and_another_seed_another_world() {
    let told = |seed| -> Vec<String> {
        let world = World::new(seed);
        (0..50)
            .map(|index| world.document(Split::Train, index).text)
            .collect()
    };
    assert_eq!(told(3), told(3));
    assert_ne!(told(3), told(4));
}

#[test]
fn the_splits_share_hardly_a_document() {
    let world = World::new(1);
    let train: BTreeSet<String> = (0..4000)
        .map(|index| world.document(Split::Train, index).text)
        .collect();
    let shared = (0..1000)
        .filter(|&index| train.contains(&world.document(Split::HeldOut, index).text))
        .count();
    assert!(
        shared < 20,
        "{shared} of 1000 held-out documents are in the training text"
    );
}
