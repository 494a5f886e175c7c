//! What Lambkin adds to a web request: path parameters and the request id, carried in `x-lambkin-*` headers.

use http::{HeaderName, Request};
use std::borrow::Cow;

/// Reads what the host's routing found out about a request.
pub trait RequestExt {
    /// The value of the path parameter `name` of the route, decoded; for the route `/items/{id}`, `id`.
    fn path_parameter(&self, name: &str) -> Option<Cow<'_, str>>;

    /// The raw query string, empty when there is none.
    fn query(&self) -> &str;

    /// Lambda's request id, a UUID, unique for each invocation.
    fn request_id(&self) -> Option<Cow<'_, str>>;
}

impl<B> RequestExt for Request<B> {
    fn path_parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        header(self, &format!("x-lambkin-path-{name}"))
    }

    fn query(&self) -> &str {
        self.uri().query().unwrap_or_default()
    }

    fn request_id(&self) -> Option<Cow<'_, str>> {
        header(self, "x-lambkin-request-id")
    }
}

/// The value of the header `name`; bytes that are not UTF-8 become replacement characters.
fn header<'a, B>(request: &'a Request<B>, name: &str) -> Option<Cow<'a, str>> {
    let name = HeaderName::try_from(name.to_ascii_lowercase()).ok()?;
    request.headers().get(name).map(|value| String::from_utf8_lossy(value.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::RequestExt;
    use http::{HeaderValue, Request};

    #[test]
    fn path_parameters_are_read_by_the_name_in_the_route() {
        let value = HeaderValue::from_bytes("grün".as_bytes()).unwrap();
        let request = Request::get("/items/gr%C3%BCn?a=1")
            .header("x-lambkin-path-itemid", value)
            .body(())
            .unwrap();
        assert_eq!(request.path_parameter("itemId").as_deref(), Some("grün"));
        assert_eq!(request.path_parameter("other"), None);
        assert_eq!(request.path_parameter("not a header name"), None);
        assert_eq!(request.query(), "a=1");
        assert_eq!(request.request_id(), None);
    }
}
