//! AWS's calls to Lambda, so that an AWS SDK or the AWS CLI with an endpoint URL can invoke a function and set how
//! (<https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html>). Signatures are not checked.
//!
//! This module finds the call and the function; `invoke` and `streaming` run it, `settings` reads and writes what a
//! function is told, `reply` has the forms of answers and errors.

mod invoke;
mod reply;
mod settings;
mod streaming;

use std::collections::BTreeMap;
use std::sync::Arc;

use http::{Method, Request, StatusCode};
use hyper::body::Incoming;
use percent_encoding::percent_decode_str;

use super::{Destination, Function};
use crate::http_server::AwsReply;
use reply::{Refusal, refuse};

/// Finds what is behind an ARN that is no function's.
type Resolve = Arc<dyn Fn(&str) -> Option<Destination> + Send + Sync>;

/// The functions of the local cloud, by their names.
#[derive(Clone)]
pub struct ControlPlane {
    functions: Arc<BTreeMap<String, Function>>,
    destinations: Resolve,
}

impl ControlPlane {
    /// Answers for these functions. Destinations can be functions.
    pub fn new(functions: impl IntoIterator<Item = Function>) -> Self {
        let functions =
            functions.into_iter().map(|function| (function.name().to_owned(), function));
        Self { functions: Arc::new(functions.collect()), destinations: Arc::new(|_| None) }
    }

    /// Lets records go to what `resolve` finds behind an ARN: a queue, a topic, a bucket.
    #[must_use]
    pub fn with_destinations(
        mut self,
        resolve: impl Fn(&str) -> Option<Destination> + Send + Sync + 'static,
    ) -> Self {
        self.destinations = Arc::new(resolve);
        self
    }

    /// Answers one call.
    pub(crate) async fn answer(&self, request: Request<Incoming>) -> AwsReply {
        self.call(request).await.unwrap_or_else(Refusal::into_reply)
    }

    async fn call(&self, request: Request<Incoming>) -> Result<AwsReply, Refusal> {
        let path = request.uri().path().to_owned();
        let method = request.method().clone();
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        match (&method, segments.as_slice()) {
            (&Method::POST, ["2015-03-31", "functions", name, "invocations"]) => {
                invoke::call(self.find(name, &request)?, request).await
            }
            (
                &Method::POST,
                ["2021-11-15", "functions", name, "response-streaming-invocations"],
            ) => streaming::call(self.find(name, &request)?, request).await,
            (&Method::GET, ["2015-03-31", "functions" | "functions/"]) => {
                Ok(settings::list(self.functions.values()))
            }
            (&Method::GET, ["2015-03-31", "functions", name, "configuration"]) => {
                Ok(settings::configuration(self.find(name, &request)?))
            }
            (_, ["2019-09-25", "functions", name, "event-invoke-config"]) => {
                settings::event_invoke_config(self, self.find(name, &request)?, request).await
            }
            (_, ["2017-10-31" | "2019-09-30", "functions", name, "concurrency"]) => {
                settings::concurrency(self.find(name, &request)?, request).await
            }
            _ => Err(unknown(&method, &path)),
        }
    }

    fn find(&self, name: &str, request: &Request<Incoming>) -> Result<&Function, Refusal> {
        let name = percent_decode_str(name).decode_utf8_lossy();
        // An ARN, `account:function:name` or a name, each with a qualifier or without.
        let plain = name.rsplit_once("function:").map_or(&*name, |(_, name)| name);
        let (plain, derived) =
            plain.split_once(':').map_or((plain, None), |(name, version)| (name, Some(version)));
        let asked = qualifier(request.uri().query());
        if let (Some(derived), Some(asked)) = (derived, &asked)
            && derived != asked
        {
            let message = "The derived qualifier from the function name does not match the specified qualifier.";
            return Err(refuse(StatusCode::BAD_REQUEST, "InvalidParameterValueException", message));
        }
        let version = derived.map(str::to_owned).or(asked);
        let function = self.functions.get(plain);
        // There is one version, and nobody published another.
        let known = version.as_deref().is_none_or(|version| version == "$LATEST");
        function.filter(|_| known).ok_or_else(|| {
            let arn = function.map_or_else(|| plain.to_owned(), Function::arn);
            let qualified =
                version.map_or_else(|| arn.clone(), |version| format!("{arn}:{version}"));
            let message = format!("Function not found: {qualified}");
            refuse(StatusCode::NOT_FOUND, "ResourceNotFoundException", &message)
        })
    }

    /// What is behind the ARN: a function here, or what the owner of this control plane knows.
    fn destination(&self, arn: &str) -> Option<Destination> {
        let function = self.functions.values().find(|function| {
            arn.strip_prefix(&*function.arn()).is_some_and(|rest| matches!(rest, "" | ":$LATEST"))
        });
        function.map(Destination::function).or_else(|| (self.destinations)(arn))
    }
}

fn qualifier(query: Option<&str>) -> Option<String> {
    let value = query?.split('&').find_map(|pair| pair.strip_prefix("Qualifier="))?;
    Some(percent_decode_str(value).decode_utf8_lossy().into_owned())
}

fn unknown(method: &Method, path: &str) -> Refusal {
    let message = format!("the local cloud has no call {method} {path}");
    refuse(StatusCode::NOT_FOUND, "UnknownOperationException", &message)
}
