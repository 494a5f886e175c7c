//! Go components: the stock Go toolchain builds the user's program, unchanged, together with `lang-bindings/go`.
//!
//! A program that calls `lambda.Start` of `aws-lambda-go` becomes a function, one that serves `net/http` a web
//! handler, any other a command. Nothing is written into the user's module: see `go/overlay.rs`.

mod binding;
mod component;
mod overlay;
mod package;

use crate::order::{self, Runtime};
use crate::{BuildFailure, Built, Check, Home, Kind, Progress, Source, tools};
use anyhow::{Result, bail};
use overlay::{Additions, Root};
use package::{AWS_LAMBDA_GO, Package};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The first version with `//go:wasmexport` and `-buildmode=c-shared` for `wasip1`: <https://go.dev/doc/go1.24#wasm>.
const OLDEST: (u32, u32) = (1, 24);

/// The module of `lang-bindings/go`. A program may import its packages `files`, `jobs` and `websocket`.
const BINDING: &str = "lambkin.dev/go";

/// Builds `source`, a main package, into a component.
pub fn build(source: &Source, home: &Home, progress: Progress<'_>) -> Result<Built> {
    let folder = package_folder(&source.path)?;
    let root = Root::find(&folder)?;
    let package = list(&folder, &root, &source.work)?;
    let kind = source.kind.unwrap_or_else(|| package.kind());
    let additions = additions(&package, &folder, kind, home)?;
    let overlay = additions.write(&root, &source.work)?;
    progress("compiling with go");
    let core = source.work.join("core.wasm");
    let mut command = go_command(&folder);
    command.args([
        "build",
        "-trimpath",
        "-tags=nethttpomithttp2",
        "-ldflags=-s -w -checklinkname=0",
        "-overlay",
    ]);
    command.arg(&overlay).arg("-o").arg(&core);
    if kind != Kind::Command {
        command.arg("-buildmode=c-shared");
    }
    if root.is_vendored() {
        // The binding is not in the vendor folder.
        command.arg("-mod=mod");
    }
    tools::run(command.arg("."), "go build")
        .map_err(|error| name_from_root(error, &folder, &source.root))?;
    let wasm = component::encode(fs_err::read(&core)?, kind)?;
    let wasm = order::hot_first(&wasm, Runtime::Go)?;
    Ok(Built { wasm, inputs: inputs(&package, &root, &source.work) })
}

/// The tools that this language needs.
pub fn check(_home: &Home) -> Vec<Check> {
    let found = tools::version("go", &["version"]).and_then(|line| match version(&line) {
        Some(number) if number < OLDEST => Err(format!("{line}: go 1.24 or newer is needed")),
        _ => Ok(line),
    });
    let remedy = "install Go 1.24 or newer from https://go.dev/dl".to_owned();
    vec![Check { tool: "go", found, remedy }]
}

/// Major and minor number out of `go version go1.26.8 linux/amd64`.
fn version(line: &str) -> Option<(u32, u32)> {
    let mut numbers = line.split(' ').nth(2)?.strip_prefix("go")?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// The main package's folder: `source` may name a file in it.
fn package_folder(path: &Path) -> Result<PathBuf> {
    match path.parent() {
        Some(parent) if path.is_file() => Ok(parent.to_owned()),
        _ if path.is_dir() => Ok(path.to_owned()),
        _ => bail!("{} is neither a file nor a folder", path.display()),
    }
}

fn list(folder: &Path, root: &Root, work: &Path) -> Result<Package> {
    let overlay = Additions::default().write(root, &work.join("list"))?;
    Package::list(folder, &overlay)
}

/// What the program needs besides its own code to be a component of `kind`.
fn additions(package: &Package, folder: &Path, kind: Kind, home: &Home) -> Result<Additions> {
    let mut additions = Additions::default();
    let mut imports = Vec::new();
    match kind {
        Kind::Command => {}
        Kind::Http => imports.push("lambkin.dev/go/http"),
        Kind::Function => {
            imports.push("lambkin.dev/go/function");
            replace_aws_lambda(package, home, &mut additions)?;
        }
    }
    if package.uses_http() {
        imports.push("lambkin.dev/go/outgoing");
    }
    if !imports.is_empty() || package.imports(BINDING) {
        additions.require(BINDING, &binding::extract(home)?);
    }
    if !imports.is_empty() {
        let imports: Vec<_> = imports.iter().map(|path| format!("import _ {path:?}\n")).collect();
        let text = format!("package main\n\n{}", imports.concat());
        additions.file(folder.join("lambkin_generated.go"), text);
    }
    Ok(additions)
}

fn replace_aws_lambda(package: &Package, home: &Home, additions: &mut Additions) -> Result<()> {
    let Some(module) = package.aws_lambda() else {
        bail!(
            "a function in Go calls lambda.Start of {AWS_LAMBDA_GO}/lambda, which this program does not import"
        );
    };
    let (Some(version), Some(folder)) = (&module.version, &module.dir) else {
        bail!("{AWS_LAMBDA_GO} is not in the module cache: run `go mod download`");
    };
    let copy = binding::copy_aws_lambda(home, version, folder)?;
    additions.replace(AWS_LAMBDA_GO, version, &copy);
    Ok(())
}

/// `go` for the guest's target, in the package's folder.
fn go_command(folder: &Path) -> Command {
    let mut command = Command::new("go");
    command.current_dir(folder);
    command.env("GOOS", "wasip1").env("GOARCH", "wasm").env("GO111MODULE", "on");
    // The overlay's `go.mod` describes one module.
    command.env("GOWORK", "off");
    command
}

fn inputs(package: &Package, root: &Root, work: &Path) -> Vec<PathBuf> {
    let mut inputs = package.inputs(work);
    if root.written {
        inputs.push(root.go_mod.clone());
        inputs.push(root.go_mod.with_file_name("go.sum"));
    }
    inputs
}

/// The compiler names files from its own working folder; users read them from the app's.
fn name_from_root(error: anyhow::Error, folder: &Path, root: &Path) -> anyhow::Error {
    match (error.downcast::<BuildFailure>(), folder.strip_prefix(root)) {
        (Ok(failure), Ok(prefix)) => {
            let lines = failure.output.lines().map(|line| match line.strip_prefix("./") {
                Some(rest) => prefix.join(rest).display().to_string(),
                None => line.to_owned(),
            });
            let output = lines.collect::<Vec<_>>().join("\n");
            BuildFailure { output, ..failure }.into()
        }
        (Ok(failure), Err(_)) => failure.into(),
        (Err(error), _) => error,
    }
}
