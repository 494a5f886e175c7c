//! The recipes: how each component is made, by programs that nobody here wrote.

use crate::folder;
use anyhow::Context as _;
use lambkin_protocol::digest;
use lambkin_tests::programs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How a component is made.
pub(crate) struct Recipe {
    /// The folder's name in `components`.
    pub(crate) name: &'static str,
    /// Whether it answers `/fetch` by a request of its own.
    pub(crate) fetches: bool,
    make: fn(&Workshop) -> anyhow::Result<()>,
}

/// Every component.
pub(crate) const COMPONENTS: [Recipe; 6] = [
    Recipe { name: "componentize-js", fetches: true, make: componentize_js },
    Recipe { name: "componentize-py", fetches: false, make: componentize_py },
    Recipe { name: "go", fetches: false, make: go },
    Recipe { name: "wasi-crate", fetches: false, make: rust },
    Recipe { name: "wasip3", fetches: true, make: rust },
    Recipe { name: "wstd", fetches: true, make: rust },
];

const COMPONENTIZE_JS: &str = "componentize-js-cli-0.23.0/node_modules/.bin/componentize-js";
const COMPONENTIZE_PY: &str = "componentize-py-cli-0.25.1/bin/componentize-py";
const WASM_TOOLS: &str = "wasm-tools-1.262.0/bin/wasm-tools";
const WIT_BINDGEN: &str = "wit-bindgen-cli-0.57.1/bin/wit-bindgen";

/// The preview-1 adapter for reactors, which comes with componentize-js.
const ADAPTER: &str = "componentize-js-cli-0.23.0/node_modules/@bytecodealliance/jco/lib/wasi_snapshot_preview1.reactor.wasm";

/// The version of WASI in `wit/deps`.
const WASI: &str = "0.2.12";

/// The version of WASI that this componentize-js has built in: its fetch event exports no other.
const WASI_OF_COMPONENTIZE_JS: &str = "0.2.10";

/// The folders of one component while it is made.
struct Workshop {
    /// Where its source is.
    source: PathBuf,
    /// Where intermediate files are.
    work: PathBuf,
    /// Where the component is to be.
    output: PathBuf,
}

/// Makes the component where its app's manifest looks for it.
pub(crate) fn make(recipe: &Recipe) -> anyhow::Result<PathBuf> {
    let source = folder().join("components").join(recipe.name);
    let output = source.join(".lambkin/component.wasm");
    let workshop =
        Workshop { work: Path::new(env!("CARGO_TARGET_TMPDIR")).join("foreign"), source, output };
    fs_err::create_dir_all(workshop.source.join(".lambkin"))?;
    (recipe.make)(&workshop).with_context(|| format!("making the component {}", recipe.name))?;
    Ok(workshop.output)
}

fn rust(workshop: &Workshop) -> anyhow::Result<()> {
    const TARGET: &str = "wasm32-wasip2";
    let mut cargo = programs::cargo_for(TARGET);
    cargo.args(["build", "--release", "--locked", "--target", TARGET, "--target-dir"]);
    cargo.arg(&workshop.work).current_dir(&workshop.source);
    programs::run(&mut cargo)?;
    let name = workshop.source.file_name().context("the folder's name")?.to_string_lossy();
    let built = format!("{TARGET}/release/foreign_{}.wasm", name.replace('-', "_"));
    fs_err::copy(workshop.work.join(built), &workshop.output)?;
    Ok(())
}

fn componentize_js(workshop: &Workshop) -> anyhow::Result<()> {
    let program = programs::tool(COMPONENTIZE_JS)?;
    workshop.once(&[COMPONENTIZE_JS], |work| {
        let mut command = Command::new(program);
        command.arg(workshop.source.join("app.js")).arg("--wit");
        command.arg(write_wit(work, WASI_OF_COMPONENTIZE_JS)?);
        command.args(["--world-name", "proxy", "--out"]).arg(&workshop.output);
        programs::run(&mut command).map(drop)
    })
}

fn componentize_py(workshop: &Workshop) -> anyhow::Result<()> {
    let program = programs::tool(COMPONENTIZE_PY)?;
    workshop.once(&[COMPONENTIZE_PY], |work| {
        let mut command = Command::new(program);
        command.arg("--wit-path").arg(write_wit(work, WASI)?);
        command.args(["--world", &proxy(), "componentize", "--python-path"]);
        // CPython leaves compiled files beside the sources.
        let sources = work.join("sources");
        copy(&workshop.source, &sources)?;
        command.arg(sources).arg("app").arg("--output").arg(&workshop.output);
        // componentize-py takes the packages of an active environment in.
        programs::run(command.env_remove("VIRTUAL_ENV")).map(drop)
    })
}

fn go(workshop: &Workshop) -> anyhow::Result<()> {
    let wit_bindgen = programs::tool(WIT_BINDGEN)?;
    let wasm_tools = programs::tool(WASM_TOOLS)?;
    let adapter = programs::tool(ADAPTER)?;
    workshop.once(&[WIT_BINDGEN, WASM_TOOLS, ADAPTER], |work| {
        let wit = write_wit(work, WASI)?;
        let module = work.join("module");
        let mut bind = Command::new(wit_bindgen);
        bind.args(["go", "--world", &proxy(), "--out-dir"]).arg(&module).arg(&wit);
        programs::run(&mut bind)?;
        // Over the generated `go.mod`: the same, and the sums of what it names.
        copy(&workshop.source, &module)?;
        let (core, embedded) = (work.join("core.wasm"), work.join("embedded.wasm"));
        let mut build = Command::new("go");
        build.args(["build", "-buildmode=c-shared", "-ldflags=-checklinkname=0", "-o"]).arg(&core);
        build.arg(".").current_dir(&module).env("GOOS", "wasip1").env("GOARCH", "wasm");
        programs::run(&mut build)?;
        let mut embed = Command::new(&wasm_tools);
        embed.args(["component", "embed", "--world", &proxy()]).arg(wit).arg(core);
        programs::run(embed.arg("--output").arg(&embedded))?;
        let mut encode = Command::new(wasm_tools);
        encode.args(["component", "new", "--adapt"]).arg(adapter).arg(embedded);
        programs::run(encode.arg("--output").arg(&workshop.output)).map(drop)
    })
}

impl Workshop {
    /// Makes the component in an empty folder, unless these sources and `tools` have made it before.
    fn once(
        &self,
        tools: &[&str],
        make: impl FnOnce(&Path) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let mut content = tools.join("\n").into_bytes();
        for file in files(&self.source)? {
            content.extend(fs_err::read(file)?);
        }
        let key = digest::sha256_hex(content);
        let record = self.source.join(".lambkin/component.key");
        if self.output.exists() && fs_err::read_to_string(&record).is_ok_and(|known| known == key) {
            return Ok(());
        }
        let work = tempfile::tempdir()?;
        make(work.path())?;
        fs_err::write(record, key)?;
        Ok(())
    }
}

/// The world of `wasi:http` that every recipe builds for.
fn proxy() -> String {
    format!("wasi:http/proxy@{WASI}")
}

/// Writes the WIT of `wasi:http` and of what it depends on, as `version`: the packages differ in nothing but the number.
fn write_wit(work: &Path, version: &str) -> anyhow::Result<PathBuf> {
    let packages = folder().join("../../wit/deps");
    let wit = work.join("wit");
    for name in ["cli", "clocks", "filesystem", "http", "io", "random", "sockets"] {
        let text =
            fs_err::read_to_string(packages.join(format!("wasi-{name}-{WASI}/package.wit")))?;
        let package = if name == "http" { wit.clone() } else { wit.join("deps").join(name) };
        fs_err::create_dir_all(&package)?;
        fs_err::write(package.join("package.wit"), text.replace(WASI, version))?;
    }
    Ok(wit)
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    for file in files(from)? {
        let target = to.join(file.strip_prefix(from)?);
        fs_err::create_dir_all(target.parent().context("a file's folder")?)?;
        fs_err::copy(file, target)?;
    }
    Ok(())
}

/// The files below `folder`, in a fixed order; hidden ones are made, not written.
fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs_err::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        match entry.path() {
            path if path.is_dir() => found.extend(files(&path)?),
            path => found.push(path),
        }
    }
    found.sort();
    Ok(found)
}
