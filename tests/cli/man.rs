//! `airloom man`: a page for the program and for every verb, which `man` can set.

use crate::desk::Desk;
use std::io::Write;
use std::process::{Command, Stdio};

/// The page as a terminal shows it; none where there is no groff.
fn set(page: &str) -> Option<String> {
    let mut groff = Command::new("groff")
        .args(["-man", "-Tutf8", "-ww", "-P-cbou"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    let mut input = groff.stdin.take().unwrap();
    input.write_all(page.as_bytes()).unwrap();
    drop(input);
    let output = groff.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn every_verb_of_the_help_has_a_page_with_its_options_and_exit_codes() {
    let desk = Desk::new();
    let help = desk.airloom(&["--help"]).good().stdout;
    let listed = help.split("Commands:\n").nth(1).unwrap();
    let listed = listed.lines().take_while(|line| !line.is_empty());
    let verbs: Vec<&str> = listed
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .map(|line| line.split_whitespace().next().unwrap())
        .filter(|verb| *verb != "help")
        .collect();
    let told = desk.airloom(&["man", "share/man1"]).good().stdout;
    assert_eq!(
        told,
        format!("{} pages written to share/man1\n", verbs.len() + 1)
    );
    let mut names: Vec<String> = verbs.iter().map(|v| format!("airloom-{v}.1")).collect();
    names.push("airloom.1".to_owned());
    names.sort();
    assert_eq!(desk.names("share/man1"), names);
    for verb in verbs {
        let page = desk.text(&format!("share/man1/airloom-{verb}.1"));
        for words in [".SH NAME", ".SH SYNOPSIS", ".SH \"EXIT STATUS\""] {
            assert!(page.contains(words), "{verb}: {words}");
        }
        let usage = desk.airloom(&[verb, "--help"]).good().stdout;
        for word in usage.split_whitespace() {
            // Options stand at the beginning of their lines in the help.
            let option = word.strip_prefix("--").filter(|name| !name.is_empty());
            if let Some(name) = option.filter(|_| usage.contains(&format!(" {word} <"))) {
                let escaped = format!("\\-\\-{}", name.replace('-', "\\-"));
                assert!(page.contains(&escaped), "{verb}: {word}");
            }
        }
    }
}

#[test]
fn the_page_can_be_set_and_a_second_time_replaces_the_first() {
    let desk = Desk::new();
    let page = desk.airloom(&["man"]).good().stdout;
    desk.airloom(&["man", "."]).good();
    assert_eq!(desk.text("airloom.1"), page);
    desk.write("airloom-run.1", "an earlier version");
    desk.airloom(&["man", "."]).good();
    let run = desk.text("airloom-run.1");
    assert!(
        run.contains("airloom\\-run") || run.contains("airloom run"),
        "{run}"
    );
    assert!(!desk.names(".").iter().any(|name| name.ends_with(".begun")));
    for page in [page, run] {
        if let Some(shown) = set(&page) {
            // Lines are set to full width: blanks between words are as many as that takes.
            let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
            for words in ["NAME", "EXIT STATUS", "0 done"] {
                assert!(shown.contains(words), "{words}: {shown}");
            }
        }
    }
    let refused = desk.airloom(&["man", "tiny.ron"]).refused(1);
    assert!(refused.contains("cannot write to tiny.ron"), "{refused}");
}
