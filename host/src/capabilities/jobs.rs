//! `lambkin:jobs/jobs` over Lambda's asynchronous invocation of the host's own function
//! (<https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>).

use super::{Services, Time, reason, segment, time, websocket_api};
use crate::apps::App;
use crate::error;
use crate::guest::Call;
use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use lambkin_engine::{CapabilityFuture, Jobs, JobsError, JobsErrorCode};
use lambkin_protocol::job::{self, Job, WebSocketApi};
use std::sync::Arc;

/// Starts components of one app.
pub(super) struct Starter {
    services: Arc<Services>,
    app: Arc<App>,
    /// The component that starts them.
    component: String,
    /// What the host's function was invoked by: the same version or alias runs the job.
    function_arn: String,
    trace_id: Option<String>,
    api: Option<WebSocketApi>,
    time: Time,
}

impl Starter {
    pub(super) fn new(call: &Call<'_>) -> Self {
        Self {
            services: Arc::clone(&call.host.services),
            app: Arc::clone(&call.destination.app),
            component: call.destination.component.clone(),
            function_arn: call.received.function.invoked_arn.clone(),
            trace_id: call.received.trace_id.clone(),
            api: websocket_api(call),
            time: time(call),
        }
    }

    fn is_granted(&self, component: &str) -> bool {
        let own = self.app.release.components.get(&self.component);
        own.is_some_and(|own| own.grants.jobs.iter().any(|job| job == component))
    }

    fn request(&self, component: String, event: &str) -> Result<Request<Bytes>, JobsError> {
        if !self.is_granted(&component) {
            let what = format!(
                "the component {} is not granted the job `{component}`: add it to `jobs` in [component.{}.grants] of lambkin.toml",
                self.component, self.component
            );
            return Err(refused(JobsErrorCode::NotGranted, what));
        }
        if self.function_arn.is_empty() {
            let what = "jobs need Lambda, and this host runs outside of it".to_owned();
            return Err(refused(JobsErrorCode::NotGranted, what));
        }
        let (app, alias) = (self.app.name.clone(), self.app.alias.clone());
        let job = Job { app, alias, component, websocket_api: self.api.clone() };
        let event = job::wrap(job, event).map_err(|problem| {
            refused(JobsErrorCode::InvalidEvent, format!("the event is not JSON: {problem}"))
        })?;
        if event.len() > job::MAX_EVENT {
            let what = format!("the event has {} bytes, more than {}", event.len(), job::MAX_EVENT);
            return Err(refused(JobsErrorCode::TooLarge, what));
        }
        let function = segment(&self.function_arn);
        let mut request = Request::builder()
            .method("POST")
            .uri(format!("/2015-03-31/functions/{function}/invocations"))
            .header("x-amz-invocation-type", "Event")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Bytes::from(event))
            .map_err(|problem| failed(problem.to_string()))?;
        if let Some(Ok(trace)) = self.trace_id.as_deref().map(HeaderValue::from_str) {
            request.headers_mut().insert("x-amzn-trace-id", trace);
        }
        Ok(request)
    }
}

impl Jobs for Starter {
    fn start(
        &self,
        component: String,
        event: String,
    ) -> CapabilityFuture<'_, Result<String, JobsError>> {
        Box::pin(async move {
            let request = self.request(component, &event)?;
            let client = self.services.lambda().map_err(failed)?;
            let answer = client.send(request, self.time.left()).await;
            started(&answer.map_err(|problem| failed(error::chain(&problem)))?)
        })
    }
}

/// The job's id out of Lambda's answer.
fn started(answer: &Response<Bytes>) -> Result<String, JobsError> {
    let code = match answer.status() {
        StatusCode::ACCEPTED => {
            let id = answer.headers().get("x-amzn-requestid").and_then(|id| id.to_str().ok());
            return id
                .map(str::to_owned)
                .ok_or_else(|| failed("Lambda's answer has no request id".to_owned()));
        }
        StatusCode::PAYLOAD_TOO_LARGE => JobsErrorCode::TooLarge,
        StatusCode::TOO_MANY_REQUESTS => JobsErrorCode::Throttled,
        _ => JobsErrorCode::Failed,
    };
    let hint = if answer.status() == StatusCode::FORBIDDEN {
        "; the function's role needs lambda:InvokeFunction on the function itself"
    } else {
        ""
    };
    Err(refused(code, format!("Lambda did not take the job: {}{hint}", reason(answer))))
}

fn failed(message: String) -> JobsError {
    refused(JobsErrorCode::Failed, message)
}

fn refused(code: JobsErrorCode, message: String) -> JobsError {
    JobsError { code, message }
}
