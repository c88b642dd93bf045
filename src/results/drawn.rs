//! Which files of a run folder are drawn: they follow from the others, so that nothing rests on
//! them, and an older version may not have drawn them.

/// The file name of a full event log.
pub const EVENTS: &str = "events.csv";

/// The report's file name.
pub const REPORT: &str = "report.html";

/// The file name of the log as Perfetto reads it.
pub const PERFETTO: &str = "trace.json";

/// Whether the file `name` of a run folder follows from the others: a picture, the report or the
/// trace.
pub fn is_drawn(name: &str) -> bool {
    let picture = [".svg", ".pdf", ".png"]
        .iter()
        .any(|end| name.ends_with(end));
    picture || name == REPORT || name == PERFETTO
}
