//! What one store holds: the WASI contexts of one invocation and its memory bound.
//!
//! Built from the invocation alone; nothing of the process is inherited.

use crate::capabilities::Capabilities;
use crate::error::InvokeError;
use crate::invocation::{Grants, Invocation, OutputSink, Stream};
use crate::limits::Limiter;
use crate::outbound::{Outbound, Policy};
use crate::output::LineWriter;
use crate::worker::Calls;
use bytes::Bytes;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tempfile::TempDir;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::p2::pipe::{MemoryInputPipe, MemoryOutputPipe};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_config::{WasiConfig, WasiConfigVariables};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

/// Resources (bodies, header fields, streams, files) that a guest may hold at once; they take the host's memory.
const MAX_RESOURCES: usize = 16_384;

/// Where the guest's standard output goes.
pub(crate) enum Stdout {
    /// Line by line to the output sink.
    Lines,
    /// It is the answer; standard input is the event.
    Answer { event: Bytes, answer: MemoryOutputPipe },
}

/// The data of one store.
pub(crate) struct State {
    table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    outbound: Outbound,
    config: WasiConfigVariables,
    /// Those of the latest invocation: all in one store are of the same component.
    capabilities: Capabilities,
    pub(crate) limiter: Limiter,
    pub(crate) stdout: LineWriter,
    pub(crate) stderr: LineWriter,
    /// When the invocation must have ended; in a worker, the last of those that were under way.
    pub(crate) deadline: Instant,
    /// What is under way in a worker's instance.
    pub(crate) calls: Calls,
    /// Where output goes in this invocation.
    output: Arc<Mutex<OutputSink>>,
    /// Goes, with all that is in it, when the store does.
    _tmp: Option<TempDir>,
}

impl State {
    pub(crate) fn new(invocation: &mut Invocation, stdout: Stdout) -> Result<Self, InvokeError> {
        let (output, sink) = relay(&invocation.output);
        let lines = LineWriter::new(Stream::Stdout, Arc::clone(&sink));
        let stderr = LineWriter::new(Stream::Stderr, Arc::clone(&sink));
        let mut wasi = WasiCtxBuilder::new();
        wasi.allow_tcp(false).allow_udp(false).envs(&invocation.environment).stderr(stderr.clone());
        match stdout {
            Stdout::Lines => wasi.stdout(lines.clone()),
            Stdout::Answer { event, answer } => {
                wasi.stdin(MemoryInputPipe::new(event)).stdout(answer)
            }
        };
        let tmp = grant_tmp(&mut wasi, &invocation.grants)?;
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_RESOURCES);
        let policy = Policy::new(&invocation.grants, sink)?;
        Ok(Self {
            table,
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            outbound: Outbound::new(policy),
            config: invocation.config.clone().into_iter().collect(),
            capabilities: invocation.capabilities.clone(),
            limiter: Limiter::new(invocation.limits.memory_bytes),
            stdout: lines,
            stderr,
            deadline: invocation.deadline,
            calls: Calls::default(),
            output,
            _tmp: tmp,
        })
    }

    pub(crate) fn table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }

    pub(crate) fn config(&mut self) -> WasiConfig<'_> {
        WasiConfig::from(&self.config)
    }

    pub(crate) fn capabilities(&mut self) -> &mut Capabilities {
        &mut self.capabilities
    }

    /// Takes over what the next invocation in the same store has of its own.
    pub(crate) fn begin(&mut self, invocation: &Invocation) {
        self.deadline = invocation.deadline;
        self.capabilities = invocation.capabilities.clone();
        self.set_output(&invocation.output);
        self.stdout.begin();
        self.stderr.begin();
    }

    /// From now on, output goes here.
    pub(crate) fn set_output(&self, output: &OutputSink) {
        *self.output.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(output);
    }

    /// Passes on lines that have not ended.
    pub(crate) fn flush_lines(&self) {
        self.stdout.flush_line();
        self.stderr.flush_line();
    }
}

/// A sink for the store's whole life, which passes on to that of the invocation of the moment.
fn relay(first: &OutputSink) -> (Arc<Mutex<OutputSink>>, OutputSink) {
    let current = Arc::new(Mutex::new(Arc::clone(first)));
    let place = Arc::clone(&current);
    let sink: OutputSink = Arc::new(move |stream, line| {
        let sink = Arc::clone(&place.lock().unwrap_or_else(PoisonError::into_inner));
        sink(stream, line);
    });
    (current, sink)
}

/// Gives the guest an empty folder as `/tmp`.
fn grant_tmp(wasi: &mut WasiCtxBuilder, grants: &Grants) -> Result<Option<TempDir>, InvokeError> {
    let Some(parent) = &grants.tmp else { return Ok(None) };
    let refused = |reason: String| InvokeError::Grant {
        grant: "tmp".to_owned(),
        reason: format!("{}: {reason}", parent.display()),
    };
    let folder = tempfile::Builder::new().prefix("guest-").tempdir_in(parent);
    let folder = folder.map_err(|error| refused(error.to_string()))?;
    wasi.preopened_dir(folder.path(), "/tmp", FsPerms::ReadWrite)
        .map_err(|error| refused(format!("{error:#}")))?;
    Ok(Some(folder))
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.outbound, table: &mut self.table, ctx: &mut self.http }
    }
}
