//! A function; its event is a word that says what to do, as a JSON string.

wit_bindgen::generate!({ path: "../../../../wit/lambkin-function", world: "function", generate_all });

use exports::lambkin::function::handler::{Context, FunctionError, Guest};
use std::cell::Cell;

struct Handler;

export!(Handler);

thread_local! {
    static CALLS: Cell<u32> = const { Cell::new(0) };
}

impl Guest for Handler {
    fn handle(event: String, context: Context) -> Result<String, FunctionError> {
        CALLS.set(CALLS.get() + 1);
        match event.trim_matches('"') {
            "throw" => Err(FunctionError {
                error_type: "TypeError".to_owned(),
                error_message: "boom".to_owned(),
                stack_trace: vec!["at handle".to_owned()],
            }),
            "context" => Ok(format!("{context:?}")),
            "environment" => Ok(format!("{:?} {:?}", std::env::vars().collect::<Vec<_>>(), context.environment)),
            "calls" => Ok(CALLS.get().to_string()),
            "trap" => panic!("no such event"),
            "exit" => std::process::exit(0),
            "spin" => loop {
                std::hint::black_box(0);
            },
            "memory" => Ok(vec![1_u8; 40 << 20].iter().map(|&byte| usize::from(byte)).sum::<usize>().to_string()),
            _ => Ok(event),
        }
    }
}
