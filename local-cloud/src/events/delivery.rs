//! The one place where a source hands an event to a function, asynchronously.

use std::sync::Arc;

use bytes::Bytes;

use crate::lambda::{Answer, Function, InvokeOptions};

/// Takes an event on its way to a function, at once.
pub type Deliver = Arc<dyn Fn(Bytes) + Send + Sync>;

/// Invokes `function` with each event, several at a time; a failure is told to `on_failure` in one line.
pub fn to_function(function: Function, on_failure: Arc<dyn Fn(String) + Send + Sync>) -> Deliver {
    Arc::new(move |event| {
        let (function, on_failure) = (function.clone(), Arc::clone(&on_failure));
        tokio::spawn(async move {
            match function.invoke(event, InvokeOptions::default()).await {
                Ok(answer) => {
                    if let Answer::FunctionError { payload, .. } = answer.into_buffered().await {
                        on_failure(String::from_utf8_lossy(&payload).into_owned());
                    }
                }
                Err(error) => on_failure(error.to_string()),
            }
        });
    })
}
