//! The second app on a language engine that the process already has: what it fetches and stores beside what it needs
//! where nothing is there.

use crate::call::Call;
use crate::fleet::map_domain;
use crate::lambkin::{Cloud, STORE};
use crate::log;
use crate::process::Process;
use crate::runtime_api::RuntimeApi;
use crate::statistics::mebibytes;
use crate::table::{Table, yes_or_no};
use crate::{report, warm};
use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// An app, and another one on the same engine.
const PAIRS: [(&str, &str); 3] = [
    ("javascript", "javascript-second"),
    ("starlingmonkey", "starlingmonkey-second"),
    ("python", "python-second"),
];

/// The share of an artifact that a second app may cost.
const SHARE: f64 = 0.15;

/// What one app cost.
#[derive(Debug, Clone, Copy)]
struct Cost {
    fetched: u64,
    stored: u64,
    milliseconds: f64,
}

/// Measures each pair and prints the table.
pub(crate) fn run(cloud: &Cloud) -> anyhow::Result<Value> {
    for app in PAIRS.iter().flat_map(|(first, second)| [first, second]) {
        cloud.publish(app)?;
    }
    report::say("the second app on the same engine");
    let store = cloud.store(STORE)?;
    let names = PAIRS.iter().flat_map(|(first, second)| [first, second]);
    let bases = names.map(|app| ((*app).to_owned(), format!("bench-{app}")));
    cloud.block_on(map_domain(&store, bases))?;
    let mut table = Table::new(
        "The second app on the same language engine",
        &[
            "",
            "fetched MiB: alone",
            "second",
            "stored MiB: alone",
            "second",
            "first call ms: alone",
            "second",
            "fetched",
            "stored",
            "target",
            "met",
        ],
    );
    let mut rows = Vec::new();
    for (first, second) in PAIRS {
        let alone = *costs(cloud, &[second])?.first().context("no cost")?;
        let both = costs(cloud, &[first, second])?;
        let after = *both.last().context("no cost")?;
        let shares = [(after.fetched, alone.fetched), (after.stored, alone.stored)]
            .map(|(part, whole)| mebibytes(part) / mebibytes(whole.max(1)));
        let met = shares.iter().all(|share| *share <= SHARE);
        let [fetched, stored] = shares.map(|share| format!("{:.0} %", 100.0 * share));
        table.row(vec![
            second.to_owned(),
            format!("{:.2}", mebibytes(alone.fetched)),
            format!("{:.2}", mebibytes(after.fetched)),
            format!("{:.1}", mebibytes(alone.stored)),
            format!("{:.1}", mebibytes(after.stored)),
            format!("{:.1}", alone.milliseconds),
            format!("{:.1}", after.milliseconds),
            fetched,
            stored,
            format!("<= {:.0} %", 100.0 * SHARE),
            yes_or_no(met),
        ]);
        rows.push(json!({
            "app": second,
            "fetchedAloneBytes": alone.fetched,
            "fetchedSecondBytes": after.fetched,
            "storedAloneBytes": alone.stored,
            "storedSecondBytes": after.stored,
            "firstCallAloneMs": alone.milliseconds,
            "firstCallSecondMs": after.milliseconds,
            "met": met,
        }));
    }
    table.print();
    Ok(Value::Array(rows))
}

/// Calls `apps` in turn in one new process with nothing on disk, and says what each cost.
fn costs(cloud: &Cloud, apps: &[&str]) -> anyhow::Result<Vec<Cost>> {
    let cache = cloud.folder().join("cache/second");
    if cache.exists() {
        fs_err::remove_dir_all(&cache)?;
    }
    fs_err::create_dir_all(&cache)?;
    let log = cloud.folder().join("second.log");
    let api = RuntimeApi::start()?;
    let program = cloud.host(&cache).with("LAMBKIN_STORE", STORE);
    let _process = Process::start_logged(&program, &api, &log)?;
    api.ready()?;
    let mut costs = Vec::new();
    let mut before = 0;
    for app in apps {
        let call = Call::hello_at(&format!("/{app}/hello/world"))?;
        let milliseconds = warm::once(&api, &call).with_context(|| (*app).to_owned())?;
        let loads = log::loads(&log)?;
        ensure!(loads.len() == costs.len() + 1, "the host logs no load of {app}");
        let fetched = loads.last().map_or(0, log::Load::fetched_bytes);
        let now = disk_usage(&cache)?;
        costs.push(Cost { fetched, stored: now.saturating_sub(before), milliseconds });
        before = now;
    }
    Ok(costs)
}

/// The bytes that the files below `folder` take on disk: holes take none.
fn disk_usage(folder: &Path) -> anyhow::Result<u64> {
    let mut sum = 0;
    for entry in fs_err::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        sum += if metadata.is_dir() { disk_usage(&entry.path())? } else { metadata.blocks() * 512 };
    }
    Ok(sum)
}
