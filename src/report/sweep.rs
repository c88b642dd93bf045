//! `index.html`: a sweep on one page, with links to the reports of its points.
//!
//! It lies in the sweep's folder and shows the figures that lie there too.

use super::page;
use super::run::FILE_NAME as REPORT;
use crate::results::comparison::{COLUMNS, words as shown};
use crate::results::outcomes::{Configuration, Outcomes};
use crate::results::points::Row;
use crate::results::sweep_record::SweepRecord;
use crate::scenario::Heading;
use crate::text::Markup;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;

/// The file's name.
pub const INDEX: &str = "index.html";

/// What the page of a sweep shows.
#[derive(Debug)]
pub struct SweepPage<'a> {
    /// The sweep's folder.
    pub folder: &'a Path,
    /// Which sweep it is.
    pub record: &'a SweepRecord,
    /// Its rows by configuration.
    pub outcomes: &'a Outcomes<'a>,
    /// A row per point and run.
    pub rows: &'a [Row],
    /// The figures and what else was published: paths within the folder.
    pub files: &'a [String],
}

/// `path` as a link: whatever is no plain character of a path is written in hexadecimal.
fn link(path: &str) -> String {
    let mut link = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                link.push(char::from(byte));
            }
            // Writing to a String cannot fail.
            _ => drop(write!(link, "%{byte:02X}")),
        }
    }
    link
}

/// A file's name as words: `tpot s over count` of `figures/tpot_s_over_count.svg`.
fn words(path: &str) -> String {
    let name = Path::new(path).file_stem().unwrap_or_default();
    name.to_string_lossy().replace('_', " ")
}

impl SweepPage<'_> {
    /// Writes the page.
    ///
    /// # Errors
    /// If `out` cannot be written.
    pub fn write(&self, mut out: &mut dyn Write) -> io::Result<()> {
        let SweepRecord {
            scenario_name,
            scenario,
            seed,
            points,
            ..
        } = self.record;
        page::begin(
            &mut out,
            &format!("{scenario_name} (seed {seed}): a sweep of {points} points"),
        )?;
        let count = |status: &str| self.rows.iter().filter(|row| row.status == status).count();
        let parts = ["done", "infeasible", "failed"].map(|status| (count(status), status));
        let told = parts.iter().filter(|(count, _)| *count > 0);
        let told: Vec<String> = told
            .map(|(count, status)| format!("{count} {status}"))
            .collect();
        writeln!(out, "<p>Of {points} points: {}.</p>", told.join(", "))?;
        out.write_all(self.configurations().as_bytes())?;
        let (figures, others): (Vec<&String>, Vec<&String>) =
            self.files.iter().partition(|file| file.ends_with(".svg"));
        if !figures.is_empty() {
            writeln!(out, "<h2 id=figures>Figures</h2>")?;
        }
        for file in figures {
            let (link, words) = (link(file), words(file));
            let words = Markup(&words);
            writeln!(
                out,
                "<figure class=paper><a href=\"{link}\"><img loading=lazy src=\"{link}\" alt=\"{}\"></a>\
                 <figcaption>{words}</figcaption></figure>",
                words.to_string().replace('"', "&quot;"),
            )?;
        }
        if !others.is_empty() {
            writeln!(out, "<h2 id=published>Published</h2>\n<ul>")?;
            for file in others {
                writeln!(out, "<li><a href=\"{}\">{}</a>", link(file), Markup(file))?;
            }
            writeln!(out, "</ul>")?;
        }
        out.write_all(self.points().as_bytes())?;
        writeln!(
            out,
            "<h2 id=scenario>Scenario</h2>\n<pre>{}</pre>",
            Markup(scenario)
        )?;
        page::end(&mut out, false)
    }

    /// A row per configuration: settings, runs, and the mean of each metric with half the width of
    /// its confidence interval.
    fn configurations(&self) -> String {
        let outcomes = self.outcomes;
        let measured = |name: &str| {
            let mut all = outcomes.configurations.iter();
            all.any(|configuration| configuration.estimate(name).is_some())
        };
        let columns: Vec<_> = COLUMNS.iter().filter(|(name, ..)| measured(name)).collect();
        let mut html =
            "<h2 id=settings>Settings</h2>\n<p>Means over the runs of each setting, and \
            half the width of their 95 % confidence interval by Student's t distribution.</p>\n\
            <div class=wide><table><tr>"
                .to_owned();
        for heading in &outcomes.headings {
            let _ = write!(
                html,
                "<th scope=col class=words>{}",
                Markup(&heading.title())
            );
        }
        html.push_str("<th scope=col>runs");
        for (_, heading, _) in &columns {
            let _ = write!(html, "<th scope=col>{}", Markup(heading));
        }
        html.push_str("</tr>\n");
        for configuration in &outcomes.configurations {
            html += &self.configuration(configuration);
            for column in &columns {
                let cell = configuration.estimate(column.0);
                let cell = cell.map(|estimate| shown(column, estimate));
                let _ = write!(
                    html,
                    "<td>{}",
                    Markup(&cell.unwrap_or_else(|| "–".to_owned()))
                );
            }
            html.push_str("</tr>\n");
        }
        html.push_str("</table></div>\n");
        html
    }

    fn configuration(&self, configuration: &Configuration<'_>) -> String {
        let cell = |heading: &Heading| {
            let value = heading.cell(configuration.choice[heading.axis]);
            format!("<td class=words>{}", Markup(value))
        };
        let cells: String = self.outcomes.headings.iter().map(cell).collect();
        let done = configuration.rows.iter();
        let done = done.filter(|row| row.metrics.is_some()).count();
        format!("<tr>{cells}<td>{done}")
    }

    /// A row per point and run, with the way to its report.
    fn points(&self) -> String {
        let mut html = "<h2 id=points>Points</h2>\n<div class=wide><table><tr><th scope=col>point\
            <th scope=col>run"
            .to_owned();
        let settings = self.rows.first().map(|row| row.settings.as_slice());
        for (path, _) in settings.unwrap_or_default() {
            let _ = write!(html, "<th scope=col class=words>{}", Markup(path));
        }
        html.push_str("<th scope=col class=words>what became of it</tr>\n");
        for row in self.rows {
            let _ = write!(html, "<tr><td>{}<td>{}", row.point, row.run);
            for (_, value) in &row.settings {
                let _ = write!(html, "<td class=words>{}", Markup(value));
            }
            let status = Markup(&row.status);
            let target = match row.folder.as_str() {
                "" => None,
                folder if self.folder.join(folder).join(REPORT).is_file() => {
                    Some((format!("{folder}/{REPORT}"), "report"))
                }
                folder => Some((format!("{folder}/metrics.json"), "metrics")),
            };
            let _ = match target {
                Some((target, name)) => {
                    let target = link(&target);
                    write!(
                        html,
                        "<td class=words>{status}: <a href=\"{target}\">{name}</a>"
                    )
                }
                None => write!(html, "<td class=words>{status}: {}", Markup(&row.reason)),
            };
            html.push_str("</tr>\n");
        }
        html.push_str("</table></div>\n");
        html
    }
}
