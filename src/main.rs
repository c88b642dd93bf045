//! The `airloom` command; everything it does lives in the library.

fn main() -> std::process::ExitCode {
    airloom::cli::main()
}
