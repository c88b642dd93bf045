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

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// Relative luminance by WCAG 2.2.
    fn luminance(colour: &str) -> f64 {
        let channel = |place: usize| {
            let value = u8::from_str_radix(&colour[place..place + 2], 16).unwrap();
            let value = f64::from(value) / 255.0;
            match value <= 0.040_45 {
                true => value / 12.92,
                false => libm::pow((value + 0.055) / 1.055, 2.4),
            }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    }

    fn contrast(a: &str, b: &str) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// The colours of every block of the style that sets a page's.
    fn palettes() -> Vec<BTreeMap<String, String>> {
        let blocks = STYLE.split('}').filter(|block| block.contains("--page:"));
        let colours = |block: &str| {
            let block = block.rsplit('{').next().unwrap().to_owned();
            let pairs = block.split(';').filter_map(|pair| {
                let (name, colour) = pair.trim().strip_prefix("--")?.split_once(": ")?;
                Some((name.to_owned(), colour.to_owned()))
            });
            pairs.collect()
        };
        blocks.map(colours).collect()
    }

    #[test]
    fn fills_and_words_stand_out_in_light_in_dark_and_on_paper() {
        let palettes = palettes();
        assert_eq!(palettes.len(), 3);
        let fills = [
            "compute", "uplink", "downlink", "transfer", "delays", "waiting", "critical",
        ];
        for palette in palettes {
            let page = &palette["page"];
            for fill in fills {
                let contrast = contrast(&palette[fill], page);
                assert!(contrast >= 3.0, "{fill} on {page}: {contrast}");
            }
            for (words, below) in [
                ("text", "page"),
                ("soft", "page"),
                ("text", "card"),
                ("soft", "card"),
                ("text", "tint"),
                ("compute", "page"),
            ] {
                let contrast = contrast(&palette[words], &palette[below]);
                assert!(contrast >= 4.5, "{words} on {below}: {contrast}");
            }
        }
    }

    #[test]
    fn the_colours_of_paper_are_those_of_the_light() {
        let palettes = palettes();
        let fills = |place: usize| -> Vec<&String> {
            let names = [
                "compute", "uplink", "downlink", "transfer", "delays", "waiting",
            ];
            names.iter().map(|name| &palettes[place][*name]).collect()
        };
        assert_eq!(fills(0), fills(2));
        assert_ne!(fills(0), fills(1));
    }
}
