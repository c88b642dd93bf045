//! In one word, how far something is known.

/// How far something is known; of several that a number rests on, the last of these counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// The run worked it out, from tensors, counts and shapes: it rests on nothing that was
    /// measured or assumed elsewhere.
    Computed,
    /// It rests on a measurement's own numbers, inside the measurement's range.
    Measured,
    /// It rests on a fit to measurements, inside their range.
    Fitted,
    /// It rests on measurements, but lies outside of their range.
    Extrapolated,
    /// It rests on a data sheet, on the scenario's word, or on a guess.
    Assumed,
}

impl Mark {
    /// From the best known to the least.
    pub const ALL: [Self; 5] = [
        Self::Computed,
        Self::Measured,
        Self::Fitted,
        Self::Extrapolated,
        Self::Assumed,
    ];

    /// The word, as `metrics.json` has it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Computed => "computed",
            Self::Measured => "measured",
            Self::Fitted => "fitted",
            Self::Extrapolated => "extrapolated",
            Self::Assumed => "assumed",
        }
    }

    /// The sign before a row of a table.
    pub fn sign(self) -> char {
        match self {
            Self::Computed => '=',
            Self::Measured => '+',
            Self::Fitted => '~',
            Self::Extrapolated => '!',
            Self::Assumed => '?',
        }
    }

    /// The mark of that word.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mark| mark.word() == word)
    }
}

/// How far a source is known in a run, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Trust {
    /// In one word.
    pub mark: Mark,
    /// The relative error to expect, 0.03 for 3 %, where measurements tell it.
    pub error: Option<f64>,
    /// Whose measurement, which data sheet, what lies outside of which range.
    pub reason: String,
}

impl Trust {
    /// Of what nobody measured.
    pub fn assumed(reason: impl Into<String>) -> Self {
        Self {
            mark: Mark::Assumed,
            error: None,
            reason: reason.into(),
        }
    }

    /// Of two parts of one source the one that is known less; both reasons where they are alike.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        if self.mark != other.mark {
            return if self.mark > other.mark { self } else { other };
        }
        let error = self.error.zip(other.error);
        let reason = match self.reason.contains(&other.reason) {
            true => self.reason,
            false => format!("{}; {}", self.reason, other.reason),
        };
        Self {
            mark: self.mark,
            error: error.map(|(one, two)| one.max(two)),
            reason,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_signs_are_one_each() {
        for mark in Mark::ALL {
            assert_eq!(Mark::of_word(mark.word()), Some(mark));
            let alike = Mark::ALL
                .into_iter()
                .filter(|other| other.sign() == mark.sign());
            assert_eq!(alike.count(), 1);
        }
        assert_eq!(Mark::of_word("sure"), None);
    }

    #[test]
    fn of_two_parts_the_worse_counts() {
        let trust = |mark, error, reason: &str| Trust {
            mark,
            error,
            reason: reason.to_owned(),
        };
        let fitted = trust(Mark::Fitted, Some(0.02), "A");
        let worse = trust(Mark::Fitted, Some(0.05), "B");
        let both = fitted.clone().with(worse);
        assert_eq!((both.error, both.reason.as_str()), (Some(0.05), "A; B"));
        let assumed = fitted.clone().with(Trust::assumed("C"));
        assert_eq!(assumed, Trust::assumed("C"));
        assert_eq!(Trust::assumed("C").with(fitted), Trust::assumed("C"));
    }
}
