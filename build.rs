//! Tells the program which compiler and which commit it was built from.

use std::process::Command;

fn first_line(command: &mut Command) -> Option<String> {
    let output = command
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.lines().next()?.trim().to_owned())
}

fn main() {
    let compiler = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let rustc = first_line(Command::new(compiler).arg("--version"));
    let commit = first_line(Command::new("git").args(["rev-parse", "--short=12", "HEAD"]));
    let target = std::env::var("TARGET").ok();
    for (name, fact) in [
        ("AIRLOOM_RUSTC", rustc),
        ("AIRLOOM_COMMIT", commit),
        ("AIRLOOM_TARGET", target),
    ] {
        println!(
            "cargo::rustc-env={name}={}",
            fact.as_deref().unwrap_or("unknown")
        );
    }
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=.git/HEAD");
    println!("cargo::rerun-if-changed=.git/refs/heads");
}
