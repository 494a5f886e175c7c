//! How long a developer waits: from a saved file to an answer of the new code, under `lambkin dev`, for one file of each
//! language's template; beside it Node's own `--watch`, which starts the program again.

use crate::arguments::Arguments;
use crate::lambkin::Cloud;
use crate::report;
use crate::server::Server;
use crate::statistics::{median, milliseconds, minimum};
use crate::table::Table;
use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// A template, and the file of it that says hello.
const TEMPLATES: [(&str, &str); 5] = [
    ("js-function", "src/index.js"),
    ("ts-function", "src/index.ts"),
    ("python-function", "src/app.py"),
    ("go-function", "main.go"),
    ("rust-function", "src/lib.rs"),
];

/// What every template answers with, and what the edits change.
const HELLO: &str = "Hello from";

const NODE: &str = r#"const server = require("node:http").createServer((_, answer) => answer.end("Hello from node"));
server.listen(PORT, "127.0.0.1", () => console.error("Serving http://127.0.0.1:" + server.address().port));
"#;

/// The longest that an edit may take.
const PATIENCE: Duration = Duration::from_mins(3);

/// How often the app is asked until it answers anew.
const PAUSE: Duration = Duration::from_millis(5);

/// How many edits of each.
const EDITS: usize = 5;

/// Measures each language and prints the table.
pub(crate) fn run(arguments: &Arguments, cloud: &Cloud) -> anyhow::Result<Value> {
    report::say("from a saved file to the new answer");
    let folder = cloud.folder().join("reload");
    fs_err::create_dir_all(&folder)?;
    let mut table = Table::new(
        "From a saved file to an answer of the new code (`lambkin dev`)",
        &["", "ms: median", "minimum", "of node --watch"],
    );
    let mut rows = Vec::new();
    let node = node(cloud, &folder)?;
    let baseline = median(&node);
    let mut row = |name: &str, times: &[f64]| {
        let ratio = median(times) / baseline;
        let [median, minimum] = [median(times), minimum(times)].map(|time| format!("{time:.0}"));
        table.row(vec![name.to_owned(), median, minimum, format!("{ratio:.2}x")]);
        rows.push(json!({ "app": name, "ms": times, "ofNode": ratio }));
    };
    row("node --watch", &node);
    let program = arguments.serve.as_ref().context("--serve names no lambkin")?;
    let lambkin = |words: &[&str], place: &Path| {
        let mut command = Command::new(program);
        command.args(words).current_dir(place);
        command
    };
    for (template, source) in TEMPLATES {
        let mut new = lambkin(&["new", template, "--template", template], &folder);
        let made = new.output()?;
        ensure!(made.status.success(), "{template}: {}", String::from_utf8_lossy(&made.stderr));
        let app = folder.join(template);
        let mut dev = lambkin(&["dev", "--listen", "127.0.0.1:0"], &app);
        dev.env("LAMBKIN_BOOTSTRAP", &arguments.bootstrap);
        row(template, &edits(cloud, dev, &app.join(source)).context(template)?);
    }
    table.print();
    Ok(Value::Array(rows))
}

fn node(cloud: &Cloud, folder: &Path) -> anyhow::Result<Vec<f64>> {
    let file: PathBuf = folder.join("server.js");
    // The program is started again at the same place, so that its port must not change.
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    fs_err::write(&file, NODE.replace("PORT", &port.to_string()))?;
    let mut node = Command::new("node");
    node.arg("--watch").arg(&file);
    edits(cloud, node, &file).context("node --watch")
}

/// Starts the server and edits the file; each time until the answer has the edit.
fn edits(cloud: &Cloud, server: Command, file: &Path) -> anyhow::Result<Vec<f64>> {
    let server = Server::start(server)?;
    let mut times = Vec::new();
    let mut said = HELLO.to_owned();
    // The first edit finds caches that only the first edit finds cold.
    for edit in 0..=EDITS {
        let next = format!("Hello {edit} from");
        let text = fs_err::read_to_string(file)?;
        ensure!(text.contains(&said), "{} does not say {said:?}", file.display());
        let start = Instant::now();
        fs_err::write(file, text.replace(&said, &next))?;
        cloud.block_on(until(&server, &next))?;
        if edit > 0 {
            times.push(milliseconds(start.elapsed()));
        }
        said = next;
        // Or the watcher would take two saves for one.
        std::thread::sleep(Duration::from_millis(200));
    }
    Ok(times)
}

/// Asks until the answer has `text`.
async fn until(server: &Server, text: &str) -> anyhow::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = server.get("/").await;
        if answer.as_ref().is_ok_and(|body| String::from_utf8_lossy(body).contains(text)) {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "{text:?} is not in the answer: {answer:?}");
        tokio::time::sleep(PAUSE).await;
    }
}
