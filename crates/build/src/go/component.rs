//! From Go's core module to a component: says which WIT world it speaks and adapts its preview-1 imports.
//!
//! The Go side of these worlds is written by hand in `lang-bindings/go`; a mismatch with the WIT is an error here.

use crate::Kind;
use anyhow::{Context as _, Result};
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER,
    WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

macro_rules! wit {
    ($path:literal) => {
        ($path, include_str!(concat!("../../../../", $path)))
    };
}

/// Every package that the worlds need, each after those it uses.
const PACKAGES: [(&str, &str); 12] = [
    wit!("wit/deps/wasi-io-0.2.12/package.wit"),
    wit!("wit/deps/wasi-clocks-0.2.12/package.wit"),
    wit!("wit/deps/wasi-random-0.2.12/package.wit"),
    wit!("wit/deps/wasi-filesystem-0.2.12/package.wit"),
    wit!("wit/deps/wasi-sockets-0.2.12/package.wit"),
    wit!("wit/deps/wasi-cli-0.2.12/package.wit"),
    wit!("wit/deps/wasi-http-0.2.12/package.wit"),
    wit!("wit/lambkin-function/function.wit"),
    wit!("wit/lambkin-files/files.wit"),
    wit!("wit/lambkin-jobs/jobs.wit"),
    wit!("wit/lambkin-websocket/websocket.wit"),
    wit!("lang-bindings/go/world.wit"),
];

/// Wraps what `go build` made into a component.
pub(super) fn encode(mut core: Vec<u8>, kind: Kind) -> Result<Vec<u8>> {
    let (world, adapter) = match kind {
        Kind::Function => ("function", WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER),
        Kind::Http => ("http", WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER),
        Kind::Command => ("command", WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER),
    };
    let mut resolve = Resolve::default();
    let mut package = None;
    for (path, text) in PACKAGES {
        package = Some(resolve.push_str(path, text)?);
    }
    let package = package.context("no WIT package")?;
    let world = resolve.select_world(&[package], Some(world))?;
    embed_component_metadata(&mut core, &resolve, world, StringEncoding::UTF8)?;
    ComponentEncoder::default()
        .module(&core)?
        .adapter(WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, adapter)?
        .validate(true)
        .encode()
        .context("go's module does not make a component")
}
