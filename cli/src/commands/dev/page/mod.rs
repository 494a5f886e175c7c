//! The page for the developer at `/_lambkin` on the app's address: the app, its requests as they come, a console for its
//! WebSocket API, and the objects of the embedded S3.
//!
//! `board` keeps what it shows, of `entry`s; `app` describes the app. Its files are in `assets`, as they are served.

mod app;
mod board;
mod entry;

pub(super) use app::describe;
pub(super) use board::Board;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http::uri::Authority;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use lambkin_local_cloud::api_gateway::{Access, Answering, Developer};
use lambkin_store::Files;
use lambkin_store::files::Place;
use serde::Serialize;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, UNIX_EPOCH};
use tokio::net::TcpStream;

/// Where the page is.
pub(super) const PATH: &str = "/_lambkin";

/// How long a page waits for news before it asks again.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long a link to an object is good for.
const LINK: Duration = Duration::from_mins(5);

/// A header that only this page sends: another site's page cannot, without being allowed to first.
const OWN_HEADER: &str = "x-lambkin-page";

const ASSETS: [(&str, &str, &str); 3] = [
    ("", "text/html; charset=utf-8", include_str!("assets/index.html")),
    ("/page.css", "text/css; charset=utf-8", include_str!("assets/page.css")),
    ("/page.js", "text/javascript; charset=utf-8", include_str!("assets/page.js")),
];

const FAILURE: &str = include_str!("assets/failure.html");

/// The page of one `lambkin dev`.
pub(super) struct Page {
    board: Arc<Board>,
    files: Files,
    /// Where the app answers, once it does.
    app: OnceLock<SocketAddr>,
}

/// An object of the embedded S3.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Object {
    key: String,
    size: u64,
    /// Milliseconds since the Unix epoch.
    modified: u64,
}

/// The queries of the page's own API; what is not said is empty.
#[derive(Default)]
struct Query {
    after: u64,
    bucket: String,
    key: String,
}

impl Page {
    pub(super) fn new(board: Arc<Board>, files: Files) -> Arc<Self> {
        Arc::new(Self { board, files, app: OnceLock::new() })
    }

    /// The app answers there.
    pub(super) fn serves(&self, app: SocketAddr) {
        // It is said once.
        let _ = self.app.set(app);
    }

    async fn respond(&self, request: &Request<Bytes>) -> Result<Response<Bytes>> {
        let path = request.uri().path().strip_prefix(PATH).unwrap_or_default();
        if !is_local(request) {
            return Ok(text(StatusCode::FORBIDDEN, "this page is for this machine alone\n"));
        }
        let asset = ASSETS.iter().find(|(name, ..)| *name == path.trim_end_matches('/'));
        if let (&Method::GET, Some((_, kind, content))) = (request.method(), asset) {
            return Ok(asset_response(kind, content));
        }
        let query = query(request.uri().query().unwrap_or_default());
        match (request.method(), path) {
            (&Method::GET, "/api/changes") => {
                json(&self.board.changes(query.after, PATIENCE).await)
            }
            (&Method::GET, "/api/objects") => json(&self.objects(&query).await?),
            (&Method::GET, "/api/object") => self.object(&query).await,
            (&Method::POST, path) if request.headers().contains_key(OWN_HEADER) => {
                let id = path.strip_prefix("/api/requests/");
                match id.and_then(|rest| rest.strip_suffix("/replay")?.parse().ok()) {
                    Some(id) => self.replay(id).await,
                    None => Ok(text(StatusCode::NOT_FOUND, "there is no such page\n")),
                }
            }
            (&Method::POST, _) => Ok(text(
                StatusCode::FORBIDDEN,
                &format!("only the page sends this: {OWN_HEADER}\n"),
            )),
            _ => Ok(text(StatusCode::NOT_FOUND, "there is no such page\n")),
        }
    }

    async fn objects(&self, query: &Query) -> Result<Vec<Object>> {
        let at = Place { bucket: &query.bucket, key: &query.key };
        let (entries, _) = self.files.list(at, None).await?;
        let objects = entries.into_iter().map(|entry| Object {
            key: entry.key,
            size: entry.size,
            modified: entry
                .last_modified
                .duration_since(UNIX_EPOCH)
                .ok()
                .and_then(|time| u64::try_from(time.as_millis()).ok())
                .unwrap_or_default(),
        });
        Ok(objects.collect())
    }

    /// Leads to the object by a signed URL.
    async fn object(&self, query: &Query) -> Result<Response<Bytes>> {
        let at = Place { bucket: &query.bucket, key: &query.key };
        let url = self.files.get_url(at, LINK).await?;
        let mut response = text(StatusCode::FOUND, "");
        response.headers_mut().insert(header::LOCATION, HeaderValue::try_from(url)?);
        Ok(response)
    }

    /// Sends a request to the app once more, as the client sent it.
    async fn replay(&self, id: u64) -> Result<Response<Bytes>> {
        let Some(kept) = self.board.request(id).filter(|kept| kept.replay) else {
            return Ok(text(
                StatusCode::NOT_FOUND,
                "this request is not kept: send it by its client\n",
            ));
        };
        let app = *self.app.get().context("the app does not answer yet")?;
        let uri = match &kept.query {
            Some(query) => format!("{}?{query}", kept.path),
            None => kept.path.clone(),
        };
        let mut request = Request::builder().method(kept.method.as_str()).uri(uri);
        if let Some(headers) = request.headers_mut() {
            *headers = kept.headers.clone();
            for name in [header::CONNECTION, header::CONTENT_LENGTH, header::TRANSFER_ENCODING] {
                headers.remove(name);
            }
        }
        let stream = TokioIo::new(TcpStream::connect(app).await?);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await?;
        let connection = tokio::spawn(connection);
        let response = sender.send_request(request.body(Full::new(kept.body))?).await?;
        let status = response.status().as_u16();
        response.into_body().collect().await?;
        connection.abort();
        json(&HashMap::from([("status", status)]))
    }
}

impl Developer for Page {
    fn owns(&self, path: &str) -> bool {
        path.strip_prefix(PATH).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    fn answer(self: Arc<Self>, request: Request<Bytes>) -> Answering {
        Box::pin(async move {
            self.respond(&request).await.unwrap_or_else(|error| {
                text(StatusCode::INTERNAL_SERVER_ERROR, &format!("{error:#}\n"))
            })
        })
    }

    fn explain(&self, access: &Access) -> Option<Bytes> {
        let (broken, lines) = self.board.trouble(access.invocation.as_deref());
        let build = broken.map(|why| section("The sources cannot be built", &why));
        let printed = (!lines.is_empty()).then(|| section("What was printed", &lines));
        let page = FAILURE
            .replace("{status}", access.status.as_str())
            .replace("{request}", &escape(&format!("{} {}", access.method, access.path)))
            .replace("{why}", &escape(access.error.as_deref()?))
            .replace("{sections}", &(build.unwrap_or_default() + &printed.unwrap_or_default()));
        Some(page.into())
    }
}

fn section(title: &str, content: &str) -> String {
    format!("<h2>{title}</h2>\n<pre>{}</pre>\n", escape(content))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Whether the browser was told to ask this machine: a name that another site has pointed here is none.
fn is_local(request: &Request<Bytes>) -> bool {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let Some(host) = host.and_then(|host| host.parse::<Authority>().ok()) else { return false };
    let name = host.host().trim_start_matches('[').trim_end_matches(']');
    name == "localhost" || name.ends_with(".localhost") || name.parse::<IpAddr>().is_ok()
}

fn query(text: &str) -> Query {
    let mut query = Query::default();
    for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
        match &*name {
            "after" => query.after = value.parse().unwrap_or_default(),
            "bucket" => query.bucket = value.into_owned(),
            "key" => query.key = value.into_owned(),
            _ => {}
        }
    }
    query
}

fn asset_response(kind: &'static str, content: &'static str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(content.as_bytes()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    let policy = "default-src 'self'; connect-src 'self' ws: wss:; frame-ancestors 'none'";
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    response
}

fn json(document: &impl Serialize) -> Result<Response<Bytes>> {
    let mut response = Response::new(Bytes::from(serde_json::to_vec(document)?));
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}

fn text(status: StatusCode, content: &str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::copy_from_slice(content.as_bytes()));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
