//! What a web handler may return.

use crate::{Body, Error};
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};

/// A value that a web handler may return as its response.
pub trait IntoResponse {
    /// The response, or why there is none (a value with no JSON form).
    fn into_response(self) -> Result<Response<Body>, Error>;
}

/// A JSON response with status 200.
#[derive(Debug, Clone)]
pub struct Json<T>(pub T);

impl<B: Into<Body>> IntoResponse for Response<B> {
    fn into_response(self) -> Result<Response<Body>, Error> {
        Ok(self.map(Into::into))
    }
}

impl<T: serde::Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Result<Response<Body>, Error> {
        Ok(with_type("application/json", serde_json::to_vec(&self.0)?))
    }
}

impl IntoResponse for &str {
    fn into_response(self) -> Result<Response<Body>, Error> {
        Ok(with_type("text/plain; charset=utf-8", self))
    }
}

impl IntoResponse for String {
    fn into_response(self) -> Result<Response<Body>, Error> {
        Ok(with_type("text/plain; charset=utf-8", self))
    }
}

impl IntoResponse for Vec<u8> {
    fn into_response(self) -> Result<Response<Body>, Error> {
        Ok(with_type("application/octet-stream", self))
    }
}

impl IntoResponse for Body {
    fn into_response(self) -> Result<Response<Body>, Error> {
        Ok(Response::new(self))
    }
}

impl IntoResponse for () {
    fn into_response(self) -> Result<Response<Body>, Error> {
        StatusCode::NO_CONTENT.into_response()
    }
}

impl IntoResponse for StatusCode {
    fn into_response(self) -> Result<Response<Body>, Error> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self;
        Ok(response)
    }
}

/// The response of `T` with another status.
impl<T: IntoResponse> IntoResponse for (StatusCode, T) {
    fn into_response(self) -> Result<Response<Body>, Error> {
        let mut response = self.1.into_response()?;
        *response.status_mut() = self.0;
        Ok(response)
    }
}

fn with_type(content_type: &'static str, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

#[cfg(test)]
mod tests {
    use super::{IntoResponse, Json};
    use http::StatusCode;
    use std::collections::BTreeMap;

    #[test]
    fn a_pair_takes_the_body_of_one_and_the_status_of_the_other() {
        let response = (StatusCode::CREATED, Json([1, 2])).into_response().unwrap();
        assert_eq!(response.status(), StatusCode::CREATED);
        assert_eq!(response.headers()["content-type"], "application/json");
        assert_eq!(response.body().content_length(), Some(5));
    }

    #[test]
    fn nothing_is_204() {
        assert_eq!(().into_response().unwrap().status(), StatusCode::NO_CONTENT);
    }

    #[test]
    fn a_value_without_json_form_is_an_error() {
        assert!(Json(BTreeMap::from([((1, 2), 3)])).into_response().is_err());
    }
}
