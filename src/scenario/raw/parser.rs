//! Builds the tree of a RON text, or says where and why it cannot.

use super::lexer::{Lexer, Token};
use super::write::compact;
use super::{Field, Name, Node, Place, SyntaxError, Value};
use std::collections::BTreeSet;

/// How deep brackets may nest.
pub const MAX_DEPTH: usize = 64;

/// How long a text may be, in bytes.
pub const MAX_LENGTH: usize = 1 << 20;

/// Reads `text` as one RON value; places carry `source`.
///
/// A leading `#![enable(…)]` is accepted and has no effect: optional values may
/// always be written with or without `Some`.
///
/// # Errors
/// At the first place where the text is not RON, or nests deeper than
/// [`MAX_DEPTH`], or is longer than 1 MiB.
pub fn parse(text: &str, source: u32) -> Result<Node, SyntaxError> {
    parse_from(text, 0, source)
}

/// Like [`parse`], from byte `start` of `text` on: places count from its beginning.
///
/// # Errors
/// Those of [`parse`].
///
/// # Panics
/// If `start` is no character's start.
pub fn parse_from(text: &str, start: usize, source: u32) -> Result<Node, SyntaxError> {
    check_length(text, source)?;
    parse_own(text, start, source)
}

fn check_length(text: &str, source: u32) -> Result<(), SyntaxError> {
    if text.len() <= MAX_LENGTH {
        return Ok(());
    }
    Err(SyntaxError {
        message: format!("a scenario of more than {MAX_LENGTH} bytes is too long"),
        help: Some("shorten its lists and texts".to_owned()),
        place: Place {
            source,
            start: 0,
            end: 0,
        },
    })
}

/// Like [`parse_from`], for a text that was written from a tree or a scenario: what it was
/// made of had its limit already, and written out it may be longer.
pub(in crate::scenario) fn parse_own(
    text: &str,
    start: usize,
    source: u32,
) -> Result<Node, SyntaxError> {
    read(Lexer::new(text, start, source))
}

/// Reads `text` as one JSON value, whose objects become maps; comments may stand in it.
///
/// # Errors
/// Those of [`parse`], for JSON.
pub(in crate::scenario) fn parse_json(text: &str, source: u32) -> Result<Node, SyntaxError> {
    check_length(text, source)?;
    read(Lexer::json(text, source))
}

fn read(mut lexer: Lexer<'_>) -> Result<Node, SyntaxError> {
    let (token, place) = lexer.next()?;
    let mut parser = Parser {
        lexer,
        token,
        place,
        last: place,
        depth: 0,
        suspect: None,
    };
    parser.attributes()?;
    let node = parser.value()?;
    if parser.token != Token::End {
        return Err(parser.unexpected("the end of the text"));
    }
    Ok(node)
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    /// The token not yet taken, and its place.
    token: Token,
    place: Place,
    /// The place of the token taken last.
    last: Place,
    depth: usize,
    /// The first bracket whose closing one stands at another indent: probably the one
    /// that is not closed, if one is not.
    suspect: Option<(Place, char)>,
}

impl Parser<'_> {
    fn advance(&mut self) -> Result<Token, SyntaxError> {
        let (token, place) = self.lexer.next()?;
        self.last = self.place;
        self.place = place;
        Ok(std::mem::replace(&mut self.token, token))
    }

    fn at(&self, mark: char) -> bool {
        self.token == Token::Mark(mark)
    }

    fn expect(&mut self, mark: char) -> Result<(), SyntaxError> {
        if self.at(mark) {
            self.advance()?;
            return Ok(());
        }
        Err(self.unexpected(&format!("`{mark}`")))
    }

    fn error(&self, place: Place, message: impl Into<String>, help: &str) -> SyntaxError {
        SyntaxError {
            message: message.into(),
            help: Some(help.to_owned()).filter(|help| !help.is_empty()),
            place,
        }
    }

    fn unexpected(&self, wanted: &str) -> SyntaxError {
        let found = match &self.token {
            Token::Word(word) => format!("`{word}`"),
            Token::Number(number) => format!("the number {number}"),
            Token::Text(_) => "a text".to_owned(),
            Token::Mark(mark) => format!("`{mark}`"),
            Token::End => "the end of the text".to_owned(),
        };
        self.error(self.place, format!("expected {wanted}, found {found}"), "")
    }

    /// `#![enable(implicit_some)]` and the like.
    fn attributes(&mut self) -> Result<(), SyntaxError> {
        while self.at('#') {
            self.advance()?;
            self.expect('!')?;
            self.expect('[')?;
            while !self.at(']') {
                if self.token == Token::End {
                    return Err(self.unexpected("`]`"));
                }
                self.advance()?;
            }
            self.advance()?;
        }
        Ok(())
    }

    fn value(&mut self) -> Result<Node, SyntaxError> {
        let start = self.place;
        let value = match &self.token {
            Token::Number(_) | Token::Text(_) => match self.advance()? {
                Token::Number(number) => Value::Number(number),
                Token::Text(text) => Value::Text(text),
                _ => unreachable!("matched just above"),
            },
            Token::Word(_) => {
                let Token::Word(text) = self.advance()? else {
                    unreachable!("matched just above")
                };
                if self.at('(') {
                    self.parenthesis(Some(Name { text, place: start }))?
                } else {
                    Value::Word(text)
                }
            }
            Token::Mark('(') => self.parenthesis(None)?,
            Token::Mark('[') => self.list()?,
            Token::Mark('{') => self.map()?,
            _ => return Err(self.unexpected("a value")),
        };
        Ok(Node {
            place: start.to(self.last),
            value,
        })
    }

    /// Runs `entry` for each comma-separated entry up to `close`.
    fn entries(
        &mut self,
        close: char,
        mut entry: impl FnMut(&mut Self) -> Result<(), SyntaxError>,
    ) -> Result<(), SyntaxError> {
        let open = self.place;
        let opening = self.lexer.indent();
        self.advance()?;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error(
                open,
                format!("brackets nest deeper than {MAX_DEPTH}"),
                "no scenario needs that; look for a bracket that should have been closed",
            ));
        }
        while !self.at(close) {
            if self.token == Token::End {
                return Err(self.never_closed(open, close));
            }
            entry(self)?;
            if self.at(',') {
                self.advance()?;
            } else if !self.at(close) {
                return Err(self.missing_comma(open, close));
            }
        }
        let closing = self.lexer.indent();
        if closing.is_first && closing.width != opening.width {
            self.suspect.get_or_insert((open, close));
        }
        self.advance()?;
        self.depth -= 1;
        Ok(())
    }

    fn never_closed(&self, open: Place, close: char) -> SyntaxError {
        let (open, close) = self.suspect.unwrap_or((open, close));
        self.error(
            open,
            "this bracket is never closed",
            &format!("close it with `{close}`"),
        )
    }

    fn missing_comma(&self, open: Place, close: char) -> SyntaxError {
        let after = Place {
            start: self.last.end,
            end: self.last.end + 1,
            ..self.last
        };
        match &self.token {
            Token::End => self.never_closed(open, close),
            Token::Mark(_) => self.unexpected(&format!("`,` or `{close}`")),
            Token::Word(unit) if self.follows_number_on_its_line() => self.error(
                self.last.to(self.place),
                format!("`{unit}` stands behind a number"),
                "a quantity is a text with its unit, such as \"10 MHz\"",
            ),
            Token::Word(word) => self.error(
                after,
                format!("a comma is missing before `{word}`"),
                "put a `,` here",
            ),
            _ => self.error(after, "a comma is missing here", "put a `,` here"),
        }
    }

    fn follows_number_on_its_line(&self) -> bool {
        let last = self.lexer.text(self.last.to(self.place));
        super::number::is_number(self.lexer.text(self.last)) && !last.contains('\n')
    }

    fn list(&mut self) -> Result<Value, SyntaxError> {
        let mut items = Vec::new();
        self.entries(']', |parser| {
            items.push(parser.value()?);
            Ok(())
        })?;
        Ok(Value::List(items))
    }

    fn map(&mut self) -> Result<Value, SyntaxError> {
        let mut entries = Vec::new();
        let mut keys = BTreeSet::new();
        self.entries('}', |parser| {
            let key = parser.value()?;
            if !keys.insert(compact(&key)) {
                return Err(parser.error(
                    key.place,
                    format!("the key {} appears twice", key.describe()),
                    "keep one of them",
                ));
            }
            parser.expect(':')?;
            entries.push((key, parser.value()?));
            Ok(())
        })?;
        Ok(Value::Map(entries))
    }

    /// `(…)`: fields when the first entry is a word and a colon, else values.
    fn parenthesis(&mut self, name: Option<Name>) -> Result<Value, SyntaxError> {
        let mut fields: Vec<Field> = Vec::new();
        let mut names = BTreeSet::new();
        let mut items = Vec::new();
        self.entries(')', |parser| {
            let entry = parser.value()?;
            if !parser.at(':') {
                if !fields.is_empty() {
                    return Err(parser.error(
                        entry.place,
                        format!("{} stands among fields without a name", entry.describe()),
                        "write it as `name: value`",
                    ));
                }
                items.push(entry);
                return Ok(());
            }
            let Value::Word(text) = entry.value else {
                return Err(parser.unexpected("`,` or `)`"));
            };
            if !items.is_empty() {
                return Err(parser.error(
                    entry.place,
                    format!("the field `{text}` stands among values without names"),
                    "give every value here a name, or none",
                ));
            }
            if !names.insert(text.clone()) {
                return Err(parser.error(
                    entry.place,
                    format!("the field `{text}` appears twice"),
                    "keep one of them",
                ));
            }
            parser.advance()?;
            let name = Name {
                text,
                place: entry.place,
            };
            fields.push(Field {
                name,
                value: parser.value()?,
            });
            Ok(())
        })?;
        Ok(if fields.is_empty() {
            Value::Tuple(name, items)
        } else {
            Value::Record(name, fields)
        })
    }
}
