//! A comparison on one page.

use super::text::{MOST_SETTINGS, change, difference, short, value};
use super::{FirstEvent, RunComparison};
use crate::report::overview::Overview;
use crate::report::run::{KEYS, PageError};
use crate::report::{page, timeline};
use crate::results::drawn::EVENTS;
use crate::text::Markup;
use std::fmt::Write as _;
use std::io::Write;

impl RunComparison {
    /// Writes the page; its timelines are those of the runs that kept their event logs.
    ///
    /// # Errors
    /// If a log cannot be used, or `out` cannot be written.
    pub fn write_page(&self, mut out: &mut dyn Write) -> Result<(), PageError> {
        let (a, b) = (self.a.manifest.title(), self.b.manifest.title());
        page::begin(&mut out, &format!("{a} and {b}"))?;
        let mut html = "<dl class=facts>".to_owned();
        for (name, side, title) in [("A", &self.a, &a), ("B", &self.b, &b)] {
            // Writing to a String cannot fail.
            let _ = writeln!(
                html,
                "<dt>{name}<dd>{} <code>{}</code>",
                Markup(title),
                Markup(&side.folder.display().to_string())
            );
        }
        html.push_str("</dl>\n");
        html += &self.settings_html();
        html += &self.metrics_html();
        html += &self.event_html();
        out.write_all(html.as_bytes())?;
        let mut script = false;
        for (name, side, title) in [("A", &self.a, &a), ("B", &self.b, &b)] {
            writeln!(
                out,
                "<h2 id={}>Timeline of {name}</h2>",
                name.to_lowercase()
            )?;
            if side.folder.join(EVENTS).is_file() {
                timeline::write(&Overview::read(&side.folder)?, title, &mut out)?;
                script = true;
            } else {
                writeln!(
                    out,
                    "<p>This run kept no event log; run its scenario with <code>--set trace=Full</code>.</p>"
                )?;
            }
        }
        if script {
            out.write_all(KEYS.as_bytes())?;
        }
        page::end(&mut out, script)?;
        Ok(())
    }

    fn settings_html(&self) -> String {
        let mut html = format!(
            "<h2 id=settings>Scenarios</h2>\n<p>{}</p>\n",
            self.scenarios()
        );
        let settings = self.settings.as_deref().unwrap_or_default();
        if settings.is_empty() {
            return html;
        }
        html.push_str("<div class=wide><table><tr><th scope=col class=words>A<th scope=col class=words>B</tr>\n");
        for (a, b) in settings.iter().take(MOST_SETTINGS) {
            let cell = |line: &Option<String>| match line {
                Some(line) => format!("<td class=words><code>{}</code>", Markup(line)),
                None => "<td class=words>–".to_owned(),
            };
            let _ = writeln!(html, "<tr>{}{}</tr>", cell(a), cell(b));
        }
        html.push_str("</table></div>\n");
        if settings.len() > MOST_SETTINGS {
            let _ = writeln!(html, "<p>And {} more.</p>", settings.len() - MOST_SETTINGS);
        }
        html
    }

    fn metrics_html(&self) -> String {
        let whole = self.longer();
        let mut html =
            "<h2 id=metrics>Metrics</h2>\n<div class=wide><table><tr><th scope=col>metric\
            <th scope=col>A<th scope=col>B<th scope=col>B − A<th scope=col>change</tr>\n"
                .to_owned();
        for pair in &self.metrics {
            let meaning = Markup(pair.definition.meaning)
                .to_string()
                .replace('"', "&quot;");
            let _ = writeln!(
                html,
                "<tr><th scope=row title=\"{meaning}\">{}<td>{}<td>{}<td>{}<td>{}</tr>",
                pair.definition.name,
                value(pair, pair.a, whole),
                value(pair, pair.b, whole),
                if pair.is_equal() {
                    "equal".to_owned()
                } else {
                    difference(pair)
                },
                if pair.is_equal() {
                    String::new()
                } else {
                    change(pair)
                },
            );
        }
        html.push_str("</table></div>\n");
        html
    }

    fn event_html(&self) -> String {
        let mut html = format!(
            "<h2 id=event>First event that differs</h2>\n<p>{}</p>\n",
            Markup(&self.parting())
        );
        if let Some(FirstEvent::Row { cells, .. }) = &self.event {
            html.push_str("<div class=wide><table><tr><th scope=col>column<th scope=col>A<th scope=col>B</tr>\n");
            for (name, a, b) in cells {
                let _ = writeln!(
                    html,
                    "<tr><th scope=row>{}<td>{}<td>{}</tr>",
                    Markup(name),
                    Markup(&short(a)),
                    Markup(&short(b))
                );
            }
            html.push_str("</table></div>\n");
        }
        html
    }
}
