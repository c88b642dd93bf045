//! Who is at a meeting of processes.

/// The processes that have come to a meeting since it opened last.
#[derive(Debug)]
pub(super) struct Table {
    parties: u32,
    arrived: u32,
    /// One bit per process, so that reading them gives the order of ranks.
    seats: Vec<u64>,
}

impl Table {
    /// A meeting of `parties` among `processes`.
    pub(super) fn new(parties: u32, processes: usize) -> Self {
        Self {
            parties,
            arrived: 0,
            seats: vec![0; processes.div_ceil(64)],
        }
    }

    /// Seats the process in `slot`; `true` if all are there now.
    pub(super) fn arrive(&mut self, slot: u32) -> bool {
        self.seats[slot as usize / 64] |= 1 << (slot % 64);
        self.arrived += 1;
        self.arrived == self.parties
    }

    /// Empties the table, its processes in order of their slots.
    pub(super) fn leave(&mut self) -> impl Iterator<Item = u32> {
        self.arrived = 0;
        self.seats.iter_mut().zip(0..).flat_map(|(word, place)| {
            let mut word = std::mem::take(word);
            std::iter::from_fn(move || {
                let bit = word.trailing_zeros();
                word &= word.checked_sub(1)?;
                Some(place * 64 + bit)
            })
        })
    }
}
