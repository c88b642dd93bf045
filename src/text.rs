//! Texts from outside where they are shown: each kind of page has characters that would act
//! instead of being read, and one type that shows them.
//!
//! Prompts, answers of a model, labels, names of files and whatever a damaged file holds are
//! put into a page through these types alone. What is written for programs, CSV and JSON, is
//! escaped by its own writers.

use std::fmt::{self, Display, Formatter, Write};

/// `text` on one line of a terminal or a message: control characters, line separators and
/// characters that turn the direction of writing appear as Rust and RON write them, `\n` or
/// `\u{1b}`.
#[derive(Debug, Clone, Copy)]
pub struct Visible<'a>(pub &'a str);

/// The same for text of several lines that are meant: line breaks stay.
#[derive(Debug, Clone, Copy)]
pub struct VisibleLines<'a>(pub &'a str);

/// `text` as the characters of an element of HTML, XML or SVG; line breaks stay.
#[derive(Debug, Clone, Copy)]
pub struct Markup<'a>(pub &'a str);

/// `text` as words of Markdown, also within a cell of a table.
#[derive(Debug, Clone, Copy)]
pub struct Markdown<'a>(pub &'a str);

/// Whether `c` does something where it is printed rather than being seen.
pub fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn put(f: &mut Formatter<'_>, c: char) -> fmt::Result {
    match c {
        '\0' => f.write_str("\\0"),
        c if acts(c) => write!(f, "{}", c.escape_default()),
        c => f.write_char(c),
    }
}

impl Display for Visible<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| put(f, c))
    }
}

impl Display for VisibleLines<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '\n' => f.write_char(c),
            c => put(f, c),
        })
    }
}

impl Display for Markup<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '\n' => f.write_char(c),
            c => put(f, c),
        })
    }
}

impl Display for Markdown<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut before = ' ';
        let mut rest = self.0.chars().peekable();
        while let Some(c) = rest.next() {
            let within_word =
                before.is_alphanumeric() && rest.peek().is_some_and(|next| next.is_alphanumeric());
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '\\' | '`' | '*' | '|' | '[' | ']' | '~' => write!(f, "\\{c}")?,
                '_' if !within_word => f.write_str("\\_")?,
                // Its backslash is to be read, too.
                c if acts(c) => write!(f, "\\{}", Visible(c.encode_utf8(&mut [0; 4])))?,
                c => f.write_char(c)?,
            }
            before = c;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_would_act_on_a_terminal_is_read_there() {
        let text = "a\u{1b}[31mb\r\n\t\0c\u{9b}d\u{202e}e µ–東京 \\n";
        assert_eq!(
            Visible(text).to_string(),
            r"a\u{1b}[31mb\r\n\t\0c\u{9b}d\u{202e}e µ–東京 \n"
        );
        assert_eq!(VisibleLines("a\nb\r").to_string(), "a\nb\\r");
    }

    #[test]
    fn markup_is_read_as_text() {
        assert_eq!(
            Markup("a < b && \"c\" > d\n\u{1b}").to_string(),
            "a &lt; b &amp;&amp; \"c\" &gt; d\n\\u{1b}"
        );
    }

    #[test]
    fn markdown_is_read_as_text() {
        assert_eq!(
            Markdown("B & <W> | a_b _c_ *d* `e` [f](g)\n").to_string(),
            r"B &amp; &lt;W> \| a_b \_c\_ \*d\* \`e\` \[f\](g)\\n"
        );
    }

    proptest! {
        #[test]
        fn nothing_acts_once_it_is_shown(text in any::<String>()) {
            let acting = |text: &str| text.contains(acts);
            prop_assert!(!acting(&Visible(&text).to_string()));
            prop_assert!(!acting(&Markdown(&text).to_string()));
            let markup = Markup(&text).to_string().replace('\n', "");
            prop_assert!(!acting(&markup) && !markup.contains(['<', '>']));
        }

        #[test]
        fn plain_words_stay_as_they_are(text in "[a-zA-Z0-9 .,;:%µ±−–()=+-]*") {
            prop_assert_eq!(Visible(&text).to_string(), text.clone());
            prop_assert_eq!(Markup(&text).to_string(), text.clone());
            prop_assert_eq!(Markdown(&text).to_string(), text);
        }
    }
}
