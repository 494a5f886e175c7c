//! One endpoint URL for AWS's clients: Lambda's calls by their paths, those of `CloudWatch` Logs and SQS by `X-Amz-Target`.
//!
//! Signatures are not checked: whoever reaches the address may call. What is answered is the services' business.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use tokio::net::TcpListener;

use crate::http_server::{AwsReply, HttpServer};
use crate::lambda::ControlPlane;
use crate::logs::{self, Logs};
use crate::sqs::{self, Queues};

/// How long requests in flight may take to end when the server stops.
const DRAIN: Duration = Duration::from_secs(1);

/// The services behind an endpoint.
#[derive(Clone)]
pub struct Services {
    /// Lambda.
    pub lambda: ControlPlane,
    /// `CloudWatch` Logs.
    pub logs: Logs,
    /// SQS.
    pub queues: Queues,
}

/// A server for AWS's clients; dropping it closes its connections.
pub struct Endpoint {
    http: HttpServer,
}

impl Endpoint {
    /// Serves at `address`; port 0 picks a free one.
    pub async fn start(address: SocketAddr, services: Services) -> io::Result<Self> {
        Self::serve(TcpListener::bind(address).await?, services)
    }

    /// Serves on a listener that is there: who must know the address before the services are.
    pub fn serve(listener: TcpListener, services: Services) -> io::Result<Self> {
        let service = service_fn(move |request| {
            let services = services.clone();
            async move { Ok::<_, Infallible>(answer(&services, request).await) }
        });
        Ok(Self { http: HttpServer::serve(listener, service)? })
    }

    /// The URL for `--endpoint-url`, `AWS_ENDPOINT_URL_LAMBDA` and their like.
    pub fn url(&self) -> String {
        format!("http://{}", self.http.address())
    }

    /// Stops accepting, lets requests in flight end for up to a second, and closes; invocations go on.
    pub async fn stop(self) {
        self.http.stop(DRAIN).await;
    }
}

async fn answer(services: &Services, request: Request<Incoming>) -> AwsReply {
    let target = request.headers().get("x-amz-target").and_then(|value| value.to_str().ok());
    let target = target.unwrap_or_default().to_owned();
    if let Some(call) = target.strip_prefix(logs::TARGET) {
        services.logs.answer(call, request).await
    } else if let Some(call) = target.strip_prefix(sqs::TARGET) {
        services.queues.answer(call, request).await
    } else {
        services.lambda.answer(request).await
    }
}
