//! The words of the world: names and things that are the same whatever the seed.
//!
//! All names are invented or everyday words. What connects them (who lives
//! where, what costs how much) is drawn by [`super::World`].

/// How a person is spoken of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pronouns {
    She,
    He,
}

impl Pronouns {
    /// "She" or "He".
    pub(super) fn subject_capital(self) -> &'static str {
        match self {
            Self::She => "She",
            Self::He => "He",
        }
    }

    /// "she" or "he".
    pub(super) fn subject(self) -> &'static str {
        match self {
            Self::She => "she",
            Self::He => "he",
        }
    }

    /// "her" or "him".
    pub(super) fn object(self) -> &'static str {
        match self {
            Self::She => "her",
            Self::He => "him",
        }
    }

    /// "Her" or "His".
    pub(super) fn possessive_capital(self) -> &'static str {
        match self {
            Self::She => "Her",
            Self::He => "His",
        }
    }
}

/// The people, women and men in turn, so that any leading part has both.
pub(super) const PEOPLE: [(&str, Pronouns); 16] = [
    ("Anna", Pronouns::She),
    ("Bruno", Pronouns::He),
    ("Clara", Pronouns::She),
    ("David", Pronouns::He),
    ("Edith", Pronouns::She),
    ("Felix", Pronouns::He),
    ("Greta", Pronouns::She),
    ("Hugo", Pronouns::He),
    ("Ida", Pronouns::She),
    ("Jonas", Pronouns::He),
    ("Lena", Pronouns::She),
    ("Karl", Pronouns::He),
    ("Mira", Pronouns::She),
    ("Nils", Pronouns::He),
    ("Olga", Pronouns::She),
    ("Peter", Pronouns::He),
];

/// A trade and what those who follow it do all day.
pub(super) const TRADES: [(&str, &str); 8] = [
    ("baker", "bakes bread"),
    ("smith", "makes knives"),
    ("farmer", "grows wheat"),
    ("fisher", "catches fish"),
    ("weaver", "weaves cloth"),
    ("painter", "paints walls"),
    ("teacher", "teaches children"),
    ("doctor", "heals the sick"),
];

/// The towns; each land gets an equal share of them.
pub(super) const TOWNS: [&str; 16] = [
    "Arden", "Belmor", "Corvale", "Dunwick", "Elstow", "Fenmark", "Garrow", "Hollin", "Iverton",
    "Jarrow", "Kelby", "Lorne", "Marwick", "Norby", "Oakham", "Penrith",
];

/// The lands.
pub(super) const LANDS: [&str; 4] = ["Norland", "Sudmark", "Ostria", "Westmoor"];

/// The rivers.
pub(super) const RIVERS: [&str; 5] = ["Wey", "Tarn", "Lune", "Avon", "Isk"];

/// What a town is known for.
pub(super) const PRODUCTS: [&str; 8] = [
    "cheese", "wine", "glass", "paper", "honey", "rope", "salt", "wool",
];

/// Goods on the market, one and many.
pub(super) const GOODS: [(&str, &str); 8] = [
    ("apple", "apples"),
    ("pear", "pears"),
    ("egg", "eggs"),
    ("cake", "cakes"),
    ("candle", "candles"),
    ("spoon", "spoons"),
    ("onion", "onions"),
    ("brush", "brushes"),
];

/// A class of animals: its name, one and many, and what all of the class have.
pub(super) struct AnimalClass {
    pub(super) plural: &'static str,
    pub(super) cover: &'static str,
    pub(super) legs: usize,
}

/// The classes of animals.
pub(super) const CLASSES: [AnimalClass; 3] = [
    AnimalClass {
        plural: "birds",
        cover: "feathers",
        legs: 2,
    },
    AnimalClass {
        plural: "mammals",
        cover: "fur",
        legs: 4,
    },
    AnimalClass {
        plural: "insects",
        cover: "shells",
        legs: 6,
    },
];

/// An animal: one, many, the index of its class and what it eats.
pub(super) const ANIMALS: [(&str, &str, usize, &str); 12] = [
    ("robin", "robins", 0, "worms"),
    ("fox", "foxes", 1, "mice"),
    ("beetle", "beetles", 2, "leaves"),
    ("owl", "owls", 0, "mice"),
    ("rabbit", "rabbits", 1, "grass"),
    ("ant", "ants", 2, "seeds"),
    ("goose", "geese", 0, "grass"),
    ("cat", "cats", 1, "mice"),
    ("cricket", "crickets", 2, "leaves"),
    ("finch", "finches", 0, "seeds"),
    ("goat", "goats", 1, "leaves"),
    ("moth", "moths", 2, "wool"),
];

/// A thing that people carry about, and whether it is spoken of as many.
pub(super) const OBJECTS: [(&str, bool); 12] = [
    ("lamp", false),
    ("boots", true),
    ("cup", false),
    ("gloves", true),
    ("book", false),
    ("keys", true),
    ("drum", false),
    ("basket", false),
    ("hat", false),
    ("skates", true),
    ("kite", false),
    ("clock", false),
];

/// Colours.
pub(super) const COLOURS: [&str; 6] = ["red", "blue", "green", "white", "black", "yellow"];

/// Places where stories happen.
pub(super) const PLACES: [&str; 8] = [
    "kitchen", "garden", "mill", "harbour", "forest", "school", "cellar", "barn",
];

/// The days of the week in order.
pub(super) const DAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

/// An ordering of people: more, most, and their opposites less, least.
pub(super) struct Ordering {
    pub(super) more: &'static str,
    pub(super) most: &'static str,
    pub(super) less: &'static str,
    pub(super) least: &'static str,
}

/// The orderings.
pub(super) const ORDERINGS: [Ordering; 4] = [
    Ordering {
        more: "older",
        most: "oldest",
        less: "younger",
        least: "youngest",
    },
    Ordering {
        more: "taller",
        most: "tallest",
        less: "shorter",
        least: "shortest",
    },
    Ordering {
        more: "faster",
        most: "fastest",
        less: "slower",
        least: "slowest",
    },
    Ordering {
        more: "richer",
        most: "richest",
        less: "poorer",
        least: "poorest",
    },
];
