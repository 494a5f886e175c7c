//! Installs what building and testing needs. Each step looks first and does nothing when its tool is there.
//!
//! What a build of an app needs (esbuild, componentize-py) is `lambkin`'s own work at the first build; this module
//! brings the compilers for guests and the independent programs that the tests run against.

mod c_compiler;
pub(crate) mod cargo_deny;
mod cargo_tool;
mod chromium;
mod debian;
mod guest_rust;
pub(crate) mod java;
pub(crate) mod node;
mod npm;
pub(crate) mod python;
pub(crate) mod valgrind;
pub(crate) mod wasmtime;
pub(crate) mod wit_bindgen;
pub(crate) mod wrk;

use crate::{config::Config, shell};
use std::time::Instant;

/// What a step found or did, for the person who waits.
enum Outcome {
    /// It was there; the text says where or which.
    Present(String),
    /// It was installed now.
    Installed(String),
    /// It is not there and cannot be installed here; the text says what does not work without it and how to get it.
    Missing(String),
}

struct Step {
    name: &'static str,
    install: fn(&Config) -> anyhow::Result<Outcome>,
}

/// What building the programs and apps needs.
const FOR_BUILDING: [Step; 2] = [
    Step { name: "Rust for WebAssembly", install: guest_rust::install },
    Step { name: "C for WebAssembly", install: |config| Ok(c_compiler::install(config)) },
];

/// What only the checks and tests need: tools, and independent programs to test against.
const FOR_TESTING: [Step; 17] = [
    VALGRIND,
    Step { name: "cargo-deny", install: cargo_deny::install },
    Step { name: "SeaweedFS", install: |config| python::install(config, &python::SEAWEEDFS) },
    Step { name: "AWS's command", install: |config| python::install(config, &python::AWSCLI) },
    Step { name: "pytest", install: |config| python::install(config, &python::PYTEST) },
    Step {
        name: "AWS's Runtime Interface Emulator",
        install: |config| python::install(config, &python::RUNTIME_INTERFACE_EMULATOR),
    },
    Step { name: "cargo-lambda", install: |config| python::install(config, &python::CARGO_LAMBDA) },
    Step { name: "componentize-js", install: |config| npm::install(config, &npm::COMPONENTIZE_JS) },
    Step {
        name: "componentize-py",
        install: |config| python::install(config, &python::COMPONENTIZE_PY),
    },
    Step { name: "wasm-tools", install: |config| python::install(config, &python::WASM_TOOLS) },
    Step { name: "wit-bindgen", install: wit_bindgen::install },
    NODES_CLIENT,
    Step { name: "wscat", install: |config| npm::install(config, &npm::WSCAT) },
    Step {
        name: "WebSocket clients",
        install: |config| python::install(config, &python::WEBSOCKET_CLIENTS),
    },
    Step {
        name: "TypeScript and the types of events",
        install: |config| npm::install(config, &npm::EVENT_TYPES),
    },
    Step { name: "Chromium", install: chromium::install },
    Step { name: "Playwright", install: |config| npm::install(config, &npm::PLAYWRIGHT) },
];

/// What counts the host's instructions.
const VALGRIND: Step = Step { name: "valgrind", install: valgrind::install };

/// Node's own Lambda client: a runtime under our Lambda, and a subject of the benches.
const NODES_CLIENT: Step = Step { name: "Node's Lambda client", install: node::install };

/// What only the benches need: each language's own Lambda client, what `lambkin serve` is compared with, and load.
const FOR_MEASURING: [Step; 5] = [
    Step { name: "wasmtime's command", install: wasmtime::install },
    Step { name: "wrk", install: wrk::install },
    NODES_CLIENT,
    Step {
        name: "CPython's Lambda client",
        install: |config| python::install(config, &python::AWSLAMBDARIC),
    },
    Step { name: "Java's Lambda client", install: java::install },
];

/// Runs every step; a failing step ends the set-up with its error.
pub(crate) fn run(config: &Config) -> anyhow::Result<()> {
    for_building(config)?;
    perform(config, &FOR_TESTING)
}

/// Installs what the main job needs, and no more.
pub(crate) fn for_building(config: &Config) -> anyhow::Result<()> {
    perform(config, &FOR_BUILDING)
}

/// Installs what counting instructions needs beside the programs.
pub(crate) fn for_counting(config: &Config) -> anyhow::Result<()> {
    perform(config, &[VALGRIND])
}

/// Installs what the benches compare with.
pub(crate) fn for_measuring(config: &Config) -> anyhow::Result<()> {
    perform(config, &FOR_MEASURING)
}

fn perform(config: &Config, steps: &[Step]) -> anyhow::Result<()> {
    fs_err::create_dir_all(config.cache.join("tools"))?;
    for step in steps {
        let started = Instant::now();
        let outcome = (step.install)(config)?;
        let seconds = started.elapsed().as_secs();
        let text = match outcome {
            Outcome::Present(text) => text,
            Outcome::Installed(text) => format!("{text}, installed in {seconds} s"),
            Outcome::Missing(text) => format!("missing: {text}"),
        };
        shell::say(&format!("setup: {}: {text}", step.name));
    }
    Ok(())
}
