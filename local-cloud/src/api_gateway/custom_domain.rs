//! Custom domains: which API answers for a host name and a base path, as API mappings say.
//!
//! Rules: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-mappings.html> and, for wildcard domains,
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-custom-domain-names.html>.

use std::collections::BTreeMap;

use http::{HeaderMap, Request, Uri, header};
use lambkin_protocol::domain;

/// An API mapping of a custom domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// The host name, without a port: `api.example.com`, or `*.example.com` for every name one level below.
    pub domain: String,
    /// The base path without slashes at its ends: `""` for what no other takes, `shop/v2`.
    pub base_path: String,
    /// The API's name.
    pub api: String,
}

/// Where a client found an API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// At the API's own address: a stage that has a name is part of the path.
    Own,
    /// At a custom domain: the path begins with the base path, which is empty or begins with `/`, and has no stage.
    Mapped { base_path: String },
}

impl Place {
    /// The path below the base path.
    pub(super) fn inner<'a>(&self, path: &'a str) -> &'a str {
        match self {
            Self::Own => path,
            Self::Mapped { base_path } => match path.strip_prefix(base_path.as_str()) {
                Some("") => "/",
                Some(rest) => rest,
                None => path,
            },
        }
    }
}

/// All mappings, to the places of APIs in their list.
#[derive(Debug, Default)]
pub(super) struct CustomDomains(BTreeMap<String, BTreeMap<String, usize>>);

impl CustomDomains {
    /// `index` gives an API's place in the list; the error is the name of one that it does not know.
    pub(super) fn new(
        mappings: &[Mapping],
        index: impl Fn(&str) -> Option<usize>,
    ) -> Result<Self, String> {
        let mut domains = Self::default();
        for Mapping { domain, base_path, api } in mappings {
            let index = index(api).ok_or_else(|| api.clone())?;
            let domain = domains.0.entry(domain.to_ascii_lowercase()).or_default();
            domain.insert(base_path.clone(), index);
        }
        Ok(domains)
    }

    /// The API for a request: the first at a host name that is no custom domain, none where a domain has no mapping for the
    /// path.
    pub(super) fn find<B>(&self, request: &Request<B>) -> Option<(usize, Place)> {
        let host = host(request.uri(), request.headers());
        let wildcard = || self.0.get(&domain::wildcard(&host)?);
        let Some(mappings) = self.0.get(&host).or_else(wildcard) else {
            return Some((0, Place::Own));
        };
        let path = request.uri().path();
        let (index, rest) = domain::longest(path, |base| mappings.get(base).copied())?;
        let base_path = match path.strip_suffix(rest) {
            Some(base) => base,
            // The path is the base path itself.
            None => path,
        };
        Some((index, Place::Mapped { base_path: base_path.trim_end_matches('/').to_owned() }))
    }
}

/// The host name that a client called, in lower case, without its port.
fn host(uri: &Uri, headers: &HeaderMap) -> String {
    let named = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let host = uri.host().unwrap_or_else(|| match named.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => named,
    });
    host.to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(
        domains: &CustomDomains,
        host: &str,
        path: &str,
        expected: Option<(usize, &str, &str)>,
    ) {
        let request = Request::get(path).header("host", host).body(()).unwrap();
        let found = domains.find(&request);
        let told = found.as_ref().map(|(index, place)| match place {
            Place::Own => (*index, "-", place.inner(path)),
            Place::Mapped { base_path } => (*index, base_path.as_str(), place.inner(path)),
        });
        assert_eq!(told, expected, "{host}{path}");
    }

    #[test]
    fn a_host_name_and_the_longest_base_path_choose_the_api() {
        let mapping = |domain: &str, base_path: &str, api: &str| Mapping {
            domain: domain.to_owned(),
            base_path: base_path.to_owned(),
            api: api.to_owned(),
        };
        let mappings = [
            mapping("API.example.com", "shop", "shop"),
            mapping("api.example.com", "shop/v2", "next"),
            mapping("*.example.com", "", "blog"),
        ];
        let names = ["main", "shop", "next", "blog"];
        let index = |name: &str| names.iter().position(|known| *known == name);
        let domains = CustomDomains::new(&mappings, index).unwrap();
        check(&domains, "127.0.0.1:3000", "/shop/1", Some((0, "-", "/shop/1")));
        check(&domains, "api.example.com:3000", "/shop/1", Some((1, "/shop", "/1")));
        check(&domains, "Api.Example.com", "/shop", Some((1, "/shop", "/")));
        check(&domains, "api.example.com", "/shop/v2/", Some((2, "/shop/v2", "/")));
        check(&domains, "api.example.com", "/shop/v22", Some((1, "/shop", "/v22")));
        check(&domains, "api.example.com", "/shopping", None);
        check(&domains, "api.example.com", "/", None);
        check(&domains, "anna.example.com", "/a/b", Some((3, "", "/a/b")));
        check(&domains, "anna.example.com", "/", Some((3, "", "/")));
        check(&domains, "a.anna.example.com", "/", Some((0, "-", "/")));
        assert_eq!(CustomDomains::new(&mappings, |_| None).unwrap_err(), "shop");
    }
}
