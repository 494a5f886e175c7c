//! Pages that an instance wrote: fresh in the next one, and in place.

use crate::support::{artifact, invocation};
use lambkin_engine::{ArtifactSource, Engine, PagedFile, Pages, Recording, Settings, compile};
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
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

/// Pages of which nothing is at hand at first, as where the rest is still in the store.
#[derive(Debug)]
struct Withheld {
    pages: Arc<dyn Pages>,
    are_here: AtomicBool,
}

impl Pages for Withheld {
    fn bring(&self, range: Range<u64>) -> io::Result<()> {
        self.pages.bring(range)
    }

    fn is_at_hand(&self, _range: &Range<u64>) -> bool {
        self.are_here.load(Ordering::Relaxed)
    }
}

#[tokio::test]
async fn gaps_of_a_paged_memory_wait_for_no_store_and_are_closed_soon_after_the_rest_has_come() {
    if !PoolingAllocationConfig::is_pagemap_scan_available() {
        return;
    }
    let command = compile::componentize(&wat::parse_str(SCATTERED).unwrap()).unwrap();
    let recording = Recording::new(artifact(&command).into()).unwrap();
    let PagedFile { file, pages } = recording.paged().clone();
    let withheld = Arc::new(Withheld { pages, are_here: AtomicBool::new(false) });
    let engine = Engine::new(&Settings::default()).unwrap();
    let source = PagedFile { file, pages: Arc::clone(&withheld) as _ };
    let command = engine.load(ArtifactSource::Paged(&source)).unwrap();
    let mut of_calls = Vec::new();
    for call in 0..40 {
        // Between two looks that are due, after 24 calls and after 48.
        withheld.are_here.store(call >= 25, Ordering::Relaxed);
        let before = faults();
        command.command("".into(), invocation().0).await.unwrap();
        of_calls.push(faults() - before);
    }
    assert!(of_calls[24] > WRITTEN / 2 && of_calls[39] < WRITTEN / 8, "{of_calls:?}");
}
