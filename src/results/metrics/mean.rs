//! Means of what comes one by one.

/// A sum and how many it is of.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Mean {
    pub(super) sum: f64,
    pub(super) count: u64,
}

impl Mean {
    pub(super) fn add(&mut self, value: f64) {
        self.sum += value;
        self.count += 1;
    }

    /// The mean; `None` of nothing.
    pub(super) fn value(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }

    /// The mean of `values`.
    pub(super) fn of(values: impl Iterator<Item = f64>) -> Option<f64> {
        let mut mean = Self::default();
        values.for_each(|value| mean.add(value));
        mean.value()
    }
}
