//! Taking a faulty value out of the tree, so that the faults behind it show.

use super::{Node, Place, Value};

impl Place {
    fn contains(self, other: Self) -> bool {
        self.source == other.source && self.start <= other.start && other.end <= self.end
    }
}

impl Node {
    /// Takes out the innermost field or entry that holds `place`, noting the head of
    /// the record that had the field. Whether there was one.
    pub(crate) fn prune(&mut self, place: Place, pruned: &mut Vec<Place>) -> bool {
        let head = self.head();
        match &mut self.value {
            Value::Word(_) | Value::Number(_) | Value::Text(_) => false,
            Value::Record(_, fields) => {
                for index in 0..fields.len() {
                    let field = &mut fields[index];
                    let named = field.name.place == place;
                    let inside = !named && field.value.holds(place);
                    if inside && field.value.prune(place, pruned) {
                        return true;
                    }
                    if named || inside {
                        fields.remove(index);
                        pruned.push(head);
                        return true;
                    }
                }
                false
            }
            Value::List(items) => {
                for index in 0..items.len() {
                    if items[index].holds(place) {
                        if !items[index].prune(place, pruned) {
                            items.remove(index);
                        }
                        return true;
                    }
                }
                false
            }
            Value::Map(entries) => {
                for index in 0..entries.len() {
                    let (key, value) = &mut entries[index];
                    if key.holds(place) || value.holds(place) {
                        if !value.prune(place, pruned) {
                            entries.remove(index);
                        }
                        return true;
                    }
                }
                false
            }
            // A tuple has no value to spare: it falls as a whole.
            Value::Tuple(_, items) => items
                .iter_mut()
                .any(|item| item.holds(place) && item.prune(place, pruned)),
        }
    }

    /// Whether `place` is in this value or in one that an override put inside it.
    fn holds(&self, place: Place) -> bool {
        if self.place.contains(place) {
            return true;
        }
        match &self.value {
            Value::Word(_) | Value::Number(_) | Value::Text(_) => false,
            Value::Record(_, fields) => fields
                .iter()
                .any(|field| field.name.place == place || field.value.holds(place)),
            Value::List(items) | Value::Tuple(_, items) => {
                items.iter().any(|item| item.holds(place))
            }
            Value::Map(entries) => entries
                .iter()
                .any(|(key, value)| key.holds(place) || value.holds(place)),
        }
    }

    /// Says of this value and all inside it that it was written at `place`.
    pub(crate) fn relocate(&mut self, place: Place) {
        self.place = place;
        match &mut self.value {
            Value::Word(_) | Value::Number(_) | Value::Text(_) => {}
            Value::Record(name, fields) => {
                if let Some(name) = name {
                    name.place = place;
                }
                for field in fields {
                    field.name.place = place;
                    field.value.relocate(place);
                }
            }
            Value::List(items) => items.iter_mut().for_each(|item| item.relocate(place)),
            Value::Tuple(name, items) => {
                if let Some(name) = name {
                    name.place = place;
                }
                items.iter_mut().for_each(|item| item.relocate(place));
            }
            Value::Map(entries) => {
                for (key, value) in entries {
                    key.relocate(place);
                    value.relocate(place);
                }
            }
        }
    }
}
