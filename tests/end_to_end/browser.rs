//! Chromium without a window, driven by the Playwright scripts in the folder `browser`.

use lambkin_tests::programs;
use std::path::Path;
use std::process::Command;

/// Names of the browser's program.
const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// Runs a script to its end; a check in it that does not hold fails the test.
#[track_caller]
pub(crate) fn run(script: &str, arguments: &[&str]) {
    let works = |name: &&str| {
        Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success())
    };
    let Some(browser) = BROWSERS.into_iter().find(works) else {
        panic!("there is no browser: `cargo xtask setup` says how to get one");
    };
    let browser = programs::run(Command::new("sh").args(["-c", &format!("command -v {browser}")]));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("end_to_end/browser");
    let mut node = Command::new("node");
    node.arg(folder.join(script)).arg(programs::tool("playwright-1.64.1").unwrap());
    programs::run(node.arg(browser.unwrap().trim()).args(arguments)).unwrap();
}
