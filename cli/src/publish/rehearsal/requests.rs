//! The requests that a component is rehearsed with, as events.

use super::now_ms;
use anyhow::Result;
use bytes::Bytes;
use http::{Method, Request};
use lambkin_protocol::manifest::{Api, ApiType, Payload};
use lambkin_protocol::request::{self, Gateway};
use std::collections::BTreeMap;
use std::ops::Range;

/// The events of all requests to a route's path.
pub(super) fn events(route: &str, api: Option<&Api>) -> Result<Vec<Bytes>> {
    requests().iter().map(|request| request.event(route, api)).collect()
}

/// A request to rehearse.
#[derive(Default)]
struct Rehearsed {
    method: Method,
    /// What stands for a parameter of the path.
    parameter: &'static str,
    query: String,
    headers: Vec<(String, String)>,
    body: String,
}

/// Allocators keep texts of about one length together, on pages of their own. `CPython`'s do so in steps of 16 bytes up to
/// 512 (`Objects/obmalloc.c`).
const STEP: usize = 8;
const LENGTHS: Range<usize> = STEP..513;

/// How many more requests there are: tables and lists of about one size are on pages of their own, too.
const VARIED: Range<usize> = 0..36;

/// What API Gateway adds to each request
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>).
const ADDED: [(&str, &str); 4] = [
    ("x-amzn-trace-id", "Root=1-5f84c7a9-0e5b1f1a2b3c4d5e6f708192"),
    ("x-forwarded-for", "203.0.113.7"),
    ("x-forwarded-port", "443"),
    ("x-forwarded-proto", "https"),
];

/// The requests: a browser's, a script's, what comes with a larger body, and some of every size.
fn requests() -> Vec<Rehearsed> {
    let known = [
        Rehearsed {
            parameter: "1",
            query: "?name=world&n=1".to_owned(),
            headers: owned(&[
                ("host", "api.example.com"),
                (
                    "accept",
                    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
                ),
                ("accept-encoding", "gzip, deflate, br"),
                ("accept-language", "en-US,en;q=0.5"),
                ("cookie", "session=1; theme=dark"),
                ("sec-fetch-mode", "navigate"),
                (
                    "user-agent",
                    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
                ),
            ]),
            ..Rehearsed::default()
        },
        Rehearsed {
            parameter: "somebody-else",
            headers: owned(&[
                ("host", "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com"),
                ("accept", "application/json"),
                ("user-agent", "curl/8.5.0"),
            ]),
            ..Rehearsed::default()
        },
        Rehearsed {
            method: Method::POST,
            parameter: "1",
            headers: owned(&[
                ("host", "api.example.com"),
                ("accept", "*/*"),
                ("content-type", "application/json"),
                ("user-agent", "python-requests/2.32"),
            ]),
            body: r#"{"name": "Grüße"}"#.to_owned(),
            ..Rehearsed::default()
        },
        everything(),
    ];
    known.into_iter().chain(VARIED.map(Rehearsed::varied)).collect()
}

/// What is longest of all, with texts of all lengths.
fn everything() -> Rehearsed {
    let mut headers = owned(&[
        ("host", "api.example.com"),
        ("authorization", "Bearer 5f84c7a90e5b1f1a2b3c4d5e6f708192"),
        ("content-type", "application/json; charset=utf-8"),
        ("origin", "https://www.example.com"),
        ("referer", "https://www.example.com/orders?page=2"),
        (
            "user-agent",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15",
        ),
    ]);
    headers.extend(LENGTHS.step_by(STEP).map(|length| (format!("x-{length}"), text(length))));
    let body = r#"{"id": 7, "total": 12.5, "paid": true, "note": null, "tags": ["a", "new", "something longer"],
        "customer": {"name": "Zoë", "mail": "zoe@example.com", "address": {"city": "Zürich", "zip": "8001"}},
        "items": [{"sku": "A-1", "count": 2, "price": 3.25}, {"sku": "B-17", "count": 1, "price": 6.0}]}"#;
    Rehearsed {
        method: Method::POST,
        parameter: "3f0e8a52-7d1c-4c39-9a51-52b3c1b9a0de",
        query: "?verbose=true&page=2&per_page=50".to_owned(),
        headers,
        body: body.to_owned(),
    }
}

fn owned(headers: &[(&str, &str)]) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn text(length: usize) -> String {
    "v".repeat(length)
}

impl Rehearsed {
    /// One of many that differ in how many parameters, cookies, headers and fields they have, and in how long these are.
    fn varied(number: usize) -> Self {
        let texts = |count| (0..count).map(move |i| (i, text(1 + (17 * i + 5 * number) % 127)));
        let listed = |count, between: &str| {
            let entries = texts(count).map(|(i, text)| format!("p{i}={text}"));
            entries.collect::<Vec<_>>().join(between)
        };
        let (parameters, cookies, others, fields) =
            (number % 4, number / 2 % 3, number % 9, number / 3 % 7);
        let mut headers = owned(&[("host", "api.example.com"), ("accept", "application/json")]);
        headers.extend(texts(others).map(|(i, text)| (format!("x-{i}"), text)));
        if cookies > 0 {
            headers.push(("cookie".to_owned(), listed(cookies, "; ")));
        }
        let query =
            if parameters > 0 { format!("?{}", listed(parameters, "&")) } else { String::new() };
        let parameter = "world";
        if !number.is_multiple_of(3) {
            return Self { parameter, query, headers, ..Self::default() };
        }
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
        let fields = texts(fields).map(|(i, text)| {
            format!(r#""f{i}": ["{}", {i}, {i}.5, null, true]"#, text.repeat(1 + number % 5))
        });
        let body = format!("{{{}}}", fields.collect::<Vec<_>>().join(", "));
        Self { method: Method::POST, parameter, query, headers, body }
    }

    /// As API Gateway hands it on, for a route's path.
    fn event(&self, route: &str, api: Option<&Api>) -> Result<Bytes> {
        let Self { method, parameter, query, headers, body } = self;
        let mut parameters = BTreeMap::new();
        let segments = route.split('/').map(|segment| {
            let name = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
            let Some(name) = name else { return segment };
            parameters.insert(name.trim_end_matches('+').to_owned(), (*parameter).to_owned());
            parameter
        });
        let path = segments.collect::<Vec<_>>().join("/");
        let path = if path.starts_with('/') { path } else { "/".to_owned() };
        let mut request = Request::builder().method(method).uri(path + query.as_str());
        for (name, value) in headers.iter().chain(&owned(&ADDED)) {
            request = request.header(name, value);
        }
        let request = request.body(Bytes::copy_from_slice(body.as_bytes()))?;
        let route_key =
            if route.starts_with('/') { format!("{method} {route}") } else { route.to_owned() };
        let gateway = Gateway {
            account_id: "123456789012",
            api_id: "a1b2c3d4e5",
            domain_name: "api.example.com",
            stage: "$default",
            route_key: &route_key,
            path_parameters: &parameters,
            stage_variables: None,
            authorizer: None,
            source_ip: "203.0.113.7",
            request_id: "JKJaXmPLvHcESHA=",
            time_epoch_ms: i64::try_from(now_ms()).unwrap_or_default(),
        };
        // A REST API's and a load balancer's events are most like those of format 1.0.
        let is_1_0 = api.is_some_and(|api| {
            api.payload == Some(Payload::One) || matches!(api.kind, ApiType::Rest | ApiType::Alb)
        });
        let event = if is_1_0 { request::http_api_v1 } else { request::http_api_v2 };
        Ok(event(&request, &gateway).into())
    }
}
