//! `report.html`: whole without a network, of all of the log, and quoted.

use crate::known;
use airloom::engine::HEADER;
use airloom::report::RunPage;
use serde_json::Value;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// The page of the run in `folder`.
pub fn page_of(folder: &Path, title: &str) -> String {
    let page = RunPage {
        title,
        summary: "a < b".to_owned(),
        scenario: "Scenario(seed: 3)",
        nodes: &[],
        per_node: &[],
        figures: &[("a step".to_owned(), "<svg></svg>".to_owned())],
    };
    let mut text = Vec::new();
    page.write(folder, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

/// The page of the picture's run.
pub fn page(title: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    known::write_run(folder.path());
    page_of(folder.path(), title)
}

/// What the page's timeline holds.
fn data(page: &str) -> Value {
    let (_, rest) = page
        .split_once("<script type=\"application/json\">")
        .unwrap();
    let (data, _) = rest.split_once("</script>").unwrap();
    serde_json::from_str(data).unwrap()
}

#[test]
fn the_page_loads_nothing_and_quotes_what_it_shows() {
    let text = page("</title><script>alert(1)</script>");
    for foreign in [
        "src=",
        "href=\"http",
        "url(",
        "@import",
        "fetch(",
        "alert(1)</script>",
    ] {
        assert!(!text.contains(foreign), "{foreign}");
    }
    assert!(text.contains("&lt;script&gt;alert(1)"));
    assert!(text.contains("<pre>a &lt; b</pre>"));
    assert_eq!(text, page("</title><script>alert(1)</script>"));
}

#[test]
fn the_timeline_holds_every_task_of_a_short_run() {
    let data = data(&page("known"));
    let events = known::two_requests();
    let column = |name: &str| -> Vec<i64> {
        let column = data[name].as_array().unwrap().iter();
        column.map(|value| value.as_i64().unwrap()).collect()
    };
    let starts = events.tasks.iter().map(|task| task.start.0 as i64);
    assert_eq!(column("start"), starts.collect::<Vec<_>>());
    let by = events.tasks.iter();
    let by = by.map(|task| task.released_by.map_or(-1, i64::from));
    assert_eq!(column("by"), by.collect::<Vec<_>>());
    let flops = events.tasks.iter().map(|task| task.flops as i64);
    assert_eq!(column("flops"), flops.collect::<Vec<_>>());
    assert_eq!(data["makespan"], 80);
    assert_eq!(data["tasks"], 12);
    assert_eq!(data["batches"][1], "request 1, step 0");
    assert_eq!(
        data["lanes"][1],
        serde_json::json!(["device0", "uplink", "air"])
    );
    // Device 0 waits three times, device 1 twice, the server once.
    assert_eq!(data["waits"].as_array().unwrap().len(), 6);
    assert!(data.get("busy").is_none());
}

#[test]
fn waiting_is_told_as_matrices() {
    let text = page("known");
    let (_, waiting) = text.split_once("<h2 id=waiting>").unwrap();
    let (waiting, _) = waiting.split_once("<h2").unwrap();
    let row = |table: usize, name: &str| -> Vec<String> {
        let table = waiting.split("<table").nth(table).unwrap();
        let row = table
            .split("<tr>")
            .find(|row| row.contains(&format!("row>{name}<")));
        let cells = row.unwrap().split("<td").skip(1);
        cells
            .map(|cell| {
                cell.split('>')
                    .nth(1)
                    .unwrap()
                    .split('<')
                    .next()
                    .unwrap()
                    .to_owned()
            })
            .collect()
    };
    // Device 0 waits 10 ps for device 1 to compute and 10 ps for its slot, 7 ps for the server, and
    // 15 ps for request 1.
    let cells = |cells: &[&str]| {
        cells
            .iter()
            .map(|cell| (*cell).to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        row(1, "device0"),
        cells(&["42.00 ps", "21.25 %", "12.50 %", "18.75 %"])
    );
    assert_eq!(
        row(2, "device0"),
        cells(&["42.00 ps", "·", "25.00 %", "8.750 %", "18.75 %"])
    );
    // The server waits for both until they have sent.
    assert_eq!(
        row(2, "server"),
        cells(&["45.00 ps", "6.250 %", "50.00 %", "·", "·"])
    );
}

/// Writes a log of `count` tasks of 3 ps each in turn on two nodes, a pass each ten thousand.
pub fn write_long(folder: &Path, count: u64) {
    let mut text = HEADER.to_owned();
    let mut batches =
        "batch,replica,request,step,phase,context,tokens,start_ps,end_ps\n".to_owned();
    for number in 0..count {
        let (node, batch) = (number % 2, number / 10_000);
        let (start, end) = (3 * number, 3 * number + 3);
        let by = number
            .checked_sub(1)
            .map_or(String::new(), |by| by.to_string());
        writeln!(
            text,
            "{number},{batch},,work,n{node},,{number},n{node}.compute,compute,{start},{start},{end},{by},{by},input,1,0,0,0"
        )
        .unwrap();
        if number % 10_000 == 0 {
            let end = start + 30_000;
            writeln!(batches, "{batch},0,0,{batch},decode,0,1,{start},{end}").unwrap();
        }
    }
    fs::write(folder.join("events.csv"), text).unwrap();
    fs::write(folder.join("nodes.csv"), "node\nn0\nn1\n").unwrap();
    fs::write(folder.join("batches.csv"), batches).unwrap();
}

#[test]
fn of_a_long_run_the_page_is_short_and_leaves_nothing_out() {
    let folder = tempfile::tempdir().unwrap();
    write_long(folder.path(), 150_000);
    let text = page_of(folder.path(), "long");
    assert!(text.len() < 6 << 20, "{}", text.len());
    let data = data(&text);
    assert_eq!(data["tasks"], 150_000);
    assert_eq!(data["makespan"], 450_000);
    let held = data["start"].as_array().unwrap().len();
    assert!((10_000..=40_000).contains(&held), "{held}");
    // Two letters to the base of 64 for each bin, of which half was busy.
    let bin = data["bin"].as_u64().unwrap();
    for lane in [0, 2] {
        assert_eq!(data["lanes"][lane][1], "compute");
        let letters = data["busy"][lane].as_str().unwrap();
        let digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let value = |letter: u8| digits.find(char::from(letter)).unwrap() as f64;
        let busy = letters.as_bytes().chunks(2).map(|pair| {
            let share = (value(pair[0]) * 64.0 + value(pair[1])) / 4095.0;
            share * bin as f64
        });
        let busy: f64 = busy.sum();
        assert!((busy - 225_000.0).abs() < 500.0, "{busy}");
    }
    // The whole of the run is the critical path, and each node waits for the other.
    assert!(text.contains("<td>225.0 ns<td class=bar style=\"--share:50.0%\">50.00 %"));
    assert_eq!(data["windows"].as_array().unwrap().len(), 2);
}
