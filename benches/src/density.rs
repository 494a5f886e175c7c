//! A thousand apps through one process: who is served from memory, from disk and from the store, and what it holds.
//!
//! Every app is called once, which the store must serve. Then requests come by Zipf's law; those are what counts.

use crate::call::Call;
use crate::fleet::{Model, copy_name, copy_text};
use crate::lambkin::{BUCKET, Cloud};
use crate::log::{self, Load};
use crate::process::Process;
use crate::runtime_api::RuntimeApi;
use crate::statistics::{count, mebibytes, median, p99};
use crate::subject::Program;
use crate::table::{Table, yes_or_no};
use crate::zipf::Zipf;
use crate::{report, warm};
use anyhow::ensure;
use serde_json::{Value, json};
use std::time::Instant;

/// How many apps there are.
pub(crate) const APPS: u32 = 1000;
/// Requests by Zipf's law.
const REQUESTS: usize = 20_000;
/// The function's memory, and the bound on what is resident, in MiB.
const MEMORY_MB: u32 = 512;
/// What loaded artifacts may map, in MiB: the rest of the function's memory is for the host and its guests.
const CACHE_MEMORY_MB: u32 = 384;
/// The share of requests that is to be served without the store.
const SHARE: f64 = 0.95;

/// A store with a thousand apps.
pub(crate) struct Fleet {
    artifact_size: u64,
    url: String,
}

impl Fleet {
    /// Publishes the apps.
    pub(crate) fn publish(cloud: &Cloud) -> anyhow::Result<Self> {
        let model = Model::read(cloud, "rust-function")?;
        let url = format!("s3://{BUCKET}/density");
        let started = Instant::now();
        report::say(&format!("publishing {APPS} apps"));
        cloud.block_on(model.publish_copies(&cloud.store(&url)?, APPS))?;
        report::say(&format!("  in {:.1} s", started.elapsed().as_secs_f64()));
        Ok(Self { artifact_size: model.artifact_size(), url })
    }

    /// The host that serves them, with an empty cache.
    pub(crate) fn host(&self, cloud: &Cloud) -> anyhow::Result<Program> {
        let cache = cloud.folder().join("cache/density");
        if cache.exists() {
            fs_err::remove_dir_all(&cache)?;
        }
        Ok(cloud
            .host(&cache)
            .with("LAMBKIN_STORE", &self.url)
            .with("LAMBKIN_CACHE_MEMORY_MB", CACHE_MEMORY_MB.to_string())
            .with("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", MEMORY_MB.to_string()))
    }
}

/// Asks the app of one number, which must answer with it.
pub(crate) fn call(number: u32) -> anyhow::Result<Call> {
    Call::variant(&copy_name(number), &copy_text(number))
}

/// Measures and prints the table.
pub(crate) fn run(cloud: &Cloud, fleet: &Fleet) -> anyhow::Result<Value> {
    report::say(&format!("{APPS} apps once each, then {REQUESTS} requests by Zipf's law"));
    let log = cloud.folder().join("density.log");
    let api = RuntimeApi::start()?;
    let process = Process::start_logged(&fleet.host(cloud)?, &api, &log)?;
    let mut first = Vec::new();
    // From the least wanted to the most: what is wanted most was seen last, as in a process that has run for long.
    for number in (0..APPS).rev() {
        first.push(warm::once(&api, &call(number)?)?);
    }
    let before = log::loads(&log)?.len();
    let mut zipf = Zipf::new(APPS);
    let mut times = Vec::with_capacity(REQUESTS);
    for _ in 0..REQUESTS {
        times.push(warm::once(&api, &call(zipf.next())?)?);
    }
    let peak = mebibytes(process.peak_memory()?);
    let resident = mebibytes(process.resident_memory()?);
    drop(process);
    let loads = log::loads(&log)?;
    ensure!(before >= APPS as usize, "the host logs fewer loads than there are apps");
    let later = loads.get(before..).unwrap_or_default();
    Ok(tell(fleet, (&first, &times), later, (peak, resident)))
}

fn tell(
    fleet: &Fleet,
    (first, times): (&[f64], &[f64]),
    loads: &[Load],
    (peak, resident): (f64, f64),
) -> Value {
    let from = |source| loads.iter().filter(|load| load.source() == source).count();
    let (disk, store) = (from("disk"), from("store"));
    let share = |part: usize| count(part) / count(times.len());
    let near = 1.0 - share(store);
    let percent = |share: f64| format!("{:.2} %", 100.0 * share);
    let mut table = Table::new(
        &format!(
            "{APPS} apps of {:.2} MiB through one process of {MEMORY_MB} MB, {} requests by Zipf's law",
            mebibytes(fleet.artifact_size),
            times.len()
        ),
        &["", "", "target", "met"],
    );
    let mut row = |cells: [String; 4]| table.row(cells.to_vec());
    let plain = |name: &str, value| [name.to_owned(), value, String::new(), String::new()];
    row(plain("from memory", percent(1.0 - share(disk) - share(store))));
    row(plain("from /tmp", percent(share(disk))));
    row(plain("from the store", percent(share(store))));
    row([
        "from memory or /tmp".to_owned(),
        percent(near),
        format!(">= {:.0} %", SHARE * 100.0),
        yes_or_no(near >= SHARE),
    ]);
    let bound = f64::from(MEMORY_MB);
    row([
        "peak resident MiB".to_owned(),
        format!("{peak:.0}"),
        format!("<= {MEMORY_MB}"),
        yes_or_no(peak <= bound),
    ]);
    row(plain("resident MiB at the end", format!("{resident:.0}")));
    row(plain("a call: p50, p99 ms", format!("{:.2}, {:.2}", median(times), p99(times))));
    row(plain(
        "an app's first call: p50, p99 ms",
        format!("{:.2}, {:.2}", median(first), p99(first)),
    ));
    table.print();
    json!({
        "apps": APPS,
        "artifactBytes": fleet.artifact_size,
        "requests": times.len(),
        "fromDisk": disk,
        "fromStore": store,
        "peakMiB": peak,
        "residentMiB": resident,
        "callMs": times,
        "firstCallMs": first,
        "met": near >= SHARE && peak <= bound,
    })
}
