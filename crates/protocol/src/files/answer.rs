//! The answer to a request for a file: status, headers, and which bytes of which blob are the body.

use std::ops::Range;

use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::conditions::{Part, is_known, is_other, part};
use super::index::{File, Index, Variant};
use super::negotiate::{encoding, wants_page};
use crate::encoding::decode_path;
use crate::manifest::{Static, is_dotfile};

/// Clients may keep it, and ask each time whether it has changed: what static hosts do with a file of which they know
/// nothing else.
const REVALIDATE: &str = "public, max-age=0, must-revalidate";
/// Never another content under this name.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";
/// The file that answers, with 404, for what is not there.
const NOT_FOUND: &str = "404.html";
/// What may not stand in one segment of a relative reference.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The digits of a digest that make a tag.
const TAG_DIGITS: usize = 32;

/// An answer whose body is still to be read.
#[derive(Debug)]
pub struct Answer {
    /// Status and headers; `content-length` is that of a GET.
    pub head: Response<()>,
    /// The body.
    pub body: Content,
}

/// The body of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// None.
    Empty,
    /// A few words of the host's own.
    Text(&'static str),
    /// A part of the blob `digest`, which has `size` bytes.
    Blob {
        /// The blob's digest.
        digest: String,
        /// Its size in bytes.
        size: u64,
        /// The bytes that are asked for.
        range: Range<u64>,
    },
}

/// Answers a request for what `rest` (the raw path after that of the route's folder) names among the files of `index`.
pub fn answer(
    index: &Index,
    route: &Static,
    (method, rest): (&Method, &str),
    headers: &HeaderMap,
) -> Answer {
    if *method != Method::GET && *method != Method::HEAD {
        let mut answer =
            text(StatusCode::METHOD_NOT_ALLOWED, r#"{"message":"Method Not Allowed"}"#);
        insert(&mut answer.head, header::ALLOW, "GET, HEAD");
        return answer;
    }
    let mut answer = match find(index, route, rest, headers) {
        Found::File(status, path, file) => of_file(route, (status, path, file), headers),
        Found::Folder(location) => {
            let mut answer = Answer { head: Response::new(()), body: Content::Empty };
            *answer.head.status_mut() = StatusCode::PERMANENT_REDIRECT;
            insert(&mut answer.head, header::LOCATION, &location);
            insert(&mut answer.head, header::CACHE_CONTROL, REVALIDATE);
            answer
        }
        Found::Nothing => text(StatusCode::NOT_FOUND, r#"{"message":"Not Found"}"#),
    };
    if *method == Method::HEAD {
        answer.body = Content::Empty;
    }
    answer
}

enum Found<'a> {
    /// The file, its path, and the status that it has here.
    File(StatusCode, &'a str, &'a File),
    /// A folder that was asked for without the slash that makes its page's links right; the reference to it.
    Folder(String),
    Nothing,
}

fn find<'a>(index: &'a Index, route: &Static, rest: &str, headers: &HeaderMap) -> Found<'a> {
    let ok = |(path, file)| Found::File(StatusCode::OK, path, file);
    let allowed =
        |path: &str| route.table().is_some_and(|table| table.dotfiles) || !is_dotfile(path);
    let path = decode(rest).filter(|path| allowed(path));
    if let Some(path) = &path {
        let trimmed = path.trim_end_matches('/');
        let is_folder = trimmed.len() < path.len() || path.is_empty();
        let joined = if trimmed.is_empty() {
            route.index().to_owned()
        } else {
            format!("{trimmed}/{}", route.index())
        };
        if let Some(found) = index.file(path) {
            return ok(found);
        }
        if let Some(found) = index.file(&joined) {
            let name = path.rsplit('/').next().unwrap_or_default();
            return if is_folder {
                ok(found)
            } else {
                Found::Folder(format!("./{}/", utf8_percent_encode(name, SEGMENT)))
            };
        }
    }
    if wants_page(rest, headers) {
        let fallback = route.table().and_then(|table| table.fallback.as_deref());
        if let Some(found) = fallback.and_then(|fallback| index.file(fallback)) {
            return ok(found);
        }
        if let Some((path, file)) = index.file(NOT_FOUND) {
            return Found::File(StatusCode::NOT_FOUND, path, file);
        }
    }
    Found::Nothing
}

/// The names of a raw path, decoded one by one; none for one that no file can have.
fn decode(rest: &str) -> Option<String> {
    let mut names = Vec::new();
    for segment in rest.split('/') {
        let name = decode_path(segment);
        if name == "." || name == ".." || name.contains(['/', '\\', '\0']) {
            return None;
        }
        names.push(name.into_owned());
    }
    Some(names.join("/"))
}

fn of_file(
    route: &Static,
    (status, path, file): (StatusCode, &str, &File),
    headers: &HeaderMap,
) -> Answer {
    let chosen = encoding(file, headers);
    let variant = chosen.and_then(|encoding| file.encodings.get(&encoding)).unwrap_or(&file.plain);
    let tag = format!("\"{}\"", variant.digest.get(..TAG_DIGITS).unwrap_or(&variant.digest));
    let mut head = Response::new(());
    *head.status_mut() = status;
    own_headers(&mut head, route, path);
    insert(&mut head, header::ETAG, &tag);
    if !file.encodings.is_empty() {
        let vary = HeaderValue::from_static("accept-encoding");
        head.headers_mut().append(header::VARY, vary);
    }
    if status == StatusCode::OK {
        if is_other(&tag, headers) {
            return text(StatusCode::PRECONDITION_FAILED, r#"{"message":"Precondition Failed"}"#);
        }
        if is_known(&tag, headers) {
            *head.status_mut() = StatusCode::NOT_MODIFIED;
            return Answer { head, body: Content::Empty };
        }
    }
    insert(&mut head, header::CONTENT_TYPE, &file.content_type);
    if let Some(encoding) = chosen {
        insert(&mut head, header::CONTENT_ENCODING, encoding.as_str());
    }
    insert(&mut head, header::ACCEPT_RANGES, "bytes");
    with_body(head, variant, (&tag, headers))
}

fn with_body(
    mut head: Response<()>,
    variant: &Variant,
    (tag, headers): (&str, &HeaderMap),
) -> Answer {
    let Variant { digest, size } = variant;
    let wanted =
        if head.status() == StatusCode::OK { part(tag, *size, headers) } else { Part::Whole };
    let range = match wanted {
        Part::Whole => 0..*size,
        Part::Bytes(range) => {
            *head.status_mut() = StatusCode::PARTIAL_CONTENT;
            let bounds = format!("bytes {}-{}/{size}", range.start, range.end - 1);
            insert(&mut head, header::CONTENT_RANGE, &bounds);
            range
        }
        Part::Unsatisfiable => {
            let mut answer =
                text(StatusCode::RANGE_NOT_SATISFIABLE, r#"{"message":"Range Not Satisfiable"}"#);
            insert(&mut answer.head, header::CONTENT_RANGE, &format!("bytes */{size}"));
            return answer;
        }
    };
    insert(&mut head, header::CONTENT_LENGTH, &(range.end - range.start).to_string());
    Answer { head, body: Content::Blob { digest: digest.clone(), size: *size, range } }
}

/// What the route says, else what is right for any site.
fn own_headers(head: &mut Response<()>, route: &Static, path: &str) {
    let table = route.table();
    for (name, value) in table.iter().flat_map(|table| &table.headers) {
        if let Ok(name) = name.parse::<HeaderName>() {
            insert(head, name, value);
        }
    }
    let control = table.and_then(|table| table.cache_control.as_deref());
    if let Some(control) = control {
        insert(head, header::CACHE_CONTROL, control);
    } else if !head.headers().contains_key(header::CACHE_CONTROL) {
        insert(head, header::CACHE_CONTROL, if has_hash(path) { IMMUTABLE } else { REVALIDATE });
    }
    // The type comes from the file's name, and a browser that guesses better can be made to run an upload.
    if !head.headers().contains_key(header::X_CONTENT_TYPE_OPTIONS) {
        insert(head, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    }
}

/// Whether a name has the hash of its content in it, as bundlers write it: `app.3f2a91bc.js`, `app-3f2a91bc.css`. Only
/// hexadecimal digits with figures and letters among them count: other words would be kept for a year by mistake.
fn has_hash(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let mut words = name.split(['.', '-', '_']);
    let _first = words.next();
    let is_hash = |word: &str| {
        word.len() >= 8
            && word.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
            && word.bytes().any(|byte| byte.is_ascii_digit())
            && word.bytes().any(|byte| byte.is_ascii_alphabetic())
    };
    words.any(is_hash)
}

fn text(status: StatusCode, words: &'static str) -> Answer {
    let mut head = Response::new(());
    *head.status_mut() = status;
    insert(&mut head, header::CONTENT_TYPE, "application/json");
    insert(&mut head, header::CONTENT_LENGTH, &words.len().to_string());
    Answer { head, body: Content::Text(words) }
}

/// Values come from manifests and indexes that were checked; one that is none is left out.
fn insert(head: &mut Response<()>, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        head.headers_mut().insert(name, value);
    }
}
