//! What Lambda and Lambkin tell a handler about one invocation.

use crate::bindings::lambkin::function::types as wire;
use std::time::{Duration, SystemTime};

/// What Lambda and Lambkin tell a handler about one invocation.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Context {
    /// Lambda's request id, a UUID, unique for each invocation.
    pub request_id: String,
    /// When the invocation times out, in milliseconds since the Unix epoch.
    pub deadline_ms: u64,
    /// The X-Ray trace header (`Root=…;Parent=…;Sampled=…`), when Lambda sent one.
    pub trace_id: Option<String>,
    /// The app that the request was routed to.
    pub app: String,
    /// The alias it was reached through, for example `live`.
    pub alias: String,
    /// The release that the alias pointed to.
    pub release: String,
    /// The name of this component in the app's manifest.
    pub component: String,
    /// The tenant of a function with tenant isolation.
    pub tenant: Option<String>,
    /// The Lambda function that the host runs in.
    pub function: LambdaFunction,
    /// The client context of a mobile SDK call: JSON text, as sent.
    pub client_context: Option<String>,
    /// The Cognito identity of a mobile SDK call: JSON text, as sent.
    pub identity: Option<String>,
}

/// The Lambda function that the host runs in.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct LambdaFunction {
    /// The function's name.
    pub name: String,
    /// The function's version, for example `$LATEST`.
    pub version: String,
    /// The ARN that the caller invoked.
    pub invoked_arn: String,
    /// Configured memory in MiB.
    pub memory_mb: u32,
    /// The log group in `CloudWatch`.
    pub log_group: String,
    /// The log stream in `CloudWatch`.
    pub log_stream: String,
}

impl Context {
    /// The time left until the invocation times out; zero when it is over.
    pub fn remaining(&self) -> Duration {
        let deadline = SystemTime::UNIX_EPOCH + Duration::from_millis(self.deadline_ms);
        deadline.duration_since(SystemTime::now()).unwrap_or(Duration::ZERO)
    }
}

impl From<wire::Context> for Context {
    fn from(context: wire::Context) -> Self {
        Self {
            request_id: context.request_id,
            deadline_ms: context.deadline_ms,
            trace_id: context.trace_id,
            app: context.app,
            alias: context.alias,
            release: context.release,
            component: context.component,
            tenant: context.tenant,
            function: context.function.into(),
            client_context: context.client_context,
            identity: context.identity,
        }
    }
}

impl From<wire::LambdaFunction> for LambdaFunction {
    fn from(function: wire::LambdaFunction) -> Self {
        Self {
            name: function.name,
            version: function.version,
            invoked_arn: function.invoked_arn,
            memory_mb: function.memory_mb,
            log_group: function.log_group,
            log_stream: function.log_stream,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Context;
    use std::time::Duration;

    #[test]
    fn a_deadline_in_the_past_leaves_no_time() {
        assert_eq!(Context { deadline_ms: 1, ..Context::default() }.remaining(), Duration::ZERO);
    }

    #[test]
    fn a_deadline_in_the_future_leaves_the_time_until_then() {
        let remaining =
            Context { deadline_ms: u64::from(u32::MAX) * 1000, ..Context::default() }.remaining();
        assert!(remaining > Duration::from_hours(1), "{remaining:?}");
    }
}
