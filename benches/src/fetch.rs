//! The first call of an app that the process has not seen: domain, alias and artifact from S3, then the answer. Beside it
//! in the same run, plain parallel ranged GETs of the same compressed bytes, by a process that does nothing with them.

use crate::call::Call;
use crate::fleet::{Model, map_domain, stored_artifacts};
use crate::lambkin::{BUCKET, Cloud};
use crate::log::{self, Load, PARTS};
use crate::process::Process;
use crate::runtime_api::RuntimeApi;
use crate::statistics::{mebibytes, median, milliseconds};
use crate::subject::Program;
use crate::table::{Table, yes_or_no};
use crate::{report, warm};
use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use std::path::Path;

/// The apps, whose artifacts are of about 1, 10 and 35 MB.
const APPS: [&str; 3] = ["rust-http", "go", "starlingmonkey"];

/// The share of the plain throughput that is to be reached.
const SHARE: f64 = 0.8;
/// What may come on top, in milliseconds.
const ON_TOP: f64 = 5.0;

/// What was measured of one app.
#[derive(Debug, Default)]
struct Fetched {
    /// First calls, in milliseconds.
    first: Vec<f64>,
    /// Processor time of the host for them, in milliseconds.
    processor: Vec<f64>,
    /// The plain GETs, in milliseconds.
    plain: Vec<f64>,
    /// Processor time of the process that makes them, in milliseconds.
    plain_processor: Vec<f64>,
    loads: Vec<Load>,
}

/// Measures every size and prints the table. `reader` is the native program that makes the plain GETs.
pub(crate) fn run(cloud: &Cloud, reader: &Path, rounds: usize) -> anyhow::Result<Value> {
    let mut sources = Vec::new();
    for app in APPS {
        sources.push(Source::publish(cloud, app)?);
    }
    report::say(&format!("first calls of unseen apps, {rounds} rounds"));
    let mut all: Vec<Fetched> = sources.iter().map(|_| Fetched::default()).collect();
    for round in 0..=rounds {
        for (source, fetched) in sources.iter().zip(&mut all) {
            let mut ignored = Fetched::default();
            let fetched = if round == 0 { &mut ignored } else { fetched };
            plain(cloud, source, reader, fetched).context("plain GETs")?;
            first_call(cloud, source, fetched).context(source.app)?;
        }
        report::progress(round, rounds);
    }
    Ok(tell(&sources, &all))
}

/// A store with one app in it.
struct Source {
    app: &'static str,
    prefix: String,
    artifact_size: u64,
    /// The objects of its artifact: whole keys and sizes in bytes.
    objects: Vec<(String, u64)>,
}

impl Source {
    fn publish(cloud: &Cloud, app: &'static str) -> anyhow::Result<Self> {
        let prefix = format!("fetch-{app}");
        let url = format!("s3://{BUCKET}/{prefix}");
        cloud.publish_to(&url, app)?;
        let store = cloud.store(&url)?;
        let bucket = cloud.store(&format!("s3://{BUCKET}"))?;
        let name = format!("bench-{app}");
        let (artifact_size, objects) = cloud.block_on(async {
            let model = Model::read_from(&store, &name).await?;
            map_domain(&store, [(String::new(), name)].into_iter()).await?;
            anyhow::Ok((model.artifact_size(), stored_artifacts(&bucket, &prefix).await?))
        })?;
        ensure!(!objects.is_empty(), "{app} left no artifact in the store");
        Ok(Self { app, prefix, artifact_size, objects })
    }

    fn stored_size(&self) -> u64 {
        self.objects.iter().map(|(_, size)| size).sum()
    }
}

fn plain(
    cloud: &Cloud,
    source: &Source,
    reader: &Path,
    fetched: &mut Fetched,
) -> anyhow::Result<()> {
    let api = RuntimeApi::start()?;
    let mut program = Program::new(reader);
    program.environment = cloud.environment();
    let process = Process::start(&program, &api)?;
    api.ready()?;
    let before = process.processor()?;
    fetched.plain.push(warm::once(&api, &Call::fetch(BUCKET, &source.objects)?)?);
    let used = process.processor()?.saturating_sub(before);
    fetched.plain_processor.push(milliseconds(used));
    Ok(())
}

fn first_call(cloud: &Cloud, source: &Source, fetched: &mut Fetched) -> anyhow::Result<()> {
    let cache = cloud.folder().join("cache/fetch");
    if cache.exists() {
        fs_err::remove_dir_all(&cache)?;
    }
    let log = cloud.folder().join("fetch.log");
    let program =
        cloud.host(&cache).with("LAMBKIN_STORE", format!("s3://{BUCKET}/{}", source.prefix));
    let api = RuntimeApi::start()?;
    let process = Process::start_logged(&program, &api, &log)?;
    api.ready()?;
    let before = process.processor()?;
    fetched.first.push(warm::once(&api, &Call::hello())?);
    let used = process.processor()?.saturating_sub(before);
    fetched.processor.push(milliseconds(used));
    drop(process);
    let loads = log::loads(&log)?;
    ensure!(
        loads.first().is_some_and(|load| load.source() == "store"),
        "the host says nothing of a load from the store"
    );
    fetched.loads.extend(loads);
    Ok(())
}

fn tell(sources: &[Source], all: &[Fetched]) -> Value {
    let mut columns = vec![
        "artifact",
        "MiB",
        "compressed MiB",
        "plain GETs ms",
        "first call ms",
        "processor ms, plain / host",
        "of the plain throughput",
    ];
    columns.extend(PARTS.map(|part| part.trim_end_matches("Ms")));
    let bound = format!(">= {:.0} %, + <= {ON_TOP} ms", SHARE * 100.0);
    columns.extend([bound.as_str(), "met"]);
    let mut table = Table::new("First call of an app that the process has not seen", &columns);
    let mut rows = Vec::new();
    for (source, fetched) in sources.iter().zip(all) {
        let (plain, first) = (median(&fetched.plain), median(&fetched.first));
        let met = first <= plain / SHARE + ON_TOP;
        let part =
            |name| median(&fetched.loads.iter().map(|load| load.part(name)).collect::<Vec<_>>());
        let mut cells = vec![
            source.app.to_owned(),
            format!("{:.1}", mebibytes(source.artifact_size)),
            format!("{:.2}", mebibytes(source.stored_size())),
            format!("{plain:.1}"),
            format!("{first:.1}"),
            format!("{:.1} / {:.1}", median(&fetched.plain_processor), median(&fetched.processor)),
            format!("{:.0} %", 100.0 * plain / first),
        ];
        cells.extend(PARTS.map(|name| format!("{:.1}", part(name))));
        cells.extend([format!("<= {:.1} ms", plain / SHARE + ON_TOP), yes_or_no(met)]);
        table.row(cells);
        rows.push(json!({
            "app": source.app,
            "artifactBytes": source.artifact_size,
            "storedBytes": source.stored_size(),
            "plainMs": fetched.plain,
            "plainProcessorMs": fetched.plain_processor,
            "firstMs": fetched.first,
            "processorMs": fetched.processor,
            "parts": PARTS.map(|name| json!({ name: part(name) })),
            "met": met,
        }));
    }
    table.print();
    Value::Array(rows)
}
