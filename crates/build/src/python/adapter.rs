//! The adapter package and the WIT worlds, embedded so that an installed `lambkin` needs no checkout.

use crate::Kind;
use anyhow::Result;
use std::path::Path;

/// Files that componentize-py needs, by the path below the work folder.
const PACKAGE: &[(&str, &str)] = &[
    ("__init__.py", include_str!("../../../../lang-bindings/python/lambkin/__init__.py")),
    ("answer.py", include_str!("../../../../lang-bindings/python/lambkin/answer.py")),
    ("asgi.py", include_str!("../../../../lang-bindings/python/lambkin/asgi.py")),
    ("capability.py", include_str!("../../../../lang-bindings/python/lambkin/capability.py")),
    ("connection.py", include_str!("../../../../lang-bindings/python/lambkin/connection.py")),
    ("context.py", include_str!("../../../../lang-bindings/python/lambkin/context.py")),
    ("event_loop.py", include_str!("../../../../lang-bindings/python/lambkin/event_loop.py")),
    ("executors.py", include_str!("../../../../lang-bindings/python/lambkin/executors.py")),
    ("files.py", include_str!("../../../../lang-bindings/python/lambkin/files.py")),
    ("function.py", include_str!("../../../../lang-bindings/python/lambkin/function.py")),
    ("imports.py", include_str!("../../../../lang-bindings/python/lambkin/imports.py")),
    ("jobs.py", include_str!("../../../../lang-bindings/python/lambkin/jobs.py")),
    ("libraries.py", include_str!("../../../../lang-bindings/python/lambkin/libraries.py")),
    ("log.py", include_str!("../../../../lang-bindings/python/lambkin/log.py")),
    ("memory.py", include_str!("../../../../lang-bindings/python/lambkin/memory.py")),
    ("names.py", include_str!("../../../../lang-bindings/python/lambkin/names.py")),
    ("objects.py", include_str!("../../../../lang-bindings/python/lambkin/objects.py")),
    ("outbound.py", include_str!("../../../../lang-bindings/python/lambkin/outbound.py")),
    ("prepare.py", include_str!("../../../../lang-bindings/python/lambkin/prepare.py")),
    ("readiness.py", include_str!("../../../../lang-bindings/python/lambkin/readiness.py")),
    ("rehearsal.py", include_str!("../../../../lang-bindings/python/lambkin/rehearsal.py")),
    ("snapshot.py", include_str!("../../../../lang-bindings/python/lambkin/snapshot.py")),
    ("sockets.py", include_str!("../../../../lang-bindings/python/lambkin/sockets.py")),
    ("tls.py", include_str!("../../../../lang-bindings/python/lambkin/tls.py")),
    ("web.py", include_str!("../../../../lang-bindings/python/lambkin/web.py")),
    ("websocket.py", include_str!("../../../../lang-bindings/python/lambkin/websocket.py")),
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

/// A capability of the host: the module that a Python program imports, the package of `wit/`, and what its world imports.
pub(super) struct Capability {
    module: &'static str,
    package: (&'static str, &'static str),
    import: &'static str,
}

const CAPABILITIES: [Capability; 3] = [
    Capability {
        module: "files",
        package: ("lambkin-files", include_str!("../../../../wit/lambkin-files/files.wit")),
        import: "lambkin:files/files@0.1.0",
    },
    Capability {
        module: "jobs",
        package: ("lambkin-jobs", include_str!("../../../../wit/lambkin-jobs/jobs.wit")),
        import: "lambkin:jobs/jobs@0.1.0",
    },
    Capability {
        module: "websocket",
        package: (
            "lambkin-websocket",
            include_str!("../../../../wit/lambkin-websocket/websocket.wit"),
        ),
        import: "lambkin:websocket/connections@0.1.0",
    },
];

/// The capabilities that a program imports, as its source shows: `from lambkin import files`, `import lambkin.files`.
///
/// A component imports all that its world names, so the world names no more than the program does.
pub(super) fn capabilities<'a>(
    sources: &(impl Iterator<Item = &'a str> + Clone),
) -> Vec<&'static Capability> {
    let is_imported =
        |capability: &&Capability| sources.clone().any(|source| imports(source, capability.module));
    CAPABILITIES.iter().filter(is_imported).collect()
}

fn imports(source: &str, module: &str) -> bool {
    let is_name = |text: &str| {
        text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == module)
    };
    source.contains(&format!("lambkin.{module}"))
        || source.split("from lambkin import").skip(1).any(|rest| {
            let rest = rest.trim_start();
            let end = if rest.starts_with('(') { rest.find(')') } else { rest.find('\n') };
            is_name(rest.get(..end.unwrap_or(rest.len())).unwrap_or_default())
        })
}

/// Every embedded text, in a fixed order: a change in one asks for a rebuild.
pub(super) fn texts() -> impl Iterator<Item = &'static str> {
    let capabilities = CAPABILITIES.iter().map(|capability| capability.package.1);
    let wit = [FUNCTION_WIT, WORLDS].into_iter().chain(capabilities);
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

/// Writes the worlds, with these capabilities, and the packages that they need into `folder`.
pub(super) fn write_wit(folder: &Path, capabilities: &[&Capability]) -> Result<()> {
    fs_err::create_dir_all(folder)?;
    let imports: String =
        capabilities.iter().map(|it| format!("    import {};\n", it.import)).collect();
    let worlds = WORLDS.replace("    export ", &format!("{imports}    export "));
    fs_err::write(folder.join("world.wit"), worlds)?;
    let own =
        capabilities.iter().map(|it| &it.package).chain(&[("lambkin-function", FUNCTION_WIT)]);
    for (name, text) in WASI.iter().chain(own) {
        let package = folder.join("deps").join(name);
        fs_err::create_dir_all(&package)?;
        fs_err::write(package.join("package.wit"), text)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::capabilities;

    fn check(source: &str, expected: &[&str]) {
        let found = capabilities(&[source].into_iter());
        let found: Vec<_> = found.iter().map(|capability| capability.module).collect();
        assert_eq!(found, expected, "{source}");
    }

    #[test]
    fn a_world_has_the_capabilities_that_the_source_imports() {
        check("import files, jobs\nfrom lambkin import Context\nfiles = 1", &[]);
        check("from lambkin import Context, files as store\nwebsocket = None", &["files"]);
        check(
            "from lambkin import (\n    jobs,\n    websocket,\n)\nfiles = 1",
            &["jobs", "websocket"],
        );
        check("def late():\n    import lambkin.jobs", &["jobs"]);
        check("from lambkin.websocket import send", &["websocket"]);
    }
}
