//! Runs componentize-py on the collected sources and turns its failures into the user's terms.

use super::adapter;
use super::dependencies::Dependencies;
use super::fuse;
use super::hash_seed::HashSeed;
use super::immortal;
use super::project::Project;
use super::sources::Sources;
use super::tool::{self, Tool};
use crate::order::{self, Runtime};
use crate::{BuildFailure, Kind, Progress, tools};
use anyhow::{Context as _, Result};
use lambkin_protocol::digest::sha256_hex;
use serde::Deserialize;
use std::fmt::Write as _;
use std::path::Path;

/// Runs componentize-py's own entry point without its script, whose first line names a folder that may have moved.
const RUN: &str = "import sys; from componentize_py import script; sys.exit(script())";

/// All that a component is made of.
pub(super) struct Request<'a> {
    pub project: &'a Project,
    pub sources: &'a Sources,
    pub dependencies: &'a Dependencies,
    pub work: &'a Path,
    pub hash_seed: Option<&'a str>,
}

/// What `lambkin/prepare.py` tells of a build.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Report {
    error: Option<Problem>,
    /// Why the app's modules run again in each instance, where the snapshot alone would not do.
    again: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Problem {
    output: String,
    summary: String,
    /// Modules that were asked for and not there.
    missing: Vec<String>,
}

impl Request<'_> {
    /// The component's bytes; those of the last build, if nothing that they are made of has changed.
    pub(super) fn componentize(&self, tool: &Tool, progress: Progress<'_>) -> Result<Vec<u8>> {
        let output = self.work.join("component.wasm");
        let key_file = self.work.join("component.key");
        let hash_seed = HashSeed::parse(self.hash_seed)?;
        let key = self.key(&hash_seed)?;
        if fs_err::read_to_string(&key_file).is_ok_and(|known| known == key)
            && let Ok(wasm) = fs_err::read(&output)
        {
            return Ok(wasm);
        }
        if key_file.exists() {
            fs_err::remove_file(&key_file)?;
        }
        progress("running the app once to take its snapshot");
        self.run(tool, (&output, &hash_seed), progress)?;
        let mut wasm = fuse::fuse(fs_err::read(&output)?);
        immortal::make_immortal(&mut wasm, &fs_err::read(self.work.join("entry/objects.bin"))?)?;
        let wasm = order::hot_first(&wasm, Runtime::Python)?;
        fs_err::write(&output, &wasm)?;
        fs_err::write(key_file, key)?;
        Ok(wasm)
    }

    fn run(
        &self,
        tool: &Tool,
        (output, hash_seed): (&Path, &HashSeed),
        progress: Progress<'_>,
    ) -> Result<()> {
        let entry = self.work.join("entry");
        let wit = self.work.join("wit");
        // componentize-py adds the packages of whatever Python it finds, unless it is given a place without any.
        let nothing = self.work.join("no-packages");
        for folder in [&entry, &wit] {
            if folder.exists() {
                fs_err::remove_dir_all(folder)?;
            }
        }
        fs_err::create_dir_all(nothing.join("lib").join("site-packages"))?;
        adapter::write_package(&entry)?;
        hash_seed.write(&entry)?;
        let sources = self.sources.contents()?;
        let texts = sources.iter().filter_map(|(_, text)| std::str::from_utf8(text).ok());
        adapter::write_wit(&wit, &adapter::capabilities(&texts))?;
        fs_err::write(entry.join("lambkin_main.py"), self.main_module())?;
        fs_err::write(entry.join("settings.json"), self.settings()?)?;

        let mut command = tool.python();
        command.args(["-c", RUN, "--quiet", "--wit-path"]).arg(&wit);
        command.args(["--world", adapter::world(self.project.kind), "componentize"]);
        for folder in [&entry, &self.sources.folder, &self.dependencies.folder] {
            fs_err::create_dir_all(folder)?;
            command.arg("--python-path").arg(folder);
        }
        command.arg("lambkin_main").arg("--output").arg(output);
        command.env("VIRTUAL_ENV", &nothing).env("RUST_BACKTRACE", "0");
        let result = tools::run(&mut command, "componentize-py");
        let report = read_report(&entry);
        match (result, report.error) {
            (Ok(_), _) => {
                if let Some(reason) = report.again {
                    progress(&format!(
                        "the app's modules will run again in each instance ({reason})"
                    ));
                }
                Ok(())
            }
            (Err(_), Some(problem)) => Err(self.explain(problem, &entry).into()),
            (Err(error), None) => Err(error),
        }
    }

    /// The module that componentize-py starts from, which is the same for every app of its kind.
    fn main_module(&self) -> String {
        let (adapter, export, kind) = match self.project.kind {
            Kind::Http => ("web", "IncomingHandler", "http"),
            _ => ("function", "Handler", "function"),
        };
        format!(
            "from lambkin import {adapter}\nfrom lambkin.prepare import finish, prepare\n\n{export} = {adapter}.export(prepare({kind:?}))\nfinish({kind:?})\n"
        )
    }

    /// Where the handler is, for `lambkin/prepare.py`.
    fn settings(&self) -> Result<String> {
        let Project { module, attribute, .. } = self.project;
        let settings = serde_json::json!({ "module": module, "attribute": attribute });
        Ok(serde_json::to_string(&settings)?)
    }

    fn explain(&self, problem: Problem, entry: &Path) -> BuildFailure {
        let mut output = fs_err::read_to_string(entry.join("output.txt")).unwrap_or_default();
        output.push_str(&problem.output);
        let native = problem
            .missing
            .iter()
            .find_map(|module| self.dependencies.native.get(module).map(|owner| (module, owner)));
        let summary = match native {
            Some((module, owner)) => format!(
                "{owner} needs native code ({module}), which a component cannot load: use a pure Python package instead"
            ),
            None => problem.summary,
        };
        BuildFailure { output, summary }
    }

    fn key(&self, hash_seed: &HashSeed) -> Result<String> {
        let mut text =
            format!("{}\n{:?}\n{}\n", tool::VERSION, self.project.kind, self.main_module());
        writeln!(text, "{}", self.settings()?)?;
        let versions = (fuse::VERSION, immortal::VERSION);
        writeln!(text, "{versions:?} {}", self.dependencies.folder.display())?;
        writeln!(text, "{} {}", order::VERSION, sha256_hex(Runtime::Python.list()))?;
        writeln!(text, "{}", hash_seed.as_str())?;
        for part in adapter::texts() {
            writeln!(text, "{}", sha256_hex(part))?;
        }
        for (name, content) in self.sources.contents()? {
            writeln!(text, "{name} {}", sha256_hex(content))?;
        }
        Ok(sha256_hex(text))
    }
}

fn read_report(entry: &Path) -> Report {
    fs_err::read(entry.join("report.json"))
        .context("no report")
        .and_then(|bytes| Ok(serde_json::from_slice(&bytes)?))
        .unwrap_or_default()
}
