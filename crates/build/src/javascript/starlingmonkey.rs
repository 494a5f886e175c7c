//! `StarlingMonkey` components, by componentize-js on Node.

use super::bundle::{self, Bundle};
use super::entry::Entry;
use super::esbuild::install_packages;
use crate::order::{self, Runtime};
use crate::{BuildFailure, Home, Kind, Progress, Source, tools};
use anyhow::Result;
use std::path::{Path, PathBuf};
use std::process::Command;

/// componentize-js and the package that it needs and does not name.
const PACKAGES: [&str; 2] =
    ["@bytecodealliance/componentize-js@0.23.0", "@bytecodealliance/preview2-shim@0.25.0"];
const FOLDER: &str = "componentize-js-0.23.0";

/// The version of WASI that this componentize-js speaks; its own, whatever newer one there is.
const WASI: &str = "0.2.10";

macro_rules! binding {
    ($name:literal) => {
        include_str!(concat!("../../../../lang-bindings/javascript/starlingmonkey/", $name))
    };
}

/// Of Lambkin's own modules, which are those of the other engine over other bindings.
macro_rules! guest {
    ($name:literal) => {
        (
            concat!("lambkin/", $name),
            concat!("guest_", $name, ".js"),
            include_str!(concat!(
                "../../../../lang-bindings/javascript/runtime/src/prelude/guest/",
                $name,
                ".js"
            )),
        )
    };
}

/// What users import of Lambkin itself: the name, the file it is written to, its text.
const GUEST: [(&str, &str, &str); 3] = [guest!("files"), guest!("jobs"), guest!("websocket")];

macro_rules! wit {
    ($name:literal) => {
        ($name, include_str!(concat!("../../../../wit/deps/wasi-", $name, "-0.2.12/package.wit")))
    };
}

/// WASI's packages, which differ between these versions in nothing but the number.
const WIT: [(&str, &str); 7] = [
    wit!("cli"),
    wit!("clocks"),
    wit!("filesystem"),
    wit!("http"),
    wit!("io"),
    wit!("random"),
    wit!("sockets"),
];

/// Bundles and componentizes; returns the component and the files that went in.
pub(super) fn build(
    source: &Source,
    entry: &Entry,
    esbuild: &Path,
    tools: &Tools<'_>,
) -> Result<(Vec<u8>, Vec<PathBuf>)> {
    let library = tools.library()?;
    let folder = source.work.join("starlingmonkey");
    write_project(&folder)?;
    let user = format!("--alias:lambkin-user={}", entry.file.display());
    let kind = super::kind_by_exports(
        source,
        &bundle::run(source, entry, esbuild, &engine_modules(&folder))?,
    )?;
    let world = if kind == Kind::Http { "http" } else { "function" };
    let main =
        Entry { file: folder.join(world).with_extension("js"), project: entry.project.clone() };
    let mut options = engine_modules(&folder);
    options.push(user);
    let bundle = bundle::run(source, &main, esbuild, &options)?;
    refuse_node_modules(entry, source, &bundle)?;
    // The adapter's own frames are told from the user's by this name.
    let own = folder.strip_prefix(&source.root).unwrap_or(&folder);
    let map = folder.join("bundle.map");
    fs_err::write(&map, bundle.map.replace(&format!("{}/", own.display()), "lambkin:"))?;
    let output = folder.join("component.wasm");
    (tools.progress)(&format!("{}: componentizing on StarlingMonkey", source.name));
    let mut node = Command::new("node");
    // componentize-js mistakes its own files for the user's when they lie below the current directory.
    node.current_dir(&folder);
    node.arg(folder.join("componentize.mjs")).arg(library);
    node.arg(source.work.join("bundle.js")).arg(&map).arg(source.handler_export());
    node.arg(folder.join("wit")).arg(world).arg(&output);
    let needs = tools::run(&mut node, &format!("componentizing {}", entry.name(source)))?;
    if let Some(needs) = needs.lines().find_map(|line| line.strip_prefix("lambkin-needs ")) {
        (tools.progress)(&bundle::deferred(source, needs));
    }
    let inputs =
        bundle.inputs.into_iter().filter(|input| !input.starts_with(&source.work)).collect();
    Ok((order::hot_first(&fs_err::read(output)?, Runtime::StarlingMonkey)?, inputs))
}

/// The options that leave Node's modules and the host's interfaces to the engine, and give Lambkin's own modules.
fn engine_modules(folder: &Path) -> Vec<String> {
    let mut options = bundle::node_modules();
    options.extend(["--external:wasi:*".to_owned(), "--external:lambkin:*".to_owned()]);
    options.extend(
        GUEST.map(|(name, file, _)| format!("--alias:{name}={}", folder.join(file).display())),
    );
    options
}

/// Says more than esbuild would if it were to find Node's modules.
fn refuse_node_modules(entry: &Entry, source: &Source, bundle: &Bundle) -> Result<()> {
    let mut modules = bundle.external.iter();
    let Some((module, importer)) =
        modules.find(|(name, _)| !name.starts_with("wasi:") && !name.starts_with("lambkin:"))
    else {
        return Ok(());
    };
    let summary = format!(
        "{importer} imports {module}, which StarlingMonkey does not have: use the web's own interfaces, or build {} with engine = \"quickjs\"",
        entry.name(source)
    );
    Err(BuildFailure { output: String::new(), summary }.into())
}

/// Where componentize-js is kept and whom its installation is told.
pub(super) struct Tools<'a> {
    pub(super) home: &'a Home,
    pub(super) progress: Progress<'a>,
}

impl Tools<'_> {
    /// componentize-js's main module, installed when it is not there yet.
    fn library(&self) -> Result<PathBuf> {
        let folder = self.home.path().join("tools").join(FOLDER);
        install_packages(&folder, &PACKAGES, "componentize-js 0.23.0", self.progress)?;
        Ok(folder.join("node_modules/@bytecodealliance/componentize-js/src/componentize.js"))
    }
}

/// Writes the adapter, its settings and the WIT package.
fn write_project(folder: &Path) -> Result<()> {
    let wit = folder.join("wit");
    fs_err::create_dir_all(wit.join("deps"))?;
    let files = [
        ("answer.js", binding!("answer.js")),
        (
            "call.js",
            include_str!("../../../../lang-bindings/javascript/runtime/src/prelude/guest/call.js"),
        ),
        ("componentize.mjs", binding!("componentize.mjs")),
        ("environment.js", binding!("environment.js")),
        ("function.js", binding!("function.js")),
        ("http.js", binding!("http.js")),
        ("load.js", binding!("load.js")),
        ("native_files.js", binding!("native_files.js")),
        ("native_jobs.js", binding!("native_jobs.js")),
        ("native_websocket.js", binding!("native_websocket.js")),
        ("stack.js", binding!("stack.js")),
        ("wit/world.wit", binding!("world.wit")),
        (
            "wit/deps/lambkin-function.wit",
            include_str!("../../../../wit/lambkin-function/function.wit"),
        ),
        ("wit/deps/lambkin-files.wit", include_str!("../../../../wit/lambkin-files/files.wit")),
        ("wit/deps/lambkin-jobs.wit", include_str!("../../../../wit/lambkin-jobs/jobs.wit")),
        (
            "wit/deps/lambkin-websocket.wit",
            include_str!("../../../../wit/lambkin-websocket/websocket.wit"),
        ),
    ];
    for (name, text) in files {
        fs_err::write(folder.join(name), text)?;
    }
    for (_, file, text) in GUEST {
        let text = text.replace("lambkin:guest/call", "./call.js");
        fs_err::write(folder.join(file), native(&text))?;
    }
    for (name, text) in WIT {
        fs_err::write(
            wit.join("deps").join(name).with_extension("wit"),
            text.replace("0.2.12", WASI),
        )?;
    }
    Ok(())
}

/// The text with its import of `lambkin:native/<name>` turned to the file that stands for it here.
fn native(text: &str) -> String {
    GUEST.iter().fold(text.to_owned(), |text, (name, ..)| {
        let name = name.trim_start_matches("lambkin/");
        text.replace(&format!("lambkin:native/{name}"), &format!("./native_{name}.js"))
    })
}
