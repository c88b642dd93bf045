//! An explanation in words and numbers: what `airloom explain` prints.

use super::explanation::{Explanation, most};
use crate::results::events::{Cause, Holder, Owner, Part, Split};
use crate::results::readable::{lines, percent, seconds, seconds_of};
use crate::units::Duration;
use std::fmt::{self, Write};

/// Causes that are told in words.
const TOLD: usize = 3;

/// The first column of tables, at its widest and at its narrowest, and what stands beside it.
const LABEL: usize = 34;
const SHORT_LABEL: usize = 16;
const BESIDE: usize = 34;

/// What tasks of a cause are called.
fn tasks_of(cause: Cause, count: u64) -> String {
    let (one, many) = match cause {
        Cause::Compute => ("computation", "computations"),
        Cause::Uplink | Cause::Downlink | Cause::Transfer => ("transmission", "transmissions"),
        Cause::Arrival => ("pause", "pauses"),
        Cause::Overhead => ("delay", "delays"),
    };
    format!("{count} {}", if count == 1 { one } else { many })
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        self.write(&mut text)?;
        for line in text.lines() {
            match self.columns {
                // Tables are narrow already.
                Some(columns) if !line.starts_with("  ") && line.chars().count() > columns => {
                    for line in lines(line, columns) {
                        writeln!(f, "{line}")?;
                    }
                }
                _ => writeln!(f, "{line}")?,
            }
        }
        Ok(())
    }
}

impl Explanation {
    /// The same for a terminal of so many columns, if there is one.
    #[must_use]
    pub fn within(mut self, columns: Option<usize>) -> Self {
        self.columns = columns;
        self
    }

    fn write(&self, f: &mut String) -> fmt::Result {
        let makespan = self.path.length();
        writeln!(
            f,
            "{}: {} of simulated time\n",
            self.folder.display(),
            seconds(makespan.as_seconds())
        )?;
        writeln!(
            f,
            "{} of {} tasks form the critical path: each started when the one before it ended.\n",
            self.path.tasks.len(),
            self.events.tasks.len()
        )?;
        self.table(f)?;
        self.nodes(f)?;
        self.causes(f)?;
        self.barriers(f)?;
        self.what_if(f)
    }

    /// The share of the run that `time` is.
    fn share(&self, time: Duration) -> String {
        percent(time.0 as f64 / self.path.length().0.max(1) as f64)
    }

    /// `time` as part of the run.
    fn part(&self, time: Duration) -> String {
        seconds_of(time.as_seconds(), self.path.length().as_seconds())
    }

    fn holder_name(&self, holder: Holder) -> String {
        match holder {
            Holder::One(owner) => self.events.owner_name(owner).to_owned(),
            Holder::Together => "nodes together".to_owned(),
        }
    }

    /// How wide the first column of tables is.
    fn label(&self) -> usize {
        let room = self
            .columns
            .map_or(LABEL, |columns| columns.saturating_sub(BESIDE));
        room.clamp(SHORT_LABEL, LABEL)
    }

    fn table(&self, f: &mut String) -> fmt::Result {
        let width = self.label();
        writeln!(
            f,
            "  {:<width$}{:>12}{:>10}{:>9}",
            "critical path", "time", "share", "tasks"
        )?;
        let row = |f: &mut String, label: String, part: &Part| {
            writeln!(
                f,
                "  {label:<width$}{:>12}{:>10}{:>9}",
                self.part(part.time),
                self.share(part.time),
                part.tasks
            )
        };
        for (cause, total) in self.path.causes() {
            row(f, cause.name().to_owned(), &total)?;
            for ((of, holder), part) in &self.path.parts {
                if *of == cause && *holder != Holder::One(Owner::Nobody) {
                    row(f, format!("  {}", self.holder_name(*holder)), part)?;
                }
            }
        }
        let tasks = self.path.parts.values().map(|part| part.tasks).sum();
        let whole = Part {
            time: self.path.length(),
            tasks,
            queued: Duration::ZERO,
        };
        row(f, "makespan".to_owned(), &whole)?;
        writeln!(f)
    }

    /// How each node spent the run; columns that are zero for all are left out.
    fn nodes(&self, f: &mut String) -> fmt::Result {
        let busy =
            |cause: Cause| move |split: &Split| split.busy.get(&cause).copied().unwrap_or_default();
        type Column = (&'static str, Box<dyn Fn(&Split) -> Duration>);
        let mut columns: Vec<Column> = Vec::new();
        for cause in Cause::ALL {
            columns.push((cause.name(), Box::new(busy(cause))));
        }
        columns.push(("waiting", Box::new(|split| split.waiting)));
        columns.push(("done", Box::new(|split| split.done)));
        columns.retain(|(_, of)| self.splits.values().any(|split| of(split) > Duration::ZERO));
        let names = || {
            self.splits
                .keys()
                .map(|node| self.events.nodes[*node as usize].as_str())
        };
        let longest = names().map(|name| name.chars().count()).max();
        let width = longest.unwrap_or(0).max(10);
        write!(f, "  {:<width$}", "node")?;
        for (name, _) in &columns {
            write!(f, "{name:>12}")?;
        }
        writeln!(f)?;
        for (name, split) in names().zip(self.splits.values()) {
            write!(f, "  {name:<width$}")?;
            for (_, of) in &columns {
                write!(f, "{:>12}", self.part(of(split)))?;
            }
            writeln!(f)?;
        }
        writeln!(f)
    }

    fn causes(&self, f: &mut String) -> fmt::Result {
        for (number, (cause, part)) in self.path.causes().into_iter().take(TOLD).enumerate() {
            write!(
                f,
                "{}. {} took {}, {} of the run: {}, {} each on average",
                number + 1,
                capitalised(cause.name()),
                seconds(part.time.as_seconds()),
                self.share(part.time),
                tasks_of(cause, part.tasks),
                seconds(part.time.as_seconds() / part.tasks as f64)
            )?;
            if let Some((holder, most)) = most(&self.path, cause)
                && holder != Holder::One(Owner::Nobody)
            {
                let share = percent(most.time.0 as f64 / part.time.0 as f64);
                let place = match holder {
                    Holder::Together => "on several nodes at once".to_owned(),
                    Holder::One(_) => format!("on {}", self.holder_name(holder)),
                };
                match most.time == part.time {
                    true => write!(f, ", all {place}")?,
                    false => write!(f, ", {share} of it {place}")?,
                }
            }
            if part.queued > Duration::ZERO {
                let queued = seconds(part.queued.as_seconds());
                write!(
                    f,
                    "; they had been ready for {queued} before their turn came"
                )?;
            }
            writeln!(f, ".")?;
        }
        Ok(())
    }

    fn barriers(&self, f: &mut String) -> fmt::Result {
        let barriers = &self.barriers;
        if barriers.count == 0 {
            return Ok(());
        }
        let width = self.label();
        writeln!(
            f,
            "\n  {:<width$}{:>12}{:>20}",
            "barriers held by", "barriers", "behind the others"
        )?;
        let mut held: Vec<_> = barriers.held.iter().collect();
        held.sort_by_key(|(who, held)| (std::cmp::Reverse(held.lead), **who));
        for ((owner, cause), held) in held {
            writeln!(
                f,
                "  {:<width$}{:>12}{:>20}",
                format!("{}, {cause}", self.events.owner_name(*owner)),
                held.barriers,
                format!(
                    "{} each",
                    seconds(held.lead.as_seconds() / held.barriers as f64)
                )
            )?;
        }
        if barriers.tied > 0 {
            let label = "several at once";
            writeln!(f, "  {label:<width$}{:>12}{:>20}", barriers.tied, "–")?;
        }
        writeln!(f, "  {:<width$}{:>12}", "in all", barriers.count)
    }

    fn what_if(&self, f: &mut String) -> fmt::Result {
        let makespan = self.path.length();
        for what_if in &self.what_if {
            let saved = makespan - Duration(what_if.makespan.0);
            let place = match what_if.owner {
                Some(owner) => format!(" on {} alone", self.events.owner_name(owner)),
                None => String::new(),
            };
            let what = match what_if.cause {
                Cause::Arrival => "all requests came after half the time".to_owned(),
                cause => format!("{cause} took half the time{place}"),
            };
            writeln!(
                f,
                "\nIf {what}, the run would end after {}: {} or {} sooner.",
                seconds(Duration(what_if.makespan.0).as_seconds()),
                seconds(saved.as_seconds()),
                self.share(saved)
            )?;
        }
        writeln!(
            f,
            "(Computed by running the same tasks again in the same order, with these durations.)"
        )
    }
}
