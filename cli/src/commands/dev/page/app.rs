//! The app as the page describes it.

use super::super::cloud::buckets;
use crate::project::Project;
use crate::publish::BuiltComponent;
use crate::running::Running;
use lambkin_protocol::manifest::Static;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What the manifest says, what the builds gave, and where everything answers.
pub(in crate::commands::dev) fn describe(
    project: &Project,
    built: &BTreeMap<String, BuiltComponent>,
    (running, websocket): (&Running, Option<&str>),
) -> Value {
    let manifest = &project.manifest;
    let components = manifest.component.iter().map(|(name, component)| {
        let built = built.get(name);
        json!({
            "name": name,
            "language": component.language,
            "source": component.source,
            "world": built.map(|built| built.world),
            "size": built.map(|built| built.wasm.len()),
            "imports": built.map(|built| &built.imports),
            "grants": component.grants,
        })
    });
    let routes = manifest.route.iter().map(|route| {
        json!({
            "path": route.path,
            "methods": route.methods,
            "component": route.component,
            "files": route.files.as_ref().map(Static::folder),
            "authorizer": route.authorizer,
        })
    });
    json!({
        "name": manifest.app.name,
        "url": running.app,
        "aws": running.aws,
        "s3": running.s3,
        "websocket": websocket,
        "messages": manifest.websocket.as_ref().map(|api| &api.route),
        "routes": routes.collect::<Vec<_>>(),
        "components": components.collect::<Vec<_>>(),
        "triggers": manifest.trigger,
        "buckets": buckets(project),
    })
}
