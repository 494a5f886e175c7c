//! The event of an Application Load Balancer whose target is the function.
//!
//! Source: <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html>.

use std::borrow::Cow;
use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Request, header};
use serde::Serialize;

use crate::encoding::to_base64;

/// Values under names in lower case, or under the names of query parameters.
type Many = BTreeMap<String, Vec<String>>;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    request_context: Context<'a>,
    http_method: &'a str,
    path: &'a str,
    #[serde(flatten)]
    values: Values,
    body: Cow<'a, str>,
    is_base64_encoded: bool,
}

#[derive(Serialize)]
struct Context<'a> {
    elb: Elb<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Elb<'a> {
    target_group_arn: &'a str,
}

/// One form or the other, as the target group has it.
#[derive(Serialize)]
#[serde(untagged)]
enum Values {
    #[serde(rename_all = "camelCase")]
    Single { query_string_parameters: BTreeMap<String, String>, headers: BTreeMap<String, String> },
    #[serde(rename_all = "camelCase")]
    Multi { multi_value_query_string_parameters: Many, multi_value_headers: Many },
}

/// The event of a request. With `multi_value` it has lists of values, else the last value of each header and parameter.
///
/// Parameters stay percent-encoded. Headers that a load balancer adds (`x-forwarded-for`, `x-amzn-trace-id`, ...) are the
/// caller's to add.
pub fn alb(request: &Request<Bytes>, target_group_arn: &str, multi_value: bool) -> Vec<u8> {
    let (query, headers) = (query_of(request), headers_of(request));
    let values = if multi_value {
        Values::Multi { multi_value_query_string_parameters: query, multi_value_headers: headers }
    } else {
        Values::Single { query_string_parameters: last(query), headers: last(headers) }
    };
    let (body, is_base64_encoded) = body_of(request);
    let event = Event {
        request_context: Context { elb: Elb { target_group_arn } },
        http_method: request.method().as_str(),
        path: request.uri().path(),
        values,
        body,
        is_base64_encoded,
    };
    // Writing strings and numbers to memory cannot fail.
    serde_json::to_vec(&event).unwrap_or_default()
}

fn query_of(request: &Request<Bytes>) -> Many {
    let mut parameters = Many::new();
    let query = request.uri().query().unwrap_or_default();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        parameters.entry(name.to_owned()).or_default().push(value.to_owned());
    }
    parameters
}

fn headers_of(request: &Request<Bytes>) -> Many {
    let headers = request.headers();
    let values = |name| {
        let values = headers.get_all(name).iter();
        values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect()
    };
    headers.keys().map(|name| (name.as_str().to_owned(), values(name))).collect()
}

fn last(many: Many) -> BTreeMap<String, String> {
    let last = |(name, mut values): (String, Vec<String>)| Some((name, values.pop()?));
    many.into_iter().filter_map(last).collect()
}

/// Text of a few media types goes as it is, unless it has a content encoding; all else in base64.
fn body_of(request: &Request<Bytes>) -> (Cow<'_, str>, bool) {
    const TEXT: [&str; 3] = ["application/json", "application/javascript", "application/xml"];
    let (headers, body) = (request.headers(), request.body());
    if body.is_empty() {
        return (Cow::Borrowed(""), false);
    }
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let kind = kind.to_ascii_lowercase();
    let is_text = (kind.starts_with("text/") || TEXT.contains(&kind.as_str()))
        && !headers.contains_key(header::CONTENT_ENCODING);
    match std::str::from_utf8(body) {
        Ok(text) if is_text => (Cow::Borrowed(text), false),
        _ => (Cow::Owned(to_base64(body)), true),
    }
}

#[cfg(test)]
mod tests {
    use aws_lambda_events::alb::AlbTargetGroupRequest;
    use serde_json::{Value, json};

    use super::*;

    const ARN: &str =
        "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/local/0123456789abcdef";

    fn event(request: &Request<Bytes>, multi_value: bool) -> Value {
        let bytes = alb(request, ARN, multi_value);
        let _: AlbTargetGroupRequest = serde_json::from_slice(&bytes).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }

    #[test]
    fn values_are_single_or_lists_and_never_decoded() {
        let request = Request::get("/a%20b?k=a%20b&k=c+d&empty")
            .header("X-One", "1")
            .header("x-one", "2")
            .body(Bytes::new())
            .unwrap();
        let expected = json!({
            "requestContext": { "elb": { "targetGroupArn": ARN } },
            "httpMethod": "GET", "path": "/a%20b",
            "queryStringParameters": { "k": "c+d", "empty": "" },
            "headers": { "x-one": "2" },
            "body": "", "isBase64Encoded": false,
        });
        assert_eq!(event(&request, false), expected);
        let multi = event(&request, true);
        assert_eq!(multi["multiValueHeaders"], json!({ "x-one": ["1", "2"] }));
        let query = json!({ "k": ["a%20b", "c+d"], "empty": [""] });
        assert_eq!(multi["multiValueQueryStringParameters"], query);
        assert!(multi.get("headers").is_none() && multi.get("queryStringParameters").is_none());
    }

    #[test]
    fn text_goes_as_it_is_unless_it_is_encoded() {
        let check = |headers: &[(&str, &str)], body: &'static [u8], expected: (&str, bool)| {
            let mut request = Request::post("/");
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let event = event(&request.body(Bytes::from_static(body)).unwrap(), false);
            assert_eq!(
                (&event["body"], &event["isBase64Encoded"]),
                (&json!(expected.0), &json!(expected.1))
            );
        };
        check(&[("content-type", "application/JSON; charset=utf-8")], b"{}", ("{}", false));
        check(&[("content-type", "text/csv")], b"a,b", ("a,b", false));
        check(
            &[("content-type", "text/csv"), ("content-encoding", "gzip")],
            b"a,b",
            ("YSxi", true),
        );
        check(&[("content-type", "application/x-www-form-urlencoded")], b"a=b", ("YT1i", true));
        check(&[], b"a=b", ("YT1i", true));
        check(&[("content-type", "text/plain")], &[0xff, 0xfe], ("//4=", true));
    }
}
