//! Why an invocation failed, and whose fault it is.
//!
//! [`InvokeError::fault`] decides the HTTP status and the log level, [`InvokeError::error_type`] is Lambda's word for it.

use crate::World;
use std::fmt;
use std::time::Duration;
use wasmtime_wasi::I32Exit;

/// Whose fault a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The component's code.
    Guest,
    /// The manifest, or the host's settings.
    Config,
    /// A service that the guest called.
    Upstream,
    /// Lambkin itself, or the machine it runs on.
    Host,
}

/// An invocation that did not end with an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvokeError {
    /// The function answered with an error of its own.
    #[error("{error_type}: {error_message}")]
    Function {
        /// The name of the error's class, as the guest gave it.
        error_type: String,
        /// Its message.
        error_message: String,
        /// One frame a line, innermost first.
        stack_trace: Vec<String>,
    },
    /// The deadline came before the answer.
    #[error("the guest did not finish within {:.3} seconds", after.as_secs_f64())]
    Timeout {
        /// Time that it had, from the start of the invocation.
        after: Duration,
    },
    /// The guest died after it was refused more memory.
    #[error("the guest needs more than its {} MiB of memory", limit_bytes / (1024 * 1024))]
    OutOfMemory {
        /// The bound, in bytes.
        limit_bytes: u64,
    },
    /// The guest's code did what WebAssembly forbids, or gave up (`unreachable`).
    #[error("{}", Trap { message, backtrace })]
    Trap {
        /// What happened, and the last that the guest wrote to standard error.
        message: String,
        /// Names of the functions, innermost first.
        backtrace: Vec<String>,
    },
    /// The guest ended itself with an exit code that is not 0.
    #[error("the guest exited with code {code}{}", after_colon(stderr_tail))]
    Exit {
        /// The exit code.
        code: i32,
        /// The end of its standard error.
        stderr_tail: String,
    },
    /// Another invocation that was under way in the same instance ended it.
    #[error("the instance was lost to another invocation in it: {reason}")]
    InstanceLost {
        /// How the other one ended.
        reason: String,
    },
    /// The guest came to its end without giving a response.
    #[error("the guest ended without a response")]
    NoResponse,
    /// The guest gave the head of a response and did not end its body.
    #[error("the guest broke its response off: {reason}")]
    BrokenResponse {
        /// What ended the body.
        reason: String,
    },
    /// The guest answered a request with an error instead of a response, or its response is not HTTP.
    #[error("the guest answered with an HTTP error: {code}")]
    Http {
        /// The name of the error in `wasi:http/types.error-code`, and its details.
        code: String,
        /// Whose fault such an error is.
        fault: Fault,
    },
    /// A grant cannot be given.
    #[error("the grant `{grant}` cannot be given: {reason}")]
    Grant {
        /// The grant as the manifest has it.
        grant: String,
        /// Why not.
        reason: String,
    },
    /// The component is of another world than the call.
    #[error("the component is of world `{found}`, which cannot be called as {called}")]
    WrongWorld {
        /// The world of the component.
        found: World,
        /// How it was called.
        called: &'static str,
    },
    /// The request cannot be given to a component.
    #[error("the request cannot be given to a component: {reason}")]
    Request {
        /// What is wrong with it.
        reason: String,
    },
    /// The engine failed.
    #[error("the host failed: {message}")]
    Host {
        /// What failed.
        message: String,
    },
}

impl InvokeError {
    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Http { fault, .. } => *fault,
            Self::Grant { .. } => Fault::Config,
            Self::WrongWorld { .. } | Self::Request { .. } | Self::Host { .. } => Fault::Host,
            _ => Fault::Guest,
        }
    }

    /// Lambda's `errorType` for it.
    pub fn error_type(&self) -> String {
        let word = match self {
            Self::Function { error_type, .. } => return format!("Function.{error_type}"),
            Self::Timeout { .. } => "Sandbox.Timedout",
            Self::OutOfMemory { .. } => "Runtime.OutOfMemory",
            Self::Trap { .. } => "Runtime.Trap",
            Self::Exit { .. } => "Runtime.ExitError",
            Self::InstanceLost { .. } => "Runtime.InstanceLost",
            Self::NoResponse => "Runtime.NoResponse",
            Self::BrokenResponse { .. } => "Runtime.TruncatedResponse",
            Self::Http { .. } => "Runtime.HttpError",
            Self::Grant { .. } => "Runtime.InvalidGrant",
            Self::WrongWorld { .. } => "Runtime.WrongWorld",
            Self::Request { .. } => "Runtime.InvalidRequest",
            Self::Host { .. } => "Runtime.HostError",
        };
        word.to_owned()
    }
}

/// Returned by the epoch callback, to tell a deadline from other reasons for which a guest is stopped.
#[derive(Debug, thiserror::Error)]
#[error("the deadline has come")]
pub(crate) struct DeadlineReached;

struct Trap<'a> {
    message: &'a str,
    backtrace: &'a [String],
}

impl fmt::Display for Trap<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the guest trapped: {}", self.message)?;
        self.backtrace.iter().try_for_each(|frame| write!(f, "\n    at {frame}"))
    }
}

fn after_colon(text: &str) -> String {
    let text = text.trim_end();
    if text.is_empty() { String::new() } else { format!(": {text}") }
}

/// Turns what wasmtime reports into our words. `stderr` is the end of the guest's standard error.
pub(crate) fn from_wasmtime(error: &wasmtime::Error, stderr: &str) -> InvokeError {
    match error.downcast_ref() {
        Some(I32Exit(0)) => return InvokeError::NoResponse,
        Some(&I32Exit(code)) => return InvokeError::Exit { code, stderr_tail: stderr.to_owned() },
        None => {}
    }
    let trap = error.downcast_ref::<wasmtime::Trap>();
    let backtrace = error.downcast_ref::<wasmtime::WasmBacktrace>();
    if trap.is_none() && backtrace.is_none() {
        return InvokeError::Host { message: format!("{error:#}") };
    }
    let cause = trap.map_or_else(|| error.root_cause().to_string(), ToString::to_string);
    let message = format!("{cause}{}", after_colon(stderr));
    InvokeError::Trap { message, backtrace: backtrace.map_or_else(Vec::new, frames) }
}

fn frames(backtrace: &wasmtime::WasmBacktrace) -> Vec<String> {
    let name = |frame: &wasmtime::FrameInfo| match frame.func_name() {
        Some(name) => format!("{:#}", rustc_demangle::demangle(name)),
        None => format!("function {}", frame.func_index()),
    };
    backtrace.frames().iter().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_has_a_fault_and_a_word() {
        let function = InvokeError::Function {
            error_type: "TypeError".to_owned(),
            error_message: "boom".to_owned(),
            stack_trace: Vec::new(),
        };
        let upstream =
            InvokeError::Http { code: "connection-refused".to_owned(), fault: Fault::Upstream };
        let grant = InvokeError::Grant { grant: "tmp".to_owned(), reason: "missing".to_owned() };
        let table = [
            (function, Fault::Guest, "Function.TypeError"),
            (
                InvokeError::Timeout { after: Duration::from_secs(1) },
                Fault::Guest,
                "Sandbox.Timedout",
            ),
            (
                InvokeError::OutOfMemory { limit_bytes: 1 << 20 },
                Fault::Guest,
                "Runtime.OutOfMemory",
            ),
            (upstream, Fault::Upstream, "Runtime.HttpError"),
            (grant, Fault::Config, "Runtime.InvalidGrant"),
            (InvokeError::Host { message: "x".to_owned() }, Fault::Host, "Runtime.HostError"),
        ];
        for (error, fault, word) in table {
            assert_eq!((error.fault(), error.error_type().as_str()), (fault, word));
        }
    }

    #[test]
    fn messages_carry_the_last_words() {
        let trap = InvokeError::Trap {
            message: "unreachable".to_owned(),
            backtrace: vec!["main".to_owned()],
        };
        assert_eq!(trap.to_string(), "the guest trapped: unreachable\n    at main");
        let exit = InvokeError::Exit { code: 3, stderr_tail: "no such key\n".to_owned() };
        assert_eq!(exit.to_string(), "the guest exited with code 3: no such key");
    }
}
