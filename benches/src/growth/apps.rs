//! One process that serves 1 to 1,000 apps, each with an artifact of its own.

use super::{Curve, Line};
use crate::density::{self, Fleet};
use crate::lambkin::Cloud;
use crate::process::Process;
use crate::runtime_api::RuntimeApi;
use crate::statistics::{mebibytes, median};
use crate::{report, warm};

const COUNTS: [u32; 7] = [1, 3, 10, 30, 100, 300, 1_000];
/// Calls at each count, in turn to all apps that were seen.
const CALLS: u32 = 300;

/// Measures what a process holds, an app's first call, and calls all over the apps that it has seen.
pub(super) fn measure(cloud: &Cloud, fleet: &Fleet) -> anyhow::Result<Vec<Curve>> {
    report::say("1 to 1,000 apps");
    let api = RuntimeApi::start()?;
    let process = Process::start(&fleet.host(cloud)?, &api)?;
    let (mut first, mut again, mut memory) = (Vec::new(), Vec::new(), Vec::new());
    let mut seen = 0;
    for count in COUNTS {
        let x = f64::from(count);
        let times = (seen..count).map(|number| warm::once(&api, &density::call(number)?));
        first.push((x, median(&times.collect::<anyhow::Result<Vec<f64>>>()?)));
        seen = count;
        // A step that shares no factor with any of the counts meets every app.
        let numbers = (0..CALLS).map(|call| call * 7 % count);
        let times = numbers.map(|number| warm::once(&api, &density::call(number)?));
        again.push((x, median(&times.collect::<anyhow::Result<Vec<f64>>>()?)));
        memory.push((x, mebibytes(process.resident_memory()?)));
    }
    Ok(vec![
        Curve {
            name: "apps",
            title: "Many apps through one process",
            across: "apps seen",
            up: "p50, ms",
            lines: vec![Line::new("an app's first call", first), Line::new("warm", again)],
        },
        Curve {
            name: "apps-memory",
            title: "Memory of a process that serves many apps",
            across: "apps seen",
            up: "MiB",
            lines: vec![Line::new("resident", memory)],
        },
    ])
}
