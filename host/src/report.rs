//! What is logged of an invocation: failures, cold loads and what a call took.

use crate::components::Loaded;
use crate::config::Level;
use crate::error::{Failure, Fault, chain};
use crate::telemetry::{self, Tags};
use lambkin_engine::Usage;
use lambkin_store::Source;
use serde::Serialize;
use std::time::Duration;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FailureDetails<'a> {
    error_type: &'a str,
    fault: &'static str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    stack_trace: &'a [String],
}

/// Logs a failed invocation with its cause.
pub(crate) fn failed(failure: &Failure, tags: &Tags) {
    let diagnostic = failure.diagnostic();
    let details = FailureDetails {
        error_type: &diagnostic.error_type,
        fault: fault_name(failure.fault()),
        stack_trace: &diagnostic.stack_trace,
    };
    telemetry::log(failure.level(), &chain(failure), tags, details);
}

/// Logs what Init could not prepare; the invocations will try again.
pub(crate) fn warm_failed(error: &(dyn std::error::Error + 'static), tags: &Tags) {
    let message = format!("not ready after Init: {}", chain(error));
    telemetry::log(Level::Error, &message, tags, telemetry::NoDetails {});
}

/// Logs that a component did not take its warm-up event; invocations are none the worse for it.
pub(crate) fn warmup_failed(failure: &Failure, tags: &Tags) {
    let message = format!("the warm-up event failed: {}", chain(failure));
    telemetry::log(Level::Warn, &message, tags, telemetry::NoDetails {});
}

/// The parts of a cold load in milliseconds, and what it moved in bytes.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ColdDetails {
    source: &'static str,
    bytes: u64,
    /// Whether the rest of the artifact is unpacked only when it is touched.
    paged: bool,
    fetched_bytes: u64,
    fetch_ms: f64,
    verify_ms: f64,
    load_ms: f64,
    link_ms: f64,
    instantiate_ms: f64,
    guest_ms: f64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UsageDetails {
    instantiate_ms: f64,
    guest_ms: f64,
    peak_memory_bytes: u64,
}

/// Logs what a call took; the first call after a load also reports the load.
pub(crate) fn called(loaded: &Loaded, usage: &Usage, tags: &Tags) {
    if loaded.is_first_use() {
        let cold = &loaded.cold;
        let details = ColdDetails {
            source: match cold.source {
                Source::Package => "package",
                Source::Disk => "disk",
                Source::Store => "store",
            },
            bytes: cold.bytes,
            paged: cold.paged,
            fetched_bytes: cold.fetched_bytes,
            fetch_ms: milliseconds(cold.store.fetch),
            verify_ms: milliseconds(cold.store.verify),
            load_ms: milliseconds(cold.load),
            link_ms: milliseconds(cold.link),
            instantiate_ms: milliseconds(usage.instantiate),
            guest_ms: milliseconds(usage.guest),
        };
        telemetry::log(Level::Info, "cold load", tags, details);
    }
    let details = UsageDetails {
        instantiate_ms: milliseconds(usage.instantiate),
        guest_ms: milliseconds(usage.guest),
        peak_memory_bytes: usage.peak_memory_bytes,
    };
    telemetry::log(Level::Debug, "call", tags, details);
}

/// Milliseconds with three decimals.
fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

fn fault_name(fault: Fault) -> &'static str {
    match fault {
        Fault::Guest => "guest",
        Fault::Config => "config",
        Fault::Upstream => "upstream",
        Fault::Host => "host",
    }
}
