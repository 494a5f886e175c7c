//! `cargo xtask hot-functions`: the lists of functions that come first in components, by rehearsed calls of the templates.
//!
//! To be run when a language's engine or runtime, or Lambkin's own code in its components, has changed much.

use crate::{ci::build, config::Config, setup, shell};
use anyhow::Context as _;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

/// A list and the apps that it is made of.
struct List {
    /// The file's stem.
    name: &'static str,
    templates: [&'static str; 2],
    /// What is added to the manifest's component.
    setting: &'static str,
    /// An app of the benchmarks.
    bench: &'static str,
}

const LISTS: [List; 4] = [
    List { name: "go", templates: ["go-function", "go-http"], setting: "", bench: "go" },
    List {
        name: "python",
        templates: ["python-function", "python-http"],
        setting: "",
        bench: "python",
    },
    List {
        name: "quickjs",
        templates: ["js-function", "js-http"],
        setting: "",
        bench: "javascript",
    },
    List {
        name: "starlingmonkey",
        templates: ["js-function", "js-http"],
        setting: "engine = \"starlingmonkey\"\n",
        bench: "starlingmonkey",
    },
];

const HEADER: &str = "# Made by `cargo xtask hot-functions`: shapes of functions that first calls run, those of most apps first.\n";

/// Where the lists are, from the repository's root.
const FOLDER: &str = "crates/build/src/order";

/// Sets up, builds, and writes the lists.
pub(crate) fn run(config: &Config) -> anyhow::Result<ExitCode> {
    setup::for_building(config)?;
    build::programs(config, build::Targets::Programs)?;
    let work = config.target.join("hot-functions");
    for list in &LISTS {
        let apps = [
            template(config, &work, list, 0)?,
            template(config, &work, list, 1)?,
            rehearse(config, &config.root.join("benches/apps").join(list.bench))?,
        ];
        let text = format!("{HEADER}{}", merge(&apps));
        let path = config.root.join(FOLDER).join(list.name).with_extension("txt");
        shell::say(&format!("{}: {} functions", list.name, text.lines().count() - 1));
        fs_err::write(path, text)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What an app made from one of the list's templates runs.
fn template(config: &Config, work: &Path, list: &List, which: usize) -> anyhow::Result<String> {
    let folder = work.join(list.name);
    let template = list.templates.get(which).context("there is no such template")?;
    if folder.join(template).exists() {
        fs_err::remove_dir_all(folder.join(template))?;
    }
    fs_err::create_dir_all(&folder)?;
    let lambkin = config.program("lambkin");
    shell::run(shell::command(lambkin, &["new", template, "--template", template], &folder))?;
    let manifest = folder.join(template).join("lambkin.toml");
    let text = fs_err::read_to_string(&manifest)?;
    fs_err::write(&manifest, text.replace("language = ", &format!("{}language = ", list.setting)))?;
    rehearse(config, &folder.join(template))
}

/// The shapes, one a line.
fn rehearse(config: &Config, app: &Path) -> anyhow::Result<String> {
    shell::output(shell::command(config.program("lambkin"), &["hot-functions"], app))
}

/// All shapes of the apps, those that more of them have before others.
fn merge(apps: &[String]) -> String {
    let mut order = Vec::new();
    let mut found: HashMap<&str, Vec<usize>> = HashMap::new();
    for (app, shapes) in apps.iter().enumerate() {
        for shape in shapes.lines() {
            let with = found.entry(shape).or_insert_with(|| {
                order.push(shape);
                Vec::new()
            });
            if with.last() != Some(&app) {
                with.push(app);
            }
        }
    }
    order.sort_by_key(|shape| std::cmp::Reverse(found.get(shape).map_or(0, Vec::len)));
    order.iter().fold(String::new(), |mut text, shape| {
        // Writing to a string cannot fail.
        let _ok = writeln!(text, "{shape}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::merge;

    #[test]
    fn what_most_apps_run_comes_first_and_each_once() {
        let apps = ["a\nb\nb\n", "c\nb\n", "b\nc\n"].map(str::to_owned);
        assert_eq!(merge(&apps), "b\nc\na\n");
    }
}
