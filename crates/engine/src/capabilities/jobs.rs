//! `lambkin:jobs/jobs`: components that are started and not waited for.

use super::{Capabilities, CapabilityFuture, not_granted};
use crate::bindings::jobs::lambkin::jobs::jobs as wit;

pub use wit::{Error as JobsError, ErrorCode as JobsErrorCode};

/// Starts components of the guest's own app.
pub trait Jobs: Send + Sync {
    /// Starts `component` with `event`, a JSON text, and gives the job's id.
    fn start(
        &self,
        component: String,
        event: String,
    ) -> CapabilityFuture<'_, Result<String, JobsError>>;
}

impl wit::Host for Capabilities {
    async fn start(&mut self, component: String, event: String) -> Result<String, wit::Error> {
        match &self.jobs {
            Some(jobs) => jobs.start(component, event).await,
            None => {
                Err(JobsError { code: JobsErrorCode::NotGranted, message: not_granted("jobs") })
            }
        }
    }
}
