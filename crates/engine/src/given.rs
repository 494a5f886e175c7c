//! What an instance was made with, and so whom it may serve.

use crate::capabilities::Capabilities;
use crate::invocation::{Context, Grants, Invocation, Limits, OutputSink};
use crate::kept::ComponentId;
use std::collections::BTreeMap;
use std::time::Instant;

/// Everything of an invocation that its instance keeps for as long as it lives.
///
/// *Invariant*: an instance serves no invocation but those that [`Given::is_of`] tells: of the same component of the same
/// release of the same app, with the same environment, grants and bounds, and for the same tenant.
pub(crate) struct Given {
    component: ComponentId,
    app: String,
    release: String,
    name: String,
    tenant: Option<String>,
    environment: Vec<(String, String)>,
    config: BTreeMap<String, String>,
    grants: Grants,
    limits: Limits,
}

impl Given {
    pub(crate) fn new(component: ComponentId, invocation: &Invocation) -> Self {
        let Context { app, release, component: name, tenant, .. } = &invocation.context;
        Self {
            component,
            app: app.clone(),
            release: release.clone(),
            name: name.clone(),
            tenant: tenant.clone(),
            environment: invocation.environment.clone(),
            config: invocation.config.clone(),
            grants: invocation.grants.clone(),
            limits: invocation.limits,
        }
    }

    /// Whether an instance with this may serve the invocation of the component.
    pub(crate) fn is_of(&self, component: ComponentId, invocation: &Invocation) -> bool {
        let Self {
            component: own,
            app,
            release,
            name,
            tenant,
            environment,
            config,
            grants,
            limits,
        } = self;
        let context = &invocation.context;
        *own == component
            && *app == context.app
            && *release == context.release
            && *name == context.component
            && *tenant == context.tenant
            && *environment == invocation.environment
            && *config == invocation.config
            && *grants == invocation.grants
            && *limits == invocation.limits
    }

    pub(crate) fn component(&self) -> ComponentId {
        self.component
    }

    /// An invocation to make an instance for.
    pub(crate) fn invocation(
        &self,
        deadline: Instant,
        capabilities: Capabilities,
        output: OutputSink,
    ) -> Invocation {
        let context = Context {
            app: self.app.clone(),
            release: self.release.clone(),
            component: self.name.clone(),
            tenant: self.tenant.clone(),
            ..Context::default()
        };
        Invocation {
            context,
            deadline,
            limits: self.limits,
            environment: self.environment.clone(),
            config: self.config.clone(),
            grants: self.grants.clone(),
            capabilities,
            output,
            output_of_several: None,
            reuse: None,
        }
    }
}
