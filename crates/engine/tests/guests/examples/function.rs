//! A function; its event is a word that says what to do, as a JSON string.

wit_bindgen::generate!({ path: "../../../../wit/lambkin-function", world: "function", generate_all });

use exports::lambkin::function::handler::{Context, FunctionError, Guest};
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

struct Handler;

export!(Handler);

thread_local! {
    static CALLS: Cell<u32> = const { Cell::new(0) };
}

/// When this instance began, in nanoseconds since the Unix epoch; 0 where `START` does not ask for start-up code.
static STARTED: AtomicU64 = AtomicU64::new(0);

/// Start-up code, which runs when an instance is made, and does what the environment variable `START` says.
#[unsafe(no_mangle)]
extern "C" fn _initialize() {
    let Ok(start) = std::env::var("START") else { return };
    eprintln!("start-up");
    eprint!("and more");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    STARTED.store(now as u64, Ordering::Relaxed);
    match start.as_str() {
        "shout" => (0..10_000).for_each(|line| eprintln!("line {line}")),
        "trap" => panic!("no start"),
        "spin" => loop {
            std::hint::black_box(0);
        },
        _ => {}
    }
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
            "started" => Ok(STARTED.load(Ordering::Relaxed).to_string()),
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
