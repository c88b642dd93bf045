//! Who is the best, and who gives way.

use super::{Job, Jobs};
use crate::serving::order::{Order, Rank};

impl Jobs {
    /// The best of those that wait and of those that run and are ready, `most` of each, by rank.
    /// Only under feedback.
    pub(in crate::serving) fn best(&self, most: usize) -> impl Iterator<Item = u32> {
        let ready = |rank: &&Rank| self.job(rank.request).is_ready();
        let mut running = self.ranked.iter().filter(ready).take(most).peekable();
        let mut waiting = self.waiting.iter().take(most).peekable();
        std::iter::from_fn(move || {
            let runs = match (running.peek(), waiting.peek()) {
                (Some(one), Some(other)) => one < other,
                (one, _) => one.is_some(),
            };
            let next = if runs { running.next() } else { waiting.next() };
            next.map(|rank| rank.request)
        })
    }

    /// Whose cache is given up so that `grower`, which runs, can go on: the last in the order of
    /// those that are in no batch. `None` if it should rather wait: for a later one that is in
    /// a batch, or because nobody else has a cache.
    pub(in crate::serving) fn victim(&self, grower: u32) -> Option<u32> {
        let last = match &self.order {
            Order::FeedbackQueue(_) => self.last_ranked(),
            Order::Priority => self.last_of_lowest_class(),
            Order::First | Order::ShortestFirst => {
                let mut youngest = self.running().rev();
                let idle = youngest.find(|job| !job.busy && !job.done)?.request;
                (idle, self.running.last() == Some(&idle))
            }
        };
        let (victim, is_last) = last;
        let alone = self.running.len() == 1;
        // Who gives its own cache up for one that is held would only read it again, and again.
        let waits = victim == grower && self.running().any(|job| job.held);
        if waits {
            return None;
        }
        (victim != grower || is_last && !alone).then_some(victim)
    }

    /// Those that run, are in no batch and rank after `request`, the last first. Only under
    /// feedback.
    pub(in crate::serving) fn worse_than(&self, request: u32) -> impl Iterator<Item = u32> {
        let entry = self.entries.get(request).expect("the job is here");
        let worse = self.ranked.range(entry.rank..).rev();
        let worse = worse.map(|rank| self.job(rank.request));
        let idle = worse.filter(move |job| !job.busy && job.request != request);
        idle.map(|job| job.request)
    }

    fn last_ranked(&self) -> (u32, bool) {
        let mut worst = self.ranked.iter().rev();
        let last = self.ranked.last().map(|rank| rank.request);
        let idle = worst.find(|rank| !self.job(rank.request).busy);
        let idle = idle.expect("who grows is in no batch").request;
        (idle, last == Some(idle))
    }

    fn last_of_lowest_class(&self) -> (u32, bool) {
        let key = |(place, job): (usize, &Job)| (job.priority, place, job.request);
        let all = || self.running().enumerate();
        let last = all().map(key).max();
        let idle = all().filter(|(_, job)| !job.busy).map(key).max();
        let idle = idle.expect("who grows is in no batch");
        (idle.2, last == Some(idle))
    }
}
