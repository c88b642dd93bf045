//! What every page has in common: one file that needs no network, readable in light and dark, on a
//! small screen and on paper.

use crate::text::Markup;
use std::io::{self, Write};

const STYLE: &str = include_str!("page.css");

/// The timelines' script, by subject.
const SCRIPT: &[&str] = &[
    include_str!("script/numbers.js"),
    include_str!("script/run.js"),
    include_str!("script/words.js"),
    include_str!("script/draw.js"),
    include_str!("script/input.js"),
    include_str!("script/timeline.js"),
];

/// Begins a page.
pub(super) fn begin(out: &mut dyn Write, title: &str) -> io::Result<()> {
    let title = Markup(title);
    write!(
        out,
        "<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n\
         <meta name=viewport content=\"width=device-width, initial-scale=1\">\n\
         <meta name=color-scheme content=\"light dark\">\n<title>{title}</title>\n\
         <link rel=icon href=\"data:,\">\n<style>\n{STYLE}</style>\n<main>\n<h1>{title}</h1>\n"
    )
}

/// Ends it; with `script`, its timelines come alive.
pub(super) fn end(out: &mut dyn Write, script: bool) -> io::Result<()> {
    writeln!(out, "</main>")?;
    if script {
        write!(out, "<script>\n\"use strict\";\n(() => {{\n")?;
        for part in SCRIPT {
            out.write_all(part.as_bytes())?;
        }
        write!(out, "}})();\n</script>\n")?;
    }
    writeln!(out, "</html>")
}

/// A figure, and what it is called. It is drawn on paper, so that it stays on white in the dark.
pub(super) fn figure(out: &mut dyn Write, svg: &str, caption: &str) -> io::Result<()> {
    writeln!(
        out,
        "<figure class=paper><div class=wide>{svg}</div><figcaption>{}</figcaption></figure>",
        Markup(caption)
    )
}

/// A cell whose bar fills `share` of it, behind its text.
pub(super) fn bar(share: f64, text: &str) -> String {
    format!(
        "<td class=bar style=\"--share:{:.1}%\">{}",
        100.0 * share.clamp(0.0, 1.0),
        Markup(text)
    )
}
