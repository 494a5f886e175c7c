//! Prints how long instances and calls of a function component take, with each allocator.
//!
//! `cargo run -p lambkin-engine --features compile --example timing -- function.wasm [event]`

#![expect(clippy::print_stdout, reason = "it is what this program is for")]

use lambkin_engine::{
    Allocator, ArtifactSource, Component, Context, Engine, Grants, Invocation, Limits, Settings,
    Target, compile,
};
use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

const CALLS: usize = 2000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let wasm = fs_err::read(arguments.next().ok_or("name the file of a function component")?)?;
    let event = arguments.next().unwrap_or_else(|| "1".to_owned());
    let started = Instant::now();
    let artifact = compile::compile(&wasm, Target::current(), None)?;
    println!("compile: {:?}, artifact: {} bytes", started.elapsed(), artifact.len());
    let file = tempfile::NamedTempFile::new()?;
    fs_err::write(file.path(), &artifact)?;
    for allocator in [Allocator::OnDemand, Allocator::Pooling] {
        let started = Instant::now();
        let engine = Engine::new(&Settings { concurrency: 10, allocator, ..Settings::default() })?;
        let made = started.elapsed();
        let component = engine.load(ArtifactSource::File(file.path()))?;
        println!(
            "{allocator:?}: engine {made:?}, load and link {:?}",
            started.elapsed().saturating_sub(made)
        );
        measure(&component, &event).await?;
    }
    Ok(())
}

async fn measure(component: &Component, event: &str) -> Result<(), Box<dyn Error>> {
    let (mut instantiate, mut guest, mut whole) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..CALLS {
        let started = Instant::now();
        let (_, usage) = component.function(event, invocation()).await?;
        whole.push(started.elapsed());
        instantiate.push(usage.instantiate);
        guest.push(usage.guest);
    }
    for (name, times) in
        [("instantiate", &mut instantiate), ("guest", &mut guest), ("whole call", &mut whole)]
    {
        let first = times.first().copied().unwrap_or_default();
        times.sort_unstable();
        let at = |part: usize| times.get(CALLS * part / 100).copied().unwrap_or_default();
        println!("  {name}: first {first:?}, min {:?}, p50 {:?}, p99 {:?}", at(0), at(50), at(99));
    }
    Ok(())
}

fn invocation() -> Invocation {
    Invocation {
        context: Context::default(),
        deadline: Instant::now() + Duration::from_secs(30),
        limits: Limits { memory_bytes: 128 << 20 },
        reuse: None,
        capabilities: lambkin_engine::Capabilities::default(),
        environment: Vec::new(),
        config: BTreeMap::new(),
        grants: Grants::default(),
        output: Arc::new(|_, _| {}),
        output_of_several: None,
    }
}
