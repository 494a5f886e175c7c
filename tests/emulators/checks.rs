//! What is asked under every emulator, through Lambda's own `Invoke` call.
#![expect(
    clippy::indexing_slicing,
    reason = "JSON that lacks a member gives null, which is compared"
)]

use crate::emulator::Emulator;
use anyhow::{Context as _, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use std::pin::Pin;

/// One check by its name.
pub(crate) struct Check {
    pub(crate) name: &'static str,
    pub(crate) run: for<'a> fn(&'a Emulator) -> Running<'a>,
}

/// A check under way.
pub(crate) type Running<'a> = Pin<Box<dyn Future<Output = anyhow::Result<()>> + 'a>>;

/// What is asked first of all.
pub(crate) const FIRST: Check = Check {
    name: "a_direct_event_reaches_the_function",
    run: |emulator| Box::pin(direct_event(emulator)),
};

pub(crate) const CHECKS: [Check; 7] = [
    FIRST,
    Check {
        name: "an_http_api_event_is_answered_in_its_format",
        run: |emulator| Box::pin(http_api_event(emulator)),
    },
    Check {
        name: "a_rest_api_event_is_answered_in_its_format",
        run: |emulator| Box::pin(rest_api_event(emulator)),
    },
    Check { name: "a_binary_body_goes_both_ways", run: |emulator| Box::pin(binary_body(emulator)) },
    Check {
        name: "what_a_function_throws_is_lambdas_error",
        run: |emulator| Box::pin(thrown_by_a_function(emulator)),
    },
    Check {
        name: "what_a_web_handler_throws_is_a_500",
        run: |emulator| Box::pin(thrown_by_a_web_handler(emulator)),
    },
    Check { name: "an_unknown_route_is_a_404", run: |emulator| Box::pin(unknown_route(emulator)) },
];

const HTTP_API: &str = include_str!("events/http-api.json");
const REST_API: &str = include_str!("events/rest-api.json");

/// Invokes and reads the answer's JSON.
async fn invoke(emulator: &Emulator, event: &str) -> anyhow::Result<Value> {
    let answer = emulator.invoke(event).await?;
    serde_json::from_slice(&answer.body).with_context(|| {
        format!("status {}, {:?}", answer.status, String::from_utf8_lossy(&answer.body))
    })
}

fn equal(found: &Value, wanted: &Value) -> anyhow::Result<()> {
    ensure!(found == wanted, "{found:#} instead of {wanted:#}");
    Ok(())
}

/// The body of an answer in a gateway's format, which is JSON text.
fn body(answer: &mut Value) -> anyhow::Result<Value> {
    let text = answer["body"].take();
    serde_json::from_str(text.as_str().context("the body is not text")?).context("the body")
}

/// What the web handler of the app tells of either API's event.
fn seen() -> Value {
    json!({
        "method": "POST",
        "target": "/web/report?greeting=hello%20world&n=1",
        "client": "somebody",
        "cookie": "session=abc; theme=dark",
        "body": "grüße",
    })
}

async fn direct_event(emulator: &Emulator) -> anyhow::Result<()> {
    let answer = invoke(emulator, r#"{"order": 7}"#).await?;
    equal(&answer, &json!({"order": 7, "known": true, "left": true}))
}

async fn http_api_event(emulator: &Emulator) -> anyhow::Result<()> {
    let mut answer = invoke(emulator, HTTP_API).await?;
    equal(&body(&mut answer)?, &seen())?;
    let wanted = json!({
        "statusCode": 201,
        "headers": { "content-type": "application/json", "x-short": "stout" },
        "cookies": ["one=1", "two=2; Path=/"],
        "body": null,
        "isBase64Encoded": false,
    });
    equal(&answer, &wanted)
}

async fn rest_api_event(emulator: &Emulator) -> anyhow::Result<()> {
    let mut answer = invoke(emulator, REST_API).await?;
    equal(&body(&mut answer)?, &seen())?;
    let wanted = json!({
        "statusCode": 201,
        "headers": { "content-type": "application/json", "x-short": "stout" },
        "multiValueHeaders": { "set-cookie": ["one=1", "two=2; Path=/"] },
        "body": null,
        "isBase64Encoded": false,
    });
    equal(&answer, &wanted)
}

async fn binary_body(emulator: &Emulator) -> anyhow::Result<()> {
    // cargo-lambda answers the host before it has read all of the host's answer, and loses one that comes in pieces.
    let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(4000).collect();
    let encoded = STANDARD.encode(bytes);
    let mut event: Value = serde_json::from_str(HTTP_API)?;
    event["rawPath"] = json!("/web/binary");
    event["body"] = json!(encoded);
    let answer = invoke(emulator, &event.to_string()).await?;
    ensure!(answer["isBase64Encoded"] == json!(true), "the body is not base64");
    ensure!(answer["body"] == json!(encoded), "the body is another one");
    Ok(())
}

async fn thrown_by_a_function(emulator: &Emulator) -> anyhow::Result<()> {
    let answer = invoke(emulator, r#"{"order": 0}"#).await?;
    ensure!(answer["errorType"] == json!("OutOfStock"), "the error is {answer:#}");
    ensure!(answer["errorMessage"] == json!("nothing left"), "the error is {answer:#}");
    let trace = answer["stackTrace"].to_string();
    ensure!(trace.contains("function.js"), "the trace does not name the source: {trace}");
    Ok(())
}

async fn thrown_by_a_web_handler(emulator: &Emulator) -> anyhow::Result<()> {
    let answer = invoke(emulator, &HTTP_API.replace("/web/report", "/web/throw")).await?;
    ensure!(answer["statusCode"] == json!(500), "the answer is {answer:#}");
    ensure!(!answer.to_string().contains("too far"), "the caller is told the reason: {answer:#}");
    Ok(())
}

async fn unknown_route(emulator: &Emulator) -> anyhow::Result<()> {
    let answer = invoke(emulator, &HTTP_API.replace("/web/report", "/nowhere")).await?;
    ensure!(answer["statusCode"] == json!(404), "the answer is {answer:#}");
    Ok(())
}
