//! Writes a tree back as RON: on one line for hashes and messages, or laid out
//! for reading.

use super::{Node, Value};

/// The widest line that [`pretty`] fills before it breaks a bracket's entries
/// onto lines of their own.
const WIDTH: usize = 96;

/// The tree on one line without a blank: one form for all ways to write it.
pub fn compact(node: &Node) -> String {
    let mut text = String::new();
    Writer { spaced: false }.inline(node, &mut text);
    text
}

/// The tree on one line with blanks, for messages and tables.
pub fn line(node: &Node) -> String {
    let mut text = String::new();
    Writer { spaced: true }.inline(node, &mut text);
    text
}

/// The tree with an entry per line where it is wider than a line.
pub fn pretty(node: &Node) -> String {
    let mut text = String::new();
    Writer { spaced: true }.block(node, 0, 0, &mut text);
    text.push('\n');
    text
}

struct Writer {
    /// Whether to write blanks after commas and colons.
    spaced: bool,
}

/// The parts of a bracketed value.
struct Bracketed<'a> {
    name: &'a str,
    open: char,
    close: char,
    entries: Vec<(Option<Key<'a>>, &'a Node)>,
}

enum Key<'a> {
    Name(&'a str),
    Node(&'a Node),
}

fn bracketed(node: &Node) -> Option<Bracketed<'_>> {
    let (name, open, close, entries) = match &node.value {
        Value::Word(_) | Value::Number(_) | Value::Text(_) => return None,
        Value::List(items) => (
            "",
            '[',
            ']',
            items.iter().map(|item| (None, item)).collect(),
        ),
        Value::Map(entries) => {
            let entries = entries
                .iter()
                .map(|(key, value)| (Some(Key::Node(key)), value));
            ("", '{', '}', entries.collect())
        }
        Value::Record(name, fields) => {
            let fields = fields
                .iter()
                .map(|field| (Some(Key::Name(field.name.text.as_str())), &field.value));
            let name = name.as_ref().map_or("", |name| &name.text);
            (name, '(', ')', fields.collect())
        }
        Value::Tuple(name, items) => {
            let name = name.as_ref().map_or("", |name| &name.text);
            (
                name,
                '(',
                ')',
                items.iter().map(|item| (None, item)).collect(),
            )
        }
    };
    Some(Bracketed {
        name,
        open,
        close,
        entries,
    })
}

impl Writer {
    fn inline(&self, node: &Node, text: &mut String) {
        match &node.value {
            Value::Word(plain) | Value::Number(plain) => text.push_str(plain),
            Value::Text(content) => quote(content, text),
            _ => {}
        }
        let Some(bracketed) = bracketed(node) else {
            return;
        };
        text.push_str(bracketed.name);
        text.push(bracketed.open);
        for (index, (key, value)) in bracketed.entries.iter().enumerate() {
            if index > 0 {
                text.push_str(if self.spaced { ", " } else { "," });
            }
            self.key(key.as_ref(), text);
            self.inline(value, text);
        }
        text.push(bracketed.close);
    }

    fn key(&self, key: Option<&Key<'_>>, text: &mut String) {
        match key {
            None => return,
            Some(Key::Name(name)) => text.push_str(name),
            Some(Key::Node(node)) => self.inline(node, text),
        }
        text.push_str(if self.spaced { ": " } else { ":" });
    }

    /// Writes at `indent`, the line already holding `used` characters more.
    fn block(&self, node: &Node, indent: usize, used: usize, text: &mut String) {
        let mut line = String::new();
        self.inline(node, &mut line);
        let outermost = indent == 0 && used == 0;
        let fits = indent + used + line.chars().count() < WIDTH;
        match bracketed(node) {
            Some(bracketed) if !bracketed.entries.is_empty() && (outermost || !fits) => {
                text.push_str(bracketed.name);
                text.push(bracketed.open);
                text.push('\n');
                for (key, value) in &bracketed.entries {
                    let mut start = String::new();
                    self.key(key.as_ref(), &mut start);
                    text.push_str(&" ".repeat(indent + 4));
                    text.push_str(&start);
                    self.block(value, indent + 4, start.chars().count(), text);
                    text.push_str(",\n");
                }
                text.push_str(&" ".repeat(indent));
                text.push(bracketed.close);
            }
            _ => text.push_str(&line),
        }
    }
}

/// A RON text literal; control characters escaped so that it stays on one line.
fn quote(content: &str, text: &mut String) {
    text.push('"');
    for c in content.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            c if c.is_control() => text.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => text.push(c),
        }
    }
    text.push('"');
}
