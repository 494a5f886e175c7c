//! `lambkin dev`: builds the app, publishes it to the embedded S3, starts the real host and serves it, and does the
//! first two again for what changes; for several apps, where custom domains are mapped to others.

mod apps;
mod cloud;
mod page;
mod served;
mod stale;
mod stream;
mod websocket;

use crate::args;
use crate::output::Output;
use crate::project::Project;
use crate::publish::{self, BuiltComponent, Destination};
use crate::running::Claim;
use crate::settings;
use crate::signals::Signals;
use crate::watch::{Changes, Watch};
use anyhow::Result;
use apps::Apps;
use cloud::Cloud;
use lambkin_build::Home;
use lambkin_engine::Target;
use lambkin_store::Store;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// The alias that the local cloud serves.
pub(crate) const ALIAS: &str = "dev";

/// Stands among the names of components for the files that routes serve; no component can be called so.
const FILES: &str = "static files";

pub(crate) async fn run(arguments: &args::Dev, output: &Output) -> Result<()> {
    let bootstrap = settings::bootstrap(arguments.bootstrap.as_deref())?;
    let mut signals = Signals::new()?;
    let (apps, home) = (Apps::load(arguments)?, settings::home()?);
    let mut claims = Vec::new();
    for project in apps.all() {
        claims.push(Claim::take(&project.work()).await?);
    }
    let cloud = Cloud::start(&apps, arguments, (bootstrap, *output)).await?;
    for claim in &mut claims {
        claim.tell(&cloud.running())?;
    }
    let outcome = tokio::select! {
        outcome = serve(apps, home, &cloud, (arguments, *output)) => outcome,
        () = signals.next() => Ok(()),
    };
    tokio::select! {
        () = cloud.stop() => {}
        // Whoever asks twice does not want to wait; what is left dies with this process.
        () = signals.next() => {}
    }
    outcome
}

/// Deploys the apps, and each again for its changes, until something fails that cannot be mended by a change.
async fn serve(
    apps: Apps,
    home: Home,
    cloud: &Cloud,
    (arguments, output): (&args::Dev, Output),
) -> Result<()> {
    let mappings = apps.mappings.clone();
    let mut followed = Vec::new();
    for (index, project) in apps.into_all().enumerate() {
        let app = Session { is_main: index == 0, ..Session::new(project, home.clone(), output) };
        followed.push(begin(app, cloud, arguments.no_watch).await?);
    }
    let running = cloud.running();
    output.done("Endpoints", &format!("Lambda, Logs and SQS {}, S3 {}", running.aws, running.s3));
    output.done("Serving", &format!("{}  (Ctrl-C ends it)", running.app));
    output
        .done("Page", &format!("{}{}  (requests, logs, components, S3)", running.app, page::PATH));
    for mapping in &mappings {
        output.done("Serving", &format!("{}  ({})", cloud.mapped_url(mapping), mapping.api));
    }
    for (app, _) in &followed {
        if let Some(url) = cloud.websocket_url(&app.project.manifest.app.name) {
            output.done("Serving", &url);
        }
    }
    if followed.iter().any(|(app, _)| cloud::names_buckets(&app.project)) {
        output.done("S3", &cloud.s3_access());
    }
    if arguments.no_watch {
        std::future::pending::<()>().await;
    }
    let following = followed.into_iter().map(|(app, watch)| follow(app, watch, cloud));
    futures::future::join_all(following).await;
    Ok(())
}

/// The first deployment of an app. What is broken can be mended while it is watched.
async fn begin(mut app: Session, cloud: &Cloud, no_watch: bool) -> Result<(Session, Watch)> {
    let mut watch = Watch::start(&app.project.root)?;
    let all: BTreeSet<String> = app.project.manifest.component.keys().cloned().collect();
    if let Err(error) = app.deploy(&all, &cloud.store()?, &mut watch).await {
        if no_watch {
            return Err(error);
        }
        app.output.error(&error);
        app.output.warn("nothing is served until this is mended; save a file to try again");
        app.tell(cloud, Some(&error));
    } else {
        app.tell(cloud, None);
    }
    cloud.deploy(&app.project, &app.output)?;
    cloud.set_triggers(&app.project).await?;
    Ok((app, watch))
}

/// Deploys an app again for each change, without end.
async fn follow(mut app: Session, mut watch: Watch, cloud: &Cloud) {
    loop {
        let changes = watch.changed().await;
        if let Err(error) = app.redeploy(changes, cloud, &mut watch).await {
            app.output.error(&error);
            app.output.warn("the version before keeps answering");
            app.tell(cloud, Some(&error));
        } else {
            app.tell(cloud, None);
        }
    }
}

/// The app as it was last built.
pub(crate) struct Session {
    pub(crate) project: Project,
    home: Home,
    output: Output,
    built: BTreeMap<String, BuiltComponent>,
    /// Whether the page is this app's.
    is_main: bool,
}

impl Session {
    /// Nothing is built yet.
    pub(crate) fn new(project: Project, home: Home, output: Output) -> Self {
        Self { project, home, output, built: BTreeMap::new(), is_main: true }
    }

    /// Builds the named components, and publishes the app with them to the local store. Gives how long the builds took.
    pub(crate) async fn deploy(
        &mut self,
        names: &BTreeSet<String>,
        store: &Store,
        watch: &mut Watch,
    ) -> Result<Duration> {
        let start = Instant::now();
        for name in names {
            let result = publish::build_one(&self.project, name, &self.home, &self.output).await;
            match result {
                Ok(component) => {
                    watch.settle(name, &component.inputs)?;
                    self.built.insert(name.clone(), component);
                }
                Err(error) => {
                    // Without a first build nothing tells the inputs: the source itself is watched.
                    let source = self
                        .project
                        .manifest
                        .component
                        .get(name)
                        .map(|one| self.project.root.join(&one.source));
                    if !self.built.contains_key(name)
                        && let Some(source) = source.filter(|source| source.exists())
                    {
                        watch.settle(name, &[source])?;
                    }
                    return Err(error);
                }
            }
        }
        let building = start.elapsed();
        // Before they are read, so that a change in between is not missed.
        watch.settle(FILES, &publish::file_paths(&self.project))?;
        self.publish(store).await?;
        Ok(building)
    }

    /// Publishes what is built, and the files beside it.
    pub(crate) async fn publish(&self, store: &Store) -> Result<()> {
        let targets = [Target::current()];
        let to = Destination::local(store, &targets, &self.home);
        let published = publish::publish(&self.project, &self.built, to, &Output::quiet()).await?;
        publish::move_alias(store, (&self.project.manifest.app.name, ALIAS), &published.id, None)
            .await?;
        Ok(())
    }

    /// Lets the page know the app as it is now, or why its sources cannot be built.
    fn tell(&self, cloud: &Cloud, broken: Option<&anyhow::Error>) {
        if !self.is_main {
            return;
        }
        let websocket = cloud.websocket_url(&self.project.manifest.app.name);
        let running = cloud.running();
        let app = page::describe(&self.project, &self.built, (&running, websocket.as_deref()));
        cloud.board().built(app, broken.map(Output::describe));
    }

    async fn redeploy(&mut self, changes: Changes, cloud: &Cloud, watch: &mut Watch) -> Result<()> {
        let saved = changes.since.unwrap_or_else(Instant::now);
        let mut names = changes.components;
        let files = names.remove(FILES);
        if changes.manifest {
            let project = Project::load(&self.project.root)?;
            names.extend(changed_components(&self.project, &project));
            self.project = project;
            let known = &self.project.manifest.component;
            self.built.retain(|name, _| known.contains_key(name));
            watch.keep(|name| name == FILES || known.contains_key(name));
        }
        // A component that failed to build before is tried again with the rest.
        names.extend(
            self.project
                .manifest
                .component
                .keys()
                .filter(|name| !self.built.contains_key(*name))
                .cloned(),
        );
        names.retain(|name| self.project.manifest.component.contains_key(name));
        let building = self.deploy(&names, &cloud.store()?, watch).await?;
        cloud.deploy(&self.project, &self.output)?;
        if changes.manifest {
            cloud.set_triggers(&self.project).await?;
        }
        let what: Vec<_> = names.into_iter().chain(files.then(|| FILES.to_owned())).collect();
        let what = what.join(", ");
        let (all, building) = (saved.elapsed().as_millis(), building.as_millis());
        self.output.done(
            "Reloaded",
            &format!("{what} {all} ms after the change ({building} ms of building)"),
        );
        Ok(())
    }
}

/// Components whose entry in the manifest is new or says something else to its builder.
fn changed_components(old: &Project, new: &Project) -> Vec<String> {
    let changed = new
        .manifest
        .component
        .iter()
        .filter(|(name, component)| old.manifest.component.get(*name) != Some(component));
    changed.map(|(name, _)| name.clone()).collect()
}
