//! `lambkin alias`: shows an alias, or moves it: the roll-back of a deployment.

use crate::args;
use crate::hint::{WithHint as _, hinted};
use crate::output::Output;
use crate::publish::{Move, move_alias, share_alias};
use crate::settings;
use anyhow::{Context as _, Result};
use lambkin_protocol::alias::Alias;
use lambkin_store::{Pointer, Store};

pub(crate) async fn run(arguments: &args::Alias, output: &Output) -> Result<()> {
    let store = settings::store(&arguments.store)?;
    let app = settings::app(&arguments.app)?;
    let alias = arguments.name.as_str();
    let target = match (&arguments.to, arguments.rollback) {
        (Some(release), _) => find_release(&store, &app, release).await?,
        (None, true) => previous(&store, &app, alias).await?,
        (None, false) => return show(&store, (&app, alias), output).await,
    };
    if let Some(percent) = arguments.weight {
        let base = share_alias(&store, (&app, alias), &target, percent).await?;
        output.done(
            "Shared",
            &format!("{app}@{alias} sends {percent} % to {target}, the rest to {base}"),
        );
        return show(&store, (&app, alias), output).await;
    }
    match move_alias(&store, (&app, alias), &target, None).await? {
        Move::Already => output.done("Unchanged", &format!("{app}@{alias} is {target}")),
        Move::Moved { from } => {
            let was = from.map(|from| format!(" (was {from})")).unwrap_or_default();
            output.done("Moved", &format!("{app}@{alias} is {target}{was}"));
        }
    }
    output.result(&serde_json::json!({ "app": app, "alias": alias, "release": target }), || {
        target.clone()
    })
}

/// Reads an alias that must be there.
pub(crate) async fn read(store: &Store, app: &str, alias: &str) -> Result<Alias> {
    let pointer = store.alias(app, alias, None).await.with_hint(
        format!("{app}@{alias} cannot be read"),
        "is the store the one that `lambkin publish` wrote to?",
    )?;
    match pointer {
        Pointer::Changed { bytes, .. } => {
            Ok(Alias::parse(&bytes).with_context(|| format!("{app}@{alias} cannot be read"))?)
        }
        Pointer::Missing | Pointer::Unchanged => {
            let there = store.list_aliases(app).await.unwrap_or_default();
            let hint = if there.is_empty() {
                format!(
                    "the store has no aliases of {app}: publish it with `lambkin publish --alias {alias}`"
                )
            } else {
                format!("the aliases of {app} are {}", there.join(", "))
            };
            Err(hinted(format!("there is no {app}@{alias}"), hint))
        }
    }
}

/// The one release whose id starts with `text`.
pub(crate) async fn find_release(store: &Store, app: &str, text: &str) -> Result<String> {
    let releases = store.list_releases(app).await?;
    let mut found: Vec<String> = releases.into_iter().filter(|id| id.starts_with(text)).collect();
    match (found.pop(), found.is_empty()) {
        (Some(id), true) => Ok(id),
        (Some(_), false) => Err(hinted(
            format!("{text:?} begins more than one release of {app}"),
            "give more of its digits",
        )),
        (None, _) => Err(hinted(
            format!("the store has no release {text:?} of {app}"),
            "`lambkin releases` lists what is there",
        )),
    }
}

async fn previous(store: &Store, app: &str, alias: &str) -> Result<String> {
    let current = read(store, app, alias).await?;
    current.previous.ok_or_else(|| {
        hinted(
            format!(
                "{app}@{alias} has pointed to one release only: there is nothing to roll back to"
            ),
            "name a release with --to; `lambkin releases` lists them",
        )
    })
}

async fn show(store: &Store, (app, alias): (&str, &str), output: &Output) -> Result<()> {
    let mut current = read(store, app, alias).await?;
    // `lambkin inspect` shows releases.
    current.releases.clear();
    output.result(&current, || {
        let mut text = String::new();
        for target in &current.targets {
            text.push_str(&format!(
                "{app}@{alias} -> {} (weight {})\n",
                target.release, target.weight
            ));
        }
        if let Some(updated) = &current.updated {
            text.push_str(&format!("moved    {updated}\n"));
        }
        if let Some(previous) = &current.previous {
            text.push_str(&format!("previous {previous}\n"));
        }
        text
    })
}
