//! What an S3 answer, or the lack of one, means: settled, or worth another attempt.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

use crate::error::{Cause, ReadError, WriteError};
use crate::objects::{Expect, Objects as _};
use crate::s3::Bucket;

/// The outcome of one attempt.
pub(crate) type Attempt<T> = Result<T, Failure>;

/// Why an attempt, or in the end all of them, failed.
#[derive(Debug)]
pub(crate) enum Failure {
    NotFound,
    NoBucket,
    NotModified,
    RangeUnsatisfiable,
    Precondition,
    /// The condition that did not hold, once it is known which it was.
    Conflict(Expect),
    Denied(String),
    Refused(String),
    /// The server is busy or did not answer: worth another attempt.
    Transient(Cause),
    /// The server cannot be trusted or the request cannot be sent: trying again is no use.
    Hopeless(Cause),
    /// The deadline came before an answer.
    Exhausted {
        attempts: u32,
        within: Duration,
        source: Cause,
    },
}

/// A status that asks for patience, with the server's words.
#[derive(Debug, thiserror::Error)]
#[error("the server answered {0}")]
struct Busy(String);

impl Failure {
    pub(crate) fn transient(error: impl Error + Send + Sync + 'static) -> Self {
        Self::Transient(Arc::new(error))
    }

    /// Sorts an error of the SDK by the status and S3 error code
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>).
    pub(crate) fn from_sdk<E>(error: SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let Some(service) = error.as_service_error() else {
            return Self::without_answer(error);
        };
        let status = error.raw_response().map_or(0, |response| response.status().as_u16());
        let code = service.code().unwrap_or_default();
        let words = describe(status, code, service.message().unwrap_or_default());
        match (status, code) {
            (404, "NoSuchBucket") => Self::NoBucket,
            (404, _) => Self::NotFound,
            (304, _) => Self::NotModified,
            (412, _) => Self::Precondition,
            (416, _) => Self::RangeUnsatisfiable,
            (401 | 403, _) => Self::Denied(words),
            // 409 is a conflicting write that is under way: AWS asks to try again, which then settles it.
            (408 | 409 | 429 | 500 | 502 | 503 | 504, _) => Self::Transient(Arc::new(Busy(words))),
            _ => Self::Refused(words),
        }
    }

    fn without_answer<E>(error: SdkError<E, HttpResponse>) -> Self
    where
        E: Error + Send + Sync + 'static,
    {
        let unsendable = matches!(error, SdkError::ConstructionFailure(_));
        let source: Cause =
            error.into_source().map_or_else(|error| Arc::new(error) as Cause, Arc::from);
        if unsendable || distrusted(source.as_ref()) {
            Self::Hopeless(source)
        } else {
            Self::Transient(source)
        }
    }

    pub(crate) fn expecting(self, expect: &Expect) -> Self {
        if matches!(self, Self::Precondition) { Self::Conflict(expect.clone()) } else { self }
    }

    pub(crate) fn read(self, bucket: &Bucket, key: &str) -> ReadError {
        let object = bucket.url(key);
        match self {
            Self::NotFound => ReadError::NotFound { object },
            Self::NoBucket => ReadError::NoStore { store: bucket.url(""), object },
            Self::Denied(reason) => ReadError::Denied { object, reason },
            Self::Refused(reason) => ReadError::Refused { object, reason },
            Self::Hopeless(source) | Self::Transient(source) => {
                ReadError::Unavailable { object, attempts: 1, within: Duration::ZERO, source }
            }
            Self::Exhausted { attempts, within, source } => {
                ReadError::Unavailable { object, attempts, within, source }
            }
            Self::NotModified
            | Self::RangeUnsatisfiable
            | Self::Precondition
            | Self::Conflict(_) => ReadError::Refused {
                object,
                reason: "an answer to a condition that was not set".to_owned(),
            },
        }
    }

    pub(crate) fn write(self, bucket: &Bucket, key: &str) -> WriteError {
        let object = bucket.url(key);
        match self {
            Self::Conflict(expected) => WriteError::Conflict { object, expected },
            Self::NoBucket | Self::NotFound => {
                WriteError::NoStore { store: bucket.url(""), object }
            }
            Self::Denied(reason) => WriteError::Denied { object, reason },
            Self::Exhausted { attempts, within, source } => {
                WriteError::Unavailable { object, attempts, within, source }
            }
            Self::Hopeless(source) | Self::Transient(source) => {
                WriteError::Unavailable { object, attempts: 1, within: Duration::ZERO, source }
            }
            Self::Refused(reason) => WriteError::Refused { object, reason },
            Self::NotModified | Self::RangeUnsatisfiable | Self::Precondition => {
                WriteError::Refused {
                    object,
                    reason: "an answer to a condition that was not set".to_owned(),
                }
            }
        }
    }
}

fn describe(status: u16, code: &str, message: &str) -> String {
    [&status.to_string(), code, message]
        .into_iter()
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Whether the server's certificate was not accepted; no later attempt would accept it.
fn distrusted(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        let tls = error
            .downcast_ref()
            .or_else(|| inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()));
        if let Some(rustls::Error::InvalidCertificate(_)) = tls {
            return true;
        }
        next = inner.map(|inner| inner as &(dyn Error + 'static)).or_else(|| error.source());
    }
    false
}
