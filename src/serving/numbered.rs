//! Things of requests, found by the request's number in a step.
//!
//! Numbers are dense, from 0 on, and a replica sees some of them: a table of places by number
//! takes four bytes for each, the things themselves stand side by side and their places are used
//! again.

/// No place.
const NOWHERE: u32 = u32::MAX;

/// Things by the number of the request that they belong to.
#[derive(Debug)]
pub(super) struct Numbered<T> {
    places: Vec<u32>,
    held: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Self {
            places: Vec::new(),
            held: Vec::new(),
            free: Vec::new(),
        }
    }
}

impl<T> Numbered<T> {
    fn place(&self, request: u32) -> Option<usize> {
        let place = *self.places.get(request as usize)?;
        (place != NOWHERE).then_some(place as usize)
    }

    /// What belongs to `request`.
    pub(super) fn get(&self, request: u32) -> Option<&T> {
        self.held[self.place(request)?].as_ref()
    }

    /// What belongs to `request`, to be changed.
    pub(super) fn get_mut(&mut self, request: u32) -> Option<&mut T> {
        let place = self.place(request)?;
        self.held[place].as_mut()
    }

    /// Puts `thing` in the place of what belongs to `request`.
    pub(super) fn insert(&mut self, request: u32, thing: T) {
        if let Some(place) = self.place(request) {
            self.held[place] = Some(thing);
            return;
        }
        let index = request as usize;
        if self.places.len() <= index {
            self.places.resize(index + 1, NOWHERE);
        }
        let place = self.free.pop().unwrap_or(self.held.len() as u32);
        match self.held.get_mut(place as usize) {
            Some(free) => *free = Some(thing),
            None => self.held.push(Some(thing)),
        }
        self.places[index] = place;
    }

    /// Takes out what belongs to `request`.
    pub(super) fn remove(&mut self, request: u32) -> Option<T> {
        let place = self.place(request)?;
        self.places[request as usize] = NOWHERE;
        self.free.push(place as u32);
        self.held[place].take()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.held.len() - self.free.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn it_is_a_map(steps in prop::collection::vec((0u32..40, any::<bool>()), 0..200)) {
            let mut map = BTreeMap::new();
            let mut numbered = Numbered::default();
            for (step, (request, insert)) in steps.into_iter().enumerate() {
                if insert {
                    map.insert(request, step);
                    numbered.insert(request, step);
                } else {
                    prop_assert_eq!(numbered.remove(request), map.remove(&request));
                }
                prop_assert_eq!(numbered.len(), map.len());
                for request in 0..40 {
                    prop_assert_eq!(numbered.get(request), map.get(&request));
                    prop_assert_eq!(numbered.get_mut(request), map.get_mut(&request));
                }
            }
            prop_assert!(numbered.held.len() <= 40, "places are used again");
        }
    }
}
