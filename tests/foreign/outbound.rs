//! What a component may fetch: nothing, unless its manifest grants the origin.

use anyhow::{Context as _, ensure};
use lambkin_tests::app::App;
use lambkin_tests::case;
use lambkin_tests::cloud::{Cloud, Store};
use lambkin_tests::origin::Origin;
use std::net::SocketAddr;
use std::path::Path;

/// Whether the origin is granted, and what must come of a request to it.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    granted: bool,
    status: u16,
    body: &'static str,
    requests: usize,
}

/// A foreign component answers 502 with the error's text when its request fails.
pub(crate) const CASES: [Case; 2] = [
    Case {
        name: "is_refused_without_a_grant",
        granted: false,
        status: 502,
        body: "(?s).+",
        requests: 0,
    },
    Case {
        name: "is_answered_with_a_grant",
        granted: true,
        status: 200,
        body: "from the origin",
        requests: 1,
    },
];

/// Publishes the component in `file` as an app of its own and has it fetch from a server that counts.
pub(crate) async fn run(
    case: &Case,
    component: &str,
    file: &Path,
    cloud: &Cloud,
) -> anyhow::Result<()> {
    let origin = Origin::start("from the origin", || {})?;
    let apps = cloud.folder().join("outbound");
    let name = format!("{component}-{}", if case.granted { "granted" } else { "refused" });
    let folder = apps.join(&name);
    fs_err::create_dir_all(&folder)?;
    fs_err::copy(file, folder.join("component.wasm"))?;
    fs_err::write(folder.join("lambkin.toml"), manifest(&name, case.granted, origin.address()))?;
    let app = App::new(&apps, &name, Store::S3);
    let exchange = exchange(case, origin.address())?;
    let outcome = app.run(&exchange, cloud).await;
    app.stop().await;
    outcome?;
    let requests = origin.requests();
    ensure!(requests == case.requests, "the origin had {requests} requests");
    Ok(())
}

fn manifest(name: &str, granted: bool, origin: SocketAddr) -> String {
    let grants =
        if granted { format!("grants.http = [\"http://{origin}\"]") } else { String::new() };
    format!(
        "lambkin = 1\napp.name = \"{name}\"\n\n[component.guest]\nlanguage = \"wasm\"\n\
         source = \"component.wasm\"\n{grants}\n\n[[route]]\npath = \"/{{proxy+}}\"\ncomponent = \"guest\"\n"
    )
}

fn exchange(case: &Case, origin: SocketAddr) -> anyhow::Result<case::Case> {
    let Case { status, body, .. } = case;
    toml::from_str(&format!(
        "[[exchange]]\nrequest.path = '/fetch'\nrequest.headers.x-url = 'http://{origin}/greeting'\n\
         expect.status = {status}\nexpect.body.regex = '{body}'\n"
    ))
    .context("the exchange")
}
