//! What Lambda says about an invocation in the function's place: to the caller, and in the log.
//!
//! The words are recorded ones; a time-out and a crash read alike for callers of every kind.

use std::time::{Duration, SystemTime};

use lambkin_protocol::answer::MAX_PAYLOAD;

use super::Answer;
use super::answer::failure;
use super::exchange::Outcome;
use super::log::Status;
use super::watch::{End, reason};

/// The error type of an answer that broke off.
pub(super) const TRUNCATED: &str = "Runtime.TruncatedResponse";

/// The answer and the status of an invocation that ended like this.
pub(super) fn judge(request_id: &str, timeout: Duration, end: End) -> (Answer, Status) {
    let failed = |error_type: &str, message: &str| {
        let payload = failure(error_type, message);
        let status = Status::Error(error_type.to_owned());
        (Answer::FunctionError { kind: Answer::UNHANDLED, payload }, status)
    };
    let told = |what: &str| format!("RequestId: {request_id} Error: {what}");
    match end {
        End::Answered(Outcome::Payload(payload)) => (Answer::Buffered(payload), Status::Success),
        End::Answered(Outcome::Failed { error_type, payload }) => {
            (Answer::FunctionError { kind: Answer::UNHANDLED, payload }, Status::Error(error_type))
        }
        End::Answered(Outcome::TooLarge { size }) => failed(
            "Function.ResponseSizeTooLarge",
            &format!(
                "Response payload size ({size} bytes) exceeded maximum allowed payload size ({MAX_PAYLOAD} bytes)."
            ),
        ),
        End::Answered(Outcome::InvalidMode { mode }) => failed(
            "Runtime.InvalidResponseModeHeader",
            &told(&format!("invalid response mode {mode}")),
        ),
        End::Answered(Outcome::Streaming(..)) | End::Truncated => {
            failed(TRUNCATED, &told("Response truncated"))
        }
        End::Exited(status) => failed("Runtime.ExitError", &told(&reason(status))),
        End::TimedOut => {
            let seconds = timeout.as_secs_f64();
            let message = told(&format!("Task timed out after {seconds:.2} seconds"));
            (failed("Sandbox.Timedout", &message).0, Status::Timeout)
        }
    }
}

/// What Lambda logs about an end that the function cannot have logged itself.
pub(super) fn cause(request_id: &str, answer: &Answer) -> Option<String> {
    let (error_type, message) = answer.failure()?;
    // A runtime may report errors of these types too, and says why in its own words.
    let told = message.strip_prefix(&format!("RequestId: {request_id} Error: "))?;
    match &*error_type {
        "Sandbox.Timedout" => {
            let now = humantime::format_rfc3339_millis(SystemTime::now());
            Some(format!("{now} {request_id} {told}"))
        }
        "Runtime.ExitError" | TRUNCATED => Some(format!("{message}\n{error_type}")),
        _ => None,
    }
}
