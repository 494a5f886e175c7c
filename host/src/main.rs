//! `bootstrap`: the Lambda custom runtime that serves Lambkin apps.
//!
//! Reads its settings, fetches the app it is configured for while Lambda grants Init a full processor, then answers
//! invocations until Lambda ends the process.

mod apps;
mod components;
mod config;
mod error;
mod guest;
mod invocation;
mod received;
mod report;
mod runtime_api;
mod service;
mod stream;
mod telemetry;
mod warmup;

use config::{Config, Environment, Level};
use error::Diagnostic;
use invocation::Host;
use runtime_api::RuntimeApi;
use std::process::ExitCode;
use std::sync::Arc;
use telemetry::{NoDetails, Tags};

/// `EX_USAGE` of sysexits.h: the environment is wrong.
const EXIT_CONFIG: u8 = 64;

fn main() -> ExitCode {
    let config = match Config::from_strings(&Environment) {
        Ok(config) => config,
        Err(error) => return refuse(&error),
    };
    telemetry::set_level(config.log_level);
    let runtime = match executor(config.concurrency) {
        Ok(runtime) => runtime,
        Err(error) => return refuse(&error),
    };
    runtime.block_on(async {
        let api = Arc::new(RuntimeApi::new(config.concurrency));
        let host = match Host::new(&config) {
            Ok(host) => Arc::new(host),
            Err(error) => {
                let diagnostic = Diagnostic {
                    error_type: "Runtime.InitError".into(),
                    error_message: error::chain(error.as_ref()),
                    stack_trace: Vec::new(),
                };
                // Lambda hears of it if it can; the log has it either way.
                let _ = api.fail_init(&diagnostic).await;
                return refuse(error.as_ref());
            }
        };
        host.warm().await;
        match service::run(host, api).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                telemetry::log(
                    Level::Error,
                    &error::chain(error.as_ref()),
                    &Tags::default(),
                    NoDetails {},
                );
                ExitCode::FAILURE
            }
        }
    })
}

/// One thread is the quickest to start and enough for one invocation at a time.
fn executor(concurrency: u32) -> std::io::Result<tokio::runtime::Runtime> {
    let mut builder = match concurrency {
        0 | 1 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    builder.enable_all().build()
}

fn refuse(error: &dyn std::error::Error) -> ExitCode {
    let message = format!("bootstrap cannot start: {}", error::chain(error));
    telemetry::log(Level::Error, &message, &Tags::default(), NoDetails {});
    ExitCode::from(EXIT_CONFIG)
}
