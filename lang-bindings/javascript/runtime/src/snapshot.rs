//! The build's side: evaluates a bundle before the snapshot is taken and reports what it found.
//!
//! The build writes an [`Order`] to standard input and reads a [`Report`] from standard output.

use crate::vm::{Thrown, Vm, plain};
use crate::{instance, source_map};
use rquickjs::{CatchResultExt as _, Ctx, Function, Module, Object};
use serde::{Deserialize, Serialize};

/// What the build asks for.
#[derive(Deserialize)]
struct Order {
    /// The bundle: one ES module.
    source: String,
    /// The bundle's source map, version 3.
    map: String,
    /// Which export is the handler.
    handler: Option<String>,
    /// Whether the module is evaluated by the first invocation instead of now.
    deferred: bool,
}

/// What the build learns.
#[derive(Serialize, Default)]
struct Report {
    /// `function` or `http`, by the handler's shape; null when the module was not evaluated, or has no handler.
    kind: Option<String>,
    /// The module's exports.
    exports: Vec<String>,
    /// What the module's top level asked for that only an invocation has.
    needs: Vec<String>,
    /// Why the module could not be loaded: name, message and frames.
    error: Option<(String, String, Vec<String>)>,
}

/// Called once by the build, before the snapshot is taken.
#[unsafe(export_name = "wizer-initialize")]
extern "C" fn initialize() {
    let report = load().unwrap_or_else(|error| Report {
        error: Some((error.name, error.message, error.stack)),
        needs: instance::deferred(),
        ..Report::default()
    });
    instance::write(1, &serde_json::to_vec(&report).unwrap_or_default());
}

fn load() -> Result<Report, Thrown> {
    // Before the order is read: the build takes a look at the clock after that for the module's own.
    let vm = Vm::new()?;
    // Kept from the start: QuickJS cannot be taken down while a failed module still holds objects.
    vm.clone().keep();
    let order: Order = serde_json::from_slice(&instance::read_input()).map_err(|error| Thrown {
        name: "Error".to_owned(),
        message: format!("the build's order is malformed: {error}"),
        stack: Vec::new(),
    })?;
    source_map::keep(order.map);
    let deferred = order.deferred;
    vm.context
        .with(|ctx| declare(&ctx, order.source).catch(&ctx).map_err(|error| plain(&error)))?;
    let handler = order.handler;
    let mut report = vm.settle(
        |prelude| prelude.get::<_, Function<'_>>("load")?.call((handler, deferred)),
        |answer| {
            let answer = answer
                .into_object()
                .unwrap_or_else(|| unreachable!("`load` answers with an object"));
            Ok(Report {
                kind: answer.get("kind")?,
                exports: answer.get("exports")?,
                error: failure(&answer)?,
                ..Report::default()
            })
        },
    )?;
    report.needs = instance::deferred();
    vm.context.with(|ctx| ctx.run_gc());
    vm.keep();
    Ok(report)
}

/// Compiles the bundle; the prelude imports it by name, now or in the first invocation.
fn declare(ctx: &Ctx<'_>, source: String) -> rquickjs::Result<()> {
    Module::declare(ctx.clone(), source_map::BUNDLE, source).map(|_| ())
}

fn failure(answer: &Object<'_>) -> rquickjs::Result<Option<(String, String, Vec<String>)>> {
    let error = crate::vm::thrown(answer.as_value().clone())?;
    Ok(error.map(|error| (error.name, error.message, error.stack)))
}
