//! The headers by which a gateway tells a function of its client: `x-forwarded-*` and the trace header.

use http::{HeaderMap, HeaderName, HeaderValue, header};

/// What a gateway has made out of a request's headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forwarded {
    /// The host name that the client called, in lower case, without a port.
    pub domain_name: String,
    /// The client's trace id, else the new one.
    pub trace_id: String,
}

/// Adds `x-forwarded-for`, `-port` and `-proto` and the trace header to `headers`.
///
/// `scheme` is what the client spoke; a client that sent no trace id gets `new_trace_id`.
/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>.
pub fn forward(
    headers: &mut HeaderMap,
    source_ip: &str,
    scheme: &str,
    new_trace_id: impl FnOnce() -> String,
) -> Forwarded {
    let host = text(headers, &header::HOST).unwrap_or("localhost").to_owned();
    let (domain_name, port) = split_port(&host);
    let trace_id = text(headers, &HeaderName::from_static("x-amzn-trace-id"))
        .map_or_else(new_trace_id, str::to_owned);
    let forwarded_for = match text(headers, &HeaderName::from_static("x-forwarded-for")) {
        Some(before) => format!("{before}, {source_ip}"),
        None => source_ip.to_owned(),
    };
    let usual = if scheme == "https" { "443" } else { "80" };
    for (name, value) in [
        ("x-amzn-trace-id", trace_id.as_str()),
        ("x-forwarded-for", &forwarded_for),
        ("x-forwarded-port", port.unwrap_or(usual)),
        ("x-forwarded-proto", scheme),
    ] {
        // Made of text that came in headers, so it can go in one.
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    Forwarded { domain_name: domain_name.to_ascii_lowercase(), trace_id }
}

fn split_port(host: &str) -> (&str, Option<&str>) {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => {
            (name, Some(port))
        }
        _ => (host, None),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_split_from_the_host() {
        assert_eq!(split_port("shop.example.com:8080"), ("shop.example.com", Some("8080")));
        assert_eq!(split_port("shop.example.com"), ("shop.example.com", None));
        assert_eq!(split_port("[::1]"), ("[::1]", None));
        assert_eq!(split_port("[::1]:80"), ("[::1]", Some("80")));
    }

    #[test]
    fn the_client_is_added_to_those_before_it_and_its_trace_id_is_kept() {
        let mut headers = HeaderMap::new();
        headers.insert("host", HeaderValue::from_static("Shop.example:8080"));
        headers.insert("x-forwarded-for", HeaderValue::from_static("192.0.2.1"));
        headers.insert("x-amzn-trace-id", HeaderValue::from_static("Root=1"));
        let forwarded = forward(&mut headers, "192.0.2.2", "http", || "Root=2".to_owned());
        let expected = Forwarded { domain_name: "shop.example".into(), trace_id: "Root=1".into() };
        assert_eq!(forwarded, expected);
        assert_eq!(headers["x-forwarded-for"], "192.0.2.1, 192.0.2.2");
        assert_eq!(headers["x-forwarded-port"], "8080");
        assert_eq!(headers["x-forwarded-proto"], "http");
    }
}
