//! `airloom completions`: every shell has its script, and bash's completes.

use crate::desk::Desk;
use std::process::Command;

#[test]
fn every_shell_has_a_script_that_knows_every_verb() {
    let desk = Desk::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = desk.airloom(&["completions", shell]).good().stdout;
        for word in ["new", "sweep", "completions", "resolved"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    let refused = desk.airloom(&["completions", "basch"]).refused(2);
    assert!(refused.contains("bash"), "{refused}");
}

/// What bash offers after `words`, the last of which is unfinished.
fn offered(desk: &Desk, words: &[&str]) -> Vec<String> {
    let script = desk.airloom(&["completions", "bash"]).good().stdout;
    desk.write("complete.bash", &script);
    let line = format!(
        "source complete.bash\n\
         COMP_WORDS=({})\n\
         COMP_CWORD={}\n\
         _airloom airloom '{}' '{}'\n\
         printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        words.join(" "),
        words.len() - 1,
        words[words.len() - 1],
        words[words.len() - 2],
    );
    let bash = Command::new("bash")
        .args(["--norc", "-c", &line])
        .current_dir(desk.path("."))
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(bash.stderr).unwrap(), "");
    let replies = String::from_utf8(bash.stdout).unwrap();
    replies.lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_verbs_options_and_scenarios() {
    let desk = Desk::new();
    let verbs = offered(&desk, &["airloom", "swe"]);
    assert_eq!(verbs, ["sweep"]);
    assert!(offered(&desk, &["airloom", "check", "--re"]).contains(&"--resolved".to_owned()));
    // Where the script has nothing to offer, bash completes files.
    assert_eq!(offered(&desk, &["airloom", "run", "ti"]), [""]);
    let script = desk.text("complete.bash");
    let registered = script
        .lines()
        .filter(|line| line.trim().starts_with("complete "));
    for line in registered {
        assert!(line.contains("-o default"), "{line}");
    }
}
