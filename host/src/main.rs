//! `bootstrap`: the Lambda custom runtime that serves Lambkin apps. All that it does is in the library.

fn main() -> std::process::ExitCode {
    lambkin_host::lambda::run()
}
