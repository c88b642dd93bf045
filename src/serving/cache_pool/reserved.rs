//! Room that is given at once and kept to the end, or is without end.

use super::Usage;
use crate::serving::jobs::Job;
use crate::serving::numbered::Numbered;

/// What one request holds.
#[derive(Debug)]
struct Reservation {
    room: usize,
    /// Tokens that are in it, or being read into it.
    tokens: usize,
}

/// A pool of tokens.
#[derive(Debug, Default)]
pub(super) struct Reservations {
    /// `None`: without end, and nothing is reserved.
    total: Option<usize>,
    longest: Option<usize>,
    held: Numbered<Reservation>,
    allocated_tokens: usize,
    held_tokens: usize,
}

impl Reservations {
    pub(super) fn new(total: usize, longest: Option<usize>) -> Self {
        Self {
            total: Some(total),
            longest,
            ..Self::default()
        }
    }

    /// Tokens to which one request may come; `None` if to any number.
    pub(super) fn most(&self) -> Option<usize> {
        let total = self.total?;
        Some(self.longest.map_or(total, |longest| longest.min(total)))
    }

    /// Tokens beside what is reserved; `None` if without end.
    pub(super) fn free_tokens(&self) -> Option<usize> {
        let free = |total: usize| total.saturating_sub(self.allocated_tokens);
        self.total.map(free)
    }

    fn has(&self, more: usize) -> bool {
        self.free_tokens().is_none_or(|free| more <= free)
    }

    fn room(&self, job: &Job, tokens: usize) -> usize {
        match self.total {
            Some(_) => self.longest.unwrap_or(job.longest).max(tokens),
            None => tokens,
        }
    }

    pub(super) fn can_admit(&self, job: &Job, tokens: usize) -> bool {
        self.has(self.room(job, tokens))
    }

    pub(super) fn admit(&mut self, job: &Job, tokens: usize) -> bool {
        if !self.can_admit(job, tokens) {
            return false;
        }
        let room = self.room(job, tokens);
        self.allocated_tokens += room;
        self.held_tokens += tokens;
        self.held.insert(job.request, Reservation { room, tokens });
        true
    }

    pub(super) fn grow(&mut self, request: u32, tokens: usize) -> bool {
        let Some(reservation) = self.held.get(request) else {
            return false;
        };
        // Only without end: a reservation is for the longest.
        let more = tokens.saturating_sub(reservation.room);
        if !self.has(more) {
            return false;
        }
        let reservation = self.held.get_mut(request).expect("it was there");
        self.allocated_tokens += more;
        self.held_tokens = self.held_tokens - reservation.tokens + tokens;
        reservation.room += more;
        reservation.tokens = tokens;
        true
    }

    pub(super) fn rewind(&mut self, request: u32, tokens: usize) {
        if let Some(reservation) = self.held.get_mut(request) {
            reservation.tokens -= tokens;
            self.held_tokens -= tokens;
        }
    }

    pub(super) fn release(&mut self, request: u32) {
        if let Some(reservation) = self.held.remove(request) {
            self.allocated_tokens -= reservation.room;
            self.held_tokens -= reservation.tokens;
        }
    }

    pub(super) fn usage(&self) -> Usage {
        Usage {
            allocated_tokens: self.allocated_tokens,
            held_tokens: self.held_tokens,
            total_tokens: self.total,
        }
    }
}
