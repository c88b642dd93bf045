//! Splits RON text into tokens with their places.
//!
//! Comments (`//`, nested `/* */`) and whitespace vanish here. Byte strings and
//! characters in single quotes are RON that no scenario field takes, so they are
//! refused with a hint instead of being carried along.

use super::{Place, SyntaxError};

/// One token's kind and, where it has one, its content.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Word(String),
    Number(String),
    Text(String),
    /// One of `( ) [ ] { } : , # ! =`
    Mark(char),
    End,
}

/// The blank start of a token's line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Indent {
    pub(super) width: usize,
    /// Whether nothing stands before the token.
    pub(super) is_first: bool,
}

pub(super) struct Lexer<'a> {
    text: &'a str,
    source: u32,
    at: usize,
    /// Whether the text is JSON, which has other escapes and no parentheses.
    json: bool,
    /// Where the line of the last token starts, and how wide its blank start is: kept, for
    /// looking back to it from every bracket of a long line takes time by the line's square.
    line: usize,
    blank: usize,
    /// Where the last token starts.
    token: usize,
}

impl<'a> Lexer<'a> {
    /// Reads `text` from byte `start` on.
    pub(super) fn new(text: &'a str, start: usize, source: u32) -> Self {
        let byte_order_mark = text[start..].starts_with('\u{feff}');
        let at = start + if byte_order_mark { 3 } else { 0 };
        Self {
            text,
            source,
            at,
            json: false,
            line: start,
            blank: 0,
            token: start,
        }
    }

    /// Reads `text` as JSON.
    pub(super) fn json(text: &'a str, source: u32) -> Self {
        Self {
            json: true,
            ..Self::new(text, 0, source)
        }
    }

    /// What was written at `place`.
    pub(super) fn text(&self, place: Place) -> &'a str {
        &self.text[place.start as usize..place.end as usize]
    }

    /// How far the line of the last token is indented, and whether that token is its first.
    pub(super) fn indent(&self) -> Indent {
        Indent {
            width: self.blank,
            is_first: self.token == self.line + self.blank,
        }
    }

    /// Remembers a token that starts at `start`, and its line.
    fn begin(&mut self, start: usize) {
        let newline = self.text[self.token..start].rfind('\n');
        let at_start = self.token == self.line;
        self.line = newline.map_or(self.line, |newline| self.token + newline + 1);
        if newline.is_some() || at_start {
            let before = &self.text[self.line..start];
            self.blank = before.len() - before.trim_start().len();
        }
        self.token = start;
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn place(&self, start: usize) -> Place {
        Place {
            source: self.source,
            start: start as u32,
            end: self.at as u32,
        }
    }

    fn error(&self, start: usize, message: impl Into<String>, help: Option<&str>) -> SyntaxError {
        SyntaxError {
            message: message.into(),
            help: help.map(str::to_owned),
            place: self.place(start),
        }
    }

    fn take_while(&mut self, accept: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|c| !accept(c)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    fn skip_blanks(&mut self) -> Result<(), SyntaxError> {
        loop {
            self.take_while(char::is_whitespace);
            if self.rest().starts_with("//") {
                self.take_while(|c| c != '\n');
            } else if self.rest().starts_with("/*") {
                self.skip_block_comment()?;
            } else {
                return Ok(());
            }
        }
    }

    fn skip_block_comment(&mut self) -> Result<(), SyntaxError> {
        let start = self.at;
        let mut depth = 0usize;
        loop {
            if self.rest().starts_with("/*") {
                depth += 1;
                self.at += 2;
            } else if self.rest().starts_with("*/") {
                depth -= 1;
                self.at += 2;
                if depth == 0 {
                    return Ok(());
                }
            } else if let Some(c) = self.rest().chars().next() {
                self.at += c.len_utf8();
            } else {
                self.at = start + 2;
                return Err(self.error(
                    start,
                    "this comment is never closed",
                    Some("end it with `*/`"),
                ));
            }
        }
    }

    /// The next token and its place; [`Token::End`] at the end, again and again.
    pub(super) fn next(&mut self) -> Result<(Token, Place), SyntaxError> {
        self.skip_blanks()?;
        let start = self.at;
        self.begin(start);
        let Some(first) = self.rest().chars().next() else {
            return Ok((Token::End, self.place(start)));
        };
        let token = match first {
            '(' | ')' if self.json => {
                self.at += 1;
                let help = "JSON has braces and brackets; a scenario in RON is a file that ends \
                            in .ron";
                let message = format!("`{first}` has no meaning in JSON");
                return Err(self.error(start, message, Some(help)));
            }
            '(' | ')' | '[' | ']' | '{' | '}' | ':' | ',' | '#' | '!' | '=' => {
                self.at += 1;
                Token::Mark(first)
            }
            '"' => self.quoted()?,
            '0'..='9' | '+' | '-' | '.' => self.number()?,
            'r' if self.rest()[1..].trim_start_matches('#').starts_with('"') => self.raw_text()?,
            _ if first.is_alphabetic() || first == '_' => Token::Word(
                self.take_while(|c| c.is_alphanumeric() || c == '_')
                    .to_owned(),
            ),
            _ => {
                self.at += first.len_utf8();
                let help = look_alike(first);
                return Err(self.error(start, format!("`{first}` has no meaning here"), help));
            }
        };
        if self.rest().starts_with(['"', '\'']) && matches!(token, Token::Word(_)) {
            return Err(self.error(
                start,
                "byte strings and characters have no use in a scenario",
                Some("texts stand in plain double quotes"),
            ));
        }
        Ok((token, self.place(start)))
    }

    fn number(&mut self) -> Result<Token, SyntaxError> {
        let start = self.at;
        self.take_while(|c| c == '+' || c == '-');
        let mut previous = ' ';
        let hexadecimal = self.rest().starts_with("0x");
        while let Some(c) = self.rest().chars().next() {
            let exponent_sign =
                (c == '+' || c == '-') && matches!(previous, 'e' | 'E') && !hexadecimal;
            if !(c.is_alphanumeric() || c == '_' || c == '.' || exponent_sign) {
                break;
            }
            previous = c;
            self.at += c.len_utf8();
        }
        let text = &self.text[start..self.at];
        if super::number::is_number(text) {
            return Ok(Token::Number(text.to_owned()));
        }
        Err(self.error(
            start,
            format!("`{text}` is not a number"),
            Some("a quantity is a text with its unit, such as \"10 MHz\""),
        ))
    }

    fn quoted(&mut self) -> Result<Token, SyntaxError> {
        let start = self.at;
        self.at += 1;
        let mut content = String::new();
        loop {
            content.push_str(self.take_while(|c| c != '"' && c != '\\'));
            match self.rest().chars().next() {
                Some('"') => {
                    self.at += 1;
                    return Ok(Token::Text(content));
                }
                Some(_) => self.escape(&mut content)?,
                None => return Err(self.unclosed_text(start)),
            }
        }
    }

    fn unclosed_text(&mut self, start: usize) -> SyntaxError {
        self.at = start + 1;
        self.error(start, "this text is never closed", Some("end it with `\"`"))
    }

    fn escape(&mut self, content: &mut String) -> Result<(), SyntaxError> {
        let start = self.at;
        self.at += 1;
        let escaped = self.rest().chars().next();
        self.at += escaped.map_or(0, char::len_utf8);
        let plain = match escaped {
            Some(c @ ('"' | '\\' | '\'')) => Some(c),
            Some('n') => Some('\n'),
            Some('r') => Some('\r'),
            Some('t') => Some('\t'),
            Some('0') => Some('\0'),
            Some('/') if self.json => Some('/'),
            Some('b') if self.json => Some('\u{8}'),
            Some('f') if self.json => Some('\u{c}'),
            Some('u') if self.json => self.utf_16(),
            Some('x') => {
                let digits: String = self.rest().chars().take(2).collect();
                self.at += digits.len();
                u8::from_str_radix(&digits, 16).ok().map(char::from)
            }
            Some('u') if self.rest().starts_with('{') => {
                self.at += 1;
                let digits = self.take_while(|c| c.is_ascii_hexdigit());
                let code = u32::from_str_radix(digits, 16).ok();
                let closed = self.rest().starts_with('}');
                self.at += usize::from(closed);
                code.filter(|_| closed).and_then(char::from_u32)
            }
            _ => None,
        };
        let Some(plain) = plain else {
            return Err(self.error(
                start,
                format!("`{}` is no escape", &self.text[start..self.at]),
                Some(
                    "write `\\\\` for a backslash, or a whole path with `/` or as r\"C:\\folder\"; known are \
                     \\n \\r \\t \\0 \\\" \\xHH \\u{…}",
                ),
            ));
        };
        content.push(plain);
        Ok(())
    }

    /// The character of `\u0041`, or of a pair of such, behind its first `\u`.
    fn utf_16(&mut self) -> Option<char> {
        let first = self.four_digits()?;
        let units = match first {
            0xd800..0xdc00 if self.rest().starts_with("\\u") => {
                self.at += 2;
                vec![first, self.four_digits()?]
            }
            _ => vec![first],
        };
        let mut decoded = char::decode_utf16(units);
        decoded.next()?.ok()
    }

    fn four_digits(&mut self) -> Option<u16> {
        let digits = self.rest().get(..4)?;
        let unit = u16::from_str_radix(digits, 16).ok()?;
        self.at += 4;
        Some(unit)
    }

    fn raw_text(&mut self) -> Result<Token, SyntaxError> {
        let start = self.at;
        self.at += 1;
        let hashes = self.take_while(|c| c == '#').len();
        self.at += 1;
        let end = format!("\"{}", "#".repeat(hashes));
        let Some(length) = self.rest().find(&end) else {
            return Err(self.unclosed_text(start));
        };
        let content = self.rest()[..length].to_owned();
        self.at += length + end.len();
        Ok(Token::Text(content))
    }
}

/// What to write in place of a character that only looks like one of RON's.
fn look_alike(c: char) -> Option<&'static str> {
    match c {
        '\'' | '“' | '”' | '„' | '‘' | '’' | '«' | '»' | '`' => {
            Some("texts stand in double quotes, \"so\"")
        }
        '−' | '‐' | '‑' | '‒' | '–' | '—' => Some("a minus is written `-`"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The indent by looking back from the token at `place`.
    fn looked_up(text: &str, place: Place) -> Indent {
        let before = &text[..place.start as usize];
        let line = &before[before.rfind('\n').map_or(0, |at| at + 1)..];
        let rest = line.trim_start();
        Indent {
            width: line.len() - rest.len(),
            is_first: rest.is_empty(),
        }
    }

    proptest! {
        #[test]
        fn the_indent_that_is_kept_is_that_of_the_line(
            text in "([ \t]{0,3}([\\[\\](){}:,]|[a-z]{1,3}|\"a\nb\"|/\\*\n?\\*/|//x)?\n?){0,12}",
        ) {
            let mut lexer = Lexer::new(&text, 0, 0);
            while let Ok((token, place)) = lexer.next() {
                if token == Token::End {
                    break;
                }
                prop_assert_eq!(lexer.indent(), looked_up(&text, place), "{:?} in {:?}", token, text);
            }
        }
    }
}
