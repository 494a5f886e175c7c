//! The rules over a manifest's values: names, limits, grants, engines, and routes that lead somewhere and do not overlap.

use std::collections::BTreeMap;

use super::check::{Parts, Places};
use super::problem::Problems;
use super::{Component, Language, grants, static_files, trigger};
use crate::name::{self, nearest};
use crate::routes::{Claim, METHODS, PatternError};

/// The most memory a Wasm instance with 32-bit addresses can have, in MiB.
const MAX_MEMORY_MB: u32 = 4096;
/// The longest invocation Lambda allows, in seconds.
const MAX_TIMEOUT_SECONDS: u32 = 900;
const MAX_REUSE_INVOCATIONS: u32 = 1_000_000;
const MAX_REUSE_AGE_SECONDS: u32 = 86_400;
const MAX_REUSE_CONCURRENT: u32 = 1000;

pub(super) fn check(parts: &Parts, places: &Places<'_>, problems: &mut Problems<'_>) {
    if let Some(app) = &parts.app
        && let Err(error) = name::check(&app.name)
    {
        problems.add(places.of(&["app", "name"]), format!("bad name of the app: {error}"), None);
    }
    for component in &parts.component_names {
        if let Err(error) = name::check(component) {
            problems.add(
                places.of_component_name(component),
                format!("bad name of a component: {error}"),
                None,
            );
        }
    }
    for (component, entry) in &parts.components {
        check_component(component, entry, &mut |path, message, hint| {
            let path: Vec<&str> =
                ["component", component].into_iter().chain(path.iter().copied()).collect();
            problems.add(places.of(&path), message, hint);
        });
    }
    for (name, component) in &parts.components {
        grants::check(&component.grants, &parts.component_names, &mut |path, message, hint| {
            let above = ["component", name.as_str(), "grants"];
            let path: Vec<&str> = above.into_iter().chain(path.iter().copied()).collect();
            problems.add(places.of(&path), message, hint);
        });
    }
    static_files::check(parts, places, problems);
    trigger::check(parts, places, problems);
    check_targets(parts, places, problems);
    check_overlaps(parts, places, problems);
}

/// Reports a problem of a part of a component: its path, a message, a hint.
type Report<'a> = dyn FnMut(&[&str], String, Option<String>) + 'a;

fn check_component(name: &str, component: &Component, report: &mut Report<'_>) {
    if component.source.trim().is_empty() {
        report(&["source"], format!("component `{name}` has an empty source"), None);
    }
    let is_script = matches!(component.language, Language::JavaScript | Language::TypeScript);
    if component.engine.is_some() && !is_script {
        let message =
            format!("`engine` is for JavaScript and TypeScript, not for {}", component.language);
        report(&["engine"], message, Some("leave it out".to_owned()));
    }
    let limits = &component.limits;
    let bounds = [
        ("memory_mb", limits.memory_mb, MAX_MEMORY_MB),
        ("timeout_seconds", limits.timeout_seconds, MAX_TIMEOUT_SECONDS),
    ];
    for (key, value, most) in bounds {
        if value.is_some_and(|value| value == 0 || value > most) {
            report(&["limits", key], format!("`{key}` must be from 1 to {most}"), None);
        }
    }
    let reuse = component.reuse.unwrap_or_default();
    let bounds = [
        ("max_invocations", reuse.max_invocations, 2, MAX_REUSE_INVOCATIONS),
        ("max_age_seconds", reuse.max_age_seconds, 1, MAX_REUSE_AGE_SECONDS),
        ("max_concurrent", reuse.max_concurrent, 1, MAX_REUSE_CONCURRENT),
    ];
    for (key, value, least, most) in bounds {
        if value.is_some_and(|value| !(least..=most).contains(&value)) {
            report(&["reuse", key], format!("`{key}` must be from {least} to {most}"), None);
        }
    }
}

fn check_targets(parts: &Parts, places: &Places<'_>, problems: &mut Problems<'_>) {
    for (index, route) in &parts.routes {
        // What has no component either has files or is reported already.
        if route.component.is_empty() || parts.component_names.contains(&route.component) {
            continue;
        }
        let hint = Some(hint_for_component(&route.component, &parts.component_names));
        let message =
            format!("route `{}` leads to the unknown component `{}`", route.path, route.component);
        problems.add(places.of(&["route", &index.to_string(), "component"]), message, hint);
    }
}

/// What to do about the name of a component that is not there.
pub(super) fn hint_for_component(name: &str, known: &[String]) -> String {
    match nearest(name, known.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => format!("add `[component.{name}]`"),
        None => format!("there are {}", quoted(known)),
    }
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn check_overlaps(parts: &Parts, places: &Places<'_>, problems: &mut Problems<'_>) {
    let mut claimed: BTreeMap<Claim, &str> = BTreeMap::new();
    for (index, route) in &parts.routes {
        let index = index.to_string();
        match Claim::of(route) {
            Err(error) => {
                let is_method =
                    matches!(error, PatternError::NoMethods | PatternError::UnknownMethod { .. });
                let key = if is_method { "methods" } else { "path" };
                let hint = is_method.then(|| format!("methods are {} and ANY", METHODS.join(", ")));
                problems.add(
                    places.of(&["route", &index, key]),
                    format!("route `{}`: {error}", route.path),
                    hint,
                );
            }
            Ok(claims) => {
                let path = places.of(&["route", &index, "path"]);
                for claim in claims {
                    let method = claim.method;
                    let Some(earlier) = claimed.insert(claim, &route.path) else { continue };
                    let message = if earlier == route.path {
                        format!("route `{method} {earlier}` occurs twice")
                    } else {
                        format!(
                            "route `{method} {}` overlaps the earlier `{method} {earlier}`",
                            route.path
                        )
                    };
                    problems.add(
                        path.clone(),
                        message,
                        Some("both would answer the same requests".to_owned()),
                    );
                }
            }
        }
    }
}
