//! The rules by which gateways read answers, one row per rule, and the round trip of what the host writes.
//!
//! The rows for REST and HTTP APIs and function URLs follow what `LocalStack` recorded from AWS
//! (`test_aws_proxy_response_payload_format_validation*`, `test_lambda_url_invocation`).

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use lambkin_protocol::answer::{
    AnswerError, MAX_PAYLOAD, MalformedAnswer, buffered, failure, interpret, interpret_rest,
};
use lambkin_protocol::event::Format;

const REST: Format = Format::RestV1;
const V1: Format = Format::HttpV1;
const V2: Format = Format::HttpV2;
const URL: Format = Format::FunctionUrl;
const ALB: Format = Format::Alb { multi_value: false };
const ALB_MULTI: Format = Format::Alb { multi_value: true };

/// Checks the response made of `payload`; `headers` are lines of all headers, in the order of their names.
#[track_caller]
fn answers(formats: &[Format], payload: &str, status: u16, headers: &[&str], body: &str) {
    for format in formats {
        let response = interpret(*format, payload.as_bytes())
            .unwrap_or_else(|error| panic!("{format:?}: {error}"));
        assert_eq!(response.status(), status, "{format:?}");
        assert_eq!(lines(response.headers()), headers, "{format:?}");
        assert_eq!(response.body(), body.as_bytes(), "{format:?}");
    }
}

#[track_caller]
fn refuses(formats: &[Format], payload: &str, why: &MalformedAnswer) {
    for format in formats {
        assert_eq!(interpret(*format, payload.as_bytes()).as_ref().unwrap_err(), why, "{format:?}");
    }
}

fn lines(headers: &HeaderMap) -> Vec<String> {
    let mut names: Vec<_> = headers.keys().collect();
    names.sort_by_key(|name| name.as_str());
    let values = |name: &HeaderName| {
        headers
            .get_all(name)
            .iter()
            .map(|value| value.to_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    names
        .into_iter()
        .flat_map(|name| values(name).into_iter().map(move |value| format!("{name}: {value}")))
        .collect()
}

const JSON: &str = "content-type: application/json";
const PLAIN: &str = "content-type: text/plain;charset=UTF-8";

#[test]
fn a_status_alone_is_an_answer() {
    answers(&[REST, URL], r#"{"statusCode": 200}"#, 200, &[JSON], "");
    answers(&[V1, V2], r#"{"statusCode": 200}"#, 200, &[PLAIN], "");
    answers(&[ALB], r#"{"statusCode": 200}"#, 200, &[], "");
}

#[test]
fn a_status_may_be_a_string_that_is_a_number() {
    for format in [REST, V1, V2, URL, ALB] {
        assert_eq!(interpret(format, br#"{"statusCode": "201"}"#).unwrap().status(), 201);
    }
    for bad in [
        r#"{"statusCode": "test"}"#,
        r#"{"statusCode": 99}"#,
        r#"{"statusCode": 20.5}"#,
        r#"{"statusCode": true}"#,
    ] {
        refuses(&[REST, V1, V2, URL, ALB], bad, &MalformedAnswer::Field { field: "statusCode" });
    }
}

#[test]
fn rest_does_without_a_status_but_format_1_and_alb_do_not() {
    let only_headers = r#"{"headers": {"test-header": "value"}}"#;
    answers(&[REST], only_headers, 200, &[JSON, "test-header: value"], "");
    answers(&[REST], "{}", 200, &[JSON], "");
    refuses(&[V1, ALB, ALB_MULTI], only_headers, &MalformedAnswer::Missing { field: "statusCode" });
    refuses(&[V1, ALB], "{}", &MalformedAnswer::Missing { field: "statusCode" });
}

#[test]
fn format_2_takes_json_without_a_status_for_the_body() {
    let rows = [
        (r#"{"headers": {"test-header": "value"}}"#, r#"{"headers":{"test-header":"value"}}"#),
        (r#"{"random": {"b": "a  \" b", "a": [ 1 ]}}"#, r#"{"random":{"b":"a  \" b","a":[1]}}"#),
        ("{}", "{}"),
        (r#""hello""#, "hello"),
        (r#""Gr\u00fc\u00dfe \"x\"""#, "Grüße \"x\""),
        (r#""errorMessage""#, "errorMessage"),
        (r#""""#, ""),
        (r#"["hello", 3, true]"#, r#"["hello",3,true]"#),
        ("3", "3"),
        ("true", "true"),
        ("null", "null"),
    ];
    for (payload, body) in rows {
        answers(&[V2, URL], payload, 200, &[JSON], body);
    }
}

#[test]
fn an_http_api_takes_an_error_message_for_a_failure() {
    let payload = r#"{"errorMessage": "test fake error message"}"#;
    refuses(
        &[V2],
        payload,
        &MalformedAnswer::Failure { message: "test fake error message".to_owned() },
    );
    answers(&[URL], payload, 200, &[JSON], r#"{"errorMessage":"test fake error message"}"#);
}

#[test]
fn only_rest_refuses_unknown_members() {
    let payload = r#"{"statusCode": 200, "wrongValue": "value"}"#;
    refuses(&[REST], payload, &MalformedAnswer::UnknownKey { key: "wrongValue".to_owned() });
    answers(&[V1, V2], payload, 200, &[PLAIN], "");
    answers(&[ALB], payload, 200, &[], "");
    refuses(
        &[REST],
        r#"{"statusCode": 200, "cookies": ["a=1"]}"#,
        &MalformedAnswer::UnknownKey { key: "cookies".to_owned() },
    );
}

#[test]
fn only_objects_are_answers_outside_format_2() {
    for payload in [r#""justAString""#, "null", "[]", "7"] {
        refuses(&[REST, V1, ALB], payload, &MalformedAnswer::NotAnObject);
    }
    for payload in ["", "{", "Task timed out"] {
        refuses(&[REST, V1, V2, URL, ALB], payload, &MalformedAnswer::NotJson);
    }
}

#[test]
fn headers_are_scalars() {
    let payload = r#"{"statusCode": 200, "headers": {"Test-Header": "value", "header-bool": true, "n": 5, "gone": null}}"#;
    let headers = ["header-bool: true", "n: 5", "test-header: value"];
    answers(&[REST, URL], payload, 200, &[&[JSON][..], &headers].concat(), "");
    answers(&[V1, V2], payload, 200, &[&[PLAIN][..], &headers].concat(), "");
    answers(&[ALB], payload, 200, &headers, "");
    answers(&[REST], r#"{"statusCode": 200, "headers": null}"#, 200, &[JSON], "");
    let list = r#"{"statusCode": 200, "headers": {"a": ["b"]}}"#;
    refuses(&[REST, V1, V2, URL, ALB], list, &MalformedAnswer::Field { field: "headers" });
    let split = r#"{"statusCode": 200, "headers": {"a": "b\r\nc: d"}}"#;
    refuses(&[REST, V1, V2, URL, ALB], split, &MalformedAnswer::Header { name: "a".to_owned() });
}

#[test]
fn multi_value_headers_come_before_the_others() {
    let payload = r#"{"statusCode": 200, "multiValueHeaders": {"tesT-Multi": ["value-multi"]}, "headers": {"test-multi": "value-solo"}}"#;
    answers(
        &[REST],
        payload,
        200,
        &[JSON, "test-multi: value-multi", "test-multi: value-solo"],
        "",
    );
    answers(&[V1], payload, 200, &[PLAIN, "test-multi: value-multi", "test-multi: value-solo"], "");
    answers(&[V2], payload, 200, &[PLAIN, "test-multi: value-solo"], "");
    answers(&[ALB], payload, 200, &["test-multi: value-solo"], "");
    answers(&[ALB_MULTI], payload, 200, &["test-multi: value-multi"], "");
    let invalid = r#"{"statusCode": 200, "multiValueHeaders": {"test-multi-invalid": "value1"}}"#;
    refuses(
        &[REST, V1, ALB_MULTI],
        invalid,
        &MalformedAnswer::Field { field: "multiValueHeaders" },
    );
}

#[test]
fn cookies_of_format_2_come_before_the_headers() {
    let payload = r#"{"statusCode": 200, "cookies": ["a=1", "b=2; Path=/"], "headers": {"set-cookie": "c=3", "content-type": "text/html"}}"#;
    answers(
        &[V2, URL],
        payload,
        200,
        &[
            "content-type: text/html",
            "set-cookie: a=1",
            "set-cookie: b=2; Path=/",
            "set-cookie: c=3",
        ],
        "",
    );
    let invalid = r#"{"statusCode": 200, "cookies": {"test-cookies-invalid": "value1"}}"#;
    refuses(&[V2, URL], invalid, &MalformedAnswer::Field { field: "cookies" });
}

#[test]
fn base64_is_decoded_but_by_rest_only_for_binary_media_types() {
    let payload = r#"{"statusCode": 200, "body": "dGVzdC1kYXRh", "isBase64Encoded": true, "headers": {"content-type": "image/png"}}"#;
    answers(&[V1, V2, URL, ALB], payload, 200, &["content-type: image/png"], "test-data");
    answers(&[REST], payload, 200, &["content-type: image/png"], "dGVzdC1kYXRh");
    let body = |types: &[&str], accept| {
        interpret_rest(payload.as_bytes(), types, accept).unwrap().into_body()
    };
    assert_eq!(body(&["*/*"], None), "test-data");
    assert_eq!(body(&["image/png"], None), "test-data");
    assert_eq!(body(&["image/*"], Some("image/webp,*/*")), "test-data");
    assert_eq!(body(&["image/png"], Some("text/html, image/png")), "dGVzdC1kYXRh");
    answers(
        &[V1, V2],
        r#"{"statusCode": 200, "body": "dGVzdC1kYXRh"}"#,
        200,
        &[PLAIN],
        "dGVzdC1kYXRh",
    );
    let broken = r#"{"statusCode": 200, "body": "?", "isBase64Encoded": true}"#;
    refuses(&[V1, V2, URL, ALB], broken, &MalformedAnswer::Field { field: "body" });
}

#[test]
fn a_body_is_text() {
    answers(&[REST], r#"{"statusCode": 200, "body": 7}"#, 200, &[JSON], "7");
    answers(&[REST], r#"{"statusCode": 200, "body": null}"#, 200, &[JSON], "");
    refuses(
        &[REST, V1, V2, URL, ALB],
        r#"{"statusCode": 200, "body": {"a": 1}}"#,
        &MalformedAnswer::Field { field: "body" },
    );
}

#[test]
fn failures_look_as_the_gateway_makes_them() {
    let check = |format, status: u16, body: &str| {
        let response = failure(format);
        assert_eq!(
            (response.status().as_u16(), response.body().as_ref()),
            (status, body.as_bytes())
        );
    };
    check(REST, 502, r#"{"message": "Internal server error"}"#);
    check(V1, 500, r#"{"message":"Internal Server Error"}"#);
    check(V2, 500, r#"{"message":"Internal Server Error"}"#);
    check(URL, 502, "Internal Server Error");
    assert_eq!(failure(ALB).status(), 502);
}

/// What the host writes, as text.
fn written(format: Format, headers: &[(&str, &str)], body: &[u8]) -> String {
    let builder = headers.iter().fold(Response::builder().status(404), |builder, (name, value)| {
        builder.header(*name, *value)
    });
    let (parts, ()) = builder.body(()).unwrap().into_parts();
    String::from_utf8(buffered(format, &parts, body).unwrap()).unwrap()
}

#[test]
fn writes_each_format_by_its_rules() {
    let headers = [
        ("x-multi", "one"),
        ("x-multi", "two"),
        ("set-cookie", "a=1"),
        ("set-cookie", "b=2"),
        ("x-one", "1"),
    ];
    let check = |format, expected: &str| assert_eq!(written(format, &headers, b"ok"), expected);
    let v2 = r#"{"statusCode":404,"headers":{"x-multi":"one,two","x-one":"1"},"cookies":["a=1","b=2"],"body":"ok","isBase64Encoded":false}"#;
    check(V2, v2);
    check(URL, v2);
    let v1 = r#"{"statusCode":404,"headers":{"x-one":"1"},"multiValueHeaders":{"set-cookie":["a=1","b=2"],"x-multi":["one","two"]},"body":"ok","isBase64Encoded":false}"#;
    check(REST, v1);
    check(V1, v1);
    check(
        ALB_MULTI,
        r#"{"statusCode":404,"statusDescription":"404 Not Found","multiValueHeaders":{"set-cookie":["a=1","b=2"],"x-multi":["one","two"],"x-one":["1"]},"body":"ok","isBase64Encoded":false}"#,
    );
    check(
        ALB,
        r#"{"statusCode":404,"statusDescription":"404 Not Found","headers":{"Set-cookie":"b=2","set-cookie":"a=1","x-multi":"one,two","x-one":"1"},"body":"ok","isBase64Encoded":false}"#,
    );
}

#[test]
fn format_2_lists_its_cookies_even_when_there_are_none() {
    let none = r#"{"statusCode":404,"headers":{},"cookies":[],"body":"","isBase64Encoded":false}"#;
    assert_eq!(written(V2, &[], b""), none);
    assert_eq!(written(URL, &[], b""), none);
}

#[test]
fn writes_bodies_as_text_or_base64() {
    let check = |headers: &[(&str, &str)], body: &[u8], expected: &str| {
        for format in [REST, V1, V2, URL, ALB, ALB_MULTI] {
            let json = written(format, headers, body);
            assert!(json.ends_with(expected), "{format:?} {json}");
        }
    };
    let text = r#""body":"Grüße","isBase64Encoded":false}"#;
    check(&[("content-type", "text/html; charset=utf-8")], "Grüße".as_bytes(), text);
    check(&[("content-type", "application/ld+json")], "Grüße".as_bytes(), text);
    check(&[], "Grüße".as_bytes(), text);
    check(&[("content-type", "text/plain")], &[0xff], r#""body":"/w==","isBase64Encoded":true}"#);
    check(&[("content-type", "image/png")], b"ok", r#""body":"b2s=","isBase64Encoded":true}"#);
    check(
        &[("content-type", "text/plain"), ("content-encoding", "gzip")],
        b"ok",
        r#""body":"b2s=","isBase64Encoded":true}"#,
    );
    check(&[("content-type", "image/png")], b"", r#""body":"","isBase64Encoded":false}"#);
}

#[test]
fn refuses_what_lambda_would_not_take() {
    let (parts, ()) = Response::new(()).into_parts();
    let body = vec![b'x'; MAX_PAYLOAD];
    let AnswerError::TooLarge { size, body, limit } = buffered(V2, &parts, &body).unwrap_err();
    assert!(size > limit && body == limit);
    assert!(buffered(V2, &parts, &vec![b'x'; MAX_PAYLOAD - 100]).is_ok());
}

/// A small generator (xorshift), so that each run tries the same responses.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }

    fn response(&mut self) -> Response<Bytes> {
        let types = [
            "text/plain",
            "application/json",
            "image/png",
            "image/svg+xml; charset=utf-8",
            "application/octet-stream",
        ];
        let length = self.below(64);
        let body: Vec<u8> = if self.below(2) == 0 {
            (0..length).map(|_| u8::try_from(self.below(256)).unwrap()).collect()
        } else {
            (0..length)
                .map(|_| self.pick(&["a", "\"", "\\", "\n", "\u{0}", "ü", "世", "🐑"]))
                .collect::<String>()
                .into_bytes()
        };
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() =
            StatusCode::from_u16(u16::try_from(200 + self.below(400)).unwrap()).unwrap();
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static(self.pick(&types)));
        for _ in 0..self.below(8) {
            let name = HeaderName::from_static(self.pick(&[
                "set-cookie",
                "x-a",
                "x-b",
                "vary",
                "etag",
                "content-encoding",
            ]));
            let value = self.pick(&["", "1", "a b", "\"q\"", "k=v; Path=/", "gzip"]);
            response.headers_mut().append(name, HeaderValue::from_static(value));
        }
        response
    }
}

/// Headers with each name's values joined, but cookies one by one.
fn meaning(headers: &HeaderMap) -> Vec<String> {
    let joined = |name: &HeaderName| {
        let values: Vec<_> =
            headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect();
        let several = if name == header::SET_COOKIE {
            values.iter().map(ToString::to_string).collect()
        } else {
            vec![values.join(",")]
        };
        several.into_iter().map(|value| format!("{name}: {value}")).collect::<Vec<_>>()
    };
    let mut meaning: Vec<_> = headers.keys().flat_map(joined).collect();
    meaning.sort();
    meaning
}

#[test]
fn the_client_gets_the_response_that_was_written() {
    let mut random = Random(0x1234_5678_9abc_def0);
    for _ in 0..2000 {
        let (parts, body) = random.response().into_parts();
        for format in [REST, V1, V2, URL, ALB, ALB_MULTI] {
            let payload = buffered(format, &parts, &body).unwrap();
            let response = match format {
                Format::RestV1 => interpret_rest(&payload, &["*/*"], None),
                _ => interpret(format, &payload),
            };
            let response = response.unwrap();
            assert_eq!(response.status(), parts.status, "{format:?}");
            assert_eq!(meaning(response.headers()), meaning(&parts.headers), "{format:?}");
            assert_eq!(response.body(), &body, "{format:?}");
        }
    }
}
