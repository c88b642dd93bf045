//! Who sends to whom: pairs of tasks between which something crosses the air.

use super::{Events, Owner};
use crate::engine::Kind;
use std::collections::BTreeMap;

impl Events {
    /// Pairs of tasks, by the first one's place: a sender and who goes on with what it
    /// sent. From each uplink to the server's task that follows; from the server's
    /// multicast, or else from the task before, to every device's reception.
    pub fn deliveries(&self) -> Vec<(u32, u32)> {
        let mut released: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for (task, index) in self.tasks.iter().zip(0..) {
            if let (Some(releaser), Some(_)) = (task.released_by, task.resource) {
                released.entry(releaser).or_default().push(index);
            }
        }
        let groups = self.groups();
        let mut pairs = Vec::new();
        for (releaser, followers) in released {
            let before = self.task(releaser);
            let at_server = |index: &&u32| self.owner(self.task(**index)) == Owner::Server;
            let server = followers.iter().find(at_server).copied();
            let last = match before.kind {
                Kind::Barrier => before.released_by,
                _ => Some(releaser),
            };
            let Some(last) = last else { continue };
            if let Some(server) = server
                && self.task(last).kind == Kind::Uplink
            {
                let arrived = groups.of(last).iter().copied();
                let arrived = arrived.filter(|sent| self.task(*sent).end <= before.end);
                pairs.extend(arrived.map(|sent| (sent, server)));
            }
            let multicast = server.filter(|index| self.task(*index).kind == Kind::Downlink);
            let receives = |index: &&u32| {
                let task = self.task(**index);
                task.kind == Kind::Downlink && matches!(self.owner(task), Owner::Device(_))
            };
            let sender = multicast.unwrap_or(last);
            if self.task(sender).resource.is_some() {
                let receivers = followers.iter().filter(receives);
                pairs.extend(receivers.map(|receiver| (sender, *receiver)));
            }
        }
        pairs.sort_unstable();
        pairs
    }
}
