//! Fields of earlier scenarios, and where they went.

use super::raw::{Path, Segment};

/// What such a field is called now: its beginning, which the rest of its path follows.
const MOVED: [(&str, &str, &str); 4] = [
    ("devices", "nodes.device", "nodes: {\"device\": (count: 4)}"),
    (
        "server",
        "nodes.server.profile",
        "nodes: {\"server\": (profile: Preset(\"edge-server-l4\"))}",
    ),
    ("radio", "links.air", "links: {\"air\": Radio(…)}"),
    (
        "architecture",
        "replicas[0].placement",
        "replicas: [(placement: TensorParallel(…))]",
    ),
];

/// Where the field `name` went, for the error of a text that has it; `outermost` says whether
/// it stands in the scenario itself.
pub(super) fn field(name: &str, outermost: bool) -> Option<String> {
    if name == "placement" && !outermost {
        return Some("it is called `experts` now".to_owned());
    }
    let moved = MOVED.iter().find(|(old, ..)| *old == name && outermost);
    moved.map(|(_, _, written)| format!("it went to {written}"))
}

/// What the path of an earlier scenario is now.
pub(super) fn path(path: &Path) -> Option<String> {
    let Some(Segment::Field(first)) = path.0.first() else {
        return None;
    };
    let (_, now, _) = MOVED.iter().find(|(old, ..)| old == first)?;
    let mut now: Path = now.parse().ok()?;
    for segment in &path.0[1..] {
        now.0.push(match segment {
            Segment::Field(name) if first == "architecture" && name == "placement" => {
                Segment::Field("experts".to_owned())
            }
            other => other.clone(),
        });
    }
    Some(now.to_string())
}
