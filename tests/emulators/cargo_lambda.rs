//! `cargo lambda watch`, which serves a program that it has not built when it is told to serve the APIs alone.

use crate::emulator::{Emulator, free_address};
use lambkin_tests::cloud::{Cloud, Store};
use lambkin_tests::programs;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// The name that the emulator knows the function by.
const FUNCTION: &str = "hosted";

/// Starts it with a host that answers with whole responses.
pub(crate) fn start(cloud: &Cloud) -> anyhow::Result<Emulator> {
    start_host(cloud, cloud.host_environment("emulated", Store::S3)?)
}

/// Starts it, and a host with `environment`.
pub(crate) fn start_host(
    cloud: &Cloud,
    environment: BTreeMap<String, String>,
) -> anyhow::Result<Emulator> {
    let program = programs::tool("cargo-lambda-1.9.2/bin/cargo-lambda")?;
    let mut emulator = Emulator::new(free_address()?, FUNCTION)?;
    let address = emulator.address;
    write_package(emulator.folder())?;
    let mut watch = Command::new(program);
    watch.args(["lambda", "watch", "--only-lambda-apis", "--disable-cors"]);
    watch.arg("--invoke-address").arg(address.ip().to_string());
    watch.arg("--invoke-port").arg(address.port().to_string());
    emulator.start(watch.current_dir(emulator.folder()))?;
    emulator.wait()?;
    let mut host = Command::new(&cloud.programs().bootstrap);
    host.env_clear().envs(environment);
    host.env("AWS_LAMBDA_RUNTIME_API", format!("http://{address}/.rt/{FUNCTION}"));
    host.env("AWS_LAMBDA_FUNCTION_NAME", FUNCTION).env("AWS_LAMBDA_FUNCTION_VERSION", "1");
    host.env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512");
    emulator.start(&mut host)?;
    Ok(emulator)
}

/// The emulator looks for the function's name among the programs of the package that it is started in.
fn write_package(folder: &Path) -> anyhow::Result<()> {
    let manifest = format!(
        "[package]\nname = \"{FUNCTION}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
         [[bin]]\nname = \"{FUNCTION}\"\npath = \"main.rs\"\n\n[workspace]\n"
    );
    fs_err::write(folder.join("Cargo.toml"), manifest)?;
    fs_err::write(folder.join("main.rs"), "fn main() {}\n")?;
    Ok(())
}
