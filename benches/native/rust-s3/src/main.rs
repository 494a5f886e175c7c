//! A bare Rust handler that reads from S3, on a trimmed `aws-sdk-s3`: what "from S3" is compared with.
//!
//! With `BENCH_OBJECT` (`bucket/key`) it reads that object before it asks for the first event, and greets. Without, it
//! fetches the objects that an event names, as parallel ranges, and throws their bytes away.

mod client;
#[path = "../../../apps/rust-function/src/hello.rs"]
mod hello;
mod ranges;

use hello::{Answer, Event};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let client = &client::from_environment()?;
    let Ok(object) = std::env::var("BENCH_OBJECT") else {
        return lambda_runtime::run(service_fn(|event: LambdaEvent<ranges::Event>| async move {
            let bytes = ranges::fetch(client, &event.payload).await?;
            let body = json!({ "bytes": bytes }).to_string();
            Ok::<Value, Error>(json!({ "statusCode": 200, "body": body }))
        }))
        .await;
    };
    let (bucket, key) = object.split_once('/').ok_or("BENCH_OBJECT is not bucket/key")?;
    let answer = client.get_object().bucket(bucket).key(key).send().await?;
    answer.body.collect().await?;
    lambda_runtime::run(service_fn(|event: LambdaEvent<Event>| async move {
        Ok::<Answer, Error>(hello::hello(event.payload)?)
    }))
    .await
}
