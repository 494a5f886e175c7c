//! The service that stands between `lambda_runtime`'s loop and the host: event bytes in, answer bytes out.
//!
//! It takes the place of the runtime's own handler stack, so that nothing is parsed into a JSON value and printed again.

use crate::error::{Diagnostic, Failure};
use crate::invocation::{Answer, Host};
use crate::received::Received;
use crate::runtime_api::{Invocation, RuntimeApi};
use futures::FutureExt as _;
use futures::channel::oneshot;
use lambda_runtime::{LambdaEvent, LambdaInvocation, Runtime, service_fn};
use lambda_runtime_api_client::BoxError;
use serde::de::IgnoredAny;
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tower::{Layer, Service};

/// Answers invocations until Lambda ends the process; several at once when Lambda says so.
pub(crate) async fn run(host: Arc<Host>, api: Arc<RuntimeApi>) -> Result<(), BoxError> {
    let replaced =
        service_fn(|_: LambdaEvent<IgnoredAny>| std::future::ready(Ok::<(), Infallible>(())));
    Runtime::new(replaced).layer(Answering { host, api }).run_concurrent().await
}

/// Puts our service in the place of the runtime's own.
struct Answering {
    host: Arc<Host>,
    api: Arc<RuntimeApi>,
}

impl<S> Layer<S> for Answering {
    type Service = Answerer;

    fn layer(&self, _replaced: S) -> Answerer {
        Answerer { host: Arc::clone(&self.host), api: Arc::clone(&self.api) }
    }
}

#[derive(Clone)]
struct Answerer {
    host: Arc<Host>,
    api: Arc<RuntimeApi>,
}

impl Service<LambdaInvocation> for Answerer {
    type Response = ();
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, invocation: LambdaInvocation) -> Self::Future {
        let (host, api) = (Arc::clone(&self.host), Arc::clone(&self.api));
        Box::pin(async move { answer(&host, &api, invocation).await })
    }
}

/// Answers one invocation. Only a Runtime API that cannot be reached ends the loop.
async fn answer(host: &Host, api: &RuntimeApi, lambda: LambdaInvocation) -> Result<(), BoxError> {
    let invocation = Invocation {
        request_id: lambda.context.request_id.clone(),
        invocation_id: lambda.parts.headers.get("lambda-runtime-invocation-id").cloned(),
    };
    let received = Received::from_lambda(lambda);
    let work = AssertUnwindSafe(host.answer(&received)).catch_unwind().await;
    let answer = work.unwrap_or_else(|panic| Err(Failure::of_panic(panic.as_ref())));
    let (sender, taken) = oneshot::channel();
    let sending = async {
        match answer {
            Ok(Answer::Whole(payload)) => api.respond(&invocation, payload, sender).await,
            Ok(Answer::Stream(stream)) => send_stream(api, &invocation, (&received, stream)).await,
            Err(failure) => api.fail(&invocation, &Host::report(&received, &failure)).await,
        }
    };
    // While Lambda takes a whole answer, which is on its way when its connection has had its turn.
    let meanwhile = async {
        let _ = taken.await;
        tokio::task::yield_now().await;
        host.between_invocations().await;
    };
    let (sent, ()) = futures::future::join(sending, meanwhile).await;
    // After a stream, whose guest has come to its end only now.
    host.between_invocations().await;
    Host::finished(&received, sent);
    Ok(())
}

async fn send_stream(
    api: &RuntimeApi,
    invocation: &Invocation,
    (received, stream): (&Received, crate::invocation::Streamed),
) -> Result<(), BoxError> {
    let (mut sender, sent) = api.stream(invocation)?;
    let produce = async {
        let outcome: Result<(), Diagnostic> = stream.send_to(received, &mut sender).await;
        if let Err(diagnostic) = outcome {
            // A caller that went away has no use for the error; it is in the log.
            let _ = sender.fail(&diagnostic).await;
        }
    };
    let ((), sent) = futures::future::join(produce, sent).await;
    sent
}
