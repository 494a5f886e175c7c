//! Makes the HTTP request of an event, by the rules of each format.

use bytes::Bytes;
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Method, Request, Uri, header};

use super::fields::{headers, merge, path_parameters, read, text};
use super::wire::{ContextHttp, Envelope, Identity, Pairs, Text};
use super::{EventError, Format, HttpEvent};
use crate::encoding::{encode_component, from_base64, legal_path, legal_query};

/// The stage that has no name in the URL.
const DEFAULT_STAGE: &str = "$default";

pub(super) fn http_event(
    format: Format,
    (event, envelope): (&Bytes, &Envelope<'_>),
) -> Result<HttpEvent, EventError> {
    let context = &envelope.context;
    let http: ContextHttp<'_> = read("requestContext.http", context.http)?.unwrap_or_default();
    let identity: Identity<'_> =
        read("requestContext.identity", context.identity)?.unwrap_or_default();
    let headers = headers_of(format, envelope)?;
    let stage = text("requestContext.stage", context.stage)?;
    let (base_path, path) = path_of(format, envelope, stage.as_deref())?;
    let domain =
        text("requestContext.domainName", context.domain_name)?.filter(|domain| !domain.is_empty());
    Ok(HttpEvent {
        format,
        method: method_of(envelope, &http)?,
        path,
        query: query_of(format, envelope)?.filter(|query| !query.is_empty()),
        body: envelope.body.map(|raw| event.slice_ref(raw.get().as_bytes())),
        is_base64: read("isBase64Encoded", envelope.is_base64)?.unwrap_or(false),
        domain: domain
            .or_else(|| host_of(&headers)?.host().to_owned().into())
            .map(|domain| domain.to_ascii_lowercase()),
        stage,
        base_path,
        path_parameters: path_parameters(envelope.path_parameters)?,
        source_ip: http
            .source_ip
            .or(identity.source_ip)
            .map(|ip| ip.0.into_owned())
            .or_else(|| last_forwarded(&headers)),
        request_id: text("requestContext.requestId", context.request_id)?,
        headers,
    })
}

/// Format 2.0 has it in the context alone; cargo-lambda's events of that format have a constant in the place of format 1.0.
fn method_of(envelope: &Envelope<'_>, http: &ContextHttp<'_>) -> Result<Method, EventError> {
    let method = match &http.method {
        Some(method) => Some(method.0.clone().into_owned()),
        None => text("httpMethod", envelope.method)?,
    };
    let method = method.ok_or(EventError::Missing { field: "httpMethod" })?;
    method.parse().map_err(|_| EventError::Method { method })
}

/// The client's path in two parts: what the gateway took off the front, and the path as routes see it.
fn path_of(
    format: Format,
    envelope: &Envelope<'_>,
    stage: Option<&str>,
) -> Result<(Option<String>, String), EventError> {
    let raw = if envelope.raw_path.is_some() {
        text("rawPath", envelope.raw_path)?
    } else {
        text("path", envelope.path)?
    };
    let path = legal_path(&raw.unwrap_or_default());
    match format {
        // An HTTP API leaves a named stage at the front of the path.
        Format::HttpV2 | Format::HttpV1 => {
            let prefix = stage
                .filter(|stage| *stage != DEFAULT_STAGE && !stage.is_empty())
                .map(|stage| format!("/{stage}"));
            let rest = prefix.as_ref().and_then(|prefix| path.strip_prefix(prefix.as_str()));
            match rest.filter(|rest| rest.is_empty() || rest.starts_with('/')) {
                Some(rest) => Ok((prefix.clone(), legal_path(rest))),
                None => Ok((None, path)),
            }
        }
        // A REST API takes it off, but tells the whole path in its context.
        Format::RestV1 => {
            let whole =
                text("requestContext.path", envelope.context.path)?.map(|whole| legal_path(&whole));
            let base = whole.and_then(|whole| whole.strip_suffix(path.as_str()).map(str::to_owned));
            Ok((base.filter(|base| !base.is_empty()), path))
        }
        Format::FunctionUrl | Format::Alb { .. } => Ok((None, path)),
    }
}

/// Payload format 2.0 has the raw query; format 1.0 has it decoded; an ALB has it taken apart, but not decoded.
fn query_of(format: Format, envelope: &Envelope<'_>) -> Result<Option<String>, EventError> {
    if matches!(format, Format::HttpV2 | Format::FunctionUrl) {
        return Ok(text("rawQueryString", envelope.raw_query)?.map(|query| legal_query(&query)));
    }
    let single = ("queryStringParameters", envelope.query);
    let multi = ("multiValueQueryStringParameters", envelope.multi_query);
    let encode = if matches!(format, Format::Alb { .. }) { legal_query } else { encode_component };
    let pairs = merge(single, multi, |left, right| left == right)?;
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(name, value)| format!("{}={}", encode(&name.0), encode(&value.0)))
        .collect();
    Ok(Some(pairs.join("&")))
}

fn headers_of(format: Format, envelope: &Envelope<'_>) -> Result<HeaderMap, EventError> {
    if !matches!(format, Format::HttpV2 | Format::FunctionUrl) {
        let single = ("headers", envelope.headers);
        let multi = ("multiValueHeaders", envelope.multi_headers);
        return headers(merge(single, multi, str::eq_ignore_ascii_case)?);
    }
    let pairs: Pairs<'_, Option<Text<'_>>> = read("headers", envelope.headers)?.unwrap_or_default();
    let mut headers =
        headers(pairs.0.into_iter().filter_map(|(name, value)| Some((name, value?))))?;
    let cookies: Vec<Text<'_>> = read("cookies", envelope.cookies)?.unwrap_or_default();
    // A function URL leaves the cookies in the headers as well.
    if !cookies.is_empty() && !headers.contains_key(header::COOKIE) {
        let cookies: Vec<_> = cookies.iter().map(|cookie| cookie.0.as_ref()).collect();
        let value = HeaderValue::from_bytes(cookies.join("; ").as_bytes());
        headers.insert(
            header::COOKIE,
            value.map_err(|_| EventError::Header { name: "cookie".to_owned() })?,
        );
    }
    Ok(headers)
}

pub(super) fn body_of(event: &HttpEvent) -> Result<Bytes, EventError> {
    let Some(json) = &event.body else { return Ok(Bytes::new()) };
    let malformed = |source| EventError::Field { field: "body", source };
    let Text(body) = serde_json::from_slice(json).map_err(malformed)?;
    if event.is_base64 {
        return from_base64(&body).map(Bytes::from).map_err(EventError::Body);
    }
    Ok(Bytes::from(body.into_owned()))
}

fn host_of(headers: &HeaderMap) -> Option<Authority> {
    headers.get(header::HOST).and_then(|host| Authority::try_from(host.as_bytes()).ok())
}

/// The address that the load balancer itself saw; what stands before it, the client may have written.
fn last_forwarded(headers: &HeaderMap) -> Option<String> {
    let forwarded = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
    Some(forwarded.rsplit(',').next()?.trim().to_owned()).filter(|ip| !ip.is_empty())
}

pub(super) fn into_request(event: HttpEvent) -> Result<Request<Bytes>, EventError> {
    let body = event.body()?;
    let HttpEvent { method, path, query, headers, domain, .. } = event;
    let authority = match (host_of(&headers), domain) {
        (Some(host), Some(domain)) if host.host().eq_ignore_ascii_case(&domain) => host.to_string(),
        (_, Some(domain)) => domain,
        (Some(host), None) => host.to_string(),
        (None, None) => "localhost".to_owned(),
    };
    let is_plain = headers.get("x-forwarded-proto").is_some_and(|scheme| scheme == "http");
    let scheme = if is_plain { "http" } else { "https" };
    let target = query.map_or_else(|| path.clone(), |query| format!("{path}?{query}"));
    let uri = Uri::builder()
        .scheme(scheme)
        .authority(authority.as_str())
        .path_and_query(target.as_str())
        .build();
    let refused =
        |source| EventError::Uri { uri: format!("{scheme}://{authority}{target}"), source };
    let mut request = Request::new(body);
    *request.uri_mut() = uri.map_err(refused)?;
    *request.method_mut() = method;
    *request.headers_mut() = headers;
    Ok(request)
}
