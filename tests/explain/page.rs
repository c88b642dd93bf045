//! `report.html`: whole without a network, and alive in a browser where there is one.

use crate::known;
use airloom::results::report::Page;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

fn page(title: &str) -> String {
    let events = known::two_requests();
    let page = Page {
        title,
        summary: "a < b".to_owned(),
        scenario: "Scenario(seed: 3)",
        nodes: &[],
        per_node: &[],
        events: &events,
        figures: &[("timeline.svg", "<svg></svg>".to_owned())],
    };
    let mut text = Vec::new();
    page.write(&mut text).unwrap();
    String::from_utf8(text).unwrap()
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
fn the_timeline_holds_every_task() {
    let text = page("known");
    let (_, rest) = text.split_once("id=run>").unwrap();
    let (data, _) = rest.split_once("</script>").unwrap();
    let data: Value = serde_json::from_str(data).unwrap();
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
    assert_eq!(data["batches"][1], "request 1, step 0");
    assert_eq!(
        data["rows"][1],
        serde_json::json!(["device0", "uplink", "air"])
    );
    // Device 0 waits three times, device 1 twice, the server once.
    assert_eq!(data["waits"].as_array().unwrap().len(), 6);
}

/// The browser, if this machine has one.
fn browser() -> Option<&'static str> {
    ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find(|name| {
            let version = Command::new(name)
                .arg("--version")
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
            version.is_ok_and(|status| status.success())
        })
}

/// What the browser makes of the file at `path`, and what its console says.
fn opened(browser: &str, path: &Path, hash: &str) -> (String, Vec<String>) {
    let profile = tempfile::tempdir().unwrap();
    let output = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--enable-logging=stderr",
            "--window-size=1200,900",
            "--dump-dom",
        ])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("file://{}{hash}", path.display()))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let console = String::from_utf8_lossy(&output.stderr)
        .lines()
        .filter(|line| line.contains("CONSOLE"))
        .map(str::to_owned)
        .collect();
    (String::from_utf8(output.stdout).unwrap(), console)
}

/// The text of the element `id`.
fn element<'t>(page: &'t str, id: &str) -> &'t str {
    let (_, rest) = page.split_once(&format!("id=\"{id}\">")).unwrap();
    rest.split_once("</").unwrap().0
}

#[test]
fn a_browser_shows_the_window_and_the_task_that_the_address_names() {
    let Some(browser) = browser() else {
        eprintln!("skipped: no chromium on this machine (Debian's package `chromium`)");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.html");
    fs::write(&path, page("known")).unwrap();
    let shown = |hash: &str| {
        let (page, console) = opened(browser, &path, hash);
        assert!(console.is_empty(), "{console:?}");
        let text = (element(&page, "window"), element(&page, "hover"));
        (text.0.to_owned(), text.1.to_owned())
    };
    let (window, hover) = shown("");
    assert_eq!(window, "0 ps to 80 ps: 80 ps of 80 ps");
    assert_eq!(hover, "");
    // Row 0 is device 0's compute, row 3 its waiting.
    let (window, hover) = shown("#from=10&to=70&row=0&at=15");
    assert_eq!(window, "10 ps to 70 ps: 60 ps of 80 ps");
    assert_eq!(
        hover,
        "attention, device0 (request 0, step 0, layer 0)\n  start      0 ps\n  \
         time       20 ps\n  FLOPs      5\n  joules     0.5"
    );
    let (_, hover) = shown("#from=10&to=70&row=3&at=40");
    assert_eq!(
        hover,
        "waiting, device0\n  from       35 ps\n  for        17 ps\n  \
         until      receive, device0 (request 0, step 0, layer 0)\n  \
         waited for 7 ps decode, server\n             10 ps slot, device1"
    );
    // Nothing happens there.
    assert_eq!(shown("#from=10&to=70&row=0&at=30").1, "");

    let broken = page("known").replace("\"use strict\";", "\"use strict\"; nothing();");
    fs::write(&path, broken).unwrap();
    assert!(!opened(browser, &path, "").1.is_empty());
}
