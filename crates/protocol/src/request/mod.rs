//! Writes HTTP requests as the events that API Gateway, function URLs and load balancers send, for the local cloud and
//! `lambkin serve`.
//!
//! Here is payload format 2.0; `v1` has format 1.0, of HTTP APIs and of REST APIs, and `alb` a load balancer's.

use std::borrow::Cow;
use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderMap, Request, Version, header};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::content::is_text_request;
use crate::encoding::{decode_query, to_base64};

mod alb;
mod v1;

pub use alb::alb;
pub use v1::{ApiKey, RestGateway, http_api_v1, rest_api};

/// What a gateway knows of a request besides the request itself.
#[derive(Debug, Clone)]
pub struct Gateway<'a> {
    /// The account that owns the API, twelve digits.
    pub account_id: &'a str,
    /// The API's id.
    pub api_id: &'a str,
    /// The host name the client called, without a port.
    pub domain_name: &'a str,
    /// The stage: `$default`, or a name that is then the first segment of `rawPath`.
    pub stage: &'a str,
    /// The matched route: `GET /items/{id}`, `ANY /{proxy+}` or `$default`.
    pub route_key: &'a str,
    /// The route's path parameters, decoded.
    pub path_parameters: &'a BTreeMap<String, String>,
    /// The stage's variables; an event of a stage without any does not have them.
    pub stage_variables: Option<&'a BTreeMap<String, String>>,
    /// What the route's authorizer said, as the JSON of `requestContext.authorizer`.
    pub authorizer: Option<&'a RawValue>,
    /// The client's address.
    pub source_ip: &'a str,
    /// The id of the request.
    pub request_id: &'a str,
    /// When it came, in milliseconds since 1970.
    pub time_epoch_ms: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    version: &'static str,
    route_key: &'a str,
    raw_path: &'a str,
    raw_query_string: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cookies: Vec<String>,
    headers: BTreeMap<&'a str, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    query_string_parameters: BTreeMap<String, String>,
    request_context: Context<'a>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    path_parameters: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stage_variables: Option<&'a BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
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
    domain_name: &'a str,
    domain_prefix: &'a str,
    http: Http<'a>,
    request_id: &'a str,
    route_key: &'a str,
    stage: &'a str,
    time: String,
    time_epoch: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Http<'a> {
    method: &'a str,
    path: &'a str,
    protocol: &'static str,
    source_ip: &'a str,
    user_agent: Cow<'a, str>,
}

/// The HTTP API event, payload format 2.0, of a request.
///
/// The path is taken as it is, stage and all. Cookies leave the headers; repeated headers and query values are joined
/// by commas; query values are decoded, `rawQueryString` is not; what is absent is left out instead of being null.
/// Headers that a gateway adds (`x-forwarded-for`, `x-amzn-trace-id`, ...) are the caller's to add.
/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>.
pub fn http_api_v2(request: &Request<Bytes>, gateway: &Gateway<'_>) -> Vec<u8> {
    write(request, gateway, Cookies::Apart)
}

/// The event of a function URL, payload format 2.0 as well: unlike an HTTP API, it leaves the cookies in the headers too.
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads>.
pub fn function_url(request: &Request<Bytes>, gateway: &Gateway<'_>) -> Vec<u8> {
    write(request, gateway, Cookies::InHeadersToo)
}

/// Where an event has the cookies, beside its member `cookies`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cookies {
    Apart,
    InHeadersToo,
}

fn write(request: &Request<Bytes>, gateway: &Gateway<'_>, cookies: Cookies) -> Vec<u8> {
    let query = request.uri().query().unwrap_or_default();
    let (body, is_base64) = body_of(request);
    let event = Event {
        version: "2.0",
        route_key: gateway.route_key,
        raw_path: request.uri().path(),
        raw_query_string: query,
        cookies: cookies_of(request.headers()),
        headers: headers_of(request.headers(), cookies),
        query_string_parameters: query_parameters(query),
        request_context: context_of(request, gateway),
        path_parameters: gateway.path_parameters,
        stage_variables: gateway.stage_variables,
        body,
        is_base64,
    };
    // Writing strings and numbers to memory cannot fail.
    serde_json::to_vec(&event).unwrap_or_default()
}

fn context_of<'a>(request: &'a Request<Bytes>, gateway: &Gateway<'a>) -> Context<'a> {
    let user_agent = request.headers().get(header::USER_AGENT);
    Context {
        account_id: gateway.account_id,
        api_id: gateway.api_id,
        authorizer: gateway.authorizer,
        domain_name: gateway.domain_name,
        domain_prefix: domain_prefix(gateway),
        http: Http {
            method: request.method().as_str(),
            path: request.uri().path(),
            protocol: protocol(request.version()),
            source_ip: gateway.source_ip,
            user_agent: user_agent
                .map(|value| String::from_utf8_lossy(value.as_bytes()))
                .unwrap_or_default(),
        },
        request_id: gateway.request_id,
        route_key: gateway.route_key,
        stage: gateway.stage,
        time: log_time(gateway.time_epoch_ms),
        time_epoch: gateway.time_epoch_ms,
    }
}

fn domain_prefix<'a>(gateway: &Gateway<'a>) -> &'a str {
    gateway.domain_name.split('.').next().unwrap_or_default()
}

fn protocol(version: Version) -> &'static str {
    match version {
        Version::HTTP_09 => "HTTP/0.9",
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_2 => "HTTP/2.0",
        Version::HTTP_3 => "HTTP/3.0",
        _ => "HTTP/1.1",
    }
}

fn cookies_of(headers: &HeaderMap) -> Vec<String> {
    let values = headers
        .get_all(header::COOKIE)
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()));
    let split = |value: Cow<'_, str>| {
        value.split(';').map(|cookie| cookie.trim().to_owned()).collect::<Vec<_>>()
    };
    values.flat_map(split).filter(|cookie| !cookie.is_empty()).collect()
}

fn headers_of(headers: &HeaderMap, cookies: Cookies) -> BTreeMap<&str, String> {
    let joined = |name: &header::HeaderName| {
        let values =
            headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
        values.collect::<Vec<_>>().join(if *name == header::COOKIE { "; " } else { "," })
    };
    headers
        .keys()
        .filter(|name| cookies == Cookies::InHeadersToo || *name != header::COOKIE)
        .map(|name| (name.as_str(), joined(name)))
        .collect()
}

fn query_parameters(query: &str) -> BTreeMap<String, String> {
    let all = all_query_parameters(query).into_iter();
    all.map(|(name, values)| (name, values.join(","))).collect()
}

/// Every value of every parameter, decoded, in the order of the query.
fn all_query_parameters(query: &str) -> BTreeMap<String, Vec<String>> {
    let mut parameters: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        parameters.entry(decode_query(name)).or_default().push(decode_query(value));
    }
    parameters
}

fn body_of(request: &Request<Bytes>) -> (Option<Cow<'_, str>>, bool) {
    let body = request.body();
    if body.is_empty() {
        return (None, false);
    }
    let text =
        if is_text_request(request.headers()) { std::str::from_utf8(body).ok() } else { None };
    match text {
        Some(text) => (Some(Cow::Borrowed(text)), false),
        None => (Some(Cow::Owned(to_base64(body))), true),
    }
}

/// `12/Mar/2020:19:03:58 +0000`, the time format of access logs.
pub(crate) fn log_time(epoch_ms: i64) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let seconds = epoch_ms.div_euclid(1000);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    let month =
        usize::try_from(month - 1).ok().and_then(|index| MONTHS.get(index)).unwrap_or(&"Jan");
    format!(
        "{day:02}/{month}/{year:04}:{:02}:{:02}:{:02} +0000",
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

/// A time as ISO 8601 has it, in UTC with milliseconds: `2026-11-23T10:00:00.000Z`.
pub fn iso_time(epoch_ms: i64) -> String {
    let seconds = epoch_ms.div_euclid(1000);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:03}Z",
        second / 3600,
        second / 60 % 60,
        second % 60,
        epoch_ms.rem_euclid(1000)
    )
}

/// Year, month and day of a day counted from 1970-01-01, in the proleptic Gregorian calendar. Years are counted from
/// March, so that the leap day is the last of its year; an era is 400 years.
fn civil(days: i64) -> (i64, i64, i64) {
    let from_march = days + 719_468;
    let era = from_march.div_euclid(146_097);
    let day_of_era = from_march.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn event(request: &Request<Bytes>, parameters: &BTreeMap<String, String>) -> Value {
        let gateway = Gateway {
            account_id: "123456789012",
            api_id: "local",
            domain_name: "local.example.com",
            stage: "$default",
            route_key: "POST /items/{id}",
            path_parameters: parameters,
            stage_variables: None,
            authorizer: None,
            source_ip: "127.0.0.1",
            request_id: "r-1",
            time_epoch_ms: 1_584_039_838_390,
        };
        serde_json::from_slice(&http_api_v2(request, &gateway)).unwrap()
    }

    #[test]
    fn writes_every_member_as_the_gateway_does() {
        let request = Request::post("/items/a%20b?x=1&x=2%2C3&y=a+b&flag")
            .header("X-Multi", "one")
            .header("x-multi", "two")
            .header("cookie", "a=1; b=2")
            .header("cookie", "c=3")
            .header("user-agent", "test/1")
            .header("content-type", "application/json; charset=utf-8")
            .body(Bytes::from_static(b"{}"))
            .unwrap();
        let parameters = BTreeMap::from([("id".to_owned(), "a b".to_owned())]);
        let expected = json!({
            "version": "2.0",
            "routeKey": "POST /items/{id}",
            "rawPath": "/items/a%20b",
            "rawQueryString": "x=1&x=2%2C3&y=a+b&flag",
            "cookies": ["a=1", "b=2", "c=3"],
            "headers": {"x-multi": "one,two", "user-agent": "test/1", "content-type": "application/json; charset=utf-8"},
            "queryStringParameters": {"x": "1,2,3", "y": "a b", "flag": ""},
            "requestContext": {
                "accountId": "123456789012", "apiId": "local",
                "domainName": "local.example.com", "domainPrefix": "local",
                "http": {"method": "POST", "path": "/items/a%20b", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "test/1"},
                "requestId": "r-1", "routeKey": "POST /items/{id}", "stage": "$default",
                "time": "12/Mar/2020:19:03:58 +0000", "timeEpoch": 1_584_039_838_390_i64
            },
            "pathParameters": {"id": "a b"},
            "body": "{}",
            "isBase64Encoded": false
        });
        assert_eq!(event(&request, &parameters), expected);
    }

    #[test]
    fn a_function_url_has_the_cookies_in_the_headers_too() {
        let request = Request::get("/").header("cookie", "a=1; b=2").header("cookie", "c=3");
        let gateway = Gateway {
            account_id: "anonymous",
            api_id: "local",
            domain_name: "localhost",
            stage: "$default",
            route_key: "$default",
            path_parameters: &BTreeMap::new(),
            stage_variables: None,
            authorizer: None,
            source_ip: "127.0.0.1",
            request_id: "r-1",
            time_epoch_ms: 0,
        };
        let bytes = function_url(&request.body(Bytes::new()).unwrap(), &gateway);
        let value: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(value["headers"], json!({ "cookie": "a=1; b=2; c=3" }));
        assert_eq!(value["cookies"], json!(["a=1", "b=2", "c=3"]));
    }

    #[test]
    fn leaves_out_what_is_absent() {
        let value = event(&Request::get("/").body(Bytes::new()).unwrap(), &BTreeMap::new());
        let members: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
        for absent in
            ["cookies", "queryStringParameters", "pathParameters", "stageVariables", "body"]
        {
            assert!(!members.contains(&absent), "{absent}");
        }
        assert_eq!(value["rawQueryString"], "");
        assert_eq!(value["isBase64Encoded"], false);
    }

    #[test]
    fn sends_bodies_as_text_or_base64() {
        let check = |kind: Option<&str>, body: &'static [u8], expected: (&str, bool)| {
            let builder = Request::post("/");
            let builder =
                if let Some(kind) = kind { builder.header("content-type", kind) } else { builder };
            let value = event(&builder.body(Bytes::from_static(body)).unwrap(), &BTreeMap::new());
            assert_eq!(
                (value["body"].as_str().unwrap(), value["isBase64Encoded"].as_bool().unwrap()),
                expected,
                "{kind:?}"
            );
        };
        check(Some("text/plain"), "Grüße".as_bytes(), ("Grüße", false));
        check(Some("text/plain"), &[0xff], ("/w==", true));
        check(Some("application/x-www-form-urlencoded"), b"a=1", ("YT0x", true));
        check(None, b"a=1", ("YT0x", true));
    }

    #[test]
    fn writes_times_of_any_year() {
        assert_eq!(log_time(0), "01/Jan/1970:00:00:00 +0000");
        assert_eq!(log_time(-1), "31/Dec/1969:23:59:59 +0000");
        assert_eq!(log_time(951_782_400_000), "29/Feb/2000:00:00:00 +0000");
        assert_eq!(log_time(4_107_542_400_000), "01/Mar/2100:00:00:00 +0000");
        assert_eq!(iso_time(951_782_400_007), "2000-02-29T00:00:00.007Z");
        assert_eq!(iso_time(-1), "1969-12-31T23:59:59.999Z");
    }
}
