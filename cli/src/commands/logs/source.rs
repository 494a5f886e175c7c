//! Whose log is read: that of the `lambkin dev` of a folder, what the last one left there, or a function's on AWS.

use super::cloudwatch::{CallError, CloudWatch, Event};
use super::selection::milliseconds;
use crate::hint::{WithHint as _, hinted};
use crate::output::Output;
use crate::project::Project;
use crate::{args, config, running};
use anyhow::Result;
use lambkin_local_cloud::lambda::ControlPlane;
use lambkin_local_cloud::logs::Logs;
use lambkin_local_cloud::sqs::Queues;
use lambkin_local_cloud::{Endpoint, Services};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, SystemTime};

/// How far back the log of a function on AWS is read when nothing is said.
const REMOTE_SPAN: Duration = Duration::from_mins(10);

/// One log group, and who answers for it.
pub(super) struct Source {
    service: CloudWatch,
    group: String,
    place: Place,
}

enum Place {
    Aws,
    /// A running `lambkin dev`.
    Dev,
    /// What the last `lambkin dev` left on disk, served by this process as long as it is read.
    Disk(Endpoint),
}

impl Source {
    /// Finds the log that the arguments mean.
    pub(super) async fn open(arguments: &args::Logs, output: &Output) -> Result<Self> {
        let group = match (&arguments.group, &arguments.function) {
            (Some(group), _) => group.clone(),
            (None, Some(function)) => format!("/aws/lambda/{function}"),
            (None, None) => return Self::here(arguments, output).await,
        };
        let service = CloudWatch::new(config::logs_access()).with_hint(
            "CloudWatch Logs cannot be asked",
            "set AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_ENDPOINT_URL for another server",
        )?;
        Ok(Self { service, group, place: Place::Aws })
    }

    async fn here(arguments: &args::Logs, output: &Output) -> Result<Self> {
        let project = Project::load(&arguments.source.project)?;
        let group = format!("/aws/lambda/{}", project.manifest.app.name);
        if let Some(running) = running::find(&project.work()) {
            let service = CloudWatch::new(config::local_access(&running.aws))?;
            return Ok(Self { service, group, place: Place::Dev });
        }
        let folder = project.work().join("logs");
        if arguments.follow || !folder.is_dir() {
            return Err(hinted(
                format!("no `lambkin dev` runs in {}", project.root.display()),
                "start it, or name a function on AWS with --function",
            ));
        }
        output.warn("no `lambkin dev` runs here: this is what the last one left");
        let services = Services {
            lambda: ControlPlane::new([]),
            logs: Logs::open(&folder)?,
            queues: Queues::new("us-east-1"),
        };
        let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let endpoint = Endpoint::start(any_port, services).await?;
        let service = CloudWatch::new(config::local_access(&endpoint.url()))?;
        Ok(Self { service, group, place: Place::Disk(endpoint) })
    }

    pub(super) fn is_local(&self) -> bool {
        !matches!(self.place, Place::Aws)
    }

    /// From when on a log is read when nothing is said, in milliseconds since 1970.
    pub(super) fn earliest(&self) -> u64 {
        match self.place {
            Place::Aws => milliseconds(SystemTime::now() - REMOTE_SPAN),
            Place::Dev | Place::Disk(_) => 0,
        }
    }

    /// The events from `start` on, in milliseconds since 1970.
    pub(super) async fn events(
        &self,
        start: u64,
        pattern: Option<&str>,
    ) -> Result<Vec<Event>, CallError> {
        self.service.filter_log_events(&self.group, start, pattern).await
    }

    /// An error with what to do about it.
    pub(super) fn explain(&self, error: CallError) -> anyhow::Error {
        let hint = match &error {
            CallError::Missing => {
                "name the function with --function, or its log group with --group, in the right AWS_REGION"
            }
            CallError::Refused { .. } => {
                "the credentials must allow logs:FilterLogEvents on the log group"
            }
            _ => "AWS_ENDPOINT_URL and AWS_REGION say where it is asked for",
        };
        Err::<(), _>(error)
            .with_hint(format!("the log group {} cannot be read", self.group), hint)
            .err()
            .unwrap_or_else(|| hinted("the log cannot be read", hint))
    }

    pub(super) async fn close(self) {
        if let Place::Disk(endpoint) = self.place {
            endpoint.stop().await;
        }
    }
}
