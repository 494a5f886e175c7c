//! What the others are compared with: a Rust handler on `lambda_runtime`, and nothing else.

#[path = "../../../apps/rust-function/src/hello.rs"]
mod hello;

use hello::{Answer, Event};
use lambda_runtime::{Error, LambdaEvent, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_runtime::run(service_fn(|event: LambdaEvent<Event>| async move {
        Ok::<Answer, Error>(hello::hello(event.payload)?)
    }))
    .await
}
