//! The apps of one `lambkin dev`: that of the folder, and those that custom domains are mapped to.

use crate::args::{self, Mapped};
use crate::hint::hinted;
use crate::project::Project;
use anyhow::Result;
use lambkin_local_cloud::api_gateway::Mapping;

/// The apps, and where they answer besides the gateway's own address.
pub(super) struct Apps {
    /// The app of the folder.
    pub(super) main: Project,
    /// The others; all names differ.
    others: Vec<Project>,
    pub(super) mappings: Vec<Mapping>,
}

impl Apps {
    /// Loads every app's manifest.
    pub(super) fn load(arguments: &args::Dev) -> Result<Self> {
        let mut apps = Self {
            main: Project::load(&arguments.source.project)?,
            others: Vec::new(),
            mappings: Vec::new(),
        };
        for mapped in &arguments.domains {
            apps.add(mapped)?;
        }
        Ok(apps)
    }

    /// Every app, the one of the folder first.
    pub(super) fn all(&self) -> impl Iterator<Item = &Project> {
        std::iter::once(&self.main).chain(&self.others)
    }

    /// Every app, the one of the folder first.
    pub(super) fn into_all(self) -> impl Iterator<Item = Project> {
        std::iter::once(self.main).chain(self.others)
    }

    fn add(&mut self, mapped: &Mapped) -> Result<()> {
        let project = Project::load(&mapped.folder)?;
        let Mapped { domain, base_path, .. } = mapped.clone();
        let api = project.manifest.app.name.clone();
        let is_taken = |one: &Mapping| (&one.domain, &one.base_path) == (&domain, &base_path);
        if self.mappings.iter().any(is_taken) {
            return Err(hinted(
                format!("{domain}/{base_path} is mapped to two apps"),
                "give each app a base path of its own",
            ));
        }
        let known = self.all().find(|known| known.manifest.app.name == api);
        match known.map(|known| &known.root) {
            Some(root) if root.canonicalize()? != project.root.canonicalize()? => {
                let (here, there) = (root.display(), project.root.display());
                return Err(hinted(
                    format!("{here} and {there} are both called {api:?}"),
                    "give one of them another name in its lambkin.toml: an app's name is its function's",
                ));
            }
            Some(_) => {}
            None => self.others.push(project),
        }
        self.mappings.push(Mapping { domain, base_path, api });
        Ok(())
    }

    /// The base paths that an app is mapped to, with commas between, as the host is told of them.
    pub(super) fn base_paths(&self, app: &str) -> String {
        let own = self.mappings.iter().filter(|mapping| mapping.api == app);
        let paths: Vec<_> = own.map(|mapping| mapping.base_path.as_str()).collect();
        paths.join(",")
    }
}
