//! `lambkin serve`: an app, or one component, over plain HTTP. The host that Lambda runs answers, in this process.

mod server;
mod source;

use crate::args;
use crate::hint::WithHint as _;
use crate::output::Output;
use crate::signals::Signals;
use anyhow::Result;
use lambkin_host::{HttpHost, Settings};
use server::{Server, Sockets};
use source::Source;
use std::time::Duration;
use tokio::net::TcpListener;

/// How old an alias may be before it is read again, as in Lambda.
const ALIAS_MAX_AGE: Duration = Duration::from_secs(1);

/// What artifacts may take on disk, and loaded ones in memory.
const CACHE_DISK: u64 = 4 << 30;
const CACHE_MEMORY: u64 = 1 << 30;

/// How long requests under way may take to end when the process is told to.
const GRACE: Duration = Duration::from_secs(5);

pub(crate) async fn run(arguments: &args::Serve, output: &Output) -> Result<()> {
    let mut signals = Signals::new()?;
    let listener = listen(arguments).await?;
    let source = Source::prepare(arguments, output).await?;
    let printer = *output;
    lambkin_host::log_to(move |line| super::logs::print(&printer, line));
    let host = HttpHost::new(&settings(arguments, &source))
        .with_hint(source.failed(), "`lambkin doctor` tells what this machine lacks")?;
    host.warm().await.with_hint(source.failed(), source.hint())?;
    let address = listener.local_addr()?;
    let server = Server {
        host,
        sockets: Sockets { header_timeout: Duration::from_secs(arguments.bounds.header_timeout) },
        log: arguments.log.then_some(*output),
    };
    output.done("Serving", &format!("http://{address}  (Ctrl-C ends it)"));
    let open = server.accept(&listener, signals.next()).await;
    // New clients are refused from here on, so that a load balancer turns to another process.
    drop(listener);
    tokio::select! {
        ended = tokio::time::timeout(GRACE, open.shutdown()) => {
            if ended.is_err() {
                let seconds = GRACE.as_secs();
                output.warn(&format!("requests that took over {seconds} s to end were cut off"));
            }
        }
        () = signals.next() => {}
    }
    Ok(())
}

async fn listen(arguments: &args::Serve) -> Result<TcpListener> {
    TcpListener::bind(arguments.addr).await.with_hint(
        format!("cannot listen on {}", arguments.addr),
        "another program may listen there: choose another address with --addr 127.0.0.1:8081, or a free port with --addr 127.0.0.1:0",
    )
}

fn settings(arguments: &args::Serve, source: &Source) -> Settings {
    let bounds = &arguments.bounds;
    Settings {
        store: source.store.clone(),
        access: crate::config::s3_access(),
        app: source.app.clone(),
        alias: source.alias.clone(),
        // What was built here does not change while it is served.
        alias_max_age: if source.is_published { ALIAS_MAX_AGE } else { Duration::MAX },
        cache_dir: source.cache.clone(),
        cache_disk_bytes: CACHE_DISK,
        cache_memory_bytes: CACHE_MEMORY,
        guest_tmp_dir: source.folder.path().join("guests"),
        allow_private_network: arguments.allow_private_network,
        concurrency: bounds.concurrency,
        memory_mb: bounds.memory,
        timeout: Duration::from_secs(bounds.timeout),
        max_body_bytes: bounds.max_body.saturating_mul(1 << 20),
    }
}
