//! One app with 1 to 10,000 routes; the last of them is asked for.

use super::{Curve, Line};
use crate::call::Call;
use crate::fleet::{Model, put_release};
use crate::lambkin::{Cloud, STORE};
use crate::process::Process;
use crate::runtime_api::RuntimeApi;
use crate::statistics::{median, milliseconds};
use crate::{report, warm};
use anyhow::Context as _;
use lambkin_protocol::release::Route;

const COUNTS: [u32; 5] = [1, 10, 100, 1_000, 10_000];
const ROUNDS: usize = 5;
const CALLS: usize = 100;

/// Measures first answers from /tmp, where the release still comes from S3, and warm calls.
pub(super) fn measure(cloud: &Cloud) -> anyhow::Result<Vec<Curve>> {
    report::say("1 to 10,000 routes");
    let model = Model::read(cloud, "rust-function")?;
    let (mut first, mut processor, mut warm) = (Vec::new(), Vec::new(), Vec::new());
    for count in COUNTS {
        let app = format!("bench-routes-{count}");
        publish(cloud, &model, &app, count)?;
        let measured = first_and_warm(cloud, &app, count).with_context(|| app.clone())?;
        let x = f64::from(count);
        first.push((x, median(&measured.first)));
        processor.push((x, median(&measured.processor)));
        warm.push((x, median(&measured.warm)));
    }
    Ok(vec![Curve {
        name: "routes",
        title: "An app with many routes",
        across: "routes",
        up: "ms",
        lines: vec![
            Line::new("exec to first answer", first),
            Line::new("its processor time", processor),
            Line::new("warm p50", warm),
        ],
    }])
}

#[derive(Default)]
struct Measured {
    first: Vec<f64>,
    processor: Vec<f64>,
    warm: Vec<f64>,
}

/// The model's release with other routes, in the store that has its artifact.
fn publish(cloud: &Cloud, model: &Model, app: &str, count: u32) -> anyhow::Result<()> {
    let mut release = model.release.clone();
    app.clone_into(&mut release.app);
    let component = release.components.keys().next().cloned().context("no component")?;
    let route = |number| Route {
        path: format!("/route-{number}/{{name}}"),
        methods: None,
        component: component.clone(),
        ..Route::default()
    };
    release.routes = (1..=count).map(route).collect();
    let store = cloud.store(STORE)?;
    cloud.block_on(put_release(&store, app, &release))
}

fn first_and_warm(cloud: &Cloud, app: &str, count: u32) -> anyhow::Result<Measured> {
    let host = cloud.host(&cloud.folder().join("cache/growth"));
    let program = host.with("LAMBKIN_STORE", STORE).with("LAMBKIN_APP", format!("{app}@live"));
    let call = Call::hello_at(&format!("/route-{count}/world"))?;
    let mut measured = Measured::default();
    // The first round is thrown away: it fills the disk cache.
    for round in 0..=ROUNDS {
        let api = RuntimeApi::start()?;
        api.offer(call.event())?;
        let process = Process::start(&program, &api)?;
        let exchange = api.answer()?;
        let used = process.processor()?;
        call.check(&exchange.payload)?;
        if round > 0 {
            let elapsed = exchange.answered.duration_since(process.started);
            measured.first.push(milliseconds(elapsed));
            measured.processor.push(milliseconds(used));
        }
        if round == ROUNDS {
            for _ in 0..CALLS {
                measured.warm.push(warm::once(&api, &call)?);
            }
        }
    }
    Ok(measured)
}
