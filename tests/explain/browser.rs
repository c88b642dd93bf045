//! Pages in a browser, where there is one: they load, move, zoom, tell what is picked, fit a small
//! screen and print.

use crate::page::{page, page_of, write_long};
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// The browser, if this machine has one.
fn browser() -> Option<&'static str> {
    let found = ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find(|name| {
            let version = Command::new(name)
                .arg("--version")
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
            version.is_ok_and(|status| status.success())
        });
    if found.is_none() {
        eprintln!("skipped: no chromium on this machine (Debian's package `chromium`)");
    }
    found
}

fn run(browser: &str, path: &Path, hash: &str, arguments: &[&str]) -> Output {
    let profile = tempfile::tempdir().unwrap();
    Command::new(browser)
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
        ])
        .args(arguments)
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("file://{}{hash}", path.display()))
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// What the browser's console says.
fn console(output: &Output) -> Vec<String> {
    String::from_utf8_lossy(&output.stderr)
        .lines()
        .filter(|line| line.contains("CONSOLE"))
        .map(str::to_owned)
        .collect()
}

/// What `browser` makes of the file at `path` in a window of `size`; its console is silent.
#[track_caller]
fn opened(browser: &str, path: &Path, hash: &str, size: &str) -> String {
    let size = format!("--window-size={size}");
    let output = run(browser, path, hash, &["--dump-dom", &size]);
    let console = console(&output);
    assert!(console.is_empty(), "{console:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The text of the element that begins with `tag`.
#[track_caller]
fn text<'t>(page: &'t str, tag: &str) -> &'t str {
    let (_, rest) = page.split_once(tag).unwrap();
    rest.split_once('>').unwrap().1.split_once("</").unwrap().0
}

const WIDE: &str = "1200,900";

/// A page that a script drives, which then tells `what` in an element of its own. It draws when it
/// is told to and not with the next frame, for which nobody waits here.
fn driven(page: &str, script: &str, what: &str) -> String {
    let script = format!(
        "<pre class=told></pre><script>
        const box = document.querySelector('.lanes'), canvas = box.querySelector('canvas');
        const key = (...keys) => {{ for (const key of keys) box.dispatchEvent(new KeyboardEvent('keydown', {{ key, cancelable: true }})); }};
        const at = (x, y) => {{ const r = canvas.getBoundingClientRect(); return {{ clientX: r.left + x, clientY: r.top + y, bubbles: true, cancelable: true, pointerId: 7, button: 0 }}; }};
        const shown = () => document.querySelector('.window').textContent, detail = () => document.querySelector('.detail').textContent;
        {script};
        document.querySelector('.told').textContent = {what};
        </script>\n</html>"
    );
    let at_once = "<script>requestAnimationFrame = draw => draw();</script>\n<main>";
    page.replace("<main>", at_once).replace("</html>", &script)
}

#[track_caller]
fn told(browser: &str, page: &str, script: &str, what: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.html");
    fs::write(&path, driven(page, script, what)).unwrap();
    text(&opened(browser, &path, "", WIDE), "<pre class=\"told\"").to_owned()
}

#[test]
fn the_address_names_the_window_and_the_slice() {
    let Some(browser) = browser() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.html");
    fs::write(&path, page("known")).unwrap();
    let shown = |hash: &str| {
        let page = opened(browser, &path, hash, WIDE);
        let text = (
            text(&page, "<p class=\"window\""),
            text(&page, "<pre class=\"detail\""),
        );
        (text.0.to_owned(), text.1.to_owned())
    };
    let (window, detail) = shown("");
    assert_eq!(window, "0 s to 80 ps: 80.00 ps of 80.00 ps");
    assert_eq!(detail, "");
    // Lane 0 is device 0's compute, lane 3 its waiting.
    let (window, detail) = shown("#from=10&to=70&lane=0&at=15");
    assert_eq!(window, "10 ps to 70 ps: 60.00 ps of 80.00 ps");
    assert_eq!(
        detail,
        "attention, device0 (request 0, step 0, layer 0)\n  start      0 s\n  \
         time       20.00 ps\n  compute    5.000 FLOP\n  energy     500.0 mJ"
    );
    let (_, detail) = shown("#from=10&to=70&lane=3&at=40");
    assert_eq!(
        detail,
        "waiting, device0\n  from       35 ps\n  for        17.00 ps\n  \
         until      receive, device0 (request 0, step 0, layer 0)\n  \
         waited for 7.000 ps decode, server\n             10.00 ps slot, device1"
    );
    // Nothing happens there.
    assert_eq!(shown("#from=10&to=70&lane=0&at=30").1, "");

    let broken = page("known").replace("\"use strict\";", "\"use strict\"; nothing();");
    fs::write(&path, broken).unwrap();
    assert!(!console(&run(browser, &path, "", &["--dump-dom"])).is_empty());
}

#[test]
fn keys_move_zoom_and_pick() {
    let Some(browser) = browser() else { return };
    let page = page("known");
    let window = |script: &str| told(browser, &page, script, "shown()");
    assert_eq!(window("key('+')"), "20 ps to 60 ps: 40.00 ps of 80.00 ps");
    assert_eq!(
        window("key('+', '+', 'ArrowRight')"),
        "34 ps to 54 ps: 20.00 ps of 80.00 ps"
    );
    assert_eq!(
        window("key('+', '+', 'ArrowRight', '0')"),
        "0 s to 80 ps: 80.00 ps of 80.00 ps"
    );
    let detail = |script: &str| told(browser, &page, script, "detail()");
    let first = detail("key('ArrowDown')");
    assert!(first.starts_with("attention, device0"), "{first}");
    assert!(
        first.ends_with("(pinned; a click beside it or Esc lets go)"),
        "{first}"
    );
    let next = detail("key('ArrowDown', 'ArrowDown')");
    assert!(next.starts_with("slot, device0"), "{next}");
    let later = detail("key('ArrowDown', 'p', 'n')");
    assert!(later.starts_with("attention, device0"), "{later}");
    assert_eq!(detail("key('ArrowDown', 'Escape')"), "");
}

#[test]
fn the_pointer_tells_a_click_pins_and_the_wheel_scrolls_unless_it_zooms() {
    let Some(browser) = browser() else { return };
    let page = page("known");
    // The first lane lies below the name of its node; the gutter is 132 wide.
    let hover = "canvas.dispatchEvent(new PointerEvent('pointermove', at(140, 28)))";
    let detail = told(browser, &page, hover, "detail()");
    assert!(detail.starts_with("attention, device0"), "{detail}");
    assert!(!detail.contains("pinned"), "{detail}");
    let click = "canvas.dispatchEvent(new PointerEvent('pointerdown', at(140, 28)));
        canvas.dispatchEvent(new PointerEvent('pointerup', at(140, 28)));
        canvas.dispatchEvent(new PointerEvent('pointermove', at(700, 28)))";
    let detail = told(browser, &page, click, "detail()");
    assert!(detail.contains("pinned"), "{detail}");
    let wheel = |options: &str| {
        let wheel = format!(
            "const event = new WheelEvent('wheel', {{ ...at(140, 28), deltaY: -100, {options} }}); box.dispatchEvent(event)"
        );
        told(
            browser,
            &page,
            &wheel,
            "event.defaultPrevented + ' ' + shown()",
        )
    };
    assert_eq!(
        wheel("ctrlKey: false"),
        "false 0 s to 80 ps: 80.00 ps of 80.00 ps"
    );
    let zoomed = wheel("ctrlKey: true");
    assert!(zoomed.starts_with("true 0 s to "), "{zoomed}");
    assert!(!zoomed.contains("80 ps:"), "{zoomed}");
    // Two fingers that part.
    let pinch = "for (const [type, x, pointerId] of [['down', 300, 1], ['down', 500, 2], ['move', 200, 1], ['move', 600, 2]])
        canvas.dispatchEvent(new PointerEvent('pointer' + type, { ...at(x, 40), pointerId }))";
    let pinched = told(browser, &page, pinch, "shown()");
    assert!(
        pinched.ends_with("of 80.00 ps") && !pinched.contains(": 80.00"),
        "{pinched}"
    );
}

#[test]
fn a_small_screen_scrolls_up_and_down_alone() {
    let Some(browser) = browser() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.html");
    let wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
    // A window of a desktop's browser is no narrower than 500: the page within is.
    fs::write(&path, page("known")).unwrap();
    let frame = folder.path().join("frame.html");
    let script = format!(
        "<iframe src=report.html width=400 height=800></iframe><pre class=told></pre><script>
        onload = () => {{ const page = document.querySelector('iframe').contentWindow;
        document.querySelector('.told').textContent = page.eval('{wide}') + ' ' + page.innerWidth; }}</script>"
    );
    fs::write(&frame, script).unwrap();
    let output = run(
        browser,
        &frame,
        "",
        &["--dump-dom", "--allow-file-access-from-files"],
    );
    assert!(console(&output).is_empty(), "{:?}", console(&output));
    let page = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text(&page, "<pre class=\"told\""), "0 400");
}

#[test]
fn a_long_run_is_shown_as_shares_and_says_so() {
    let Some(browser) = browser() else { return };
    let folder = tempfile::tempdir().unwrap();
    write_long(folder.path(), 150_000);
    let path = folder.path().join("report.html");
    fs::write(&path, page_of(folder.path(), "long")).unwrap();
    let page = opened(browser, &path, "#lane=0&at=100000", WIDE);
    let detail = text(&page, "<pre class=\"detail\"");
    let share = detail.strip_prefix("n0, compute: ").unwrap();
    let share: f64 = share.split(' ').next().unwrap().parse().unwrap();
    assert!((share - 50.0).abs() < 2.0, "{detail}");
    assert!(detail.contains("holds shares, not tasks"), "{detail}");
    assert!(
        page.contains("longest decode step</button>"),
        "no button leads to it"
    );
}

#[test]
fn a_page_prints() {
    let Some(browser) = browser() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.html");
    fs::write(&path, page("known")).unwrap();
    let paper = folder.path().join("report.pdf");
    let print = format!("--print-to-pdf={}", paper.display());
    let output = run(browser, &path, "", &[&print, "--no-pdf-header-footer"]);
    assert!(console(&output).is_empty(), "{:?}", console(&output));
    let bytes = fs::read(&paper).unwrap();
    let pdf = String::from_utf8_lossy(&bytes);
    assert!(pdf.starts_with("%PDF"));
    // A4 in points, upright.
    let a4 = ["/MediaBox [0 0 594.9", "/MediaBox [0 0 595"];
    assert!(a4.iter().any(|size| pdf.contains(size)), "not A4");
    // The timeline is drawn anew for it, with all of its lanes, in ink.
    let dark = "(() => {
        const paper = document.querySelector('.print canvas'), ink = paper.getContext('2d');
        const { data } = ink.getImageData(0, 0, paper.width, paper.height);
        return data.filter((value, place) => place % 4 === 3 && value > 0).length;
    })()";
    let drawn = "dispatchEvent(new Event('beforeprint')); const details = document.querySelectorAll('details:not([open])').length";
    let told = told(
        browser,
        &page("known"),
        drawn,
        &format!("details + ' ' + ({dark} > 9000)"),
    );
    assert_eq!(told, "0 true");
    let after = format!("{drawn}; dispatchEvent(new Event('afterprint'))");
    let left = "document.querySelectorAll('.print canvas').length";
    assert_eq!(self::told(browser, &page("known"), &after, left), "0");
}
