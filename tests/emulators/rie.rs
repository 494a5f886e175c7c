//! AWS's Runtime Interface Emulator: the one in AWS's own container images, as the SAM command ships it.

use crate::emulator::{Emulator, free_address};
use lambkin_tests::cloud::{Cloud, Store};
use lambkin_tests::programs;
use std::process::Command;

/// Where SAM's command keeps it.
const FOLDER: &str = "aws-sam-cli-1.170.0/lib/*/site-packages/samcli/local/rapid";

/// Starts it; it starts the host itself, at the first invocation.
pub(crate) fn start(cloud: &Cloud) -> anyhow::Result<Emulator> {
    let machine = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
    let program = programs::tool(&format!("{FOLDER}/aws-lambda-rie-{machine}"))?;
    let mut emulator = Emulator::new(free_address()?, "function")?;
    let mut command = Command::new(program);
    command.arg("--runtime-api-address").arg(free_address()?.to_string());
    command.arg("--runtime-interface-emulator-address").arg(emulator.address.to_string());
    command.args(["--log-level", "error"]).arg(&cloud.programs().bootstrap);
    command.env_clear().envs(cloud.host_environment("emulated", Store::S3)?);
    command.env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512").env("AWS_LAMBDA_FUNCTION_TIMEOUT", "30");
    emulator.start(&mut command)?;
    emulator.wait()?;
    Ok(emulator)
}
