//! Bodies of 1 KB to 6 MB, sent and answered: Lambda takes and gives at most 6 MB.

use super::{Curve, Line};
use crate::arguments::Arguments;
use crate::call::Call;
use crate::lambkin::{Cloud, STORE};
use crate::process::Process;
use crate::runtime_api::RuntimeApi;
use crate::statistics::{count, median};
use crate::subject::Program;
use crate::{report, warm};
use anyhow::Context as _;

/// In bytes.
const SIZES: [usize; 7] = [1_000, 4_000, 16_000, 64_000, 256_000, 1_000_000, 6_000_000];
const CALLS: usize = 15;

/// Calls the bare Rust handler and both kinds of component.
pub(super) fn measure(arguments: &Arguments, cloud: &Cloud) -> anyhow::Result<Vec<Curve>> {
    report::say("bodies of 1 KB to 6 MB");
    let mut programs = vec![("Rust, lambda_runtime", Program::new(&arguments.native_rust))];
    for (app, name) in [("rust-function", "Rust component"), ("rust-http", "wasi:http component")] {
        cloud.publish(app)?;
        let host = cloud.host(&cloud.folder().join("cache/growth"));
        let host = host.with("LAMBKIN_STORE", STORE);
        programs.push((name, host.with("LAMBKIN_APP", format!("bench-{app}@live"))));
    }
    let mut lines = Vec::new();
    for (name, program) in programs {
        let api = RuntimeApi::start()?;
        let _process = Process::start(&program, &api)?;
        let mut points = Vec::new();
        for size in SIZES {
            let call = Call::echo(size)?;
            warm::once(&api, &call).with_context(|| format!("{name}, {size} bytes"))?;
            let times = (0..CALLS).map(|_| warm::once(&api, &call));
            let times = times.collect::<anyhow::Result<Vec<f64>>>()?;
            points.push((count(size) / 1e3, median(&times)));
        }
        lines.push(Line::new(name, points));
    }
    Ok(vec![Curve {
        name: "bodies",
        title: "A warm call that sends its body back",
        across: "body, KB",
        up: "p50, ms",
        lines,
    }])
}
