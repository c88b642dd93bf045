//! Where lanes lie in a panel: groups below each other, and in each the lanes of its nodes.

use super::{Group, Place, Timeline};

/// Where lanes lie in a panel.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Lanes {
    /// Upper edge of each group and the height of each of its lanes.
    groups: Vec<(i32, i32)>,
    /// Lower edge of the last.
    pub(super) height: i32,
}

impl Lanes {
    /// Lanes of `lane`, or more where a group would be less tall than its `least`, with `gap`
    /// between groups.
    pub(super) fn new(
        timeline: &Timeline,
        lane: i32,
        least: impl Fn(&Group) -> i32,
        gap: i32,
    ) -> Self {
        let mut top = 0;
        let groups = timeline.groups.iter().map(|group| {
            let rows = group.rows.len().max(1) as i32;
            let lane = lane.max((least(group) + rows - 1) / rows);
            let place = (top, lane);
            top += rows * lane + gap;
            place
        });
        let groups: Vec<(i32, i32)> = groups.collect();
        Self {
            groups,
            height: (top - gap).max(lane),
        }
    }

    pub(super) fn top(&self, (group, row): Place) -> i32 {
        let (top, lane) = self.groups[group];
        top + row as i32 * lane
    }

    pub(super) fn lane(&self, group: usize) -> i32 {
        self.groups[group].1
    }
}
