//! Every event in the sources of `aws_lambda_events` and `lambda_http`, through `classify` to a request, without loss.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use aws_lambda_events::alb::AlbTargetGroupRequest;
use aws_lambda_events::apigw::{ApiGatewayProxyRequest, ApiGatewayV2httpRequest};
use aws_lambda_events::lambda_function_urls::LambdaFunctionUrlRequest;
use bytes::Bytes;
use http::HeaderMap;
use lambkin_protocol::answer::interpret;
use lambkin_protocol::event::{
    Event, Format, HttpEvent, classify, to_event_request, with_path_parameters,
};
use lambkin_protocol::websocket;
use serde_json::{Value, json};

/// The format of each HTTP event, by the file's name.
const HTTP: [(&str, Format); 30] = [
    ("alb_health_check", Format::Alb { multi_value: false }),
    ("alb_multi_value_request", Format::Alb { multi_value: true }),
    ("alb_multi_value_request_encoded_query_parameters", Format::Alb { multi_value: true }),
    ("alb_no_host", Format::Alb { multi_value: false }),
    ("alb_request", Format::Alb { multi_value: false }),
    ("alb_request_encoded_query_parameters", Format::Alb { multi_value: false }),
    ("apigw_multi_value_proxy_request", Format::RestV1),
    ("apigw_no_host", Format::RestV1),
    ("apigw_proxy_request", Format::RestV1),
    ("apigw_request_path_with_space", Format::HttpV2),
    ("apigw_v2_proxy_request", Format::HttpV2),
    ("apigw_v2_proxy_request_minimal", Format::HttpV2),
    ("apigw_v2_proxy_request_with_stage_in_path", Format::HttpV2),
    ("apigw_v2_sam_local", Format::HttpV2),
    ("lambda_function_url_request", Format::FunctionUrl),
    ("example-alb-lambda-target-request-headers-only", Format::Alb { multi_value: false }),
    ("example-alb-lambda-target-request-multivalue-headers", Format::Alb { multi_value: true }),
    ("example-apigw-console-request", Format::RestV1),
    ("example-apigw-console-test-request", Format::RestV1),
    ("example-apigw-request", Format::RestV1),
    ("example-apigw-request-catch-all", Format::RestV1),
    ("example-apigw-request-multi-value-parameters", Format::RestV1),
    ("example-apigw-restapi-openapi-request", Format::RestV1),
    ("example-apigw-sam-http-request", Format::HttpV2),
    // A REST API's, but SAM marks it as `"version": "1.0"`, which only an HTTP API of AWS does.
    ("example-apigw-sam-rest-request", Format::HttpV1),
    ("example-apigw-v2-request-iam", Format::HttpV2),
    ("example-apigw-v2-request-jwt-authorizer", Format::HttpV2),
    ("example-apigw-v2-request-lambda-authorizer", Format::HttpV2),
    ("example-apigw-v2-request-multi-value-parameters", Format::HttpV2),
    ("example-apigw-v2-request-no-authorizer", Format::HttpV2),
];

/// The sender of every other event, by how the file's name begins; the longest beginning counts.
const OTHER: &[(&str, &str)] = &[
    ("example-activemq", "mq"),
    ("example-alb-lambda-target-response", "unknown"),
    ("example-apigw-custom-auth", "authorizer"),
    ("example-apigw-custom-auth-response", "unknown"),
    ("example-apigw-response", "unknown"),
    ("example-apigw-v2-custom-authorizer", "authorizer"),
    ("example-apigw-websocket", "websocket"),
    ("example-appsync", "appsync"),
    ("example-appsync-identity", "unknown"),
    ("example-appsync-lambda-auth-request", "authorizer"),
    ("example-appsync-lambda-auth-response", "unknown"),
    ("example-autoscaling", "eventbridge"),
    ("example-bedrock-agent", "bedrock-agent"),
    ("example-clientvpn", "clientvpn"),
    ("example-cloudformation", "cloudformation"),
    ("example-cloudformation-custom-resource-provider-response", "unknown"),
    ("example-cloudformation-custom-resource-response", "unknown"),
    ("example-cloudwatch-alarm", "cloudwatch-alarm"),
    ("example-cloudwatch-alarm-composite-with", "eventbridge"),
    ("example-cloudwatch-alarm-sns", "sns"),
    ("example-cloudwatch-cloudtrail", "cloudtrail"),
    ("example-cloudwatch_logs", "logs"),
    ("example-code_commit", "codecommit"),
    ("example-codebuild", "eventbridge"),
    ("example-codedeploy", "eventbridge"),
    ("example-codedeploy-lifecycle", "codedeploy"),
    ("example-codepipeline", "eventbridge"),
    ("example-codepipeline_job", "codepipeline"),
    ("example-cognito-event", "cognito-sync"),
    ("example-cognito-event-userpools", "cognito"),
    ("example-config", "config"),
    ("example-connect", "connect"),
    ("example-controltower", "cloudtrail"),
    ("example-documentdb", "documentdb"),
    ("example-dynamodb", "dynamodb"),
    ("example-ecr", "eventbridge"),
    ("example-eventbridge", "eventbridge"),
    ("example-firehose", "firehose"),
    ("example-iot-custom-auth-request", "iot"),
    ("example-iot-custom-auth-response", "unknown"),
    ("example-iot_1_click", "iot-1-click"),
    ("example-iot_button", "iot-button"),
    ("example-kafka", "kafka"),
    ("example-kinesis", "kinesis"),
    ("example-kinesis-firehose", "firehose"),
    ("example-kinesis-firehose-response", "unknown"),
    ("example-lex-event", "lex"),
    ("example-lex-response", "unknown"),
    ("example-rabbitmq", "rmq"),
    ("example-s3", "s3"),
    ("example-s3-object-lambda", "s3-object-lambda"),
    ("example-secretsmanager", "secretsmanager"),
    ("example-ses", "ses"),
    ("example-sns", "sns"),
    ("example-sqs", "sqs"),
    ("example-sqs-api", "unknown"),
    ("example-sqs-batch-response", "unknown"),
    ("example-vpc-lattice", "vpc-lattice"),
    ("example-vpc-lattice-response", "unknown"),
    ("vpc_lattice", "vpc-lattice"),
];

/// The JSON files of both crates: name without ending, and bytes.
fn fixtures() -> Vec<(String, Bytes)> {
    static FIXTURES: LazyLock<Vec<(String, Bytes)>> = LazyLock::new(read_fixtures);
    FIXTURES.clone()
}

fn read_fixtures() -> Vec<(String, Bytes)> {
    let sources = sources();
    let folders = [("aws_lambda_events", "src/fixtures", 150), ("lambda_http", "tests/data", 15)];
    let mut fixtures = Vec::new();
    for (package, folder, least) in folders {
        let before = fixtures.len();
        for entry in fs_err::read_dir(sources[package].join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "json") {
                let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
                fixtures.push((name, fs_err::read(&path).unwrap().into()));
            }
        }
        assert!(
            fixtures.len() - before >= least,
            "{package} has {} events only",
            fixtures.len() - before
        );
    }
    fixtures.sort();
    fixtures
}

/// The source folders of all packages the workspace depends on.
fn sources() -> BTreeMap<String, PathBuf> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--manifest-path"])
        .arg(manifest)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let folder = |package: &Value| {
        Path::new(package["manifest_path"].as_str().unwrap()).parent().unwrap().to_owned()
    };
    let packages = metadata["packages"].as_array().unwrap().iter();
    packages
        .map(|package| (package["name"].as_str().unwrap().to_owned(), folder(package)))
        .collect()
}

fn format_of(name: &str) -> Option<Format> {
    HTTP.iter().find(|(known, _)| *known == name).map(|(_, format)| *format)
}

#[test]
fn every_event_is_sorted() {
    let fixtures = fixtures();
    let mut wrong = Vec::new();
    for (name, bytes) in &fixtures {
        let other = OTHER
            .iter()
            .filter(|(start, _)| name.starts_with(start))
            .max_by_key(|(start, _)| start.len());
        let expected = match format_of(name) {
            Some(format) => format!("{format:?}"),
            None => other.map_or("?", |(_, word)| word).to_owned(),
        };
        let found = match classify(bytes).unwrap() {
            Event::Http(event) => format!("{:?}", event.format),
            Event::Other(source) => source.to_string(),
        };
        if found != expected {
            wrong.push(format!("{name}: {found}, not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    let http = fixtures.iter().filter(|(name, _)| format_of(name).is_some()).count();
    assert_eq!(http, HTTP.len());
}

#[test]
fn other_events_pass_through_byte_for_byte() {
    let mut count = 0;
    for (name, bytes) in fixtures() {
        let Event::Other(source) = classify(&bytes).unwrap() else { continue };
        let request = to_event_request(&source, bytes.clone());
        assert_eq!(request.body().as_ref(), bytes, "{name}");
        assert_eq!(request.uri().path(), format!("/events/{source}"), "{name}");
        assert_eq!(request.method(), "POST", "{name}");
        count += 1;
    }
    assert!(count >= 130, "{count}");
}

fn http_events() -> Vec<(String, Value, HttpEvent)> {
    let events =
        fixtures().into_iter().filter_map(|(name, bytes)| match classify(&bytes).unwrap() {
            Event::Http(event) => Some((name, serde_json::from_slice(&bytes).unwrap(), *event)),
            Event::Other(_) => None,
        });
    events.collect()
}

/// What AWS's own types make of an event: method, headers as they come, multi-value headers, body, cookies.
struct Typed {
    method: String,
    headers: HeaderMap,
    multi_value_headers: HeaderMap,
    body: Vec<u8>,
    cookies: Vec<String>,
}

fn typed(name: &str, format: Format, json: &Value) -> Typed {
    fn parse<T: serde::de::DeserializeOwned>(name: &str, json: &Value) -> T {
        serde_json::from_value(json.clone()).unwrap_or_else(|error| panic!("{name}: {error}"))
    }
    let is_base64 = json["isBase64Encoded"] == true;
    let bytes = |body: Option<String>| {
        body.map_or_else(Vec::new, |body| if is_base64 { decode(&body) } else { body.into_bytes() })
    };
    match format {
        Format::RestV1 | Format::HttpV1 => {
            let event: ApiGatewayProxyRequest = parse(name, json);
            Typed {
                method: event.http_method.to_string(),
                headers: event.headers,
                multi_value_headers: event.multi_value_headers,
                body: bytes(event.body),
                cookies: Vec::new(),
            }
        }
        Format::HttpV2 => {
            let event: ApiGatewayV2httpRequest = parse(name, json);
            let cookies = event.cookies.unwrap_or_default();
            Typed {
                method: event.request_context.http.method.to_string(),
                headers: event.headers,
                multi_value_headers: HeaderMap::new(),
                body: bytes(event.body),
                cookies,
            }
        }
        Format::FunctionUrl => {
            let event: LambdaFunctionUrlRequest = parse(name, json);
            let method = event.request_context.http.method.unwrap();
            // The cookies are in the headers too.
            Typed {
                method,
                headers: event.headers,
                multi_value_headers: HeaderMap::new(),
                body: bytes(event.body),
                cookies: Vec::new(),
            }
        }
        Format::Alb { .. } => {
            let event: AlbTargetGroupRequest = parse(name, json);
            Typed {
                method: event.http_method.to_string(),
                headers: event.headers,
                multi_value_headers: event.multi_value_headers,
                body: bytes(event.body),
                cookies: Vec::new(),
            }
        }
    }
}

fn decode(base64: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(base64).unwrap()
}

#[test]
fn requests_are_what_awss_own_types_say() {
    for (name, json, event) in http_events() {
        let typed = typed(&name, event.format, &json);
        let request = event.clone().into_request().unwrap();
        assert_eq!(request.method().as_str(), typed.method, "{name}");
        assert_eq!(request.body().as_ref(), typed.body, "{name}");
        let mut expected = typed.multi_value_headers;
        let single: Vec<_> = typed
            .headers
            .iter()
            .filter(|(name, _)| !expected.contains_key(*name))
            .map(|(n, v)| (n.clone(), v.clone()))
            .collect();
        expected.extend(single);
        if !typed.cookies.is_empty() {
            expected.insert("cookie", typed.cookies.join("; ").parse().unwrap());
        }
        assert_eq!(request.headers(), &expected, "{name}");
    }
}

/// Names and values of the query as the event has them, decoded unless it came from an ALB.
fn query_of(json: &Value) -> Vec<(String, String)> {
    if let Some(raw) = json["rawQueryString"].as_str() {
        return pairs(raw, str::to_owned);
    }
    let mut expected = Vec::new();
    for (name, values) in json["multiValueQueryStringParameters"].as_object().into_iter().flatten()
    {
        expected.extend(
            values
                .as_array()
                .unwrap()
                .iter()
                .map(|value| (name.clone(), value.as_str().unwrap().to_owned())),
        );
    }
    for (name, value) in json["queryStringParameters"].as_object().into_iter().flatten() {
        if json["multiValueQueryStringParameters"].get(name).is_none() {
            expected.push((name.clone(), value.as_str().unwrap().to_owned()));
        }
    }
    expected.sort();
    expected
}

fn pairs(query: &str, decode: fn(&str) -> String) -> Vec<(String, String)> {
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(value))
    };
    let mut pairs: Vec<_> = query.split('&').filter(|pair| !pair.is_empty()).map(pair).collect();
    pairs.sort();
    pairs
}

#[test]
fn paths_and_queries_are_kept() {
    for (name, json, event) in http_events() {
        let request = event.clone().into_request().unwrap();
        let raw = json["rawPath"].as_str().or(json["path"].as_str()).unwrap();
        let whole = if event.format == Format::RestV1 {
            event.path.clone()
        } else {
            event.base_path.clone().unwrap_or_default() + &event.path
        };
        assert_eq!(whole, raw.replace(' ', "%20"), "{name}");
        assert_eq!(request.uri().path(), event.path, "{name}");
        let unescape: fn(&str) -> String = match event.format {
            Format::RestV1 | Format::HttpV1 => |text| {
                percent_encoding::percent_decode_str(text).decode_utf8().unwrap().into_owned()
            },
            _ => str::to_owned,
        };
        assert_eq!(
            pairs(request.uri().query().unwrap_or_default(), unescape),
            query_of(&json),
            "{name}"
        );
    }
}

#[test]
fn hosts_stages_and_clients_are_kept() {
    let events: BTreeMap<_, _> =
        http_events().into_iter().map(|(name, _, event)| (name, event)).collect();
    let check = |name: &str, uri: &str, stage: Option<&str>, base: Option<&str>, ip: &str| {
        let event = events[name].clone();
        assert_eq!(
            (event.stage.as_deref(), event.base_path.as_deref(), event.source_ip.as_deref()),
            (stage, base, Some(ip)),
            "{name}"
        );
        assert_eq!(event.into_request().unwrap().uri().to_string(), uri, "{name}");
    };
    let query = "parameter1=value1&parameter1=value2&parameter2=value";
    let host = "id.execute-api.us-east-1.amazonaws.com";
    check(
        "apigw_v2_proxy_request_with_stage_in_path",
        &format!("https://{host}/my/path?{query}"),
        Some("Prod"),
        Some("/Prod"),
        "IP",
    );
    check(
        "apigw_request_path_with_space",
        &format!("https://{host}/my/path-with%20space?{query}"),
        Some("$default"),
        None,
        "IP",
    );
    check(
        "lambda_function_url_request",
        &format!("https://id.lambda-url.eu-west-2.on.aws/my/path?{query}"),
        Some("$default"),
        None,
        "65.78.31.245",
    );
    check(
        "apigw_proxy_request",
        "https://wt6mne2s9k.execute-api.us-west-2.amazonaws.com/hello?name=me",
        Some("test"),
        None,
        "192.168.100.1",
    );
    check("apigw_no_host", "https://localhost/hello?name=me", Some("test"), None, "192.168.100.1");
    let alb = "lambda-846800462-us-east-2.elb.amazonaws.com";
    check(
        "alb_request_encoded_query_parameters",
        &format!("https://{alb}/?myKey=%3FshowAll%3Dtrue"),
        None,
        None,
        "72.21.198.66",
    );
    assert_eq!(
        events["alb_no_host"].clone().into_request().unwrap().uri(),
        "https://localhost/v1/health/"
    );
    assert_eq!(events["apigw_v2_proxy_request"].path_parameters["parameter1"], "value1");
    assert_eq!(events["apigw_v2_proxy_request"].request_id.as_deref(), Some("id"));
}

#[test]
fn path_parameters_change_nothing_else() {
    let parameters = BTreeMap::from([("id".to_owned(), "7".to_owned())]);
    for (name, bytes) in fixtures() {
        let mut expected: Value = serde_json::from_slice(&bytes).unwrap();
        let mut found: Value =
            serde_json::from_slice(&with_path_parameters(&bytes, &parameters).unwrap()).unwrap();
        let (Some(expected), Some(found)) = (expected.as_object_mut(), found.as_object_mut())
        else {
            panic!("{name}")
        };
        let (old, new) = (expected.remove("pathParameters"), found.remove("pathParameters"));
        assert_eq!(expected, found, "{name}");
        let has_own = old
            .as_ref()
            .and_then(Value::as_object)
            .is_some_and(|old| old.keys().any(|key| key != "proxy"));
        assert_eq!(new, if has_own { old } else { Some(serde_json::json!({"id": "7"})) }, "{name}");
    }
}

#[test]
fn recorded_answers_are_understood() {
    let fixtures: BTreeMap<_, _> = fixtures().into_iter().collect();
    let rest = interpret(Format::RestV1, &fixtures["example-apigw-response"]).unwrap();
    assert_eq!(rest.status(), 200);
    assert!(!rest.body().is_empty());
    let alb = interpret(
        Format::Alb { multi_value: false },
        &fixtures["example-alb-lambda-target-response"],
    )
    .unwrap();
    assert_eq!(alb.status(), 200);
}

/// A connection as in the recorded events.
const CONNECTION: websocket::Connection<'_> = websocket::Connection {
    api_id: "abcd1234",
    stage: "prod",
    domain_name: "abcd1234.execute-api.us-east-1.amazonaws.com",
    id: "AAAA1234=",
    connected_at_ms: 1_707_503_007_396,
    source_ip: "192.0.2.1",
    user_agent: None,
    authorizer: None,
};

fn recorded(name: &str) -> Value {
    let (_, bytes) = fixtures().into_iter().find(|(known, _)| known == name).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

fn moment(route_key: &str) -> websocket::Moment<'_> {
    websocket::Moment { route_key, request_id: "ABCD1234=", time_epoch_ms: 1_707_503_008_941 }
}

#[test]
fn the_end_of_a_websocket_is_written_as_recorded_from_aws() {
    let close = (1005, "Client-side close frame status not set");
    let event = websocket::disconnect(&CONNECTION, &moment("$disconnect"), close);
    let event: Value = serde_json::from_slice(&event).unwrap();
    assert_eq!(event, recorded("example-apigw-websocket-request-disconnect-route"));
}

#[test]
fn a_websocket_that_connects_is_written_with_the_members_of_a_recorded_one() {
    let request = (&"/dev".parse().unwrap(), &HeaderMap::new());
    let event = websocket::connect(&CONNECTION, &moment("$connect"), request);
    let event: Value = serde_json::from_slice(&event).unwrap();
    let mut recorded = recorded("example-apigw-websocket-request-without-method");
    // That API asked for a key.
    recorded["requestContext"]["identity"] = json!({ "sourceIp": "10.0.0.13" });
    let names = |object: &Value| object.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&event), names(&recorded));
    let (context, expected) = (&event["requestContext"], &recorded["requestContext"]);
    assert_eq!(names(context), names(expected));
    assert_eq!(names(&context["identity"]), names(&expected["identity"]));
}
