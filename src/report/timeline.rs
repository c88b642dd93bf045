//! The timeline of a page: what the script draws, what it tells, and how it is moved.

use super::data;
use super::overview::Overview;
use crate::results::events::Owner;
use crate::results::readable::{percent, seconds_of};
use crate::text::Markup;
use std::fmt::Write as _;
use std::io::{self, Write};

/// Lanes whose numbers are shown without being asked for.
const FEW_LANES: usize = 40;

/// Writes the timeline of `run`, which is called `name`.
pub(super) fn write(run: &Overview, name: &str, mut out: &mut dyn Write) -> io::Result<()> {
    let name = Markup(name);
    write!(
        out,
        "<section class=timeline>\n{}<div class=lanes tabindex=0 role=application \
         aria-roledescription=timeline aria-label=\"Timeline. {name}\" aria-describedby=keys>\
         <div class=spacer><canvas></canvas></div></div>\n\
         <p class=window></p>\n<pre class=detail aria-live=polite></pre>\n<div class=\"print paper\"></div>\n\
         <noscript><p>The timeline is drawn by a script.</p></noscript>\n\
         <script type=\"application/json\">",
        include_str!("tools.html"),
    )?;
    data::write(run, &mut out)?;
    writeln!(out, "</script>\n</section>")?;
    out.write_all(table(run).as_bytes())
}

/// What each lane amounts to, in numbers.
fn table(run: &Overview) -> String {
    let open = if run.lanes.len() <= FEW_LANES {
        " open"
    } else {
        ""
    };
    let makespan = run.makespan;
    let mut html = format!(
        "<details{open}><summary>Lanes in numbers</summary>\n<div class=wide><table>\
         <tr><th scope=col>who<th scope=col class=words>lane<th scope=col class=words>what<th scope=col>tasks\
         <th scope=col>time<th scope=col>of the run</tr>\n"
    );
    for lane in &run.lanes {
        let who = match lane.owner {
            Owner::Nobody => "requests",
            owner => run.names.owner_name(owner),
        };
        let share = lane.busy.0 as f64 / makespan.0.max(1) as f64;
        // Writing to a String cannot fail.
        let _ = writeln!(
            html,
            "<tr><th scope=row>{}<td class=words>{}<td class=words>{}<td>{}<td>{}{}</tr>",
            Markup(who),
            Markup(&lane.name),
            lane.shows.name(),
            lane.count,
            seconds_of(lane.busy.as_seconds(), makespan.as_seconds()),
            super::page::bar(share, &percent(share)),
        );
    }
    html.push_str("</table></div></details>\n");
    html
}
