//! A streamed answer of a function as a response: the head from its prelude, and the body as it comes
//! (<https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-response-streaming>).

use std::collections::{BTreeMap, VecDeque};

use bytes::{Bytes, BytesMut};
use futures::stream;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use serde::Deserialize;

use crate::lambda::{StreamError, Streaming};

/// The content type of an answer that starts with a prelude.
const WITH_PRELUDE: &str = "application/vnd.awslambda.http-integration-response";

/// What ends a prelude.
const PRELUDE_END: [u8; 8] = [0; 8];

/// How long a prelude may be, in bytes.
const MAX_PRELUDE: usize = 64 * 1024;

/// A body that may still be on its way.
pub(super) type Body = UnsyncBoxBody<Bytes, StreamError>;

/// A response, whole or with its body still to come.
pub(super) enum Answered {
    Whole(Response<Bytes>),
    Streamed(Response<Body>),
}

impl Answered {
    pub(super) fn headers_mut(&mut self) -> &mut HeaderMap {
        match self {
            Self::Whole(response) => response.headers_mut(),
            Self::Streamed(response) => response.headers_mut(),
        }
    }
}

/// A body that is there.
pub(super) fn whole(body: Bytes) -> Body {
    Full::new(body).map_err(|never| match never {}).boxed_unsync()
}

/// Whether an answer begins with a prelude.
pub(super) fn has_prelude(streaming: &Streaming) -> bool {
    streaming.content_type.as_deref() == Some(WITH_PRELUDE)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Prelude {
    status_code: Option<u16>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    multi_value_headers: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    cookies: Vec<String>,
}

/// The head comes from the prelude, if there is one; what follows is passed on piece by piece. The error tells why there is no
/// head.
pub(super) async fn response(mut streaming: Streaming) -> Result<Response<Body>, String> {
    let (head, first) = match streaming.content_type.as_deref() {
        Some(WITH_PRELUDE) => read_prelude(&mut streaming).await?,
        content_type => {
            let mut head = Response::new(());
            let kind = content_type.unwrap_or("application/octet-stream");
            if let Ok(kind) = HeaderValue::from_str(kind) {
                head.headers_mut().insert(header::CONTENT_TYPE, kind);
            }
            (head, Bytes::new())
        }
    };
    let pending = VecDeque::from_iter((!first.is_empty()).then_some(first));
    // An error here makes the server break the connection off, which is how HTTP/1.1 tells a client mid-body.
    let rest =
        stream::try_unfold((pending, streaming), |(mut pending, mut streaming)| async move {
            let chunk = match pending.pop_front() {
                Some(chunk) => chunk,
                None => match streaming.next().await {
                    Some(Ok(chunk)) => chunk,
                    Some(Err(error)) => {
                        // The server writes out what it has while this waits, and nothing after an error.
                        tokio::task::yield_now().await;
                        return Err(error);
                    }
                    None => return Ok(None),
                },
            };
            Ok(Some((Frame::data(chunk), (pending, streaming))))
        });
    Ok(head.map(|()| StreamBody::new(rest).boxed_unsync()))
}

async fn read_prelude(streaming: &mut Streaming) -> Result<(Response<()>, Bytes), String> {
    let mut read = BytesMut::new();
    loop {
        if let Some(end) = read.windows(PRELUDE_END.len()).position(|window| window == PRELUDE_END)
        {
            let prelude = read.split_to(end).freeze();
            let body = read.split_off(PRELUDE_END.len()).freeze();
            return Ok((head(&prelude)?, body));
        }
        if read.len() > MAX_PRELUDE {
            return Err("the streamed answer has no prelude".to_owned());
        }
        match streaming.next().await {
            Some(Ok(chunk)) => read.extend_from_slice(&chunk),
            Some(Err(error)) => return Err(error.to_string()),
            None => {
                return Err("the streamed answer ended before its prelude did".to_owned());
            }
        }
    }
}

fn head(prelude: &[u8]) -> Result<Response<()>, String> {
    let malformed = |error: &dyn std::fmt::Display| {
        format!("the prelude of the streamed answer is malformed: {error}")
    };
    let prelude: Prelude = serde_json::from_slice(prelude).map_err(|error| malformed(&error))?;
    let mut response = Response::new(());
    if let Some(status) = prelude.status_code {
        *response.status_mut() = StatusCode::from_u16(status).map_err(|error| malformed(&error))?;
    }
    let multi = prelude
        .multi_value_headers
        .into_iter()
        .flat_map(|(name, values)| values.into_iter().map(move |value| (name.clone(), value)));
    let cookies =
        prelude.cookies.into_iter().map(|cookie| (header::SET_COOKIE.as_str().to_owned(), cookie));
    for (name, value) in cookies.chain(multi).chain(prelude.headers) {
        let name: HeaderName = name.parse().map_err(|error| malformed(&error))?;
        let value: HeaderValue = value.parse().map_err(|error| malformed(&error))?;
        response.headers_mut().append(name, value);
    }
    let headers = response.headers_mut();
    headers
        .entry(header::CONTENT_TYPE)
        .or_insert(HeaderValue::from_static("application/octet-stream"));
    Ok(response)
}
