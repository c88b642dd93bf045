//! What nodes waited for, as matrices: a row per node, a column per cause, and one per node whose
//! doing it was.

use super::page::bar;
use super::waiting::Waiting;
use crate::results::events::{Cause, Events, Owner};
use crate::results::readable::{percent, seconds_of};
use crate::text::Markup;
use crate::units::{Duration, Instant};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Rows of nodes at most; those that waited longest are shown.
const MOST_ROWS: usize = 64;

/// Columns of nodes at most; those that were waited for longest are shown.
const MOST_COLUMNS: usize = 16;

/// What a cause is called over a column.
fn heading(cause: Cause) -> &'static str {
    match cause {
        Cause::Arrival => "arrivals",
        cause => cause.name(),
    }
}

/// The sums of `waiting` by one part of its key, the longest first.
fn longest<K: Ord + Copy>(
    waiting: &Waiting,
    key: impl Fn(Owner, Cause, Owner) -> K,
) -> Vec<(K, Duration)> {
    let mut sums: BTreeMap<K, Duration> = BTreeMap::new();
    for ((who, cause, whose), length) in waiting {
        *sums.entry(key(*who, *cause, *whose)).or_default() += *length;
    }
    let mut sums: Vec<_> = sums.into_iter().collect();
    sums.sort_by_key(|(key, length)| (std::cmp::Reverse(*length), *key));
    sums
}

/// One table: `columns` by their names, and a sum per node and column.
fn table<K: Ord + Copy>(
    names: &Events,
    rows: &[(Owner, Duration)],
    columns: &[(K, String)],
    sum: impl Fn(Owner, K) -> Duration,
    makespan: Instant,
) -> String {
    let whole = makespan.0.max(1) as f64;
    let mut html =
        "<div class=wide><table class=matrix><tr><th scope=col>who<th scope=col>waited".to_owned();
    for (_, name) in columns {
        // Writing to a String cannot fail.
        let _ = write!(html, "<th scope=col>{}", Markup(name));
    }
    html.push_str("</tr>\n");
    for (who, waited) in rows {
        let time = seconds_of(waited.as_seconds(), makespan.as_seconds());
        let _ = write!(
            html,
            "<tr><th scope=row>{}<td>{time}",
            Markup(names.owner_name(*who))
        );
        for (column, _) in columns {
            let share = sum(*who, *column).0 as f64 / whole;
            html.push_str(&match share {
                0.0 => "<td class=none>·".to_owned(),
                share => bar(share, &percent(share)),
            });
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</table></div>\n");
    html
}

/// The section of waiting.
pub(super) fn section(waiting: &Waiting, names: &Events, makespan: Instant) -> String {
    let mut html = "<h2 id=waiting>Waiting</h2>\n".to_owned();
    if waiting.is_empty() {
        html.push_str("<p>No node waited.</p>\n");
        return html;
    }
    html.push_str(
        "<p>Between two tasks of a node: what it waited for, and whose doing that was, in percent \
         of the run. What follows a node's last task is no waiting.</p>\n",
    );
    let mut rows = longest(waiting, |who, _, _| who);
    let more = rows.len().saturating_sub(MOST_ROWS);
    rows.truncate(MOST_ROWS);
    rows.sort_by_key(|(who, _)| *who);
    let of = |who: Owner, fits: &dyn Fn(Cause, Owner) -> bool| -> Duration {
        let all = waiting.range((who, Cause::ALL[0], Owner::Node(0))..);
        let own = all.take_while(|((own, _, _), _)| *own == who);
        own.filter(|((_, cause, whose), _)| fits(*cause, *whose))
            .map(|(_, length)| *length)
            .sum()
    };
    let mut causes = longest(waiting, |_, cause, _| cause);
    causes.sort_by_key(|(cause, _)| *cause);
    let causes: Vec<_> = causes
        .into_iter()
        .map(|(cause, _)| (cause, heading(cause).to_owned()))
        .collect();
    html += &table(
        names,
        &rows,
        &causes,
        |who, of_cause| of(who, &|cause, _| cause == of_cause),
        makespan,
    );
    let mut whose = longest(waiting, |_, _, whose| whose);
    let others: Vec<Owner> = whose
        .split_off(whose.len().min(MOST_COLUMNS))
        .into_iter()
        .map(|(whose, _)| whose)
        .collect();
    whose.sort_by_key(|(whose, _)| *whose);
    let mut columns: Vec<_> = whose
        .into_iter()
        .map(|(whose, _)| {
            let name = match whose {
                Owner::Nobody => "nobody's",
                owner => names.owner_name(owner),
            };
            (Some(whose), name.to_owned())
        })
        .collect();
    if !others.is_empty() {
        columns.push((None, format!("{} others", others.len())));
    }
    let sum = |who, column: Option<Owner>| {
        of(who, &|_, whose| match column {
            Some(column) => whose == column,
            None => others.contains(&whose),
        })
    };
    html += &table(names, &rows, &columns, sum, makespan);
    if more > 0 {
        let _ = writeln!(html, "<p>{more} more nodes waited less than these.</p>");
    }
    html
}
