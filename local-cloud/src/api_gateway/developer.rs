//! What a developer sees on an API's own address and no client on AWS ever gets: pages beside the app, and a page that
//! explains a failure to a browser in place of API Gateway's few words.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;

use super::{Access, outgoing};

/// The largest request body that a page takes, in bytes.
const MAX_BODY: usize = 64 * 1024;

/// An answer that may take a while.
pub type Answering = Pin<Box<dyn Future<Output = Response<Bytes>> + Send>>;

/// Pages for the developer.
pub trait Developer: Send + Sync {
    /// Whether a percent-encoded path is one of these pages; then it never reaches the app.
    fn owns(&self, path: &str) -> bool;

    /// Answers a request for a path that it owns.
    fn answer(self: Arc<Self>, request: Request<Bytes>) -> Answering;

    /// What a browser shows, as HTML, when the gateway answers with an error of the server's own kind (5xx) because the
    /// function failed; `None` leaves AWS's answer.
    fn explain(&self, access: &Access) -> Option<Bytes>;
}

/// Gives `request` to its page.
pub(super) async fn answer(
    developer: Arc<dyn Developer>,
    request: Request<Incoming>,
) -> Response<Bytes> {
    let (parts, body) = request.into_parts();
    match Limited::new(body, MAX_BODY).collect().await {
        Ok(body) => developer.answer(Request::from_parts(parts, body.to_bytes())).await,
        Err(_) => outgoing::message(StatusCode::PAYLOAD_TOO_LARGE, "Request Too Long"),
    }
}

/// Puts the developer's explanation in place of the gateway's own error, for who reads HTML; the status stays.
pub(super) fn explain(developer: &dyn Developer, access: &Access, response: &mut Response<Bytes>) {
    let own = access.error.is_some() && response.status().is_server_error();
    if !own || !reads_html(&access.headers) {
        return;
    }
    if let Some(page) = developer.explain(access) {
        let html = HeaderValue::from_static("text/html; charset=utf-8");
        response.headers_mut().insert(header::CONTENT_TYPE, html);
        response.headers_mut().remove(header::CONTENT_LENGTH);
        *response.body_mut() = page;
    }
}

/// Browsers name HTML when they open a page; programs and scripts take anything.
fn reads_html(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|kind| kind.trim().starts_with("text/html"))
}
