//! A function with the asynchronous ABI; its event is a number of milliseconds to wait, or a word and a number.

wit_bindgen::generate!({ path: "../../../../wit/lambkin-function", world: "async-function", generate_all });

use exports::lambkin::function::async_handler::{Context, FunctionError, Guest};
use wasip3::clocks::monotonic_clock;

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Calls that this instance was given, and those that are under way in it.
static CALLS: AtomicU64 = AtomicU64::new(0);
static INSIDE: AtomicU64 = AtomicU64::new(0);

struct Handler;

export!(Handler);

impl Guest for Handler {
    async fn handle(event: String, context: Context) -> Result<String, FunctionError> {
        let calls = CALLS.fetch_add(1, Relaxed) + 1;
        let event = event.trim_matches('"');
        let (word, number) = event.split_once(' ').unwrap_or((event, "0"));
        let number = number.parse::<u64>().unwrap_or_default();
        match word {
            "calls" => {
                wait(number).await;
                Ok(calls.to_string())
            }
            "meet" => {
                INSIDE.fetch_add(1, Relaxed);
                while INSIDE.load(Relaxed) < number {
                    wait(5).await;
                }
                Ok(context.request_id)
            }
            "print" => {
                println!("from {}", context.request_id);
                wait(number).await;
                Ok(calls.to_string())
            }
            "trap" => {
                wait(number).await;
                panic!("an asynchronous end")
            }
            "exit" => std::process::exit(0),
            "throw" => Err(FunctionError {
                error_type: "ValueError".to_owned(),
                error_message: "boom".to_owned(),
                stack_trace: Vec::new(),
            }),
            "spin" => loop {
                std::hint::black_box(0);
            },
            event => {
                wait(event.parse().unwrap_or_default()).await;
                Ok(format!("{event} {}", context.request_id))
            }
        }
    }
}

async fn wait(milliseconds: u64) {
    monotonic_clock::wait_for(milliseconds * 1_000_000).await;
}
