//! The adapter package and the WIT worlds, embedded so that an installed `lambkin` needs no checkout.

use crate::Kind;
use anyhow::Result;
use std::path::Path;

/// Files that componentize-py needs, by the path below the work folder.
const PACKAGE: &[(&str, &str)] = &[
    ("__init__.py", include_str!("../../../../lang-bindings/python/lambkin/__init__.py")),
    ("answer.py", include_str!("../../../../lang-bindings/python/lambkin/answer.py")),
    ("asgi.py", include_str!("../../../../lang-bindings/python/lambkin/asgi.py")),
    ("connection.py", include_str!("../../../../lang-bindings/python/lambkin/connection.py")),
    ("context.py", include_str!("../../../../lang-bindings/python/lambkin/context.py")),
    ("event_loop.py", include_str!("../../../../lang-bindings/python/lambkin/event_loop.py")),
    ("executors.py", include_str!("../../../../lang-bindings/python/lambkin/executors.py")),
    ("function.py", include_str!("../../../../lang-bindings/python/lambkin/function.py")),
    ("imports.py", include_str!("../../../../lang-bindings/python/lambkin/imports.py")),
    ("libraries.py", include_str!("../../../../lang-bindings/python/lambkin/libraries.py")),
    ("log.py", include_str!("../../../../lang-bindings/python/lambkin/log.py")),
    ("names.py", include_str!("../../../../lang-bindings/python/lambkin/names.py")),
    ("outbound.py", include_str!("../../../../lang-bindings/python/lambkin/outbound.py")),
    ("prepare.py", include_str!("../../../../lang-bindings/python/lambkin/prepare.py")),
    ("readiness.py", include_str!("../../../../lang-bindings/python/lambkin/readiness.py")),
    ("snapshot.py", include_str!("../../../../lang-bindings/python/lambkin/snapshot.py")),
    ("sockets.py", include_str!("../../../../lang-bindings/python/lambkin/sockets.py")),
    ("tls.py", include_str!("../../../../lang-bindings/python/lambkin/tls.py")),
    ("web.py", include_str!("../../../../lang-bindings/python/lambkin/web.py")),
    ("wire.py", include_str!("../../../../lang-bindings/python/lambkin/wire.py")),
    ("wsgi.py", include_str!("../../../../lang-bindings/python/lambkin/wsgi.py")),
];

const FUNCTION_WIT: &str = include_str!("../../../../wit/lambkin-function/function.wit");
const WORLDS: &str = include_str!("../../../../lang-bindings/python/wit/world.wit");

const WASI: &[(&str, &str)] = &[
    ("wasi-cli-0.2.12", include_str!("../../../../wit/deps/wasi-cli-0.2.12/package.wit")),
    ("wasi-clocks-0.2.12", include_str!("../../../../wit/deps/wasi-clocks-0.2.12/package.wit")),
    (
        "wasi-filesystem-0.2.12",
        include_str!("../../../../wit/deps/wasi-filesystem-0.2.12/package.wit"),
    ),
    ("wasi-http-0.2.12", include_str!("../../../../wit/deps/wasi-http-0.2.12/package.wit")),
    ("wasi-io-0.2.12", include_str!("../../../../wit/deps/wasi-io-0.2.12/package.wit")),
    ("wasi-random-0.2.12", include_str!("../../../../wit/deps/wasi-random-0.2.12/package.wit")),
    ("wasi-sockets-0.2.12", include_str!("../../../../wit/deps/wasi-sockets-0.2.12/package.wit")),
];

/// The world that a kind of handler is built against, by its name in WIT.
pub(super) fn world(kind: Kind) -> &'static str {
    if kind == Kind::Http { "web" } else { "function" }
}

/// Every embedded text, in a fixed order: a change in one asks for a rebuild.
pub(super) fn texts() -> impl Iterator<Item = &'static str> {
    let wit = [FUNCTION_WIT, WORLDS].into_iter();
    PACKAGE.iter().chain(WASI).map(|(_, text)| *text).chain(wit)
}

/// Writes the package into `folder`.
pub(super) fn write_package(folder: &Path) -> Result<()> {
    let package = folder.join("lambkin");
    fs_err::create_dir_all(&package)?;
    for (name, text) in PACKAGE {
        fs_err::write(package.join(name), text)?;
    }
    Ok(())
}

/// Writes the worlds and the packages that they need into `folder`.
pub(super) fn write_wit(folder: &Path) -> Result<()> {
    fs_err::create_dir_all(folder)?;
    fs_err::write(folder.join("world.wit"), WORLDS)?;
    for (name, text) in WASI.iter().chain(&[("lambkin-function", FUNCTION_WIT)]) {
        let package = folder.join("deps").join(name);
        fs_err::create_dir_all(&package)?;
        fs_err::write(package.join("package.wit"), text)?;
    }
    Ok(())
}
