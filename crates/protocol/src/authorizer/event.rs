//! The events by which a gateway asks a component whether a request may pass: the request's event without its body, with
//! the ARN that is asked for and what identifies the client.
//!
//! Sources: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html>,
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html> and
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html>.

use bytes::Bytes;
use http::{HeaderMap, Request, Uri};
use serde_json::{Map, Value, json};

use crate::request::{self, Gateway, RestGateway};
use crate::websocket::{self, Connection, Moment};

/// What an HTTP API asks in format 2.0.
pub fn http_api_v2(
    request: &Request<Bytes>,
    gateway: &Gateway<'_>,
    (arn, identity): (&str, &[String]),
) -> Vec<u8> {
    let mut event = members(&request::http_api_v2(&without_body(request), gateway));
    event.remove("isBase64Encoded");
    event.insert("type".to_owned(), json!("REQUEST"));
    event.insert("routeArn".to_owned(), json!(arn));
    let source = if identity.is_empty() { Value::Null } else { json!(identity) };
    event.insert("identitySource".to_owned(), source);
    bytes(event)
}

/// What an HTTP API asks in format 1.0.
pub fn http_api_v1(
    request: &Request<Bytes>,
    gateway: &Gateway<'_>,
    (arn, identity): (&str, &[String]),
) -> Vec<u8> {
    let event = members(&request::http_api_v1(&without_body(request), gateway));
    let mut event = asking(event, arn);
    event.insert("identitySource".to_owned(), json!(identity.join(",")));
    event.insert("authorizationToken".to_owned(), json!(identity.join(",")));
    bytes(event)
}

/// What a REST API asks an authorizer of type `REQUEST`.
pub fn rest_request(
    request: &Request<Bytes>,
    gateway: &Gateway<'_>,
    (rest, arn): (&RestGateway<'_>, &str),
) -> Vec<u8> {
    let event = members(&request::rest_api(&without_body(request), gateway, rest));
    let mut event = asking(event, arn);
    fill(&mut event, &PARAMETERS);
    fill(&mut event, &["pathParameters"]);
    bytes(event)
}

/// What a WebSocket API asks before a client is connected: always with all of the client's request.
pub fn websocket_request(
    connection: &Connection<'_>,
    moment: &Moment<'_>,
    (request, arn): ((&Uri, &HeaderMap), &str),
) -> Vec<u8> {
    let mut event = asking(members(&websocket::connect(connection, moment, request)), arn);
    fill(&mut event, &PARAMETERS);
    bytes(event)
}

/// Unlike the event of a method or a route, an authorizer's has empty maps in the place of what is not there.
const PARAMETERS: [&str; 3] =
    ["queryStringParameters", "multiValueQueryStringParameters", "stageVariables"];

fn fill(event: &mut Map<String, Value>, names: &[&str]) {
    for name in names {
        if event.get(*name).is_none_or(Value::is_null) {
            event.insert((*name).to_owned(), json!({}));
        }
    }
}

/// What a REST API asks an authorizer of type `TOKEN`.
pub fn rest_token(arn: &str, token: &str) -> Vec<u8> {
    bytes(members(
        json!({ "type": "TOKEN", "authorizationToken": token, "methodArn": arn })
            .to_string()
            .as_bytes(),
    ))
}

fn asking(mut event: Map<String, Value>, arn: &str) -> Map<String, Value> {
    for name in ["body", "isBase64Encoded"] {
        event.remove(name);
    }
    if let Some(Value::Object(context)) = event.get_mut("requestContext") {
        context.remove("authorizer");
    }
    event.insert("type".to_owned(), json!("REQUEST"));
    event.insert("methodArn".to_owned(), json!(arn));
    event
}

fn without_body(request: &Request<Bytes>) -> Request<Bytes> {
    request.clone().map(|_| Bytes::new())
}

/// The members of an event that was just written.
fn members(event: &[u8]) -> Map<String, Value> {
    serde_json::from_slice(event).unwrap_or_default()
}

fn bytes(event: Map<String, Value>) -> Vec<u8> {
    Value::Object(event).to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const ARN: &str = "arn:aws:execute-api:us-east-1:123456789012:local/$default/GET/items/1";

    fn keys(event: &[u8]) -> Vec<String> {
        let event: Map<String, Value> = serde_json::from_slice(event).unwrap();
        let mut keys: Vec<_> = event.keys().cloned().collect();
        keys.sort();
        keys
    }

    fn gateway(parameters: &BTreeMap<String, String>) -> Gateway<'_> {
        Gateway {
            account_id: "123456789012",
            api_id: "local",
            domain_name: "local.example.com",
            stage: "$default",
            route_key: "GET /items/{id}",
            path_parameters: parameters,
            stage_variables: None,
            authorizer: None,
            source_ip: "192.0.2.1",
            request_id: "r",
            time_epoch_ms: 0,
        }
    }

    #[test]
    fn an_http_api_asks_in_both_formats() {
        let parameters = BTreeMap::from([("id".to_owned(), "1".to_owned())]);
        let request = Request::get("/items/1?a=1").header("cookie", "c=1").header("x-key", "k");
        let request = request.body(Bytes::from_static(b"body")).unwrap();
        let identity = ["k".to_owned(), "v".to_owned()];
        let two = http_api_v2(&request, &gateway(&parameters), (ARN, &identity));
        assert_eq!(
            keys(&two),
            [
                "cookies",
                "headers",
                "identitySource",
                "pathParameters",
                "queryStringParameters",
                "rawPath",
                "rawQueryString",
                "requestContext",
                "routeArn",
                "routeKey",
                "type",
                "version"
            ]
        );
        let two: Value = serde_json::from_slice(&two).unwrap();
        assert_eq!((&two["identitySource"], &two["routeArn"]), (&json!(["k", "v"]), &json!(ARN)));
        let one = http_api_v1(&request, &gateway(&parameters), (ARN, &identity));
        let one: Value = serde_json::from_slice(&one).unwrap();
        assert_eq!((&one["identitySource"], &one["methodArn"]), (&json!("k,v"), &json!(ARN)));
        assert_eq!((&one["type"], &one["version"]), (&json!("REQUEST"), &json!("1.0")));
        assert!(one["requestContext"].get("authorizer").is_none() && one.get("body").is_none());
    }

    #[test]
    fn a_rest_api_asks_by_token_or_by_request() {
        let token: Value = serde_json::from_slice(&rest_token(ARN, "t")).unwrap();
        let expected = json!({ "type": "TOKEN", "authorizationToken": "t", "methodArn": ARN });
        assert_eq!(token, expected);
        let (none, spelling) = (BTreeMap::new(), BTreeMap::new());
        let rest = RestGateway {
            resource: "/items/{id}",
            resource_id: "i",
            deployment_id: "d",
            path: "/items/1",
            whole_path: "/items/1",
            extended_request_id: "e",
            spelling: &spelling,
            binary_media_types: &[],
            api_key: None,
        };
        let request = Request::get("/items/1").body(Bytes::new()).unwrap();
        let event = rest_request(&request, &gateway(&none), (&rest, ARN));
        let event: Value = serde_json::from_slice(&event).unwrap();
        assert_eq!((&event["type"], &event["methodArn"]), (&json!("REQUEST"), &json!(ARN)));
        assert_eq!((&event["pathParameters"], &event["stageVariables"]), (&json!({}), &json!({})));
        assert!(event.get("body").is_none());
    }

    #[test]
    fn a_websocket_api_asks_as_its_guide_shows() {
        let connection = Connection {
            api_id: "abcdef",
            stage: "production",
            domain_name: "abcdef.example.com",
            id: "AAAA1234=",
            connected_at_ms: 0,
            source_ip: "192.0.2.1",
            user_agent: None,
            authorizer: None,
        };
        let moment = Moment { route_key: "$connect", request_id: "r", time_epoch_ms: 0 };
        let headers = HeaderMap::from_iter([(
            http::header::AUTHORIZATION,
            http::HeaderValue::from_static("let me in"),
        )]);
        let request = (&Uri::from_static("/production?room=a"), &headers);
        let event = websocket_request(&connection, &moment, (request, ARN));
        assert_eq!(
            keys(&event),
            [
                "headers",
                "methodArn",
                "multiValueHeaders",
                "multiValueQueryStringParameters",
                "queryStringParameters",
                "requestContext",
                "stageVariables",
                "type"
            ]
        );
        let event: Value = serde_json::from_slice(&event).unwrap();
        assert_eq!((&event["type"], &event["methodArn"]), (&json!("REQUEST"), &json!(ARN)));
        assert_eq!(event["headers"], json!({ "Authorization": "let me in" }));
        assert_eq!(event["requestContext"]["connectionId"], "AAAA1234=");
        assert_eq!(
            (&event["stageVariables"], &event["queryStringParameters"]["room"]),
            (&json!({}), &json!("a"))
        );
    }
}
