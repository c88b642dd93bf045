//! What all-reduces by messages take, in closed form, where nothing else is under way: what a
//! simulated one is held against, and what fits costs of messages to measured times.
//!
//! With o, r, s what a message costs its sender, its receiver and whoever goes on
//! ([`MessageCost`](crate::device::MessageCost)), τ = per_message + b/rate its time on a wire or a
//! port, d the delay, and N members of which one sums, one **star** takes up and down
//!
//! | links | up | down |
//! | --- | --- | --- |
//! | a wire from each member to the root | o + τ + d + (N−1) r + s | (N−1) o + τ + d + r + s |
//! | a switch | o + τ + d + r + (N−2) max(τ, r) + s | o + τ + (N−2) max(o, τ) + d + r + s |
//!
//! because the root hands messages over, and takes them, one by one, and one port of a switch
//! carries them one by one. A **ring** takes 2(N−1) (o + τ + d + r + s) with b the bits of a part
//! of N. This is the model of Alexandrov et al., "LogGP" (1995), with τ their g + (b−1)G.

use super::config::Wire;

/// What one message takes of everything that it meets, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Message {
    /// o, of its sender.
    pub send: f64,
    /// τ, on the wire or the port.
    pub occupies: f64,
    /// d, on its way.
    pub delay: f64,
    /// r, of its receiver.
    pub receive: f64,
    /// s, until its receiver goes on.
    pub synchronise: f64,
}

/// What joins the members of a star.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joined {
    /// A wire from each to the root.
    Wires,
    /// Ports of one switch.
    Switch,
}

impl Message {
    /// A message of `bits` over `wire`, or over a port that is one; jitter is left out.
    pub fn over(wire: &Wire, bits: u64) -> Self {
        let costs = wire.messages.unwrap_or_default();
        Self {
            send: costs.send.0,
            occupies: wire.per_message.0 + bits as f64 / wire.rate.0,
            delay: wire.delay.0,
            receive: costs.receive.0,
            synchronise: costs.synchronise.0,
        }
    }

    /// Alone, until its receiver goes on.
    pub fn alone(&self) -> f64 {
        self.send + self.occupies + self.delay + self.receive + self.synchronise
    }

    /// Seconds up to the root of a star of `members`, itself among them, and down again; nothing
    /// for one alone.
    pub fn star(&self, members: usize, joined: Joined) -> [f64; 2] {
        let Self {
            send,
            occupies,
            receive,
            ..
        } = *self;
        let Some(others) = members.checked_sub(2) else {
            return [0.0; 2];
        };
        let more = match joined {
            Joined::Wires => [receive, send],
            Joined::Switch => [occupies.max(receive), occupies.max(send)],
        };
        more.map(|each| self.alone() + others as f64 * each)
    }

    /// Seconds of a ring of `members`, of whose parts this is a message.
    pub fn ring(&self, members: usize) -> f64 {
        2.0 * members.saturating_sub(1) as f64 * self.alone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: Message = Message {
        send: 1.0,
        occupies: 4.0,
        delay: 10.0,
        receive: 2.0,
        synchronise: 0.5,
    };

    /// Each formula of the table, worked by hand for four members.
    #[test]
    fn stars_and_rings_are_what_they_say() {
        assert_eq!(MESSAGE.alone(), 17.5);
        assert_eq!(
            MESSAGE.star(4, Joined::Wires),
            [
                1.0 + 4.0 + 10.0 + 3.0 * 2.0 + 0.5,
                3.0 + 4.0 + 10.0 + 2.0 + 0.5
            ]
        );
        let port = 1.0 + 4.0 * 3.0 + 10.0 + 2.0 + 0.5;
        assert_eq!(MESSAGE.star(4, Joined::Switch), [port, port]);
        assert_eq!(MESSAGE.star(1, Joined::Switch), [0.0, 0.0]);
        assert_eq!(MESSAGE.ring(4), 6.0 * 17.5);
        assert_eq!(MESSAGE.ring(1), 0.0);
    }
}
