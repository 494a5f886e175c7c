//! `lambkin hot-functions`: the shapes of the functions that an app's components run when they are called first, one a line.
//!
//! For `cargo xtask hot-functions`, which makes the lists of [`lambkin_build::order`] of them.

use crate::args;
use crate::output::Output;
use crate::project::Project;
use crate::publish;
use crate::settings;
use anyhow::{Context as _, Result};
use lambkin_build::order;
use lambkin_engine::Target;
use lambkin_engine::compile::compile_apart;

pub(crate) async fn run(arguments: &args::Build, output: &Output) -> Result<()> {
    let project = Project::load(&arguments.source.project)?;
    let home = settings::home()?;
    let mut lines = String::new();
    for (name, component) in publish::build_all(&project, &home, output).await? {
        let step = output.step(&format!("rehearsing {name}"));
        let shapes = order::shapes(&component.wasm)?;
        let artifact = compile_apart(&component.wasm, Target::current())?.into();
        for function in publish::rehearsed_functions(&name, &artifact, &project).await? {
            let module = shapes.get(function.module as usize);
            let shape = module.and_then(|module| module.get(function.index as usize)?.as_ref());
            lines += &format!("{}\n", shape.context("the component has fewer functions")?);
        }
        drop(step);
    }
    output.raw(lines.trim_end());
    Ok(())
}
