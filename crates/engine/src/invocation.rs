//! One invocation: what it may use, what it is told, and what it has used.
//!
//! Nothing is inherited from the process: an empty [`Grants`] and an empty environment is what a guest gets unless the
//! caller says otherwise.

use crate::capabilities::Capabilities;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Where a line of output was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error, and what the engine itself has to say to the component's author.
    Stderr,
}

/// Receives each line that a guest writes, without its line break. Called while the guest runs, so it must be quick.
pub type OutputSink = Arc<dyn Fn(Stream, &str) + Send + Sync>;

/// Everything that one call of a component is given.
#[derive(Clone)]
pub struct Invocation {
    /// What a function component is told about the invocation.
    pub context: Context,
    /// When the guest is ended, wherever it is.
    pub deadline: Instant,
    /// What the guest may take.
    pub limits: Limits,
    /// Environment variables; also given to function components in their context.
    pub environment: Vec<(String, String)>,
    /// Answers of `wasi:config/store`.
    pub config: BTreeMap<String, String>,
    /// What the guest may reach.
    pub grants: Grants,
    /// What the host does for the guest besides WASI.
    pub capabilities: Capabilities,
    /// Where its output goes, line by line.
    pub output: OutputSink,
    /// Where a line goes that one of several invocations in the same instance wrote: which of them, nobody can tell.
    /// Absent, it goes where the output of the latest of them goes.
    pub output_of_several: Option<OutputSink>,
    /// Whether, and for how long, its instance may serve other invocations too. Counts for functions and web handlers
    /// with at most one linear memory; every other component has an instance for each invocation.
    pub reuse: Option<Reuse>,
}

impl fmt::Debug for Invocation {
    /// Leaves out the values of the environment and the configuration: they may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |pairs: &[(String, String)]| {
            pairs.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>()
        };
        f.debug_struct("Invocation")
            .field("context", &self.context)
            .field("deadline", &self.deadline)
            .field("limits", &self.limits)
            .field("environment", &names(&self.environment))
            .field("config", &self.config.keys().collect::<Vec<_>>())
            .field("grants", &self.grants)
            .field("capabilities", &self.capabilities)
            .field("reuse", &self.reuse)
            .finish_non_exhaustive()
    }
}

/// How long an instance may live. What it leaves in its memory and its `/tmp`, the next invocation finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reuse {
    /// The most invocations that it serves.
    pub max_invocations: u32,
    /// The longest time that it lives; an invocation that runs is not cut off.
    pub max_age: Duration,
    /// The most invocations that it serves at once. More than one is for components of WASI 0.3; others serve one after
    /// the other, whatever it is.
    pub max_concurrent: u32,
}

/// Bounds on one invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes that the guest's linear memories and tables may take together.
    pub memory_bytes: u64,
}

/// What a guest may reach outside of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants {
    /// Origins that outbound requests may go to: `scheme://host` or `scheme://host:port`, where the host may start with
    /// `*.` to mean every name below a domain. Without a port, the scheme's own.
    pub http: Vec<String>,
    /// Where the guest gets a folder of its own, which it sees as `/tmp`: empty when its instance begins, gone when
    /// that ends.
    pub tmp: Option<PathBuf>,
    /// Whether granted origins may be at loopback, private and link-local addresses.
    pub private_network: bool,
}

/// What a function component is told about an invocation: the record `context` of `lambkin:function/types`.
///
/// Its member `environment` is filled in from [`Invocation::environment`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    /// Lambda's request id, a UUID, unique for each invocation.
    pub request_id: String,
    /// When the invocation times out, in milliseconds since the Unix epoch.
    pub deadline_ms: u64,
    /// The X-Ray trace header, when Lambda sent one.
    pub trace_id: Option<String>,
    /// The app that the request was routed to.
    pub app: String,
    /// The alias it was reached through.
    pub alias: String,
    /// The release that the alias pointed to.
    pub release: String,
    /// The component's name in the app's manifest.
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
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LambdaFunction {
    /// The function's name.
    pub name: String,
    /// Its version, `$LATEST` or a number.
    pub version: String,
    /// The ARN that it was invoked by.
    pub invoked_arn: String,
    /// Configured memory in MiB.
    pub memory_mb: u32,
    /// The `CloudWatch` log group.
    pub log_group: String,
    /// The `CloudWatch` log stream.
    pub log_stream: String,
}

/// What an invocation has used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Time to make the instance.
    pub instantiate: Duration,
    /// Time from the start of the guest's code to its end, waiting included.
    pub guest: Duration,
    /// The most that its linear memories and tables took together, in bytes.
    pub peak_memory_bytes: u64,
}
