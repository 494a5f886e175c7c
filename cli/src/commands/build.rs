//! `lambkin build`: builds every component and keeps them beside the manifest.

use crate::args;
use crate::output::Output;
use crate::project::Project;
use crate::publish;
use crate::settings;
use anyhow::Result;
use serde::Serialize;
use std::path::PathBuf;

#[derive(Serialize)]
struct Report {
    component: String,
    file: PathBuf,
    digest: String,
    size: usize,
}

pub(crate) async fn run(arguments: &args::Build, output: &Output) -> Result<()> {
    let project = Project::load(&arguments.source.project)?;
    let built = publish::build_all(&project, &settings::home()?, output).await?;
    let folder = project.work().join("components");
    fs_err::create_dir_all(&folder)?;
    let mut reports = Vec::new();
    for (name, component) in built {
        let file = folder.join(format!("{name}.wasm"));
        fs_err::write(&file, &component.wasm)?;
        reports.push(Report {
            component: name,
            file,
            digest: component.digest,
            size: component.wasm.len(),
        });
    }
    output.result(&reports, || {
        reports.iter().map(|report| format!("{}\n", report.file.display())).collect()
    })
}
