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

/// The blank start of a line.
pub(super) struct Indent {
    pub(super) width: usize,
    /// Whether nothing stands before the place asked for.
    pub(super) is_first: bool,
}

pub(super) struct Lexer<'a> {
    text: &'a str,
    source: u32,
    at: usize,
}

impl<'a> Lexer<'a> {
    /// Reads `text` from byte `start` on.
    pub(super) fn new(text: &'a str, start: usize, source: u32) -> Self {
        let byte_order_mark = text[start..].starts_with('\u{feff}');
        let at = start + if byte_order_mark { 3 } else { 0 };
        Self { text, source, at }
    }

    /// What was written at `place`.
    pub(super) fn text(&self, place: Place) -> &'a str {
        &self.text[place.start as usize..place.end as usize]
    }

    /// How far the line of `place` is indented, and whether `place` is its first.
    pub(super) fn indent(&self, place: Place) -> Indent {
        let before = &self.text[..place.start as usize];
        let line = &before[before.rfind('\n').map_or(0, |at| at + 1)..];
        let rest = line.trim_start();
        Indent {
            width: line.len() - rest.len(),
            is_first: rest.is_empty(),
        }
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
        let Some(first) = self.rest().chars().next() else {
            return Ok((Token::End, self.place(start)));
        };
        let token = match first {
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
                let help = (first == '\'').then_some("texts stand in double quotes");
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
                Some("write `\\\\` for a backslash; known are \\n \\r \\t \\0 \\\" \\xHH \\u{…}"),
            ));
        };
        content.push(plain);
        Ok(())
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
