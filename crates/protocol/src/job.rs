//! The event by which one component starts another one of its app: who is to be called, around the event that it gets.
//!
//! ```json
//! {"lambkinJob": {"app": "shop", "alias": "live", "component": "resize"}, "event": {"key": "a.png"}}
//! ```

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The member that tells such an event from every other.
pub(crate) const MARK: &str = "lambkinJob";

/// The most bytes of an asynchronous invocation's event, this one's envelope included
/// (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>).
pub const MAX_EVENT: usize = 1024 * 1024;

/// Who is to be called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    /// The app.
    pub app: String,
    /// The alias that the starting component was reached through: the job runs the release it points to by then.
    pub alias: String,
    /// The component.
    pub component: String,
    /// The WebSocket API that the starting invocation came from, so that the job can report to its connections.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub websocket_api: Option<WebSocketApi>,
}

/// A stage of a WebSocket API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WebSocketApi {
    /// The API's id, `a1b2c3d4e5`.
    pub api_id: String,
    /// The stage, `production`.
    pub stage: String,
}

impl WebSocketApi {
    /// The API of a WebSocket event; nothing for any other event.
    pub fn of_event(event: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Event {
            request_context: Context,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Context {
            #[serde(rename = "connectionId")]
            _connection: String,
            api_id: String,
            stage: String,
        }
        let context = serde_json::from_slice::<Event>(event).ok()?.request_context;
        let is_plain = |text: &str| {
            !text.is_empty()
                && text.bytes().all(|c| c.is_ascii_alphanumeric() || b"$_-".contains(&c))
        };
        (is_plain(&context.api_id) && is_plain(&context.stage))
            .then_some(Self { api_id: context.api_id, stage: context.stage })
    }
}

#[derive(Serialize, Deserialize)]
struct Envelope<'a> {
    #[serde(rename = "lambkinJob")]
    job: Job,
    #[serde(borrow)]
    event: &'a RawValue,
}

/// The event that starts `job` with `event`, a JSON text.
pub fn wrap(job: Job, event: &str) -> Result<String, serde_json::Error> {
    serde_json::to_string(&Envelope { job, event: serde_json::from_str(event)? })
}

/// The job and its event, a JSON text as it was given.
pub fn unwrap(bytes: &[u8]) -> Result<(Job, &str), serde_json::Error> {
    let envelope: Envelope<'_> = serde_json::from_slice(bytes)?;
    Ok((envelope.job, envelope.event.get()))
}

#[cfg(test)]
mod tests {
    use super::{Job, WebSocketApi, unwrap, wrap};
    use crate::event::{Event, classify};

    fn job() -> Job {
        let (app, alias) = ("shop".to_owned(), "live".to_owned());
        Job { app, alias, component: "resize".to_owned(), websocket_api: None }
    }

    #[test]
    fn a_job_is_told_by_its_event_and_comes_out_as_it_went_in() {
        let text = wrap(job(), r#"{"n": 1.50, "headers": {}}"#).unwrap();
        let event = text.clone().into();
        assert!(matches!(classify(&event).unwrap(), Event::Other(source) if source.is_job()));
        assert_eq!(unwrap(text.as_bytes()).unwrap(), (job(), r#"{"n": 1.50, "headers": {}}"#));
    }

    #[test]
    fn what_is_not_json_starts_no_job() {
        assert!(wrap(job(), "{").is_err());
        assert!(unwrap(br#"{"lambkinJob": {}}"#).is_err());
    }

    #[test]
    fn only_a_websocket_event_names_an_api() {
        let event = |context: &str| format!(r#"{{"requestContext": {context}}}"#);
        let of = |context: &str| WebSocketApi::of_event(event(context).as_bytes());
        let full = r#"{"connectionId": "a=", "apiId": "abc", "stage": "$default"}"#;
        let expected = WebSocketApi { api_id: "abc".to_owned(), stage: "$default".to_owned() };
        assert_eq!(of(full), Some(expected));
        assert_eq!(of(r#"{"apiId": "abc", "stage": "$default"}"#), None);
        assert_eq!(of(r#"{"connectionId": "a", "apiId": "evil.example/", "stage": "x"}"#), None);
    }
}
