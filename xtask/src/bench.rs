//! `cargo xtask bench`: builds what is measured and each language's own Lambda client, then runs `benches/`.

use crate::setup::{java, node, python, wasmtime, wrk};
use crate::{bootstrap, ci::build, config::Config, setup, shell};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

/// Sets up, builds, measures; `arguments` go to the measuring program (parts, `--rounds`, `--calls`).
pub(crate) fn run(config: &Config, arguments: &[String]) -> anyhow::Result<ExitCode> {
    setup::for_building(config)?;
    setup::for_measuring(config)?;
    // The host is laid out by what callgrind sees.
    setup::for_counting(config)?;
    build::programs(config, build::Targets::Programs)?;
    shell::say("building what is measured, with --release; this takes some minutes the first time");
    bootstrap::build(config)?;
    release(config, &["--package", "lambkin-cli"])?;
    release(config, &["--package", "lambkin-benches"])?;
    let programs = config.target.join("release");
    let mut command = Command::new(programs.join("lambkin-benches"));
    command.arg("--bootstrap").arg(programs.join("bootstrap"));
    command.arg("--lambkin").arg(config.program("lambkin"));
    command.arg("--apps").arg(config.root.join("benches/apps"));
    command.arg("--native-rust").arg(native_rust(config, "rust")?);
    command.arg("--native-rust-s3").arg(native_rust(config, "rust-s3")?);
    let others = [
        ("--native-go", native_go(config)?.map(OsString::from)),
        ("--native-node", node::client(config).map(OsString::from)),
        ("--native-python", native_python(config).map(OsString::from)),
        ("--native-java", native_java(config)?),
    ];
    for (option, program) in others {
        match program {
            Some(program) => drop(command.arg(option).arg(program)),
            None => shell::say(&format!("{option} is not measured: see above")),
        }
    }
    command.arg("--serve").arg(programs.join("lambkin"));
    command.arg("--wasmtime").arg(wasmtime::program(config));
    if let Some((program, libraries)) = wrk::program(config) {
        command.arg("--wrk").arg(program);
        command.args(libraries.into_iter().flat_map(|folder| ["--wrk-libraries".into(), folder]));
    }
    command.arg("--plots").arg(config.root.join("docs/performance"));
    command.arg("--json").arg(config.target.join("bench.json"));
    let commit = shell::command("git", &["describe", "--always", "--dirty"], &config.root);
    if let Some(commit) = shell::output_of(commit) {
        command.arg("--commit").arg(commit.trim());
    }
    command.args(arguments);
    shell::run(command)?;
    Ok(ExitCode::SUCCESS)
}

fn native_python(config: &Config) -> Option<PathBuf> {
    python::AWSLAMBDARIC.find(config).map(|_| python::AWSLAMBDARIC.python(config))
}

fn release(config: &Config, packages: &[&str]) -> anyhow::Result<()> {
    let mut command = shell::command("cargo", &["build", "--release"], &config.root);
    command.args(packages);
    shell::run(command)
}

/// A handler on `lambda_runtime`: a package of its own, so that nothing else's features are in it.
fn native_rust(config: &Config, name: &str) -> anyhow::Result<PathBuf> {
    let folder = config.root.join("benches/native").join(name);
    let target = config.target.join(format!("native-{name}"));
    let mut command = shell::command("cargo", &["build", "--release", "--locked"], &folder);
    command.arg("--target-dir").arg(&target);
    shell::run(command)?;
    Ok(target.join("release").join(format!("bench-native-{name}")))
}

/// The class path of Java's client and the handler, which is compiled; nothing when the client is not there.
fn native_java(config: &Config) -> anyhow::Result<Option<OsString>> {
    let Some(client) = java::client(config) else { return Ok(None) };
    let classes = config.target.join("native-java");
    let class_path = format!("{}/*", client.display());
    let mut command = shell::command("javac", &["-cp", &class_path, "-d"], &config.root);
    command.arg(&classes).arg("benches/native/java/src/bench/Hello.java");
    shell::run(command)?;
    Ok(Some(format!("{class_path}:{}", classes.display()).into()))
}

/// The handler on `aws-lambda-go`, built as AWS's guide for `provided.al2023` says; nothing when Go is not there.
fn native_go(config: &Config) -> anyhow::Result<Option<PathBuf>> {
    let folder = config.root.join("benches/apps/go");
    if !shell::succeeds(shell::command("go", &["version"], &folder)) {
        shell::say("Go is not there: install it from https://go.dev/dl");
        return Ok(None);
    }
    let program = config.target.join("native-go");
    let mut command = shell::command(
        "go",
        &["build", "-tags", "lambda.norpc", "-ldflags", "-s -w", "-o"],
        &folder,
    );
    command.arg(&program).arg(".").env("CGO_ENABLED", "0");
    shell::run(command)?;
    Ok(Some(program))
}
