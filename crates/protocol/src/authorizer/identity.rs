//! Identity sources: the parts of a request that tell one client from another.

use http::{Request, header};

use crate::encoding::decode_query;
use crate::request::Gateway;

/// One part of a request that identifies the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdentitySource {
    /// A header, by its name in lower case.
    Header(String),
    /// A parameter of the query.
    Query(String),
    /// A member of the request's context.
    Context(String),
    /// A variable of the stage.
    StageVariable(String),
}

impl IdentitySource {
    /// Reads `$request.header.Authorization` of HTTP APIs, `method.request.header.Authorization` of REST APIs or
    /// `route.request.header.Authorization` of WebSocket APIs, and the like for `querystring`, `context` and `stageVariables`.
    pub fn parse(text: &str) -> Option<Self> {
        let prefixes = ["$", "method.", "route."];
        let text = prefixes.iter().find_map(|prefix| text.strip_prefix(prefix)).unwrap_or(text);
        let (prefix, name) = match text.strip_prefix("request.") {
            Some(rest) => rest.split_once('.')?,
            None => text.split_once('.').filter(|(prefix, _)| !prefix.starts_with("request"))?,
        };
        if name.is_empty() {
            return None;
        }
        match prefix {
            "header" => {
                let header = header::HeaderName::from_bytes(name.as_bytes()).ok()?;
                Some(Self::Header(header.as_str().to_owned()))
            }
            "querystring" => Some(Self::Query(name.to_owned())),
            "context" => Some(Self::Context(name.to_owned())),
            "stageVariables" => Some(Self::StageVariable(name.to_owned())),
            _ => None,
        }
    }

    /// Its value in a request; nothing when it is absent or empty.
    pub fn select<B>(&self, request: &Request<B>, gateway: &Gateway<'_>) -> Option<String> {
        let value = match self {
            Self::Header(name) => {
                let values = request.headers().get_all(name.as_str()).iter();
                let values: Vec<_> =
                    values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
                Some(values.join(","))
            }
            Self::Query(name) => {
                let pairs = request.uri().query().unwrap_or_default().split('&');
                let mut pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
                let found = pairs.find(|(known, _)| decode_query(known) == *name);
                found.map(|(_, value)| decode_query(value))
            }
            Self::Context(name) => of_context(name, request, gateway),
            Self::StageVariable(name) => {
                gateway.stage_variables.and_then(|variables| variables.get(name)).cloned()
            }
        };
        value.filter(|value| !value.is_empty())
    }
}

fn of_context<B>(name: &str, request: &Request<B>, gateway: &Gateway<'_>) -> Option<String> {
    let value = match name {
        "accountId" => gateway.account_id,
        "apiId" => gateway.api_id,
        "domainName" => gateway.domain_name,
        "httpMethod" => request.method().as_str(),
        "identity.sourceIp" => gateway.source_ip,
        "identity.userAgent" => request.headers().get(header::USER_AGENT)?.to_str().ok()?,
        "path" => request.uri().path(),
        "requestId" => gateway.request_id,
        "routeKey" => gateway.route_key,
        "resourcePath" => gateway.route_key.split_once(' ').map_or("", |(_, path)| path),
        "stage" => gateway.stage,
        _ => return None,
    };
    Some(value.to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn reads_both_spellings_and_nothing_else() {
        let header = Some(IdentitySource::Header("x-key".to_owned()));
        for text in ["$request.header.X-Key", "method.request.header.X-Key"] {
            assert_eq!(IdentitySource::parse(text), header);
        }
        let query = IdentitySource::parse("$request.querystring.k");
        assert_eq!(query, Some(IdentitySource::Query("k".to_owned())));
        let context = IdentitySource::parse("$context.identity.sourceIp");
        assert_eq!(context, Some(IdentitySource::Context("identity.sourceIp".to_owned())));
        let variable = IdentitySource::parse("stageVariables.k");
        assert_eq!(variable, Some(IdentitySource::StageVariable("k".to_owned())));
        for text in
            ["", "Authorization", "$request.body.x", "$request.header.", "$request.header.a b"]
        {
            assert_eq!(IdentitySource::parse(text), None, "{text}");
        }
    }

    #[test]
    fn selects_values_and_takes_an_empty_one_for_absent() {
        let parameters = BTreeMap::new();
        let variables = BTreeMap::from([("k".to_owned(), "v".to_owned())]);
        let gateway = Gateway {
            account_id: "1",
            api_id: "a",
            domain_name: "d",
            stage: "s",
            route_key: "GET /a",
            path_parameters: &parameters,
            stage_variables: Some(&variables),
            authorizer: None,
            source_ip: "192.0.2.1",
            request_id: "r",
            time_epoch_ms: 0,
        };
        let request = Request::get("/a?k=a+b&empty").header("x-one", "1").header("x-one", "2");
        let request = request.header("x-empty", "").body(()).unwrap();
        let check = |source: &str, expected: Option<&str>| {
            let selected = IdentitySource::parse(source).unwrap().select(&request, &gateway);
            assert_eq!(selected.as_deref(), expected, "{source}");
        };
        check("$request.header.X-One", Some("1,2"));
        check("$request.header.X-Empty", None);
        check("$request.header.X-Other", None);
        check("$request.querystring.k", Some("a b"));
        check("$request.querystring.empty", None);
        check("$context.routeKey", Some("GET /a"));
        check("$context.unknown", None);
        check("$stageVariables.k", Some("v"));
    }
}
