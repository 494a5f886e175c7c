//! Pages that an instance wrote: fresh in the next one, and in place.

use crate::support::{artifact, invocation};
use lambkin_engine::{ArtifactSource, Engine, Recording, Settings, compile};
use wasmtime::PoolingAllocationConfig;

/// Every eighth page of a snapshot of 4 MiB is written, after a look at whether it is as it was laid out.
const SCATTERED: &str = r#"(module
  (memory (export "memory") 64)
  (data (i32.const 8) "begin")
  (data (i32.const 4194296) "end")
  (func (export "_start") (local $at i32)
    (loop $next
      (if (i32.load (local.get $at)) (then unreachable))
      (i32.store (local.get $at) (i32.const 1))
      (local.set $at (i32.add (local.get $at) (i32.const 32768)))
      (br_if $next (i32.lt_u (local.get $at) (i32.const 4194304))))))"#;

/// Pages that it writes.
const WRITTEN: u64 = 4_194_304 / 32_768;

/// Page faults of this thread so far, those that read no disk.
fn faults() -> u64 {
    let stat = fs_err::read_to_string("/proc/thread-self/stat").unwrap();
    let (_, fields) = stat.rsplit_once(')').unwrap();
    fields.split_whitespace().nth(7).unwrap().parse().unwrap()
}

#[tokio::test]
async fn scattered_pages_are_fresh_for_each_instance_and_stay_mapped() {
    let command = compile::componentize(&wat::parse_str(SCATTERED).unwrap()).unwrap();
    let artifact = artifact(&command);
    let recording = Recording::new(artifact.clone().into()).unwrap();
    let sources = [
        ("in memory", ArtifactSource::Bytes(&artifact)),
        ("paged", ArtifactSource::Paged(recording.paged())),
    ];
    for (place, source) in sources {
        let engine = Engine::new(&Settings::default()).unwrap();
        let command = engine.load(source).unwrap();
        let mut of_calls = Vec::new();
        for _ in 0..8 {
            let before = faults();
            // It would trap if it saw what an earlier instance has written.
            command.command("".into(), invocation().0).await.unwrap();
            of_calls.push(faults() - before);
        }
        let [second, last] = [of_calls[1], of_calls[7]];
        if PoolingAllocationConfig::is_pagemap_scan_available() {
            assert!(second > WRITTEN / 2 && last < WRITTEN / 8, "{place}: {of_calls:?}");
        } else {
            assert!(last >= WRITTEN, "what the pool does not set back is given back: {of_calls:?}");
        }
    }
}
