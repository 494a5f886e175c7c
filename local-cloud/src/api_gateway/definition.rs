//! What an API is defined by: its kind and settings, and its routes, as `lambkin.toml` has them.

use std::collections::BTreeMap;

use http::Method;
use lambkin_protocol::manifest::{Api, Authorizer, Manifest, UsagePlan};
use lambkin_protocol::routes::{self, RouteError, Table};

use super::authorizers::Authorizers;
use super::rest_api::Usage;

/// An API's definition. A server answers by one until it is given another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Definition {
    /// The kind of API, its stage, CORS and payload format.
    pub api: Api,
    /// Who decides whether a request may pass, by the name that routes use.
    pub authorizers: BTreeMap<String, Authorizer>,
    /// The API keys of a REST API, by usage plan.
    pub usage_plans: BTreeMap<String, UsagePlan>,
    /// What it answers to.
    pub routes: Vec<routes::Route>,
}

impl From<&Manifest> for Definition {
    fn from(manifest: &Manifest) -> Self {
        Self {
            api: manifest.api.clone().unwrap_or_default(),
            authorizers: manifest.authorizer.clone(),
            usage_plans: manifest.usage_plan.clone(),
            routes: manifest.route.clone(),
        }
    }
}

/// A definition, ready to be asked.
#[derive(Debug)]
pub(super) struct Deployed {
    pub(super) api: Api,
    pub(super) authorizers: Authorizers,
    pub(super) usage: Usage,
    pub(super) routes: Table,
}

impl TryFrom<Definition> for Deployed {
    type Error = RouteError;

    fn try_from(definition: Definition) -> Result<Self, RouteError> {
        Ok(Self {
            routes: Table::new(&definition.routes)?,
            authorizers: Authorizers::new(definition.authorizers),
            usage: Usage::new(&definition.usage_plans),
            api: definition.api,
        })
    }
}

/// A route's key: `GET /items/{id}`, `ANY /items`, `$default`.
pub(super) fn route_key(route: &routes::Route, method: &Method) -> String {
    let takes_any = |methods: &Vec<String>| methods.iter().any(|method| method == "ANY");
    match (&*route.path, route.methods.as_ref().filter(|methods| !takes_any(methods))) {
        (routes::DEFAULT, None) => routes::DEFAULT.to_owned(),
        (path, None) => format!("ANY {path}"),
        (path, Some(_)) => format!("{method} {path}"),
    }
}
