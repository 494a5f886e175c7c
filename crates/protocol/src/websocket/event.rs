//! Writes what happens on a WebSocket as the events that API Gateway sends.
//!
//! Members that an event does not have are left out, none is null. Sources:
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-mapping-template-reference.html>
//! and recorded events.

use std::collections::BTreeMap;

use http::{HeaderMap, Uri, header};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::encoding::decode_query;
use crate::request::log_time;

/// What stays the same for all events of one connection.
#[derive(Debug, Clone, Copy)]
pub struct Connection<'a> {
    /// The API's id.
    pub api_id: &'a str,
    /// The API's stage.
    pub stage: &'a str,
    /// The host name the client called, without a port.
    pub domain_name: &'a str,
    /// The connection's id.
    pub id: &'a str,
    /// When the client connected, in milliseconds since 1970.
    pub connected_at_ms: i64,
    /// The client's address.
    pub source_ip: &'a str,
    /// The client's `User-Agent`, where it sent one.
    pub user_agent: Option<&'a str>,
    /// What the authorizer of `$connect` said of the client, where there is one: `principalId` and its context.
    pub authorizer: Option<&'a RawValue>,
}

/// What is new in each event.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// The route that is taken.
    pub route_key: &'a str,
    /// The id of what is asked of the function.
    pub request_id: &'a str,
    /// When it happened, in milliseconds since 1970.
    pub time_epoch_ms: i64,
}

type Many = BTreeMap<String, Vec<String>>;
type Single = BTreeMap<String, String>;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<Single>,
    #[serde(skip_serializing_if = "Option::is_none")]
    multi_value_headers: Option<Many>,
    #[serde(skip_serializing_if = "Option::is_none")]
    query_string_parameters: Option<Single>,
    #[serde(skip_serializing_if = "Option::is_none")]
    multi_value_query_string_parameters: Option<Many>,
    request_context: Context<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a str>,
    #[serde(rename = "isBase64Encoded")]
    is_base64: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Context<'a> {
    route_key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorizer: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disconnect_status_code: Option<u16>,
    event_type: &'static str,
    extended_request_id: &'a str,
    request_time: String,
    message_direction: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    disconnect_reason: Option<&'a str>,
    stage: &'a str,
    connected_at: i64,
    request_time_epoch: i64,
    identity: Identity<'a>,
    request_id: &'a str,
    domain_name: &'a str,
    connection_id: &'a str,
    api_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Identity<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    user_agent: Option<&'a str>,
    source_ip: &'a str,
}

/// The event of a client that wants to connect: the one with the upgrade's headers and query.
///
/// Header names are in the case that clients commonly write, such as `Sec-WebSocket-Key`. Of a repeated header or query
/// value the last is in the single-value maps. Headers that a gateway adds are the caller's to add.
pub fn connect(
    connection: &Connection<'_>,
    moment: &Moment<'_>,
    (uri, headers): (&Uri, &HeaderMap),
) -> Vec<u8> {
    let headers = headers_of(headers);
    let query = uri.query().map(query_of).filter(|query| !query.is_empty());
    write(&Event {
        query_string_parameters: query.as_ref().map(last),
        multi_value_query_string_parameters: query,
        ..Event {
            headers: Some(last(&headers)),
            multi_value_headers: Some(headers),
            ..event("CONNECT", connection, moment)
        }
    })
}

/// The event of a message: `text` as it came.
pub fn message(
    connection: &Connection<'_>,
    moment: &Moment<'_>,
    (id, text): (&str, &str),
) -> Vec<u8> {
    let mut event = event("MESSAGE", connection, moment);
    event.request_context.message_id = Some(id);
    event.body = Some(text);
    write(&event)
}

/// The event of a client that is gone, with the close frame's status and reason.
///
/// It has four headers, empty but for `Host`, as recorded from AWS.
pub fn disconnect(
    connection: &Connection<'_>,
    moment: &Moment<'_>,
    (status, reason): (u16, &str),
) -> Vec<u8> {
    let headers: Many = [
        ("Host", connection.domain_name),
        ("x-api-key", ""),
        ("X-Forwarded-For", ""),
        ("x-restapi", ""),
    ]
    .map(|(name, value)| (name.to_owned(), vec![value.to_owned()]))
    .into();
    let mut event = event("DISCONNECT", connection, moment);
    event.headers = Some(last(&headers));
    event.multi_value_headers = Some(headers);
    event.request_context.disconnect_status_code = Some(status);
    event.request_context.disconnect_reason = Some(reason);
    write(&event)
}

fn event<'a>(
    event_type: &'static str,
    connection: &Connection<'a>,
    moment: &Moment<'a>,
) -> Event<'a> {
    Event {
        headers: None,
        multi_value_headers: None,
        query_string_parameters: None,
        multi_value_query_string_parameters: None,
        request_context: Context {
            route_key: moment.route_key,
            authorizer: connection.authorizer,
            message_id: None,
            disconnect_status_code: None,
            event_type,
            extended_request_id: moment.request_id,
            request_time: log_time(moment.time_epoch_ms),
            message_direction: "IN",
            disconnect_reason: None,
            stage: connection.stage,
            connected_at: connection.connected_at_ms,
            request_time_epoch: moment.time_epoch_ms,
            identity: Identity {
                user_agent: connection.user_agent,
                source_ip: connection.source_ip,
            },
            request_id: moment.request_id,
            domain_name: connection.domain_name,
            connection_id: connection.id,
            api_id: connection.api_id,
        },
        body: None,
        is_base64: false,
    }
}

fn write(event: &Event<'_>) -> Vec<u8> {
    // Writing strings and numbers to memory cannot fail.
    serde_json::to_vec(event).unwrap_or_default()
}

/// All but what concerns the connection alone.
fn headers_of(headers: &HeaderMap) -> Many {
    let names = headers.keys().filter(|name| ![header::CONNECTION, header::UPGRADE].contains(name));
    let all = |name| {
        let values = headers.get_all(name).iter();
        values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect()
    };
    names.map(|name| (usual_case(name.as_str()), all(name))).collect()
}

fn usual_case(name: &str) -> String {
    let capital = |word: &str| match word {
        "websocket" => "WebSocket".to_owned(),
        word => {
            word.get(..1).unwrap_or_default().to_ascii_uppercase()
                + word.get(1..).unwrap_or_default()
        }
    };
    name.split('-').map(capital).collect::<Vec<_>>().join("-")
}

fn query_of(query: &str) -> Many {
    let mut parameters = Many::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        parameters.entry(decode_query(name)).or_default().push(decode_query(value));
    }
    parameters
}

fn last(many: &Many) -> Single {
    let last = |values: &Vec<String>| values.last().cloned().unwrap_or_default();
    many.iter().map(|(name, values)| (name.clone(), last(values))).collect()
}

#[cfg(test)]
mod tests {
    use aws_lambda_events::apigw::ApiGatewayWebsocketProxyRequest;
    use http::HeaderValue;
    use serde_json::{Value, json};

    use super::*;
    use crate::event::{self, Event};

    const CONNECTION: Connection<'_> = Connection {
        api_id: "abcd1234",
        stage: "prod",
        domain_name: "abcd1234.execute-api.us-east-1.amazonaws.com",
        id: "AAAA1234=",
        connected_at_ms: 1_707_503_007_396,
        source_ip: "192.0.2.1",
        user_agent: None,
        authorizer: None,
    };
    const AGENT: Connection<'_> = Connection { user_agent: Some("wscat"), ..CONNECTION };

    fn moment(route_key: &str) -> Moment<'_> {
        Moment { route_key, request_id: "ABCD1234=", time_epoch_ms: 1_707_503_008_941 }
    }

    /// The event as a tree, after AWS's own types and the host have read it.
    fn read(event: &[u8]) -> Value {
        let _: ApiGatewayWebsocketProxyRequest = serde_json::from_slice(event).unwrap();
        let Event::Other(source) = event::classify(&event.to_vec().into()).unwrap() else {
            panic!("it is HTTP")
        };
        assert_eq!(source.as_str(), "websocket");
        serde_json::from_slice(event).unwrap()
    }

    #[test]
    fn a_client_that_connects_shows_its_headers_and_query() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("host", "abcd1234.execute-api.us-east-1.amazonaws.com"),
            ("connection", "Upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-key", "bnVsbA=="),
            ("x-amzn-trace-id", "Root=1-2-3"),
            ("x-tag", "one"),
            ("x-tag", "two"),
        ] {
            headers.append(name, HeaderValue::from_static(value));
        }
        let uri = "/prod?room=a%20b&room=c&empty".parse().unwrap();
        let event = read(&connect(&AGENT, &moment("$connect"), (&uri, &headers)));
        let expected = json!({
            "headers": {
                "Host": "abcd1234.execute-api.us-east-1.amazonaws.com",
                "Sec-WebSocket-Key": "bnVsbA==",
                "X-Amzn-Trace-Id": "Root=1-2-3",
                "X-Tag": "two",
            },
            "multiValueHeaders": {
                "Host": ["abcd1234.execute-api.us-east-1.amazonaws.com"],
                "Sec-WebSocket-Key": ["bnVsbA=="],
                "X-Amzn-Trace-Id": ["Root=1-2-3"],
                "X-Tag": ["one", "two"],
            },
            "queryStringParameters": { "room": "c", "empty": "" },
            "multiValueQueryStringParameters": { "room": ["a b", "c"], "empty": [""] },
            "requestContext": {
                "routeKey": "$connect",
                "eventType": "CONNECT",
                "extendedRequestId": "ABCD1234=",
                "requestTime": "09/Feb/2024:18:23:28 +0000",
                "messageDirection": "IN",
                "stage": "prod",
                "connectedAt": 1_707_503_007_396_i64,
                "requestTimeEpoch": 1_707_503_008_941_i64,
                "identity": { "userAgent": "wscat", "sourceIp": "192.0.2.1" },
                "requestId": "ABCD1234=",
                "domainName": "abcd1234.execute-api.us-east-1.amazonaws.com",
                "connectionId": "AAAA1234=",
                "apiId": "abcd1234",
            },
            "isBase64Encoded": false,
        });
        assert_eq!(event, expected);
    }

    #[test]
    fn a_message_has_a_body_and_no_headers() {
        let event = read(&message(&CONNECTION, &moment("send"), ("Id1=", r#"{"action":"send"}"#)));
        assert_eq!(names(&event), ["body", "isBase64Encoded", "requestContext"]);
        assert_eq!(event["body"], r#"{"action":"send"}"#);
        let context = &event["requestContext"];
        assert_eq!(
            (&context["routeKey"], &context["eventType"], &context["messageId"]),
            (&json!("send"), &json!("MESSAGE"), &json!("Id1="))
        );
        assert!(context.get("disconnectStatusCode").is_none());
    }

    fn names(object: &Value) -> Vec<&String> {
        object.as_object().unwrap().keys().collect()
    }
}
