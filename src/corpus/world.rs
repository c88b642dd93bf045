//! The facts of one world, drawn from its seed.
//!
//! Facts never change while documents are told: a document may only speak them
//! or infer from them. They are kept as data so that questions can be asked
//! about them.

use super::facts::{
    ANIMALS, GOODS, LANDS, PEOPLE, PLACES, PRODUCTS, Pronouns, RIVERS, TOWNS, TRADES,
};
use crate::rng::{Below, NO_DEVICE, Permutation, Streams};
use rand::RngExt;

/// A person: indices point into the world's and the word lists.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) name: &'static str,
    pub(super) pronouns: Pronouns,
    pub(super) trade: usize,
    pub(super) home: usize,
    pub(super) pet: usize,
}

/// A town: its land, river, product, and the next stop of its land's ring line.
#[derive(Debug, Clone)]
pub(super) struct Town {
    pub(super) name: &'static str,
    pub(super) land: usize,
    pub(super) river: usize,
    pub(super) product: usize,
    pub(super) next: usize,
    /// Hours by train to `next`.
    pub(super) hours: usize,
}

/// Something to buy.
#[derive(Debug, Clone)]
pub(super) struct Good {
    pub(super) singular: &'static str,
    pub(super) plural: &'static str,
    /// Coins apiece.
    pub(super) price: usize,
}

/// One small world: its facts, and with them every document that can be told.
///
/// The same seed gives the same world and the same documents on any machine.
#[derive(Debug, Clone)]
pub struct World {
    pub(super) seed: u64,
    pub(super) people: Vec<Person>,
    pub(super) towns: Vec<Town>,
    /// The capital of each land, an index into `towns`.
    pub(super) capitals: Vec<usize>,
    pub(super) goods: Vec<Good>,
    /// How many of the animals, places and colours the documents use.
    pub(super) animals: usize,
    pub(super) places: usize,
    pub(super) colours: usize,
    pub(super) objects: usize,
    /// The largest number that arithmetic reaches.
    pub(super) largest: usize,
}

impl World {
    /// The seed of the world that the bundled model knows.
    pub const BUNDLED_SEED: u64 = 1;

    /// Draws the facts of the world that `seed` names.
    pub fn new(seed: u64) -> Self {
        let mut stream = Streams { seed, run: 0 }.open("corpus.world", NO_DEVICE, 0);
        let ring = stream.sample(Permutation(TOWNS.len()));
        let per_land = TOWNS.len() / LANDS.len();
        let mut towns: Vec<Town> = TOWNS
            .iter()
            .map(|name| Town {
                name,
                land: 0,
                river: stream.sample(Below::new(RIVERS.len())),
                product: stream.sample(Below::new(PRODUCTS.len())),
                next: 0,
                hours: 1 + stream.sample(Below::new(3)),
            })
            .collect();
        let mut capitals = Vec::with_capacity(LANDS.len());
        for (land, stops) in ring.chunks(per_land).enumerate() {
            capitals.push(stops[stream.sample(Below::new(per_land))]);
            for (place, &town) in stops.iter().enumerate() {
                towns[town].land = land;
                towns[town].next = stops[(place + 1) % per_land];
            }
        }
        let people = PEOPLE
            .iter()
            .map(|&(name, pronouns)| Person {
                name,
                pronouns,
                trade: stream.sample(Below::new(TRADES.len())),
                home: stream.sample(Below::new(TOWNS.len())),
                pet: stream.sample(Below::new(ANIMALS.len())),
            })
            .collect();
        let goods = GOODS
            .iter()
            .map(|&(singular, plural)| Good {
                singular,
                plural,
                price: 1 + stream.sample(Below::new(5)),
            })
            .collect();
        Self {
            seed,
            people,
            towns,
            capitals,
            goods,
            animals: ANIMALS.len(),
            places: PLACES.len(),
            colours: super::facts::COLOURS.len(),
            objects: super::facts::OBJECTS.len(),
            largest: 30,
        }
    }

    /// The seed that names this world.
    pub fn seed(&self) -> u64 {
        self.seed
    }
}

#[cfg(test)]
impl World {
    /// A world so small that all its documents can be listed.
    pub(super) fn reduced() -> Self {
        let mut world = Self::new(7);
        world.people.truncate(4);
        world.towns.truncate(3);
        for (index, town) in world.towns.iter_mut().enumerate() {
            town.land = 0;
            town.next = (index + 1) % 3;
        }
        world.capitals = vec![1];
        for person in &mut world.people {
            person.home %= 3;
        }
        world.goods.truncate(2);
        world.animals = 3;
        world.places = 3;
        world.colours = 2;
        world.objects = 2;
        world.largest = 5;
        world
    }
}
