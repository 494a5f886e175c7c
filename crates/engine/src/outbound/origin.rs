//! Origins that requests go to, and the patterns by which a manifest grants them.
//!
//! A pattern is `scheme://host` or `scheme://host:port`; a host that starts with `*.` means every name below a domain,
//! and not the domain itself.

use crate::InvokeError;
use http::Uri;
use std::fmt;
use std::str::FromStr;
use wasmtime_wasi_http::Error;

/// The two schemes of `wasi:http` that can be sent by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    Http,
    Https,
}

impl Scheme {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "http" => Some(Self::Http),
            "https" => Some(Self::Https),
            _ => None,
        }
    }

    const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) scheme: Scheme,
    /// Lower-case, without a final dot; an IPv6 address without its brackets.
    pub(super) host: String,
    pub(super) port: u16,
}

impl Origin {
    pub(super) fn of(uri: &Uri) -> Result<Self, Error> {
        let scheme = uri.scheme_str().and_then(Scheme::parse).ok_or(Error::HttpProtocolError)?;
        let authority = uri.authority().ok_or(Error::HttpRequestUriInvalid)?;
        // `http` takes what it cannot read as a port for none.
        if authority.as_str().ends_with(':')
            || (authority.port().is_none() && has_colon(authority.as_str()))
        {
            return Err(Error::HttpRequestUriInvalid);
        }
        let host = normal_host(authority.host()).ok_or(Error::HttpRequestUriInvalid)?;
        Ok(Self { scheme, host, port: authority.port_u16().unwrap_or(scheme.default_port()) })
    }
}

fn has_colon(authority: &str) -> bool {
    let after_user = authority.rsplit('@').next().unwrap_or(authority);
    after_user.rsplit(']').next().is_some_and(|rest| rest.contains(':'))
}

/// Lower-case, without a final dot and brackets.
fn normal_host(host: &str) -> Option<String> {
    let host = host.strip_prefix('[').map_or(Some(host), |host| host.strip_suffix(']'))?;
    let host = host.strip_suffix('.').unwrap_or(host);
    (!host.is_empty()).then(|| host.to_ascii_lowercase())
}

impl fmt::Display for Origin {
    /// As a grant that allows it would be written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.scheme {
            Scheme::Http => "http://",
            Scheme::Https => "https://",
        })?;
        let (open, close) = if self.host.contains(':') { ("[", "]") } else { ("", "") };
        write!(f, "{open}{}{close}", self.host)?;
        if self.port == self.scheme.default_port() { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

/// A grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    /// With the domain as its host, when it has a wildcard.
    origin: Origin,
    wildcard: bool,
}

impl Pattern {
    pub(super) fn matches(&self, origin: &Origin) -> bool {
        let host = &self.origin.host;
        let host_matches = if self.wildcard {
            origin
                .host
                .strip_suffix(host.as_str())
                .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
        } else {
            origin.host == *host
        };
        host_matches && (origin.scheme, origin.port) == (self.origin.scheme, self.origin.port)
    }
}

impl FromStr for Pattern {
    type Err = InvokeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid =
            |reason: &str| InvokeError::Grant { grant: text.to_owned(), reason: reason.to_owned() };
        let expected = "expected `scheme://host` or `scheme://host:port`";
        let (scheme, authority) = text.split_once("://").ok_or_else(|| invalid(expected))?;
        let scheme = Scheme::parse(scheme)
            .ok_or_else(|| invalid("the scheme is neither `http` nor `https`"))?;
        let (wildcard, authority) = match authority.strip_prefix("*.") {
            Some(domain) => (true, domain),
            None => (false, authority),
        };
        let authority = authority.strip_suffix('/').unwrap_or(authority);
        if authority.contains(['/', '?', '#', '@', '*']) {
            return Err(invalid(expected));
        }
        let uri = format!("http://{authority}/").parse::<Uri>().map_err(|_| invalid(expected))?;
        let host = uri.host().and_then(normal_host).ok_or_else(|| invalid(expected))?;
        let port = match uri
            .authority()
            .map(|authority| (authority.port_u16(), has_colon(authority.as_str())))
        {
            Some((Some(port), _)) => port,
            Some((None, true)) => return Err(invalid("the port is not a number up to 65535")),
            _ => scheme.default_port(),
        };
        Ok(Self { origin: Origin { scheme, host, port }, wildcard })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, uri: &str) -> bool {
        pattern.parse::<Pattern>().unwrap().matches(&Origin::of(&uri.parse().unwrap()).unwrap())
    }

    #[test]
    fn a_grant_matches_its_origin_only() {
        for (pattern, uri, expected) in [
            ("https://api.example.com", "https://api.example.com/a?b", true),
            ("https://api.example.com", "https://API.Example.com./", true),
            ("https://api.example.com", "https://api.example.com:443/", true),
            ("https://api.example.com", "https://api.example.com:8443/", false),
            ("https://api.example.com", "http://api.example.com/", false),
            ("https://api.example.com", "https://api.example.com.evil.example/", false),
            ("https://api.example.com", "https://user@evil.example/", false),
            ("https://*.example.com", "https://a.b.example.com/", true),
            ("https://*.example.com", "https://example.com/", false),
            ("https://*.example.com", "https://evilexample.com/", false),
            ("http://127.0.0.1:9000", "http://127.0.0.1:9000/", true),
            ("http://[::1]:9000", "http://[::1]:9000/", true),
            ("http://localhost:9000/", "http://localhost:9000/", true),
        ] {
            assert_eq!(matches(pattern, uri), expected, "{pattern} {uri}");
        }
    }

    #[test]
    fn a_malformed_grant_is_named() {
        for pattern in [
            "example.com",
            "ftp://x",
            "https://",
            "https://x/path",
            "https://a.*.com",
            "http://x:99999",
            "http://u@x",
        ] {
            let error = pattern.parse::<Pattern>().unwrap_err();
            assert!(error.to_string().contains(&format!("`{pattern}`")), "{error}");
        }
    }

    #[test]
    fn an_origin_prints_as_the_grant_for_it() {
        for uri in ["https://a.example", "http://a.example:81", "http://[::1]:8080"] {
            assert_eq!(Origin::of(&format!("{uri}/x").parse().unwrap()).unwrap().to_string(), uri);
        }
    }
}
