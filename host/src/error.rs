//! Why an invocation failed, whose fault it is, and how Lambda is told.
//!
//! One table maps a failure to Lambda's `errorType`, and the fault to a log level. The public message goes to the caller;
//! the log message carries the cause.

use crate::config::Level;
use lambkin_engine::InvokeError;
use serde::Serialize;
use std::fmt::Write as _;

pub(crate) use lambkin_engine::Fault;

/// The error object of Lambda's Runtime API.
/// <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html#runtimes-api-invokeerror>
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Diagnostic {
    pub(crate) error_type: String,
    pub(crate) error_message: String,
    pub(crate) stack_trace: Vec<String>,
}

/// A failed invocation.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("the event cannot be read")]
    Event(#[from] lambkin_protocol::event::EventError),
    #[error("the event is not UTF-8, as JSON must be")]
    NotUtf8(#[source] std::str::Utf8Error),
    #[error("the app cannot be loaded")]
    App(#[from] crate::apps::AppError),
    #[error("component {component:?} cannot be loaded")]
    Component { component: String, source: std::sync::Arc<crate::components::ComponentError> },
    #[error("{}", .0)]
    Invoke(#[from] InvokeError),
    #[error("the answer of component {component:?} is over Lambda's limit of 6 MiB: {bytes} bytes")]
    AnswerTooLarge { component: String, bytes: usize },
    #[error("the answer of component {component:?} cannot be sent")]
    Answer { component: String, source: lambkin_protocol::answer::AnswerError },
    #[error("component {component:?} answered what the API does not accept")]
    Malformed { component: String, source: lambkin_protocol::answer::MalformedAnswer },
    #[error("the job's event cannot be read")]
    Job(#[source] serde_json::Error),
    #[error("no component takes {what}")]
    NoComponent { what: String },
    #[error("the files of {folder:?} cannot be read")]
    Files { folder: String, source: crate::files::FilesError },
    #[error(
        "a file of {bytes} bytes is over Lambda's limit of 6 MiB, and the store has no URL for it: let Lambda stream, or keep the app in S3"
    )]
    FileTooLarge { bytes: u64 },
    #[error("the request cannot be read: {0}")]
    RequestBody(String),
    #[error("the request's body is over the limit of {limit} bytes")]
    RequestTooLarge { limit: u64 },
    #[error("the request waited for its turn until its time was over: {most} are answered at once")]
    Busy { most: u32 },
    #[error("the host panicked: {0}")]
    Panic(String),
}

impl Failure {
    /// A panic that was caught.
    pub(crate) fn of_panic(panic: &(dyn std::any::Any + Send)) -> Self {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        Self::Panic(text.unwrap_or_else(|| "unknown".to_owned()))
    }

    /// Whose fault it is.
    pub(crate) fn fault(&self) -> Fault {
        match self {
            Self::Event(_)
            | Self::NotUtf8(_)
            | Self::Job(_)
            | Self::NoComponent { .. }
            | Self::FileTooLarge { .. } => Fault::Config,
            Self::App(error) => error.fault(),
            Self::Files { source, .. } => source.fault(),
            Self::Component { source, .. } => source.fault(),
            Self::Invoke(error) => error.fault(),
            Self::AnswerTooLarge { .. } | Self::Answer { .. } | Self::Malformed { .. } => {
                Fault::Guest
            }
            Self::RequestBody(_) | Self::RequestTooLarge { .. } => Fault::Guest,
            Self::Busy { .. } | Self::Panic(_) => Fault::Host,
        }
    }

    /// The word Lambda files the error under; `(Runtime|Function)\.[A-Z][A-Za-z]+` is kept by Lambda as it is.
    fn error_type(&self) -> String {
        match self {
            Self::Event(_) | Self::NotUtf8(_) | Self::Job(_) => "Runtime.MalformedEvent".into(),
            Self::App(error) => error.error_type().into(),
            Self::Component { .. } => "Runtime.ComponentUnavailable".into(),
            Self::Files { .. } | Self::FileTooLarge { .. } => "Runtime.FileUnavailable".into(),
            Self::Invoke(error) => error.error_type(),
            Self::AnswerTooLarge { .. } => "Function.ResponseSizeTooLarge".into(),
            Self::Answer { .. } | Self::Malformed { .. } => "Function.MalformedResponse".into(),
            Self::NoComponent { .. } => "Runtime.NoComponent".into(),
            Self::RequestBody(_) | Self::RequestTooLarge { .. } => "Runtime.InvalidRequest".into(),
            Self::Busy { .. } => "Runtime.Busy".into(),
            Self::Panic(_) => "Runtime.HostPanic".into(),
        }
    }

    /// What Lambda and the caller are told.
    pub(crate) fn diagnostic(&self) -> Diagnostic {
        if let Self::Invoke(InvokeError::Function { error_type, error_message, stack_trace }) = self
        {
            return Diagnostic {
                error_type: error_type.clone(),
                error_message: error_message.clone(),
                stack_trace: stack_trace.clone(),
            };
        }
        Diagnostic {
            error_type: self.error_type(),
            error_message: chain(self),
            stack_trace: Vec::new(),
        }
    }

    /// The level to log it at: a guest's failure is its author's business, the rest is the operator's.
    pub(crate) fn level(&self) -> Level {
        match self.fault() {
            Fault::Guest => Level::Warn,
            Fault::Config | Fault::Upstream | Fault::Host => Level::Error,
        }
    }
}

/// An error and everything that caused it, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let line = cause.to_string();
        if !text.ends_with(&line) {
            let _ = write!(text, ": {line}");
        }
        source = cause.source();
    }
    text
}
