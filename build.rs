//! Tells the program which compiler and which commit it was built from.
//!
//! A build outside a checkout may say the commit itself: `AIRLOOM_COMMIT=… cargo build`.

use std::path::Path;
use std::process::Command;

const COMMIT: &str = "AIRLOOM_COMMIT";

fn first_line(command: &mut Command) -> Option<String> {
    let output = command
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.lines().next()?.trim().to_owned())
}

/// The commit that is checked out; the script runs again when another one is.
fn checked_out() -> Option<String> {
    let git = |arguments: &[&str]| first_line(Command::new("git").args(arguments));
    let branch = git(&["symbolic-ref", "--quiet", "HEAD"]);
    for name in branch
        .iter()
        .map(String::as_str)
        .chain(["HEAD", "logs/HEAD"])
    {
        // A path that is not there would count as changed each time.
        if let Some(path) = git(&["rev-parse", "--git-path", name])
            && Path::new(&path).exists()
        {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    git(&["rev-parse", "--short=12", "HEAD"])
}

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed={COMMIT}");
    let compiler = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let rustc = first_line(Command::new(compiler).arg("--version"));
    let commit = std::env::var(COMMIT).ok().or_else(checked_out);
    let target = std::env::var("TARGET").ok();
    for (name, fact) in [
        ("AIRLOOM_RUSTC", rustc),
        (COMMIT, commit),
        ("AIRLOOM_TARGET", target),
    ] {
        println!(
            "cargo::rustc-env={name}={}",
            fact.as_deref().unwrap_or("unknown")
        );
    }
}
