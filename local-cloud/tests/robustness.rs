//! Sandboxes that are killed at random under load: only their own request fails, nothing is stuck, nothing is left.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what fails in a helper fails its test"
)]

mod support;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lambkin_local_cloud::lambda::{Answer, Function, InvokeOptions};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use support::{process_state, python_function, until};

const WORKERS: u64 = 8;
const SANDBOXES: usize = 4;
const KILLS: usize = 40;

/// The processes that have answered.
type Seen = Arc<Mutex<BTreeSet<u64>>>;

/// Asks until told to end; gives how many answers came and how many failures.
async fn ask(function: Function, worker: u64, seen: Seen, end: Arc<AtomicBool>) -> (usize, usize) {
    let (mut answers, mut failures) = (0, 0);
    for count in 0.. {
        if end.load(Ordering::Relaxed) {
            break;
        }
        let n = worker * 1_000_000 + count;
        let event = json!({ "do": "work", "n": n }).to_string();
        // Far more than an answer takes, with the start of a sandbox and waiting in line.
        let answer = tokio::time::timeout(
            Duration::from_secs(20),
            function.invoke(event.into(), InvokeOptions::default()),
        );
        match answer.await.unwrap_or_else(|_| panic!("request {n} is stuck")).unwrap() {
            Answer::Buffered(payload) => {
                let found: Value = serde_json::from_slice(&payload).unwrap();
                assert_eq!(found["n"], n, "an answer of another request");
                seen.lock().unwrap().insert(found["pid"].as_u64().unwrap());
                answers += 1;
            }
            Answer::FunctionError { payload, .. } => {
                let found: Value = serde_json::from_slice(&payload).unwrap();
                assert_eq!(found["errorType"], "Runtime.ExitError", "{found}");
                let message = found["errorMessage"].as_str().unwrap();
                assert!(message.ends_with("Runtime exited with error: signal: killed"), "{found}");
                failures += 1;
            }
            Answer::Streaming(_) => panic!("it does not stream"),
        }
    }
    (answers, failures)
}

/// Kills one living process after another, each a moment after it is known.
async fn kill_at_random(seen: &Seen) {
    let mut dice: u64 = 0x2545_f491_4f6c_dd1d;
    for _ in 0..KILLS {
        let victim = loop {
            tokio::time::sleep(Duration::from_millis(20)).await;
            dice ^= dice << 13;
            dice ^= dice >> 7;
            dice ^= dice << 17;
            let living: Vec<_> = seen
                .lock()
                .unwrap()
                .iter()
                .copied()
                .filter(|pid| process_state(*pid).is_some())
                .collect();
            if !living.is_empty() {
                break living[usize::try_from(dice).unwrap() % living.len()];
            }
        };
        let pid = Pid::from_raw(i32::try_from(victim).unwrap()).unwrap();
        // It may have ended by itself since.
        let _ = kill_process(pid, Signal::KILL);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killing_sandboxes_under_load_fails_only_their_own_requests() {
    let logged = python_function(|settings| settings.max_sandboxes = SANDBOXES);
    let (seen, end) = (Seen::default(), Arc::new(AtomicBool::new(false)));
    let workers: Vec<_> = (0..WORKERS)
        .map(|worker| {
            let (function, seen, end) =
                (logged.function.clone(), Arc::clone(&seen), Arc::clone(&end));
            tokio::spawn(ask(function, worker, seen, end))
        })
        .collect();
    kill_at_random(&seen).await;
    end.store(true, Ordering::Relaxed);
    let (mut answers, mut failures) = (0, 0);
    for worker in workers {
        let (answered, failed) = worker.await.unwrap();
        answers += answered;
        failures += failed;
    }
    assert!(answers > KILLS, "{answers} answers");
    assert!((1..=KILLS).contains(&failures), "{failures} failures of {KILLS} kills");
    assert!(logged.function.sandboxes() <= SANDBOXES);

    // All places are there again: as many requests as sandboxes are answered at once.
    let again: Vec<_> = (0..SANDBOXES)
        .map(|n| {
            let (function, event) =
                (logged.function.clone(), json!({ "do": "work", "n": n }).to_string());
            tokio::spawn(
                async move { function.invoke(event.into(), InvokeOptions::default()).await },
            )
        })
        .collect();
    for invocation in again {
        let Answer::Buffered(payload) = invocation.await.unwrap().unwrap() else { panic!() };
        let found: Value = serde_json::from_slice(&payload).unwrap();
        seen.lock().unwrap().insert(found["pid"].as_u64().unwrap());
    }
    logged.function.stop().await;
    let pids = seen.lock().unwrap().clone();
    until("every process is gone", || pids.iter().all(|pid| process_state(*pid).is_none())).await;
}
