//! A function with the asynchronous ABI; its event is a number of milliseconds to wait, or a word.

wit_bindgen::generate!({ path: "../../../../wit/lambkin-function", world: "async-function", generate_all });

use exports::lambkin::function::async_handler::{Context, FunctionError, Guest};
use wasip3::clocks::monotonic_clock;

struct Handler;

export!(Handler);

impl Guest for Handler {
    async fn handle(event: String, context: Context) -> Result<String, FunctionError> {
        match event.trim_matches('"') {
            "throw" => Err(FunctionError {
                error_type: "ValueError".to_owned(),
                error_message: "boom".to_owned(),
                stack_trace: Vec::new(),
            }),
            "spin" => loop {
                std::hint::black_box(0);
            },
            event => {
                monotonic_clock::wait_for(event.parse::<u64>().unwrap_or_default() * 1_000_000).await;
                Ok(format!("{event} {}", context.request_id))
            }
        }
    }
}
