//! Reads `lambkin.toml` and reports as many problems at once as can be told apart.
//!
//! In order: TOML itself; the version; unknown keys; the types of each part for itself; then, over all parts, names,
//! values and routes (`rules`).

use std::collections::BTreeMap;
use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::problem::{ManifestError, Problems};
use super::{
    Api, App, Authorizer, Component, Manifest, Route, Trigger, UsagePlan, VERSION, WebSocket, api,
    authorizer, rules, schema, unknown, usage_plan, websocket,
};

/// Reads a manifest. The error names every problem with its line and column.
pub fn parse(text: &str) -> Result<Manifest, ManifestError> {
    let mut problems = Problems::new(text);
    let (mut document, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        problems.add_toml(error);
    }
    if problems.is_empty() {
        check_version(document.get_ref(), &mut problems);
    }
    if !problems.is_empty() {
        return Err(problems.into_error());
    }
    unknown::remove(document.get_mut(), &schema(), &mut problems);
    let places = Places(document.get_ref());
    let parts = Parts::read(document.get_ref(), &mut problems);
    rules::check(&parts, &places, &mut problems);
    api::check(&parts, &places, &mut problems);
    authorizer::check(&parts, &places, &mut problems);
    usage_plan::check(&parts, &places, &mut problems);
    websocket::check(&parts, &places, &mut problems);
    match parts.app {
        Some(app) if problems.is_empty() => Ok(Manifest {
            lambkin: VERSION,
            app,
            api: parts.api,
            authorizer: parts.authorizers,
            usage_plan: parts.usage_plans,
            component: parts.components,
            route: parts.routes.into_iter().map(|(_, route)| route).collect(),
            websocket: parts.websocket,
            trigger: parts.triggers.into_iter().map(|(_, trigger)| trigger).collect(),
        }),
        _ => Err(problems.into_error()),
    }
}

fn check_version(document: &DeTable<'_>, problems: &mut Problems<'_>) {
    let Some(value) = document.get("lambkin") else {
        let hint = format!("put `lambkin = {VERSION}` on the first line");
        return problems.add(None, "the manifest does not say its version", Some(hint));
    };
    let version = value
        .get_ref()
        .as_integer()
        .and_then(|version| u64::from_str_radix(version.as_str(), version.radix()).ok());
    match version {
        Some(version) if version == u64::from(VERSION) => {}
        Some(version) if version > u64::from(VERSION) => {
            let message = format!(
                "the manifest has version {version}, newer than the {VERSION} this lambkin knows"
            );
            problems.add(Some(value.span()), message, Some("update lambkin".to_owned()));
        }
        _ => problems.add(
            Some(value.span()),
            "the version of the manifest is not a known number",
            Some(format!("write `lambkin = {VERSION}`")),
        ),
    }
}

/// The parts of a manifest that could be read.
pub(super) struct Parts {
    pub(super) app: Option<App>,
    pub(super) api: Option<Api>,
    pub(super) authorizers: BTreeMap<String, Authorizer>,
    /// The names of all authorizers, of those too that could not be read.
    pub(super) authorizer_names: Vec<String>,
    pub(super) usage_plans: BTreeMap<String, UsagePlan>,
    /// The names of all usage plans, of those too that could not be read.
    pub(super) usage_plan_names: Vec<String>,
    pub(super) components: BTreeMap<String, Component>,
    /// The names of all components, of those too that could not be read.
    pub(super) component_names: Vec<String>,
    /// The routes, each with its place in the list.
    pub(super) routes: Vec<(usize, Route)>,
    pub(super) websocket: Option<WebSocket>,
    /// The triggers, each with its place in the list.
    pub(super) triggers: Vec<(usize, Trigger)>,
}

impl Parts {
    fn read(document: &DeTable<'_>, problems: &mut Problems<'_>) -> Self {
        let app = document.get("app").and_then(|app| read(app, problems));
        if !document.contains_key("app") {
            let hint = "add `[app]` with the app's `name`".to_owned();
            problems.add(None, "the manifest has no `[app]`", Some(hint));
        }
        let mut parts = Self {
            app,
            api: document.get("api").and_then(|api| read(api, problems)),
            authorizers: BTreeMap::new(),
            authorizer_names: Vec::new(),
            usage_plans: BTreeMap::new(),
            usage_plan_names: Vec::new(),
            components: BTreeMap::new(),
            component_names: Vec::new(),
            routes: read_list("route", document, problems),
            websocket: document.get("websocket").and_then(|value| read(value, problems)),
            triggers: read_list("trigger", document, problems),
        };
        (parts.component_names, parts.components) = named("component", document, problems);
        (parts.authorizer_names, parts.authorizers) = named("authorizer", document, problems);
        (parts.usage_plan_names, parts.usage_plans) = named("usage_plan", document, problems);
        parts
    }
}

/// The tables below `key` by name, and the names of all, of those too that cannot be read.
fn named<T: DeserializeOwned>(
    key: &str,
    document: &DeTable<'_>,
    problems: &mut Problems<'_>,
) -> (Vec<String>, BTreeMap<String, T>) {
    let (mut names, mut entries) = (Vec::new(), BTreeMap::new());
    let Some(value) = document.get(key) else { return (names, entries) };
    let DeValue::Table(table) = value.get_ref() else {
        let hint = format!("write `[{key}.<name>]`");
        problems.add(Some(value.span()), format!("`{key}` is a table of {key}s"), Some(hint));
        return (names, entries);
    };
    for (name, value) in table {
        names.push(name.get_ref().to_string());
        if let Some(entry) = read(value, problems) {
            entries.insert(name.get_ref().to_string(), entry);
        }
    }
    (names, entries)
}

/// Reads the list of tables `key`, each with its place.
fn read_list<T: DeserializeOwned>(
    key: &str,
    document: &DeTable<'_>,
    problems: &mut Problems<'_>,
) -> Vec<(usize, T)> {
    let Some(value) = document.get(key) else { return Vec::new() };
    let DeValue::Array(elements) = value.get_ref() else {
        let hint = format!("write `[[{key}]]`");
        problems.add(Some(value.span()), format!("`{key}` is a list of tables"), Some(hint));
        return Vec::new();
    };
    let parts = elements.iter().enumerate();
    parts.filter_map(|(index, element)| Some((index, read(element, problems)?))).collect()
}

/// Reads one part, or reports why not.
fn read<T: DeserializeOwned>(
    value: &Spanned<DeValue<'_>>,
    problems: &mut Problems<'_>,
) -> Option<T> {
    match T::deserialize(ValueDeserializer::from(value.clone())) {
        Ok(part) => Some(part),
        Err(error) => {
            let span = error.span().unwrap_or_else(|| value.span());
            problems.add(Some(span), error.message().lines().collect::<Vec<_>>().join(", "), None);
            None
        }
    }
}

/// Where the values of a manifest stand.
pub(super) struct Places<'a>(&'a DeTable<'a>);

impl Places<'_> {
    /// The place of a value, named by keys and list indexes; of the nearest part around it where it is absent.
    pub(super) fn of(&self, path: &[&str]) -> Option<Range<usize>> {
        let (first, rest) = path.split_first()?;
        let mut value = self.0.get(*first)?;
        for step in rest {
            let next = match value.get_ref() {
                DeValue::Table(table) => table.get(*step),
                DeValue::Array(elements) => {
                    step.parse::<usize>().ok().and_then(|index| elements.get(index))
                }
                _ => None,
            };
            let Some(next) = next else { break };
            value = next;
        }
        Some(value.span())
    }

    /// The place of a component's name.
    pub(super) fn of_component_name(&self, name: &str) -> Option<Range<usize>> {
        let components = self.0.get("component")?.get_ref().as_table()?;
        components.get_key_value(name).map(|(key, _)| key.span())
    }
}
