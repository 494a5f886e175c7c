//! `lambkin publish`: uploads what is missing, then moves the alias.

use crate::args;
use crate::hint::WithHint as _;
use crate::output::Output;
use crate::project::Project;
use crate::publish::{self, Destination, Move, Rehearsal};
use crate::settings;
use anyhow::Result;
use lambkin_engine::Target;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    app: &'a str,
    release: String,
    alias: Option<&'a str>,
    previous: Option<String>,
    uploaded_objects: usize,
    uploaded_bytes: u64,
}

pub(crate) async fn run(arguments: &args::Publish, output: &Output) -> Result<()> {
    let store = settings::store(&arguments.store)?;
    let targets = targets(&arguments.target)?;
    let project = Project::load(&arguments.source.project)?;
    let home = settings::home()?;
    let built = publish::build_all(&project, &home, output).await?;
    let rehearsal = Rehearsal::FirstCall;
    let to = Destination { store: &store, targets: &targets, home: &home, rehearsal };
    let published = publish::publish(&project, &built, to, output).await?;
    let (app, release) = (project.manifest.app.name.as_str(), published.id.clone());
    let alias = (!arguments.no_alias).then_some(arguments.alias.as_str());
    let mut previous = None;
    if let Some(alias) = alias {
        match publish::move_alias(&store, (app, alias), &release, arguments.expect.as_deref())
            .await?
        {
            Move::Already => output.done("Unchanged", &format!("{app}@{alias} is {release}")),
            Move::Moved { from } => {
                let was = from.as_deref().map(|from| format!(" (was {from})")).unwrap_or_default();
                output.done("Published", &format!("{app}@{alias} is {release}{was}"));
                previous = from;
            }
        }
    }
    let report = Report {
        app,
        release,
        alias,
        previous,
        uploaded_objects: published.objects,
        uploaded_bytes: published.bytes,
    };
    output.result(&report, || report.release.clone())
}

fn targets(names: &[String]) -> Result<Vec<Target>> {
    names
        .iter()
        .map(|name| {
            name.parse().with_hint(
                format!("{name:?} is not a target"),
                "the targets are x86_64 and aarch64",
            )
        })
        .collect()
}
