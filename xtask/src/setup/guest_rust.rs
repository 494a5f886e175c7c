//! A Rust toolchain with the WebAssembly targets: rustup's where its server can be reached, else the linked one.

use super::Outcome;
use crate::{config::Config, shell};
use anyhow::Context as _;
use std::path::Path;

const TARGETS: [&str; 2] = ["wasm32-wasip1", "wasm32-wasip2"];

/// The name of the toolchain that `rust-guest.sh` makes; `lambkin` looks for it as well.
const LINKED: &str = "wasm-guest";

/// How long `rustup` may try to reach its server, in seconds.
const PATIENCE: &str = "180";

pub(super) fn install(config: &Config) -> anyhow::Result<Outcome> {
    for toolchain in [None, Some(LINKED)] {
        if has_targets(config, toolchain) {
            return Ok(Outcome::Present(format!("toolchain {}", toolchain.unwrap_or("in use"))));
        }
    }
    let mut arguments = vec![PATIENCE, "rustup", "target", "add"];
    arguments.extend(TARGETS);
    if shell::succeeds(shell::command("timeout", &arguments, &config.root))
        && has_targets(config, None)
    {
        return Ok(Outcome::Installed("targets added by rustup".to_owned()));
    }
    shell::say("setup: rustup's server cannot be reached; taking Debian's packages");
    let script = config.root.join("xtask/rust-guest.sh");
    let folder = config.tool("rust-guest");
    let folder = folder.to_str().context("the cache folder's path is not UTF-8")?;
    shell::run(shell::command(script, &[folder, LINKED], &config.cache))?;
    Ok(Outcome::Installed(format!("toolchain {LINKED}")))
}

fn has_targets(config: &Config, toolchain: Option<&str>) -> bool {
    TARGETS.iter().all(|target| {
        let name = toolchain.map(|name| format!("+{name}"));
        let mut arguments: Vec<&str> = name.as_deref().into_iter().collect();
        arguments.extend(["--print", "target-libdir", "--target", target]);
        shell::output_of(shell::command("rustc", &arguments, &config.root))
            .is_some_and(|folder| Path::new(folder.trim()).is_dir())
    })
}
