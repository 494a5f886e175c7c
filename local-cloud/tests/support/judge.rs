//! Whether events are what others take for AWS's: the models of Powertools for AWS Lambda parse them, and TypeScript finds
//! that they are of the types of `@types/aws-lambda`.
//!
//! Independent of the rest of these tests, because those of the whole program have it judge their events too.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use fs_err as fs;
use serde_json::{Value, json};

/// The models, and a maker of tokens, pinned.
const EVENT_MODELS: [&str; 2] = ["aws-lambda-powertools[parser]==3.37.0", "pyjwt[crypto]==2.15.1"];

/// Where `cargo xtask setup` has put TypeScript and the types.
const EVENT_TYPES: &str = "event-types-1/node_modules";

/// An event, its model in Powertools and its type's name in `event_types.ts`.
pub(crate) type Judged<'a> = (&'a str, &'a str, Value);

/// Fails the test when an event does not fit its model, or is not of its type.
#[track_caller]
pub(crate) fn judge(events: &[Judged<'_>]) {
    fit_models(events);
    fit_types(events);
}

#[track_caller]
fn fit_models(events: &[Judged<'_>]) {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("events");
    let lines = events.iter().map(|(model, _, event)| json!({ "model": model, "event": event }));
    fs::write(&input, lines.map(|line| format!("{line}\n")).collect::<String>()).unwrap();
    let mut command = Command::new("python3");
    command.env("PYTHONPATH", event_models()).arg(scripts().join("event_models.py"));
    let said = run(command.stdin(fs::File::open(input).unwrap().into_parts().0));
    assert_eq!(said.lines().count(), events.len(), "{said}");
    for (verdict, (model, _, event)) in said.lines().zip(events) {
        assert_eq!(verdict, "ok", "{model}: {event:#}");
    }
}

#[track_caller]
fn fit_types(events: &[Judged<'_>]) {
    let types = tools().join(EVENT_TYPES);
    assert!(types.exists(), "{} is missing; run `cargo xtask setup`", types.display());
    let folder = tempfile::tempdir().unwrap();
    let definitions = folder.path().join("event_types.ts");
    fs::copy(scripts().join("event_types.ts"), definitions).unwrap();
    let mut program = "import { fits } from \"./event_types.js\";\n".to_owned();
    for (_, kind, event) in events {
        program += &format!("fits<\"{kind}\">({event});\n");
    }
    fs::write(folder.path().join("events.ts"), &program).unwrap();
    let settings = json!({
        "compilerOptions": {
            "strict": true,
            "exactOptionalPropertyTypes": true,
            "noEmit": true,
            // The package itself wants Node's types.
            "skipLibCheck": true,
            "module": "nodenext",
            "types": [],
            "paths": { "aws-lambda": [types.join("@types/aws-lambda/index.d.ts")] },
        },
        "files": ["events.ts"],
    });
    fs::write(folder.path().join("tsconfig.json"), settings.to_string()).unwrap();
    let mut compiler = Command::new("node");
    compiler.arg(types.join("typescript/bin/tsc")).current_dir(folder.path());
    let output = compiler.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    // `events.ts(3,676): error …`: the lines that are found fault with.
    let at = |fault: &str| fault.split_once('(')?.1.split_once(',')?.0.parse::<usize>().ok();
    let faulty: Vec<_> = said.lines().filter_map(at).collect();
    let lines = program.lines().enumerate().filter(|(line, _)| faulty.contains(&(line + 1)));
    let lines: Vec<_> = lines.map(|(_, line)| line).collect();
    assert!(output.status.success(), "{said}\n{}", lines.join("\n"));
}

/// The folder of the packages that judge events and make tokens.
pub(crate) fn event_models() -> &'static Path {
    static MODELS: OnceLock<PathBuf> = OnceLock::new();
    MODELS.get_or_init(|| installed("event-models-1", &EVENT_MODELS))
}

/// Python packages, installed once per machine.
pub(crate) fn installed(folder: &str, requirements: &[&str]) -> PathBuf {
    let (tools, packages) = (tools(), tools().join(folder));
    if !packages.exists() {
        fs::create_dir_all(&tools).unwrap();
        let unfinished = tempfile::tempdir_in(&tools).unwrap();
        let target = unfinished.path().join("packages");
        run(Command::new("python3")
            .args(["-m", "pip", "install", "-q", "--target"])
            .arg(&target)
            .args(requirements));
        // Another test run may have been quicker, which is as good.
        drop(fs::rename(&target, &packages));
    }
    packages
}

/// Runs a command to its end and gives its output; fails the test with all it printed.
#[track_caller]
pub(crate) fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{command:?}\n{stdout}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    stdout
}

/// The folder of the programs that tests run against.
pub(crate) fn tools() -> PathBuf {
    std::env::home_dir().unwrap().join(".cache/lambkin/tools")
}

/// The folder of the scripts beside this module's.
fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../local-cloud/tests")
}
