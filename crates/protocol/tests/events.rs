//! The rules by which events become requests, one row per rule, and what is said about malformed events.
//!
//! The rows follow recorded events of REST APIs and function URLs, and AWS's documentation for the other formats.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use bytes::Bytes;
use http::Request;
use lambkin_protocol::event::{Event, EventError, Format, HttpEvent, classify};
use serde_json::{Value, json};

#[track_caller]
fn event(json: &Value) -> HttpEvent {
    match classify(&json.to_string().into()).unwrap() {
        Event::Http(event) => *event,
        Event::Other(source) => panic!("an event of {source}, not HTTP"),
    }
}

#[track_caller]
fn request(json: &Value) -> Request<Bytes> {
    event(json).into_request().unwrap()
}

/// A minimal event with the members of `more` added or replaced.
fn with(mut base: Value, more: &Value) -> Value {
    for (key, value) in more.as_object().unwrap() {
        match (base.get_mut(key), value) {
            (Some(Value::Object(old)), Value::Object(new)) => old.extend(new.clone()),
            _ => base[key] = value.clone(),
        }
    }
    base
}

fn rest(more: &Value) -> Value {
    let base = json!({
        "resource": "/{proxy+}", "path": "/a", "httpMethod": "GET", "headers": null, "multiValueHeaders": null,
        "queryStringParameters": null, "multiValueQueryStringParameters": null, "pathParameters": null,
        "requestContext": {"stage": "test", "path": "/test/a", "domainName": "x.execute-api.eu-west-1.amazonaws.com"},
        "stageVariables": null, "body": null, "isBase64Encoded": false
    });
    with(base, more)
}

fn v2(more: &Value) -> Value {
    let base = json!({
        "version": "2.0", "routeKey": "$default", "rawPath": "/a", "rawQueryString": "", "headers": {},
        "requestContext": {"stage": "$default", "domainName": "x.example.com", "http": {"method": "GET", "sourceIp": "1.2.3.4"}},
        "isBase64Encoded": false
    });
    with(base, more)
}

fn alb(more: &Value) -> Value {
    let base = json!({"requestContext": {"elb": {"targetGroupArn": "arn"}}, "httpMethod": "GET", "path": "/a", "headers": {}, "body": ""});
    with(base, more)
}

#[test]
fn null_members_of_a_rest_event_are_absent() {
    let event = event(&rest(&json!({})));
    assert_eq!(event.format, Format::RestV1);
    assert_eq!((event.path.as_str(), event.query.as_deref()), ("/a", None));
    assert_eq!((event.stage.as_deref(), event.base_path.as_deref()), (Some("test"), Some("/test")));
    assert!(
        event.headers.is_empty()
            && event.body().unwrap().is_empty()
            && event.path_parameters.is_empty()
    );
}

#[test]
fn rest_keeps_the_path_as_it_came() {
    let path = |path: &str| request(&rest(&json!({"path": path}))).uri().path().to_owned();
    assert_eq!(path("/proxy-value/"), "/proxy-value/");
    assert_eq!(path("/a//b"), "/a//b");
    assert_eq!(path("/test%2Balias@x"), "/test%2Balias@x");
    assert_eq!(path("/a b/ü"), "/a%20b/%C3%BC");
    assert_eq!(path("/test/a"), "/test/a", "the stage is not cut off twice");
}

#[test]
fn rest_has_its_query_decoded() {
    let more = json!({
        "queryStringParameters": {"price": "30", "only": "a b"},
        "multiValueQueryStringParameters": {"price": ["10", "20", "30"], "q&=": ["ü+/"]}
    });
    assert_eq!(
        request(&rest(&more)).uri().query(),
        Some("price=10&price=20&price=30&q%26%3D=%C3%BC%2B%2F&only=a%20b")
    );
}

#[test]
fn multi_value_headers_hold_all_values() {
    let more =
        json!({"headers": {"X-A": "2", "X-B": "b"}, "multiValueHeaders": {"x-a": ["1", "2"]}});
    let request = request(&rest(&more));
    let values: Vec<_> = request.headers().get_all("x-a").iter().collect();
    assert_eq!(values, ["1", "2"]);
    assert_eq!(request.headers()["x-b"], "b");
}

#[test]
fn an_http_api_with_format_1_leaves_the_stage_in_the_path() {
    let event = event(&rest(&json!({"version": "1.0", "path": "/test/a/b"})));
    assert_eq!(event.format, Format::HttpV1);
    assert_eq!((event.base_path.as_deref(), event.path.as_str()), (Some("/test"), "/a/b"));
}

#[test]
fn format_2_leaves_a_named_stage_in_the_path() {
    let check = |raw: &str, stage: &str, base: Option<&str>, path: &str| {
        let event = event(&v2(&json!({"rawPath": raw, "requestContext": {"stage": stage}})));
        assert_eq!((event.base_path.as_deref(), event.path.as_str()), (base, path), "{raw}");
    };
    check("/prod/a", "prod", Some("/prod"), "/a");
    check("/prod", "prod", Some("/prod"), "/");
    check("/production/a", "prod", None, "/production/a");
    check("/a", "$default", None, "/a");
}

#[test]
fn the_method_of_format_2_is_that_of_the_context() {
    let more =
        json!({"httpMethod": "GET", "requestContext": {"http": {"method": "PUT", "path": "/"}}});
    assert_eq!(event(&v2(&more)).method, http::Method::PUT);
}

#[test]
fn format_2_has_cookies_apart_and_a_function_url_has_them_twice() {
    let more = json!({"cookies": ["a=1", "b=2"], "headers": {"x-multi": "one,two"}});
    let request = request(&v2(&more));
    assert_eq!(request.headers()["cookie"], "a=1; b=2");
    assert_eq!(request.headers()["x-multi"], "one,two");
    let more = json!({"cookies": ["a=1"], "headers": {"cookie": "a=1"}, "requestContext": {"domainName": "x.lambda-url.eu-west-1.on.aws"}});
    let event = event(&v2(&more));
    assert_eq!(event.format, Format::FunctionUrl);
    assert_eq!(event.headers.get_all("cookie").iter().count(), 1);
}

#[test]
fn a_function_url_passes_broken_escapes_on() {
    let more = json!({"rawPath": "/pa2%Fth/1", "rawQueryString": "a=%zz&b=<|>", "requestContext": {"domainName": "x.lambda-url.eu-west-1.on.aws"}});
    assert_eq!(
        request(&v2(&more)).uri(),
        "https://x.lambda-url.eu-west-1.on.aws/pa2%Fth/1?a=%zz&b=%3C%7C%3E"
    );
}

#[test]
fn an_alb_has_its_query_encoded_and_names_the_client_last() {
    let more = json!({"queryStringParameters": {"a%20b": "%3Fx%3D1+2"}, "headers": {"x-forwarded-for": "6.6.6.6, 1.2.3.4"}});
    let event = event(&alb(&more));
    assert_eq!(event.format, Format::Alb { multi_value: false });
    assert_eq!(event.query.as_deref(), Some("a%20b=%3Fx%3D1+2"));
    assert_eq!(event.source_ip.as_deref(), Some("1.2.3.4"));
}

#[test]
fn bodies_are_text_or_base64() {
    let body = |body: Value, is_base64: bool| {
        request(&v2(&json!({"body": body, "isBase64Encoded": is_base64}))).into_body()
    };
    assert_eq!(body(json!("Grüße \"x\"\u{0}"), false), "Grüße \"x\"\u{0}");
    assert_eq!(body(json!("/wA="), true).as_ref(), [0xff, 0]);
    assert_eq!(body(json!("/wA"), true).as_ref(), [0xff, 0]);
    assert_eq!(body(Value::Null, true), "");
}

#[test]
fn the_uri_has_the_clients_scheme_host_and_port() {
    let uri = |headers: Value, domain: Value| {
        request(&v2(&json!({"headers": headers, "requestContext": {"domainName": domain}})))
            .uri()
            .to_string()
    };
    assert_eq!(uri(json!({}), json!("Shop.Example.COM")), "https://shop.example.com/a");
    assert_eq!(
        uri(json!({"host": "127.0.0.1:3000", "x-forwarded-proto": "http"}), json!("127.0.0.1")),
        "http://127.0.0.1:3000/a"
    );
    assert_eq!(
        uri(json!({"host": "other.example.com"}), json!("shop.example.com")),
        "https://shop.example.com/a"
    );
    assert_eq!(
        uri(json!({"host": "shop.example.com:8443"}), Value::Null),
        "https://shop.example.com:8443/a"
    );
    assert_eq!(uri(json!({"host": "not a host"}), Value::Null), "https://localhost/a");
}

#[test]
fn malformed_events_are_named() {
    let check = |text: &str, says: &str| {
        let error: EventError = match classify(&text.to_owned().into()) {
            Ok(Event::Http(event)) => event.into_request().unwrap_err(),
            Ok(Event::Other(source)) => panic!("an event of {source}, not HTTP"),
            Err(error) => error,
        };
        assert!(error.to_string().contains(says), "{text}: {error}");
    };
    check("", "byte 0 of 0");
    check("{\"a\": 1,\n\"b\": }", "byte 14 of 15");
    check("{\"a\": tru", "of 9");
    check("[1, 2", "not JSON");
    let broken = |more: Value| v2(&more).to_string();
    check(&broken(json!({"headers": ["a"]})), "`headers`");
    check(&broken(json!({"headers": {"a b": "c"}})), "header `a b`");
    check(&broken(json!({"headers": {"a": "b\nc"}})), "header `a`");
    check(&broken(json!({"body": {"a": 1}})), "`body`");
    check(&broken(json!({"body": "*", "isBase64Encoded": true})), "base64");
    check(&broken(json!({"isBase64Encoded": "yes", "body": ""})), "`isBase64Encoded`");
    check(
        &broken(json!({"requestContext": {"http": {"sourceIp": "1"}}}))
            .replace("\"method\":\"GET\",", ""),
        "`httpMethod`",
    );
    check(&broken(json!({"cookies": "a=1"})), "`cookies`");
    check(&rest(&json!({"httpMethod": "G T"})).to_string(), "`G T`");
    check(&rest(&json!({"path": 7})).to_string(), "`path`");
    check(
        &rest(&json!({"multiValueQueryStringParameters": {"a": "b"}})).to_string(),
        "`multiValueQueryStringParameters`",
    );
    check(&rest(&json!({"requestContext": {"stage": 1}})).to_string(), "`requestContext.stage`");
}
