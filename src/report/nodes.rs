//! What nodes spent and held: energy and memory.

use super::page::bar;
use crate::measurement::NodeRecord;
use crate::results::readable::{bytes, joules, percent};
use crate::text::Markup;
use std::fmt::Write as _;

/// The tables of the nodes called `names`.
pub(super) fn sections(names: &[String], nodes: &[NodeRecord]) -> String {
    energy(names, nodes) + &memory(names, nodes)
}

fn name<'a>(names: &'a [String], node: &NodeRecord) -> Markup<'a> {
    Markup(&names[node.node as usize])
}

fn energy(names: &[String], nodes: &[NodeRecord]) -> String {
    let parts = |node: &NodeRecord| [node.compute_j, node.radio_j, node.idle_j];
    let whole = |node: &NodeRecord| parts(node).into_iter().flatten().sum::<f64>();
    let most = nodes.iter().map(whole).fold(0.0, f64::max);
    let mut html = "<h2 id=energy>Energy</h2>\n<div class=wide><table><tr><th scope=col>who\
        <th scope=col class=words>profile<th scope=col>compute<th scope=col>radio<th scope=col>idle\
        <th scope=col>in all</tr>\n"
        .to_owned();
    for node in nodes {
        // Writing to a String cannot fail.
        let _ = write!(
            html,
            "<tr><th scope=row>{}<td class=words>{}",
            name(names, node),
            Markup(&node.profile)
        );
        for part in parts(node) {
            let _ = write!(html, "<td>{}", part.map_or("–".to_owned(), joules));
        }
        let share = if most > 0.0 { whole(node) / most } else { 0.0 };
        let _ = writeln!(html, "{}</tr>", bar(share, &joules(whole(node))));
    }
    html.push_str("</table></div>\n");
    html
}

fn memory(names: &[String], nodes: &[NodeRecord]) -> String {
    let mut html = "<h2 id=memory>Memory</h2>\n<div class=wide><table><tr><th scope=col>who\
        <th scope=col>weights<th scope=col>KV cache<th scope=col>activations<th scope=col>of\
        <th scope=col>used</tr>\n"
        .to_owned();
    for node in nodes {
        let parts = [
            node.weight_bytes,
            node.kv_cache_bytes,
            node.activation_bytes,
        ];
        let used: f64 = parts.iter().map(|part| *part as f64).sum();
        let share = used / node.memory_bytes.max(1) as f64;
        let [weights, cache, activations] = parts.map(bytes);
        let _ = writeln!(
            html,
            "<tr><th scope=row>{}<td>{weights}<td>{cache}<td>{activations}<td>{}{}</tr>",
            name(names, node),
            bytes(node.memory_bytes),
            bar(share, &percent(share))
        );
    }
    html.push_str("</table></div>\n");
    html
}
