//! Builds the guest parts that this crate carries: the JavaScript runtime, a WebAssembly module.
//!
//! Without the guest toolchain or a C compiler for WebAssembly the crate still builds; building a JavaScript component
//! then says what is missing.

#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "build scripts talk to cargo by both"
)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// The toolchains tried for guests, in order; `None` is the one that builds this crate.
const TOOLCHAINS: [Option<&str>; 2] = [Some("wasm-guest"), None];
const TARGET: &str = "wasm32-wasip1";
const MODULE: &str = "lambkin_javascript_runtime.wasm";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let source = Path::new(&env::var("CARGO_MANIFEST_DIR")?)
        .join("../../lang-bindings/javascript/runtime")
        .canonicalize()?;
    // Relative, for a target folder may be shared by checkouts: each is to see changes of its own files.
    for part in ["src", "include", "Cargo.toml", "Cargo.lock", "../../../wit"] {
        println!("cargo:rerun-if-changed=../../lang-bindings/javascript/runtime/{part}");
    }
    println!("cargo:rerun-if-env-changed=CC_wasm32_wasip1");
    let (module, missing) = match runtime(&source, &out) {
        Ok(module) => (fs::read(module)?, String::new()),
        Err(reason) => {
            println!("cargo:warning=JavaScript components cannot be built: {reason}");
            (Vec::new(), reason)
        }
    };
    fs::write(out.join("javascript.wasm"), module)?;
    fs::write(out.join("javascript.missing"), missing)?;
    Ok(())
}

/// Compiles the runtime and returns its path, or says what is missing or wrong.
fn runtime(source: &Path, out: &Path) -> Result<PathBuf, String> {
    let toolchain = TOOLCHAINS.into_iter().find(|toolchain| has_target(*toolchain));
    let toolchain = toolchain.ok_or_else(|| {
        format!("no Rust toolchain has the target {TARGET}: run `rustup target add {TARGET}` or `cargo xtask setup`")
    })?;
    let compiler = env::var("CC_wasm32_wasip1").unwrap_or_else(|_| "clang".to_owned());
    if !compiles_for_wasm(&compiler) {
        return Err(format!(
            "no C compiler for WebAssembly: install clang and lld, or run `cargo xtask setup` ({compiler})"
        ));
    }
    // Beside the profiles' own folders, so that every profile and feature set shares one build.
    let target = out.ancestors().nth(4).unwrap_or(out).join("javascript-runtime");
    let headers = headers(source, toolchain)?;
    let mut cargo = tool("cargo", toolchain);
    cargo
        .args(["build", "--release", "--locked", "--target", TARGET])
        .current_dir(source)
        .env("CARGO_TARGET_DIR", &target)
        .env("RQUICKJS_SYS_NO_WASI_SDK", "1")
        .env("CC_wasm32_wasip1", &compiler)
        .env("CFLAGS_wasm32_wasip1", c_flags(source, &headers));
    if env::var_os("AR_wasm32_wasip1").is_none() && runs(Command::new("llvm-ar").arg("--version")) {
        cargo.env("AR_wasm32_wasip1", "llvm-ar");
    }
    let output = cargo.output().map_err(|error| format!("cargo: {error}"))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        let line = text.lines().find(|line| line.contains("error")).unwrap_or("no error line");
        return Err(format!(
            "its runtime did not compile: {line}; run `cargo build` in {} to see all",
            source.display()
        ));
    }
    Ok(target.join(TARGET).join("release").join(MODULE))
}

/// `program` of a toolchain, without what the outer cargo put into the environment.
fn tool(program: &str, toolchain: Option<&str>) -> Command {
    let mut command = match toolchain {
        Some(name) => {
            let mut rustup = Command::new("rustup");
            rustup.args(["run", name, program]);
            rustup
        }
        None => Command::new(program),
    };
    let inherited = env::vars_os().map(|(name, _)| name).filter(|name| {
        let name = name.to_string_lossy();
        let ours = name.starts_with("CARGO")
            && name != "CARGO_HOME"
            && !name.starts_with("CARGO_NET_")
            && !name.starts_with("CARGO_REGISTR");
        ours || name.starts_with("RUSTC")
            || name == "RUSTFLAGS"
            || name == "RUSTDOC"
            || (toolchain.is_some() && name == "RUSTUP_TOOLCHAIN")
    });
    for name in inherited {
        command.env_remove(name);
    }
    command
}

fn has_target(toolchain: Option<&str>) -> bool {
    let output =
        tool("rustc", toolchain).args(["--print", "target-libdir", "--target", TARGET]).output();
    let Ok(output) = output else { return false };
    output.status.success() && Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir()
}

fn runs(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

fn compiles_for_wasm(compiler: &str) -> bool {
    runs(Command::new(compiler).args([
        "--target=wasm32-wasi",
        "-c",
        "-x",
        "c",
        "/dev/null",
        "-o",
        "/dev/null",
    ]))
}

/// The wasi-libc headers that `rquickjs-sys` carries; the library itself comes with Rust's target.
fn headers(source: &Path, toolchain: Option<&str>) -> Result<PathBuf, String> {
    let output = tool("cargo", toolchain)
        .args(["metadata", "--format-version=1", "--locked"])
        .current_dir(source)
        .output()
        .map_err(|error| format!("cargo metadata: {error}"))?;
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).map_err(|_| {
        format!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr).trim())
    })?;
    let packages =
        metadata.get("packages").and_then(serde_json::Value::as_array).into_iter().flatten();
    let manifest = packages
        .filter(|package| package["name"] == "rquickjs-sys")
        .find_map(|package| package["manifest_path"].as_str())
        .ok_or("the runtime does not depend on rquickjs-sys")?;
    Ok(Path::new(manifest).with_file_name("vendor").join("wasi-libc").join("include"))
}

/// `QuickJS` keeps no bound on its stack where `__wasi__` is defined, and measures its memory where `__GLIBC__` is.
///
/// The instructions are those that Rust's target has by default; older versions of clang have to be told
/// (<https://doc.rust-lang.org/rustc/platform-support/wasm32-unknown-unknown.html#enabled-webassembly-features>).
fn c_flags(source: &Path, headers: &Path) -> String {
    let own = source.join("include");
    format!(
        "-mbulk-memory -msign-ext -mnontrapping-fptoint -U__wasi__ -D__GLIBC__ -nostdlibinc -isystem {} -isystem {}",
        headers.display(),
        own.display()
    )
}
