//! The host inside Lambda: reads its settings, fetches the app it is configured for while Lambda grants Init a full
//! processor, then answers invocations until Lambda ends the process.

use crate::config::{Config, Environment, Level};
use crate::error::Diagnostic;
use crate::invocation::Host;
use crate::runtime_api::RuntimeApi;
use crate::telemetry::{NoDetails, Tags};
use lambkin_engine::Teardown;
use std::process::ExitCode;
use std::sync::Arc;

/// `EX_USAGE` of sysexits.h: the environment is wrong.
const EXIT_CONFIG: u8 = 64;

/// What `bootstrap` does, from its environment to its end.
pub fn run() -> ExitCode {
    let config = match Config::from_strings(&Environment) {
        Ok(config) => config,
        Err(error) => return refuse(&error),
    };
    crate::telemetry::set_level(config.log_level);
    let runtime = match executor(config.concurrency) {
        Ok(runtime) => runtime,
        Err(error) => return refuse(&error),
    };
    runtime.block_on(async {
        let api = Arc::new(RuntimeApi::new(config.concurrency));
        let host = match Host::new(&config, Teardown::WhenAsked) {
            Ok(host) => Arc::new(host),
            Err(error) => {
                let diagnostic = Diagnostic {
                    error_type: "Runtime.InitError".into(),
                    error_message: crate::error::chain(error.as_ref()),
                    stack_trace: Vec::new(),
                };
                // Lambda hears of it if it can; the log has it either way.
                let _ = api.fail_init(&diagnostic).await;
                return refuse(error.as_ref());
            }
        };
        host.warm().await;
        match crate::service::run(host, api).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                crate::telemetry::log(
                    Level::Error,
                    &crate::error::chain(error.as_ref()),
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
    let message = format!("bootstrap cannot start: {}", crate::error::chain(error));
    crate::telemetry::log(Level::Error, &message, &Tags::default(), NoDetails {});
    ExitCode::from(EXIT_CONFIG)
}
