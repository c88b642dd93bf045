//! Doc comments as text for a terminal.

/// A part of a doc comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextBlock {
    /// Words, to be broken into lines anywhere.
    Paragraph(String),
    /// Lines that stay as they are: code, lists.
    Lines(String),
}

/// Splits a doc comment into paragraphs without links.
pub(super) fn blocks(text: &str) -> Vec<TextBlock> {
    let mut blocks = Vec::new();
    let mut code = false;
    for part in text.split("```") {
        if code {
            let lines = part.split_once('\n').map_or("", |(_, lines)| lines);
            blocks.push(TextBlock::Lines(lines.trim_end().to_owned()));
        } else {
            for paragraph in part.split("\n\n").map(str::trim) {
                if paragraph.starts_with("- ") || paragraph.starts_with("| ") {
                    blocks.push(TextBlock::Lines(plain(paragraph)));
                } else if !paragraph.is_empty() {
                    blocks.push(TextBlock::Paragraph(plain(&paragraph.replace('\n', " "))));
                }
            }
        }
        code = !code;
    }
    blocks
}

/// Links as the code they are about.
fn plain(text: &str) -> String {
    let mut plain = text.replace("[`", "`");
    while let Some(at) = plain.find("`](") {
        let end = plain[at..]
            .find(')')
            .map_or(plain.len(), |end| at + end + 1);
        plain.replace_range(at + 1..end, "");
    }
    plain.replace("`]", "`")
}

/// What stands before the first full stop that ends a sentence.
pub(super) fn first_sentence(blocks: &[TextBlock]) -> String {
    let Some(TextBlock::Paragraph(text)) = blocks.first() else {
        return String::new();
    };
    let end = text
        .match_indices(". ")
        .find(|(at, _)| text[at + 2..].starts_with(|c: char| c.is_uppercase() || c == '`'))
        .map_or(text.len(), |(at, _)| at);
    text[..end].trim_end_matches(['.', ':']).to_owned()
}

/// The part of a path's segment that is no entry's number.
pub(super) fn without_entry(segment: &str) -> &str {
    segment.split('[').next().unwrap_or_default()
}

/// The last name of a path.
pub(super) fn last_name(path: &str) -> &str {
    without_entry(path.rsplit('.').next().unwrap_or_default())
}
