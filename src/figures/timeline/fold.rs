//! Folding: nodes whose lanes show the same become one group.
//!
//! Let C(t) be for how long a lane has been busy up to t. Two nodes show the same within ε if they
//! have the same lanes and |C_a(t) − C_b(t)| ≤ ε for each lane at every t, for what is shown, for
//! other passes and for waiting: then no edge of a stretch longer than ε lies further than ε from
//! that of the other node. Every node of a group is so to its first, whose lanes are drawn.
//!
//! Nothing is lost: barriers held add up, and the critical path keeps its stretches.

use super::{Barrier, Group, Place, Row, Stretch, Timeline};
use crate::units::Duration;
use std::collections::BTreeMap;

/// How many lanes are drawn before any fold.
pub const UNFOLDED: usize = 24;

/// How many lanes can be read. With more, nodes fold that are less alike.
pub const READABLE: usize = 64;

/// The largest share of the time shown within which nodes fold.
const COARSEST: f64 = 0.05;

/// Within what nodes are the same: the ε of the time shown and of its longest part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tolerance {
    /// Over the whole.
    pub whole: Duration,
    /// Over its longest part.
    pub detail: Duration,
}

impl Tolerance {
    fn doubled(self) -> Self {
        let twice = |it: Duration| Duration(it.0.saturating_mul(2).max(1));
        Self {
            whole: twice(self.whole),
            detail: twice(self.detail),
        }
    }
}

/// The largest |C_a(t) − C_b(t)| within `window`.
fn apart(a: &[Stretch], b: &[Stretch], window: Stretch) -> Duration {
    let edges = |stretches: &[Stretch], sign: i64| {
        let parts: Vec<_> = stretches
            .iter()
            .filter_map(|it| it.within(window))
            .collect();
        parts
            .into_iter()
            .flat_map(move |part| [(part.start, sign), (part.end, -sign)])
    };
    let mut edges: Vec<_> = edges(a, 1).chain(edges(b, -1)).collect();
    edges.sort_unstable();
    let (mut last, mut slope, mut difference, mut most) = (window.start, 0, 0i128, 0);
    for (at, change) in edges {
        difference += i128::from(slope) * i128::from(at.since(last).0);
        most = most.max(difference.unsigned_abs());
        (last, slope) = (at, slope + change);
    }
    Duration(u64::try_from(most).unwrap_or(u64::MAX))
}

impl Timeline {
    fn alike(&self, a: &Group, b: &Group, tolerance: Tolerance) -> bool {
        let lanes = |group: &Group| -> Vec<_> {
            let rows = group.rows.iter();
            rows.map(|row| row.lane.clone()).collect()
        };
        let detail = self.detail.as_ref().map(|detail| detail.window);
        let same = |a: &[Stretch], b: &[Stretch]| {
            apart(a, b, self.whole) <= tolerance.whole
                && detail.is_none_or(|window| apart(a, b, window) <= tolerance.detail)
        };
        let rows = |(a, b): (&Row, &Row)| same(&a.own, &b.own) && same(&a.others, &b.others);
        lanes(a) == lanes(b) && same(&a.waiting, &b.waiting) && a.rows.iter().zip(&b.rows).all(rows)
    }

    /// For each group the first one like it, itself if there is none before.
    fn leaders(&self, tolerance: Tolerance) -> Vec<usize> {
        let mut leaders: Vec<usize> = Vec::new();
        for (number, group) in self.groups.iter().enumerate() {
            let mut firsts = (0..number).filter(|first| leaders[*first] == *first);
            let like = firsts.find(|first| self.alike(&self.groups[*first], group, tolerance));
            leaders.push(like.unwrap_or(number));
        }
        leaders
    }

    fn lanes_of(&self, leaders: &[usize]) -> usize {
        let groups = leaders.iter().enumerate();
        let firsts = groups.filter(|(number, leader)| number == *leader);
        firsts
            .map(|(number, _)| self.groups[number].rows.len())
            .sum()
    }

    fn gathered(self, leaders: &[usize], tolerance: Tolerance) -> Self {
        let mut places: BTreeMap<usize, usize> = BTreeMap::new();
        let mut groups: Vec<Group> = Vec::new();
        for (group, leader) in self.groups.into_iter().zip(leaders) {
            match places.get(leader) {
                Some(place) => {
                    let first: &mut Group = &mut groups[*place];
                    first.nodes.extend(group.nodes);
                    first.held += group.held;
                }
                None => {
                    places.insert(*leader, groups.len());
                    groups.push(group);
                }
            }
        }
        let moved = |(group, lane): Place| (places[&leaders[group]], lane);
        let barriers = self.barriers.into_iter().map(|barrier| {
            let mut held_by: Vec<Place> = barrier.held_by.iter().copied().map(moved).collect();
            held_by.sort_unstable();
            held_by.dedup();
            Barrier { held_by, ..barrier }
        });
        let path = self.path.into_iter();
        Self {
            groups,
            barriers: barriers.collect(),
            path: path.map(|(place, part)| (moved(place), part)).collect(),
            folded: Some(tolerance),
            ..self
        }
    }
}

/// `timeline` with nodes folded that are the same within `tolerance`, if it has more than
/// `UNFOLDED` lanes; with more than `READABLE` even so, within the least multiple of it by a
/// power of two that leaves so many, up to a twentieth of the time shown.
pub fn fold(timeline: Timeline, tolerance: Tolerance) -> Timeline {
    if timeline.lanes() <= UNFOLDED {
        return timeline;
    }
    let coarsest = (timeline.whole.length().0 as f64 * COARSEST) as u64;
    let mut tolerance = tolerance;
    let mut leaders = timeline.leaders(tolerance);
    while timeline.lanes_of(&leaders) > READABLE && tolerance.whole.0 < coarsest {
        tolerance = tolerance.doubled();
        leaders = timeline.leaders(tolerance);
    }
    if leaders.iter().enumerate().all(|(own, first)| own == *first) {
        return timeline;
    }
    timeline.gathered(&leaders, tolerance)
}

#[cfg(test)]
mod tests {
    use super::super::Lane;
    use super::*;
    use crate::engine::Kind;
    use crate::units::Instant;

    fn stretch(start: u64, end: u64) -> Stretch {
        Stretch {
            start: Instant(start),
            end: Instant(end),
        }
    }

    fn group(name: &str, own: Vec<Stretch>, held: u64) -> Group {
        Group {
            nodes: vec![name.to_owned()],
            rows: vec![Row {
                lane: Lane {
                    kind: Kind::Compute,
                    name: "compute".to_owned(),
                },
                own,
                others: Vec::new(),
            }],
            waiting: Vec::new(),
            held,
        }
    }

    /// Sixty nodes busy for a tenth of the time, each `step` later than the last, and one that
    /// is busy twice.
    fn timeline(step: u64) -> Timeline {
        let late = |k: u64| vec![stretch(k * step, 100 + k * step)];
        let mut groups: Vec<Group> = (0..60)
            .map(|k| group(&format!("phone{k}"), late(k), k % 2))
            .collect();
        groups.push(group(
            "phone60",
            vec![stretch(0, 100), stretch(700, 800)],
            3,
        ));
        let barrier = Barrier {
            at: Instant(160),
            stage: "gather".to_owned(),
            held_by: vec![(1, 0), (59, 0)],
            holders: vec!["phone1, compute".to_owned(), "phone59, compute".to_owned()],
            lead: Duration(0),
        };
        Timeline {
            title: String::new(),
            subject: "the whole pass",
            groups,
            barriers: vec![barrier],
            path: vec![((2, 0), stretch(0, 50)), ((60, 0), stretch(700, 800))],
            whole: stretch(0, 1000),
            detail: None,
            folded: None,
        }
    }

    const EPSILON: Tolerance = Tolerance {
        whole: Duration(4),
        detail: Duration(4),
    };

    /// |C_a − C_b| at every instant, counted one by one.
    fn counted(a: &[Stretch], b: &[Stretch], window: Stretch) -> u64 {
        let busy = |of: &[Stretch], at: u64| {
            let running = of.iter().filter(|it| it.start.0 <= at && at < it.end.0);
            running.count() as i64
        };
        let (mut difference, mut most) = (0i64, 0);
        for at in window.start.0..window.end.0 {
            difference += busy(a, at) - busy(b, at);
            most = most.max(difference.unsigned_abs());
        }
        most
    }

    #[test]
    fn how_far_lanes_are_apart_is_what_counting_instants_gives() {
        let lanes = [
            vec![],
            vec![stretch(0, 10)],
            vec![stretch(3, 13), stretch(20, 21)],
            vec![stretch(0, 4), stretch(5, 9), stretch(30, 45)],
        ];
        for a in &lanes {
            for b in &lanes {
                for window in [stretch(0, 50), stretch(4, 31)] {
                    assert_eq!(apart(a, b, window).0, counted(a, b, window));
                }
            }
        }
    }

    #[test]
    fn folding_keeps_nodes_barriers_and_path_and_no_node_is_further_than_it_says() {
        for step in [0, 1, 7] {
            let before = timeline(step);
            let after = fold(before.clone(), EPSILON);
            let names = |timeline: &Timeline| {
                let nodes = timeline.groups.iter().flat_map(|group| group.nodes.clone());
                let mut names: Vec<String> = nodes.collect();
                names.sort();
                names
            };
            let held = |timeline: &Timeline| -> u64 {
                timeline.groups.iter().map(|group| group.held).sum()
            };
            let path = |timeline: &Timeline| -> u64 {
                timeline.path.iter().map(|(_, part)| part.length().0).sum()
            };
            assert_eq!(names(&after), names(&before));
            assert_eq!(held(&after), held(&before));
            assert_eq!(path(&after), path(&before));
            assert_eq!(after.barriers[0].holders, before.barriers[0].holders);
            let Some(Tolerance { whole: most, .. }) = after.folded else {
                assert_eq!(step, 7, "each is too far from the next");
                continue;
            };
            for group in &after.groups {
                for name in &group.nodes {
                    let own = before.groups.iter().find(|it| it.nodes[0] == *name);
                    let own = &own.unwrap().rows[0].own;
                    let far = counted(own, &group.rows[0].own, before.whole);
                    assert!(far <= most.0, "{name}: {far}");
                }
            }
            // The one that is busy twice is alone, and the path still ends with it.
            let alone = after.groups.last().unwrap();
            assert_eq!(alone.nodes, ["phone60"]);
            assert_eq!(after.path[1].0, (after.groups.len() - 1, 0));
            assert!(after.lanes() <= READABLE);
        }
    }

    #[test]
    fn few_lanes_do_not_fold() {
        let mut few = timeline(0);
        few.groups.truncate(UNFOLDED);
        few.barriers.clear();
        few.path.clear();
        assert_eq!(fold(few.clone(), EPSILON), few);
    }
}
