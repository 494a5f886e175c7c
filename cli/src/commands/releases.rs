//! `lambkin releases`: what a store has of an app.

use super::alias;
use crate::args;
use crate::output::Output;
use crate::settings;
use anyhow::Result;
use serde::Serialize;

#[derive(Serialize)]
struct Listed {
    release: String,
    aliases: Vec<String>,
}

pub(crate) async fn run(arguments: &args::Releases, output: &Output) -> Result<()> {
    let store = settings::store(&arguments.store)?;
    let app = settings::app(&arguments.app)?;
    let mut pointers = Vec::new();
    for name in store.list_aliases(&app).await? {
        let alias = alias::read(&store, &app, &name).await?;
        pointers.extend(alias.targets.into_iter().map(|target| (target.release, name.clone())));
    }
    let releases = store.list_releases(&app).await?;
    let listed: Vec<Listed> = releases
        .into_iter()
        .map(|release| {
            let aliases = pointers
                .iter()
                .filter(|(to, _)| *to == release)
                .map(|(_, name)| name.clone())
                .collect();
            Listed { release, aliases }
        })
        .collect();
    output.result(&listed, || {
        if listed.is_empty() {
            return format!("the store has no releases of {app}");
        }
        listed.iter().map(|one| format!("{}  {}\n", one.release, one.aliases.join(", "))).collect()
    })
}
