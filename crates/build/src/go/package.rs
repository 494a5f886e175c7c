//! What `go list` says of the user's package: its module, what it imports and the files it is made of.

use super::go_command;
use crate::{Kind, tools};
use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// The module whose package `lambda` has the `Start` that takes a Lambda handler.
pub(super) const AWS_LAMBDA_GO: &str = "github.com/aws/aws-lambda-go";

/// The user's main package.
#[derive(Debug)]
pub(super) struct Package {
    dependencies: Vec<Dependency>,
}

/// One package that the program is made of; the names are those of `go help list`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Dependency {
    import_path: String,
    #[serde(default)]
    name: String,
    dir: Option<PathBuf>,
    #[serde(default)]
    standard: bool,
    #[serde(default)]
    imports: Vec<String>,
    #[serde(default)]
    go_files: Vec<String>,
    #[serde(default)]
    embed_files: Vec<String>,
    module: Option<Module>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Module {
    pub(super) version: Option<String>,
    pub(super) dir: Option<PathBuf>,
    #[serde(default)]
    main: bool,
    replace: Option<Replacement>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Replacement {
    version: Option<String>,
}

impl Package {
    /// Asks `go list`; what it cannot resolve is left for `go build` to report.
    pub(super) fn list(folder: &Path, overlay: &Path) -> Result<Self> {
        let fields = "-json=ImportPath,Name,Dir,Standard,Imports,GoFiles,EmbedFiles,Module";
        let mut command = go_command(folder);
        command.arg("list").args(["-e", "-deps", fields, "-overlay"]).arg(overlay).arg(".");
        let output = tools::run(&mut command, "go list")?;
        let dependencies = serde_json::Deserializer::from_str(&output)
            .into_iter()
            .collect::<Result<Vec<Dependency>, _>>()
            .context("could not read the output of go list")?;
        // The package comes after all that it is made of; it has no name when it cannot be read.
        let name = dependencies.last().map_or("", |package| &package.name);
        if !["", "main"].contains(&name) {
            bail!("{} is package {name}, which is not a main package", folder.display());
        }
        Ok(Self { dependencies })
    }

    /// A program that uses `aws-lambda-go` is a function, one that uses `net/http` a web handler.
    pub(super) fn kind(&self) -> Kind {
        match (self.aws_lambda(), self.uses_http()) {
            (Some(_), _) => Kind::Function,
            (None, true) => Kind::Http,
            (None, false) => Kind::Command,
        }
    }

    /// The module of `aws-lambda-go`, when the program uses its package `lambda`.
    pub(super) fn aws_lambda(&self) -> Option<&Module> {
        let path = format!("{AWS_LAMBDA_GO}/lambda");
        let package = self.dependencies.iter().find(|package| package.import_path == path)?;
        package.module.as_ref()
    }

    /// Whether a package of `module` is imported.
    pub(super) fn imports(&self, module: &str) -> bool {
        let belongs = |path: &String| {
            path.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.dependencies.iter().any(|package| package.imports.iter().any(belongs))
    }

    /// Whether the user's code or a library imports `net/http`. That `aws-lambda-go` does, for its Runtime API client
    /// and for a few constants, does not count.
    pub(super) fn uses_http(&self) -> bool {
        self.dependencies
            .iter()
            .filter(|package| !package.standard && !package.import_path.starts_with(AWS_LAMBDA_GO))
            .any(|package| package.imports.iter().any(|path| path == "net/http"))
    }

    /// What to watch: the folders of the packages that are the user's own. A folder that holds `output` as well is
    /// given file by file.
    pub(super) fn inputs(&self, output: &Path) -> Vec<PathBuf> {
        let mut inputs = Vec::new();
        for package in &self.dependencies {
            let Some((folder, module)) = package.dir.as_ref().zip(package.module.as_ref()) else {
                continue;
            };
            if !module.is_local() {
                continue;
            }
            if output.starts_with(folder) {
                let files = package.go_files.iter().chain(&package.embed_files);
                inputs.extend(files.map(|file| folder.join(file)));
            } else {
                inputs.push(folder.clone());
            }
        }
        inputs
    }
}

impl Module {
    fn is_local(&self) -> bool {
        self.main || self.replace.as_ref().is_some_and(|target| target.version.is_none())
    }
}
