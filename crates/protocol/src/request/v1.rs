//! Payload format 1.0: the events of REST APIs, and those of HTTP APIs that are asked for it.
//!
//! Sources: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>,
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html>, and events that
//! others recorded from AWS. What is absent is null here, where format 2.0 leaves it out.

use std::borrow::Cow;
use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Request, header};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{Gateway, all_query_parameters, body_of, domain_prefix, log_time, protocol};
use crate::content::media_matches;
use crate::encoding::to_base64;

/// The authorizer of an HTTP API's event whose route has none.
const NO_CLAIMS: &str = r#"{"claims":null,"scopes":null}"#;

/// What a REST API knows of a request besides what every gateway does.
#[derive(Debug, Clone, Copy)]
pub struct RestGateway<'a> {
    /// The matched resource: `/items/{id}`.
    pub resource: &'a str,
    /// The resource's id.
    pub resource_id: &'a str,
    /// The id of the API's deployment.
    pub deployment_id: &'a str,
    /// The path without the stage.
    pub path: &'a str,
    /// The path as the client wrote it, stage and all.
    pub whole_path: &'a str,
    /// The request's id in API Gateway's own form; the event's `requestId` is a UUID.
    pub extended_request_id: &'a str,
    /// The names of headers as the client wrote them, by their lower-case form.
    pub spelling: &'a BTreeMap<String, String>,
    /// The media types whose bodies go into the event as base64.
    pub binary_media_types: &'a [String],
    /// The API key that the method asked for.
    pub api_key: Option<ApiKey<'a>>,
}

/// An API key of a REST API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApiKey<'a> {
    /// Its id.
    pub id: &'a str,
    /// The key itself.
    pub value: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'static str>,
    resource: &'a str,
    path: &'a str,
    http_method: &'a str,
    headers: BTreeMap<String, String>,
    multi_value_headers: BTreeMap<String, Vec<String>>,
    query_string_parameters: Option<BTreeMap<String, String>>,
    multi_value_query_string_parameters: Option<BTreeMap<String, Vec<String>>>,
    request_context: Context<'a>,
    path_parameters: Option<&'a BTreeMap<String, String>>,
    stage_variables: Option<&'a BTreeMap<String, String>>,
    body: Option<Cow<'a, str>>,
    #[serde(rename = "isBase64Encoded")]
    is_base64: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Context<'a> {
    account_id: &'a str,
    api_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorizer: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deployment_id: Option<&'a str>,
    domain_name: &'a str,
    domain_prefix: &'a str,
    extended_request_id: &'a str,
    http_method: &'a str,
    identity: Identity<'a>,
    path: &'a str,
    protocol: &'static str,
    request_id: &'a str,
    request_time: String,
    request_time_epoch: i64,
    resource_id: Option<&'a str>,
    resource_path: &'a str,
    stage: &'a str,
}

/// Who the client is; what only IAM and Cognito would know is null.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Identity<'a> {
    access_key: Option<()>,
    account_id: Option<()>,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_key_id: Option<&'a str>,
    caller: Option<()>,
    cognito_authentication_provider: Option<()>,
    cognito_authentication_type: Option<()>,
    cognito_identity_id: Option<()>,
    cognito_identity_pool_id: Option<()>,
    principal_org_id: Option<()>,
    source_ip: &'a str,
    user: Option<()>,
    user_agent: Option<Cow<'a, str>>,
    user_arn: Option<()>,
}

/// The HTTP API event, payload format 1.0, of a request.
///
/// It has `"version": "1.0"` and header names in lower case; the path is taken as it is, stage and all.
pub fn http_api_v1(request: &Request<Bytes>, gateway: &Gateway<'_>) -> Vec<u8> {
    let none: Option<Box<RawValue>> = serde_json::from_str(NO_CLAIMS).ok();
    let (body, is_base64) = body_of(request);
    let resource = gateway.route_key.split_once(' ').map_or(gateway.route_key, |(_, path)| path);
    let path = request.uri().path();
    let headers = headers_of(request, &str::to_owned);
    let event = Event {
        version: Some("1.0"),
        path,
        request_context: Context {
            authorizer: gateway.authorizer.or(none.as_deref()),
            deployment_id: None,
            extended_request_id: gateway.request_id,
            path,
            resource_id: None,
            ..context_of(request, gateway, resource)
        },
        body,
        is_base64,
        ..event_of(request, gateway, (resource, headers))
    };
    // Writing strings and numbers to memory cannot fail.
    serde_json::to_vec(&event).unwrap_or_default()
}

/// The REST API event of a request, whose path parameters are percent-encoded as they came.
///
/// It has no `version`; header names are spelled as the client spelled them.
pub fn rest_api(
    request: &Request<Bytes>,
    gateway: &Gateway<'_>,
    rest: &RestGateway<'_>,
) -> Vec<u8> {
    let headers = headers_of(request, &|name| spelled(name, rest.spelling));
    let (body, is_base64) = rest_body(request, rest.binary_media_types);
    let context = context_of(request, gateway, rest.resource);
    let event = Event {
        path: rest.path,
        request_context: Context {
            deployment_id: Some(rest.deployment_id),
            extended_request_id: rest.extended_request_id,
            path: rest.whole_path,
            resource_id: Some(rest.resource_id),
            identity: Identity {
                api_key: rest.api_key.map(|key| key.value),
                api_key_id: rest.api_key.map(|key| key.id),
                ..context.identity
            },
            ..context
        },
        body,
        is_base64,
        ..event_of(request, gateway, (rest.resource, headers))
    };
    serde_json::to_vec(&event).unwrap_or_default()
}

fn event_of<'a>(
    request: &'a Request<Bytes>,
    gateway: &Gateway<'a>,
    (resource, headers): (&'a str, BTreeMap<String, Vec<String>>),
) -> Event<'a> {
    let query = all_query_parameters(request.uri().query().unwrap_or_default());
    let query = Some(query).filter(|query| !query.is_empty());
    Event {
        version: None,
        resource,
        path: "",
        http_method: request.method().as_str(),
        headers: last_values(&headers),
        multi_value_headers: headers,
        query_string_parameters: query.as_ref().map(last_values),
        multi_value_query_string_parameters: query,
        request_context: context_of(request, gateway, resource),
        path_parameters: Some(gateway.path_parameters).filter(|known| !known.is_empty()),
        stage_variables: gateway.stage_variables,
        body: None,
        is_base64: false,
    }
}

fn context_of<'a>(
    request: &'a Request<Bytes>,
    gateway: &Gateway<'a>,
    resource: &'a str,
) -> Context<'a> {
    let user_agent = request.headers().get(header::USER_AGENT);
    Context {
        account_id: gateway.account_id,
        api_id: gateway.api_id,
        authorizer: gateway.authorizer,
        deployment_id: None,
        domain_name: gateway.domain_name,
        domain_prefix: domain_prefix(gateway),
        extended_request_id: "",
        http_method: request.method().as_str(),
        identity: Identity {
            access_key: None,
            account_id: None,
            api_key: None,
            api_key_id: None,
            caller: None,
            cognito_authentication_provider: None,
            cognito_authentication_type: None,
            cognito_identity_id: None,
            cognito_identity_pool_id: None,
            principal_org_id: None,
            source_ip: gateway.source_ip,
            user: None,
            user_agent: user_agent.map(|value| String::from_utf8_lossy(value.as_bytes())),
            user_arn: None,
        },
        path: "",
        protocol: protocol(request.version()),
        request_id: gateway.request_id,
        request_time: log_time(gateway.time_epoch_ms),
        request_time_epoch: gateway.time_epoch_ms,
        resource_id: None,
        resource_path: resource,
        stage: gateway.stage,
    }
}

/// All values of every header, under the name that `spelling` gives it.
fn headers_of(
    request: &Request<Bytes>,
    spelling: &dyn Fn(&str) -> String,
) -> BTreeMap<String, Vec<String>> {
    let headers = request.headers();
    let values = |name| {
        let values = headers.get_all(name).iter();
        values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect()
    };
    headers.keys().map(|name| (spelling(name.as_str()), values(name))).collect()
}

/// The name as the client wrote it; one that the gateway has added begins its words with capitals.
fn spelled(name: &str, known: &BTreeMap<String, String>) -> String {
    let capital = |word: &str| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_ascii_uppercase() + rest
    };
    let words = || name.split('-').map(capital).collect::<Vec<_>>().join("-");
    known.get(name).cloned().unwrap_or_else(words)
}

/// A map with one value for each name: the last.
fn last_values(all: &BTreeMap<String, Vec<String>>) -> BTreeMap<String, String> {
    let last =
        |(name, values): (&String, &Vec<String>)| Some((name.clone(), values.last()?.clone()));
    all.iter().filter_map(last).collect()
}

/// A REST API takes a body for text unless its content type is one of its binary media types.
fn rest_body<'a>(request: &'a Request<Bytes>, binary: &[String]) -> (Option<Cow<'a, str>>, bool) {
    let body = request.body();
    if body.is_empty() {
        return (None, false);
    }
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let is_binary = |known: &String| media_matches(known, kind.unwrap_or("application/json"));
    if binary.iter().any(is_binary) {
        return (Some(Cow::Owned(to_base64(body))), true);
    }
    (Some(String::from_utf8_lossy(body)), false)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn gateway<'a>(route_key: &'a str, parameters: &'a BTreeMap<String, String>) -> Gateway<'a> {
        Gateway {
            account_id: "123456789012",
            api_id: "local",
            domain_name: "local.example.com",
            stage: "$default",
            route_key,
            path_parameters: parameters,
            stage_variables: None,
            authorizer: None,
            source_ip: "192.0.2.1",
            request_id: "id=",
            time_epoch_ms: 1_583_349_317_135,
        }
    }

    fn identity() -> Value {
        json!({
            "accessKey": null, "accountId": null, "caller": null, "cognitoAuthenticationProvider": null,
            "cognitoAuthenticationType": null, "cognitoIdentityId": null, "cognitoIdentityPoolId": null,
            "principalOrgId": null, "sourceIp": "192.0.2.1", "user": null, "userAgent": "test/1", "userArn": null
        })
    }

    #[test]
    fn an_http_api_writes_1_0_as_its_guide_shows() {
        let request = Request::get("/my/path?p=1&p=2&q=a+b")
            .header("header1", "value1")
            .header("Header2", "value1")
            .header("header2", "value2")
            .header("user-agent", "test/1")
            .body(Bytes::new())
            .unwrap();
        let none = BTreeMap::new();
        let event: Value =
            serde_json::from_slice(&http_api_v1(&request, &gateway("GET /my/path", &none)))
                .unwrap();
        let expected = json!({
            "version": "1.0", "resource": "/my/path", "path": "/my/path", "httpMethod": "GET",
            "headers": {"header1": "value1", "header2": "value2", "user-agent": "test/1"},
            "multiValueHeaders": {
                "header1": ["value1"], "header2": ["value1", "value2"], "user-agent": ["test/1"]
            },
            "queryStringParameters": {"p": "2", "q": "a b"},
            "multiValueQueryStringParameters": {"p": ["1", "2"], "q": ["a b"]},
            "requestContext": {
                "accountId": "123456789012", "apiId": "local",
                "authorizer": {"claims": null, "scopes": null},
                "domainName": "local.example.com", "domainPrefix": "local", "extendedRequestId": "id=",
                "httpMethod": "GET", "identity": identity(), "path": "/my/path", "protocol": "HTTP/1.1",
                "requestId": "id=", "requestTime": "04/Mar/2020:19:15:17 +0000",
                "requestTimeEpoch": 1_583_349_317_135_i64, "resourceId": null, "resourcePath": "/my/path",
                "stage": "$default"
            },
            "pathParameters": null, "stageVariables": null, "body": null, "isBase64Encoded": false
        });
        assert_eq!(event, expected);
    }

    /// `test_lambda_aws_proxy_integration` of `LocalStack`, recorded from AWS on 2024-07-10, without what `CloudFront` added.
    #[test]
    fn a_rest_api_writes_its_event_as_recorded() {
        let request = Request::get("/test/test-path/?urlparam=test")
            .header("accept", "*/*")
            .header("authorization", "random-value")
            .header("host", "local.example.com")
            .header("user-agent", "test/1")
            .header("x-forwarded-for", "192.0.2.1")
            .header("test-header", "aValUE")
            .body(Bytes::new())
            .unwrap();
        let spelling = [("accept", "Accept"), ("test-header", "tEsT-HEADeR"), ("host", "Host")]
            .map(|(name, written)| (name.to_owned(), written.to_owned()));
        let parameters = BTreeMap::from([("proxy".to_owned(), "test-path".to_owned())]);
        let rest = RestGateway {
            resource: "/{proxy+}",
            resource_id: "res",
            deployment_id: "dep",
            path: "/test-path/",
            whole_path: "/test/test-path/",
            extended_request_id: "ext=",
            spelling: &BTreeMap::from(spelling),
            binary_media_types: &[],
            api_key: None,
        };
        let gateway = Gateway { stage: "test", ..gateway("ANY /{proxy+}", &parameters) };
        let event: Value = serde_json::from_slice(&rest_api(&request, &gateway, &rest)).unwrap();
        let expected = json!({
            "body": null,
            "headers": {
                "Accept": "*/*", "Authorization": "random-value", "Host": "local.example.com",
                "User-Agent": "test/1", "X-Forwarded-For": "192.0.2.1", "tEsT-HEADeR": "aValUE"
            },
            "httpMethod": "GET", "isBase64Encoded": false,
            "multiValueHeaders": {
                "Accept": ["*/*"], "Authorization": ["random-value"], "Host": ["local.example.com"],
                "User-Agent": ["test/1"], "X-Forwarded-For": ["192.0.2.1"], "tEsT-HEADeR": ["aValUE"]
            },
            "multiValueQueryStringParameters": {"urlparam": ["test"]},
            "path": "/test-path/", "pathParameters": {"proxy": "test-path"},
            "queryStringParameters": {"urlparam": "test"},
            "requestContext": {
                "accountId": "123456789012", "apiId": "local", "deploymentId": "dep",
                "domainName": "local.example.com", "domainPrefix": "local", "extendedRequestId": "ext=",
                "httpMethod": "GET", "identity": identity(), "path": "/test/test-path/",
                "protocol": "HTTP/1.1", "requestId": "id=", "requestTime": "04/Mar/2020:19:15:17 +0000",
                "requestTimeEpoch": 1_583_349_317_135_i64, "resourceId": "res",
                "resourcePath": "/{proxy+}", "stage": "test"
            },
            "resource": "/{proxy+}", "stageVariables": null
        });
        assert_eq!(event, expected);
    }

    #[test]
    fn a_rest_body_is_text_unless_its_media_type_is_binary() {
        let check = |kind: &str, binary: &[&str], expected: (&str, bool)| {
            let request =
                Request::post("/").header("content-type", kind).body(Bytes::from_static(b"a=1"));
            let request = request.unwrap();
            let binary: Vec<_> = binary.iter().map(|kind| (*kind).to_owned()).collect();
            let (body, is_base64) = rest_body(&request, &binary);
            assert_eq!((body.as_deref(), is_base64), (Some(expected.0), expected.1), "{kind}");
        };
        check("application/octet-stream", &[], ("a=1", false));
        check("image/png", &["image/*"], ("YT0x", true));
        check("image/png; q=1", &["image/png"], ("YT0x", true));
        check("text/plain", &["image/png"], ("a=1", false));
        check("text/plain", &["*/*"], ("YT0x", true));
    }
}
