//! Lets the JavaScript runtime evaluate a bundle and keeps its memory as a new module: the snapshot.

use super::wasi::{self, State};
use crate::order::{self, Runtime};
use anyhow::{Result, anyhow};
use futures::FutureExt as _;
use serde::{Deserialize, Serialize};
use std::sync::{Mutex, OnceLock, PoisonError, mpsc};
use std::time::Duration;
use wasmtime::{Config, Engine, Instance, Linker, Module, Store, Val, bail, format_err};
use wasmtime_wizer::{InstanceState, SnapshotVal, ValType, Wizer};

/// The runtime, `lang-bindings/javascript/runtime`; empty when it could not be compiled.
static RUNTIME: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/javascript.wasm"));

/// Why the runtime could not be compiled.
const MISSING: &str = include_str!(concat!(env!("OUT_DIR"), "/javascript.missing"));

/// How long a module's top level may run.
const LOAD_LIMIT: Duration = Duration::from_mins(1);

/// Stack of the evaluation, in bytes; as much as the host gives an instance.
const STACK: usize = 2 << 20;

/// Stack of the thread that evaluates: the guest's part and what the host's functions need on top.
const THREAD_STACK: usize = STACK + (2 << 20);

/// What the runtime is asked for. Its own `snapshot.rs` reads this.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Order<'a> {
    /// The bundle: one ES module.
    pub(super) source: &'a str,
    /// The bundle's source map.
    pub(super) map: &'a str,
    /// Which export is the handler.
    pub(super) handler: Option<&'a str>,
    /// Whether the module is evaluated by each invocation instead of now.
    pub(super) deferred: bool,
}

/// What the runtime found.
#[derive(Debug, Deserialize)]
pub(super) struct Report {
    /// `function` or `http`.
    pub(super) kind: Option<String>,
    /// The module's exports.
    pub(super) exports: Vec<String>,
    /// What the module's top level asked for that only an invocation has.
    pub(super) needs: Vec<String>,
    /// Name, message and frames of what the module threw.
    pub(super) error: Option<(String, String, Vec<String>)>,
}

/// A taken snapshot.
#[derive(Debug)]
pub(super) struct Snapshot {
    /// The core module.
    pub(super) module: Vec<u8>,
    /// What the runtime found.
    pub(super) report: Report,
    /// What the module printed while it was loaded.
    pub(super) output: String,
}

/// Says why there is no runtime, if there is none.
pub(super) fn available() -> Result<(), String> {
    if RUNTIME.is_empty() {
        Err(format!("this lambkin was built without it: {MISSING}"))
    } else {
        Ok(())
    }
}

/// Evaluates a bundle and takes the snapshot.
pub(super) fn take(order: &Order<'_>) -> Result<Snapshot> {
    available().map_err(|reason| anyhow!("the JavaScript runtime is missing: {reason}"))?;
    let input = serde_json::to_vec(order)?;
    // A thread of its own, because the evaluation may use more stack than the caller's thread has.
    let thread =
        std::thread::Builder::new().name("javascript snapshot".to_owned()).stack_size(THREAD_STACK);
    let worker = thread.spawn(move || evaluate(input))?;
    let taken = worker.join().map_err(|_| anyhow!("the snapshot's thread ended early"))?;
    taken.map_err(|error| anyhow!("{error:#}"))
}

fn evaluate(input: Vec<u8>) -> wasmtime::Result<Snapshot> {
    let wizer = Wizer::new();
    let (context, instrumented) = wizer.instrument(runtime()?)?;
    let (engine, module) = compiled(&instrumented)?;
    let mut linker = Linker::new(&engine);
    wasi::define(&mut linker, &module)?;
    let mut store = Store::new(&engine, State::with_input(input));
    store.set_epoch_deadline(1);
    let instance = linker.instantiate(&mut store, &module)?;
    initialize(&engine, &mut store, &instance)?;
    let mut report: Report = serde_json::from_slice(&store.data().output)?;
    if store.data().asked_time {
        report.needs.push("the time".to_owned());
    }
    let output = String::from_utf8_lossy(&store.data().errors).into_owned();
    let mut memory = Snapshotted { store: &mut store, instance };
    let module = wizer.snapshot(&context, &mut memory).now_or_never();
    let module = module.ok_or_else(|| format_err!("the snapshot waits for something"))??;
    Ok(Snapshot { module, report, output })
}

/// The runtime with what first calls run in front, once a process; a snapshot changes its memory alone.
fn runtime() -> wasmtime::Result<&'static [u8]> {
    static ORDERED: OnceLock<Result<Vec<u8>, String>> = OnceLock::new();
    let order = || order::module_hot_first(RUNTIME, Runtime::QuickJs);
    let ordered = ORDERED.get_or_init(|| order().map_err(|error| format!("{error:#}")));
    ordered.as_deref().map_err(|error| format_err!("the JavaScript runtime: {error}"))
}

/// The runtime compiled for this machine, once a process: a rebuild in `lambkin dev` reuses it.
fn compiled(instrumented: &[u8]) -> wasmtime::Result<(Engine, Module)> {
    static COMPILED: Mutex<Option<(Engine, Module)>> = Mutex::new(None);
    let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(ready) = &*compiled {
        return Ok(ready.clone());
    }
    let mut config = Config::new();
    config.epoch_interruption(true).max_wasm_stack(STACK).async_stack_size(THREAD_STACK);
    let engine = Engine::new(&config)?;
    let module = Module::new(&engine, instrumented)?;
    *compiled = Some((engine.clone(), module.clone()));
    Ok((engine, module))
}

/// Runs the module's top level, for a bounded time.
fn initialize(
    engine: &Engine,
    store: &mut Store<State>,
    instance: &Instance,
) -> wasmtime::Result<()> {
    let entry = instance.get_typed_func::<(), ()>(&mut *store, Wizer::new().get_init_func())?;
    let (ended, end) = mpsc::channel::<()>();
    let engine = engine.clone();
    let watch = std::thread::spawn(move || {
        let late = end.recv_timeout(LOAD_LIMIT) == Err(mpsc::RecvTimeoutError::Timeout);
        if late {
            engine.increment_epoch();
        }
        late
    });
    let result = entry.call(&mut *store, ());
    drop(ended);
    if watch.join().unwrap_or_default() {
        bail!("the module's top level did not end within {} seconds", LOAD_LIMIT.as_secs());
    }
    result.map_err(|error| {
        let printed = String::from_utf8_lossy(&store.data().errors).into_owned();
        format_err!("{printed}the module could not be loaded: {error:#}")
    })
}

/// An evaluated instance, as the snapshot reads it.
struct Snapshotted<'a> {
    store: &'a mut Store<State>,
    instance: Instance,
}

impl InstanceState for Snapshotted<'_> {
    async fn global_get(&mut self, name: &str, _: ValType) -> SnapshotVal {
        match self
            .instance
            .get_global(&mut *self.store, name)
            .map(|global| global.get(&mut *self.store))
        {
            Some(Val::I64(value)) => SnapshotVal::I64(value),
            Some(Val::F32(bits)) => SnapshotVal::F32(bits),
            Some(Val::F64(bits)) => SnapshotVal::F64(bits),
            Some(Val::V128(value)) => SnapshotVal::V128(value.as_u128()),
            Some(Val::I32(value)) => SnapshotVal::I32(value),
            // The runtime has no globals of other types, and Wizer names only those that are there.
            _ => SnapshotVal::I32(0),
        }
    }

    async fn memory_contents(&mut self, name: &str, contents: impl FnOnce(&[u8]) + Send) {
        let memory = self.instance.get_memory(&mut *self.store, name);
        contents(memory.map_or(&[][..], |memory| memory.data(&*self.store)));
    }
}
