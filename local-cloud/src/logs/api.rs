//! The calls of AWS's clients, in JSON 1.1: `FilterLogEvents`, `GetLogEvents`, `DescribeLogGroups`, `DescribeLogStreams`
//! (<https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_Operations.html>).

use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::pattern::Pattern;
use super::query::{Filter, From, MAX_EVENTS};
use super::{Group, Logs, State};
use crate::ACCOUNT_ID;
use crate::http_server::{AwsReply, whole};

/// How the header `X-Amz-Target` of these calls begins.
pub(crate) const TARGET: &str = "Logs_20140328.";

/// The largest request, in bytes.
const MAX_BODY: usize = 64 * 1024;

/// How many groups or streams one answer describes.
const MAX_DESCRIBED: usize = 50;

/// Name and message of an error.
type Refused = (&'static str, String);

const INVALID: &str = "InvalidParameterException";

impl Logs {
    /// Answers one call, named as in `X-Amz-Target`.
    pub(crate) async fn answer(&self, call: &str, request: Request<Incoming>) -> AwsReply {
        let result = match Limited::new(request.into_body(), MAX_BODY).collect().await {
            Ok(body) => self.call(call, &body.to_bytes()),
            Err(error) => Err(("SerializationException", error.to_string())),
        };
        let (status, document) = match result {
            Ok(document) => (StatusCode::OK, document),
            Err((name, message)) => {
                (StatusCode::BAD_REQUEST, json!({ "__type": name, "message": message }))
            }
        };
        let mut response = Response::new(whole(document.to_string()));
        *response.status_mut() = status;
        let json = HeaderValue::from_static("application/x-amz-json-1.1");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        response
    }

    fn call(&self, call: &str, body: &[u8]) -> Result<Value, Refused> {
        let state = self.lock();
        match call {
            "FilterLogEvents" => filter(&state, read(body)?),
            "GetLogEvents" => get(&state, read(body)?),
            "DescribeLogGroups" => groups(&state, &read(body)?),
            "DescribeLogStreams" => streams(&state, &read(body)?),
            other => {
                let message = format!("the local cloud has no call {other} of CloudWatch Logs");
                Err(("UnknownOperationException", message))
            }
        }
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refused> {
    serde_json::from_slice(body).map_err(|error| ("SerializationException", error.to_string()))
}

/// The parameters of all four calls; each has some of them.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Asked {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_group_name_prefix: Option<String>,
    log_group_name_pattern: Option<String>,
    log_stream_name: Option<String>,
    log_stream_names: Vec<String>,
    log_stream_name_prefix: Option<String>,
    start_time: Option<u64>,
    end_time: Option<u64>,
    filter_pattern: Option<String>,
    start_from_head: Option<bool>,
    next_token: Option<String>,
    order_by: Option<String>,
    descending: Option<bool>,
    limit: Option<usize>,
}

impl Asked {
    /// The group that is named, or whose ARN is given.
    fn group<'a>(&self, state: &'a State) -> Result<(&'a str, &'a Group), Refused> {
        let name = self.log_group_name.as_deref().or(self.log_group_identifier.as_deref());
        let name = name.ok_or((INVALID, "a log group must be named".to_owned()))?;
        let name = name.split_once(":log-group:").map_or(name, |(_, name)| name);
        let name = name.strip_suffix(":*").unwrap_or(name);
        let found = state.groups.get_key_value(name).map(|(name, group)| (name.as_str(), group));
        found.ok_or_else(|| missing("group"))
    }
}

fn missing(what: &str) -> Refused {
    ("ResourceNotFoundException", format!("The specified log {what} does not exist."))
}

fn filter(state: &State, asked: Asked) -> Result<Value, Refused> {
    let (_, group) = asked.group(state)?;
    if !asked.log_stream_names.iter().all(|name| group.has(name)) {
        return Err(missing("stream"));
    }
    let pattern = Pattern::parse(asked.filter_pattern.as_deref().unwrap_or_default());
    let filter = Filter {
        start: asked.start_time,
        end: asked.end_time,
        streams: asked.log_stream_names,
        stream_prefix: asked.log_stream_name_prefix,
        pattern: pattern.map_err(|malformed| (INVALID, malformed.0.to_owned()))?,
    };
    let from = asked.next_token.as_deref().map_or(Ok(0), number)?;
    let page = group.page(&filter, From::After(from), asked.limit.unwrap_or(MAX_EVENTS));
    let events: Vec<_> = page
        .events
        .iter()
        .map(|event| {
            json!({
                "logStreamName": &*event.stream,
                "timestamp": event.timestamp,
                "message": event.message,
                "ingestionTime": event.timestamp,
                "eventId": event.id(),
            })
        })
        .collect();
    let mut answer = json!({ "events": events, "searchedLogStreams": [] });
    if let (true, Some(last), Some(answer)) =
        (page.more, page.events.last(), answer.as_object_mut())
    {
        answer.insert("nextToken".to_owned(), last.number.to_string().into());
    }
    Ok(answer)
}

fn get(state: &State, asked: Asked) -> Result<Value, Refused> {
    let (_, group) = asked.group(state)?;
    let stream = asked.log_stream_name.unwrap_or_default();
    if !group.has(&stream) {
        return Err(missing("stream"));
    }
    let filter = Filter {
        start: asked.start_time,
        // An event at this moment is not wanted.
        end: asked.end_time.map(|end| end.saturating_sub(1)),
        streams: vec![stream],
        ..Filter::default()
    };
    let from = match asked.next_token.as_deref().map(|token| token.split_at_checked(2)) {
        Some(Some(("f/", at))) => From::After(number(at)?),
        Some(Some(("b/", at))) => From::Before(number(at)?),
        Some(_) => return Err(bad_token()),
        None if asked.start_from_head == Some(true) => From::After(0),
        None => From::Before(u64::MAX),
    };
    let page = group.page(&filter, from, asked.limit.unwrap_or(MAX_EVENTS));
    let (first, last) = match (page.events.first(), page.events.last(), from) {
        (Some(first), Some(last), _) => (first.number, last.number),
        (_, _, From::After(number)) => (number.saturating_add(1), number),
        // Where nothing is left before, what follows is after what is there by now.
        (_, _, From::Before(u64::MAX)) => (state.events + 1, state.events),
        (_, _, From::Before(number)) => (number, number.saturating_sub(1)),
    };
    let events: Vec<_> = page
        .events
        .iter()
        .map(|event| {
            json!({
                "timestamp": event.timestamp,
                "message": event.message,
                "ingestionTime": event.timestamp,
            })
        })
        .collect();
    Ok(json!({
        "events": events,
        "nextForwardToken": format!("f/{last:056}"),
        "nextBackwardToken": format!("b/{first:056}"),
    }))
}

fn number(token: &str) -> Result<u64, Refused> {
    token.parse().map_err(|_| bad_token())
}

fn bad_token() -> Refused {
    (INVALID, "The specified nextToken is invalid.".to_owned())
}

fn groups(state: &State, asked: &Asked) -> Result<Value, Refused> {
    let wanted = state.groups.iter().filter(|(name, _)| {
        asked.log_group_name_prefix.as_ref().is_none_or(|prefix| name.starts_with(prefix))
            && asked.log_group_name_pattern.as_ref().is_none_or(|part| name.contains(part))
    });
    let described = wanted.map(|(name, group)| {
        let arn = format!("arn:aws:logs:us-east-1:{ACCOUNT_ID}:log-group:{name}");
        json!({
            "logGroupName": name,
            "creationTime": group.created,
            "metricFilterCount": 0,
            "arn": format!("{arn}:*"),
            "logGroupArn": arn,
            "storedBytes": group.bytes,
            "logGroupClass": "STANDARD",
        })
    });
    paged("logGroups", described.collect(), asked)
}

fn streams(state: &State, asked: &Asked) -> Result<Value, Refused> {
    let (group_name, group) = asked.group(state)?;
    let mut wanted: Vec<_> = group
        .streams
        .iter()
        .filter(|(name, _)| {
            asked.log_stream_name_prefix.as_ref().is_none_or(|prefix| name.starts_with(&**prefix))
        })
        .collect();
    if asked.order_by.as_deref() == Some("LastEventTime") {
        wanted.sort_by_key(|(_, stream)| stream.last);
    }
    if asked.descending == Some(true) {
        wanted.reverse();
    }
    let described = wanted.into_iter().map(|(name, stream)| {
        json!({
            "logStreamName": &**name,
            "creationTime": stream.created,
            "firstEventTimestamp": stream.created,
            "lastEventTimestamp": stream.last,
            "lastIngestionTime": stream.last,
            "uploadSequenceToken": format!("{:056}", stream.last),
            "arn": format!("arn:aws:logs:us-east-1:{ACCOUNT_ID}:log-group:{group_name}:log-stream:{name}"),
            "storedBytes": 0,
        })
    });
    paged("logStreams", described.collect(), asked)
}

/// One page of descriptions; the token is how many came before.
fn paged(member: &str, all: Vec<Value>, asked: &Asked) -> Result<Value, Refused> {
    let skip = asked.next_token.as_deref().map_or(Ok(0), number)?;
    let skip = usize::try_from(skip).map_err(|_| bad_token())?;
    let limit = asked.limit.unwrap_or(MAX_DESCRIBED).clamp(1, MAX_DESCRIBED);
    let total = all.len();
    let page: Vec<_> = all.into_iter().skip(skip).take(limit).collect();
    let mut answer = serde_json::Map::new();
    if skip + page.len() < total {
        answer.insert("nextToken".to_owned(), (skip + page.len()).to_string().into());
    }
    answer.insert(member.to_owned(), page.into());
    Ok(answer.into())
}

impl Group {
    fn has(&self, stream: &str) -> bool {
        self.streams.contains_key(stream)
    }
}
