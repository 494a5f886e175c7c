//! What a function is told about its invocations: what happens to asynchronous ones that fail, and how many may be under
//! way at once. As much of a function's configuration is shown as is known here.

use std::time::Duration;

use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::reply::{Refusal, document, empty, refuse};
use super::{ControlPlane, unknown};
use crate::http_server::AwsReply;
use crate::lambda::{Destination, EventInvokeConfig, Function};

/// The largest document of settings, in bytes.
const MAX_BODY: usize = 64 * 1024;

const INVALID: &str = "InvalidParameterValueException";

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct DestinationConfig {
    on_success: Option<Target>,
    on_failure: Option<Target>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Target {
    #[serde(default)]
    destination: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct EventInvokeConfigRequest {
    maximum_retry_attempts: Option<u8>,
    maximum_event_age_in_seconds: Option<u64>,
    destination_config: DestinationConfig,
}

/// `PUT`, `POST` (which leaves what it does not name), `GET` and `DELETE` of `event-invoke-config`
/// (<https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html>).
pub(super) async fn event_invoke_config(
    control_plane: &ControlPlane,
    function: &Function,
    request: Request<Incoming>,
) -> Result<AwsReply, Refusal> {
    let base = match *request.method() {
        Method::PUT => EventInvokeConfig::default(),
        Method::POST => function.event_invoke_config(),
        Method::DELETE => {
            function.set_event_invoke_config(EventInvokeConfig::default());
            return Ok(empty(StatusCode::NO_CONTENT));
        }
        Method::GET => return Ok(shown(function)),
        _ => return Err(unknown(request.method(), request.uri().path())),
    };
    let asked: EventInvokeConfigRequest = read(request).await?;
    function.set_event_invoke_config(merged(control_plane, base, asked)?);
    Ok(shown(function))
}

fn merged(
    control_plane: &ControlPlane,
    mut config: EventInvokeConfig,
    asked: EventInvokeConfigRequest,
) -> Result<EventInvokeConfig, Refusal> {
    let invalid = |message: &str| refuse(StatusCode::BAD_REQUEST, INVALID, message);
    if let Some(attempts) = asked.maximum_retry_attempts {
        if attempts > 2 {
            return Err(invalid("MaximumRetryAttempts must be between 0 and 2"));
        }
        config.maximum_retry_attempts = attempts;
    }
    if let Some(seconds) = asked.maximum_event_age_in_seconds {
        if !(60..=21_600).contains(&seconds) {
            return Err(invalid("MaximumEventAgeInSeconds must be between 60 and 21600"));
        }
        config.maximum_event_age = Duration::from_secs(seconds);
    }
    let DestinationConfig { on_success, on_failure } = asked.destination_config;
    for (slot, target) in
        [(&mut config.on_success, on_success), (&mut config.on_failure, on_failure)]
    {
        let Some(target) = target else { continue };
        *slot = match target.destination.filter(|arn| !arn.is_empty()) {
            None => None,
            Some(arn) => Some(control_plane.destination(&arn).ok_or_else(|| {
                invalid(&format!("The destination ARN {arn} is invalid: nothing here has it."))
            })?),
        };
    }
    Ok(config)
}

fn shown(function: &Function) -> AwsReply {
    let config = function.event_invoke_config();
    let target = |destination: Option<&Destination>| Target {
        destination: destination.map(|destination| destination.arn().to_owned()),
    };
    let content = serde_json::json!({
        "FunctionArn": format!("{}:$LATEST", function.arn()),
        "LastModified": 0,
        "MaximumRetryAttempts": config.maximum_retry_attempts,
        "MaximumEventAgeInSeconds": config.maximum_event_age.as_secs(),
        "DestinationConfig": DestinationConfig {
            on_success: Some(target(config.on_success.as_ref())),
            on_failure: Some(target(config.on_failure.as_ref())),
        },
    });
    document(StatusCode::OK, &content)
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Concurrency {
    #[serde(skip_serializing_if = "Option::is_none")]
    reserved_concurrent_executions: Option<usize>,
}

/// `PUT`, `GET` and `DELETE` of `concurrency`
/// (<https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionConcurrency.html>).
pub(super) async fn concurrency(
    function: &Function,
    request: Request<Incoming>,
) -> Result<AwsReply, Refusal> {
    match *request.method() {
        Method::PUT => {
            let asked: Concurrency = read(request).await?;
            function.reserve_concurrency(asked.reserved_concurrent_executions);
        }
        Method::GET => {}
        Method::DELETE => {
            function.reserve_concurrency(None);
            return Ok(empty(StatusCode::NO_CONTENT));
        }
        _ => return Err(unknown(request.method(), request.uri().path())),
    }
    let reserved_concurrent_executions = function.reserved_concurrency();
    Ok(document(StatusCode::OK, &Concurrency { reserved_concurrent_executions }))
}

/// `GetFunctionConfiguration`.
pub(super) fn configuration(function: &Function) -> AwsReply {
    document(StatusCode::OK, &described(function))
}

/// `ListFunctions`, always on one page.
pub(super) fn list<'a>(functions: impl Iterator<Item = &'a Function>) -> AwsReply {
    let functions: Vec<_> = functions.map(described).collect();
    document(StatusCode::OK, &serde_json::json!({ "Functions": functions, "NextMarker": null }))
}

fn described(function: &Function) -> serde_json::Value {
    let settings = function.settings();
    serde_json::json!({
        "FunctionName": settings.name,
        "FunctionArn": function.arn(),
        "Runtime": "provided.al2023",
        "Handler": "bootstrap",
        "MemorySize": settings.memory_mb,
        "Timeout": settings.timeout.as_secs(),
        "PackageType": "Zip",
        "State": "Active",
        "Version": "$LATEST",
        "Environment": { "Variables": settings.environment },
        "LoggingConfig": { "LogGroup": format!("/aws/lambda/{}", settings.name) },
    })
}

async fn read<T: DeserializeOwned>(request: Request<Incoming>) -> Result<T, Refusal> {
    let body = Limited::new(request.into_body(), MAX_BODY).collect().await;
    let invalid = |message: String| refuse(StatusCode::BAD_REQUEST, INVALID, &message);
    let body = body.map_err(|error| invalid(error.to_string()))?.to_bytes();
    serde_json::from_slice(&body).map_err(|error| invalid(error.to_string()))
}
