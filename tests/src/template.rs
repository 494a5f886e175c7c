//! A template under test: scaffolded by `lambkin new`, published, served and asked what it says that it answers.

use crate::app::App;
use crate::case::Case;
use crate::cloud::{Cloud, Store};
use crate::programs;
use anyhow::Context as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What every template answers: a path parameter, and a greeting everywhere else, the root included.
const ANSWERS: &str = "
[[exchange]]
request.path = '/items/42'
expect.status = 200
expect.body.regex = '.*\"42\".*'

[[exchange]]
request.path = '/anything/else'
expect.status = 200

[[exchange]]
request.path = '/'
expect.status = 200
";

/// What the README's example answers, one route per language.
const POLYGLOT: &str = "
[[exchange]]
request.path = '/'
expect.status = 200
expect.body.regex = '(?s).*One host, a family of languages.*'

[[exchange]]
request.path = '/javascript/world'
expect.status = 200
expect.body.regex = '.*Ahoj, world!.*'

[[exchange]]
request.path = '/typescript/world'
expect.status = 200
expect.body.regex = '.*Grüß dich, world!.*'

[[exchange]]
request.path = '/python/world'
expect.status = 200
expect.body.regex = '.*Hola, world!.*'

[[exchange]]
request.path = '/go/world'
expect.status = 200
expect.body.regex = '.*Ciao, world!.*'

[[exchange]]
request.path = '/rust/world'
expect.status = 200
expect.body.regex = '.*Salut, world!.*'
";

/// Publishes and serves the polyglot example, and asks every language.
pub async fn polyglot(cloud: &Cloud) -> anyhow::Result<()> {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let app = App::new(&examples, "polyglot", Store::S3);
    let case: Case = toml::from_str(POLYGLOT).context("the example's case")?;
    let outcome = app.run(&case, cloud).await;
    app.stop().await;
    outcome
}

/// The templates of the checkout.
pub fn names() -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs_err::read_dir(folder())? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// Scaffolds, publishes and serves an app of the template `name`, and asks it.
pub async fn run(name: &str, cloud: &Cloud) -> anyhow::Result<()> {
    let apps = cloud.folder().join("templates");
    fs_err::create_dir_all(&apps)?;
    let mut command = Command::new(&cloud.programs().lambkin);
    command.args(["new", name, "--template", name]).current_dir(&apps);
    tokio::task::block_in_place(|| programs::run(&mut command)).context("lambkin new")?;
    let app = App::new(&apps, name, Store::S3);
    let case: Case = toml::from_str(ANSWERS).context("the template's case")?;
    let outcome = app.run(&case, cloud).await;
    app.stop().await;
    outcome
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../templates")
}
