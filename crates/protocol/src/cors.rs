//! CORS as an HTTP API does it: preflights are answered in the back end's place, and the back end's own headers are
//! replaced by the policy's.
//!
//! Rules: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html>.

use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};

use crate::manifest::Cors;

/// The headers that a policy decides, whatever a back end has written.
const OF_THE_POLICY: [HeaderName; 6] = [
    header::ACCESS_CONTROL_ALLOW_ORIGIN,
    header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
    header::ACCESS_CONTROL_ALLOW_METHODS,
    header::ACCESS_CONTROL_ALLOW_HEADERS,
    header::ACCESS_CONTROL_EXPOSE_HEADERS,
    header::ACCESS_CONTROL_MAX_AGE,
];

/// Whether a browser asks if it may send a request of another origin's page.
pub fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    method == Method::OPTIONS
        && headers.contains_key(header::ORIGIN)
        && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// The answer to a preflight with these headers: 204, and what the policy allows its origin. An origin that may not call
/// gets no CORS header, by which the browser knows.
pub fn preflight<B: Default>(policy: &Cors, headers: &HeaderMap) -> Response<B> {
    let mut response = Response::new(B::default());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let Some(origin) = allowed_origin(policy, headers) else { return response };
    let answer = response.headers_mut();
    answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    set_list(answer, header::ACCESS_CONTROL_ALLOW_METHODS, &policy.allow_methods);
    set_list(answer, header::ACCESS_CONTROL_ALLOW_HEADERS, &policy.allow_headers);
    if let Some(age) = policy.max_age_seconds {
        answer.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from(age));
    }
    set_credentials(answer, policy);
    response
}

/// Replaces the CORS headers of an answer to a request with the headers `asked` by the policy's.
pub fn apply(policy: &Cors, asked: &HeaderMap, answer: &mut HeaderMap) {
    for name in OF_THE_POLICY {
        answer.remove(name);
    }
    let Some(origin) = allowed_origin(policy, asked) else { return };
    answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    set_list(answer, header::ACCESS_CONTROL_EXPOSE_HEADERS, &policy.expose_headers);
    set_credentials(answer, policy);
}

/// What the origin of a request is told: itself, or `*` where all may call.
fn allowed_origin(policy: &Cors, asked: &HeaderMap) -> Option<HeaderValue> {
    let origin = asked.get(header::ORIGIN)?;
    if policy.allow_origins.iter().any(|allowed| allowed == "*") {
        return Some(HeaderValue::from_static("*"));
    }
    let text = origin.to_str().ok()?;
    let allows = |allowed: &String| match allowed.strip_suffix('*') {
        Some(scheme) => text.starts_with(scheme),
        None => allowed.eq_ignore_ascii_case(text),
    };
    policy.allow_origins.iter().any(allows).then(|| origin.clone())
}

fn set_list(headers: &mut HeaderMap, name: HeaderName, values: &[String]) {
    if let (false, Ok(value)) = (values.is_empty(), HeaderValue::from_str(&values.join(","))) {
        headers.insert(name, value);
    }
}

fn set_credentials(headers: &mut HeaderMap, policy: &Cors) {
    if policy.allow_credentials {
        let yes = HeaderValue::from_static("true");
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, yes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(origins: &[&str]) -> Cors {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Cors {
            allow_origins: owned(origins),
            allow_methods: owned(&["GET", "POST"]),
            allow_headers: owned(&["content-type", "x-id"]),
            expose_headers: owned(&["x-count"]),
            max_age_seconds: Some(600),
            allow_credentials: false,
        }
    }

    fn from(origin: &str) -> HeaderMap {
        HeaderMap::from_iter([
            (header::ORIGIN, origin.parse().unwrap()),
            (header::ACCESS_CONTROL_REQUEST_METHOD, HeaderValue::from_static("POST")),
        ])
    }

    #[test]
    fn a_preflight_names_origin_and_method() {
        let headers = from("https://a.example");
        assert!(is_preflight(&Method::OPTIONS, &headers));
        assert!(!is_preflight(&Method::GET, &headers));
        for missing in [header::ORIGIN, header::ACCESS_CONTROL_REQUEST_METHOD] {
            let mut headers = headers.clone();
            headers.remove(missing);
            assert!(!is_preflight(&Method::OPTIONS, &headers));
        }
    }

    #[test]
    fn the_answer_says_what_the_policy_allows() {
        let response: Response<()> =
            preflight(&policy(&["https://a.example"]), &from("https://a.example"));
        assert_eq!(response.status(), 204);
        let headers = response.headers();
        assert_eq!(headers["access-control-allow-origin"], "https://a.example");
        assert_eq!(headers["access-control-allow-methods"], "GET,POST");
        assert_eq!(headers["access-control-allow-headers"], "content-type,x-id");
        assert_eq!(headers["access-control-max-age"], "600");
        assert_eq!(headers.len(), 4);
        let refused: Response<()> =
            preflight(&policy(&["https://a.example"]), &from("https://b.example"));
        assert_eq!((refused.status().as_u16(), refused.headers().len()), (204, 0));
    }

    #[test]
    fn origins_are_exact_or_of_a_scheme_or_all() {
        let check = |allowed: &[&str], origin: &str, expected: Option<&str>| {
            let mut answer = HeaderMap::new();
            apply(&policy(allowed), &from(origin), &mut answer);
            let told = answer.get(header::ACCESS_CONTROL_ALLOW_ORIGIN);
            assert_eq!(told.map(|value| value.to_str().unwrap()), expected, "{allowed:?} {origin}");
        };
        check(&["*"], "http://x.example", Some("*"));
        check(&["https://*"], "https://x.example", Some("https://x.example"));
        check(&["https://*"], "http://x.example", None);
        check(&["https://a.example"], "https://a.example:8443", None);
        check(&["https://a.example"], "https://a.example.evil", None);
        check(&[], "https://a.example", None);
    }

    #[test]
    fn what_the_back_end_says_is_replaced() {
        let mut answer = HeaderMap::new();
        for name in OF_THE_POLICY {
            answer.insert(name, HeaderValue::from_static("theirs"));
        }
        let mut policy = policy(&["https://a.example"]);
        policy.allow_credentials = true;
        apply(&policy, &from("https://a.example"), &mut answer);
        assert_eq!(answer["access-control-allow-origin"], "https://a.example");
        assert_eq!(answer["access-control-expose-headers"], "x-count");
        assert_eq!(answer["access-control-allow-credentials"], "true");
        assert_eq!(answer.len(), 3);
        apply(&policy, &from("https://b.example"), &mut answer);
        assert!(answer.is_empty());
    }
}
