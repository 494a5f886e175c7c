//! Outbound requests of guests: denied unless granted, and checked again at the address that is connected to.
//!
//! `wasi:http` 0.2 and 0.3 both come here. A name is resolved once, every address it has is checked, and only a checked
//! address is connected to, so that a name cannot change its mind in between.

mod address;
mod origin;
mod send;
mod tls;

use crate::InvokeError;
use crate::invocation::{Grants, OutputSink, Stream};
use origin::{Origin, Pattern};
use std::sync::Arc;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

/// What one invocation may reach.
pub(crate) struct Policy {
    granted: Vec<Pattern>,
    private_network: bool,
    output: OutputSink,
}

impl Policy {
    pub(crate) fn new(grants: &Grants, output: OutputSink) -> Result<Self, InvokeError> {
        let granted = grants.http.iter().map(|grant| grant.parse()).collect::<Result<_, _>>()?;
        Ok(Self { granted, private_network: grants.private_network, output })
    }

    /// Refuses an origin that is not granted, and tells the component's author what to grant.
    fn check_origin(&self, origin: &Origin) -> Result<(), Error> {
        if self.granted.iter().any(|pattern| pattern.matches(origin)) {
            return Ok(());
        }
        let line = format!(
            "lambkin: denied an outbound request to {origin}; to allow it, add \"{origin}\" to grants.http of the component in lambkin.toml"
        );
        (self.output)(Stream::Stderr, &line);
        Err(Error::HttpRequestDenied)
    }

    /// Leaves the addresses that may be connected to; none is an error.
    fn check_addresses(
        &self,
        origin: &Origin,
        addresses: Vec<std::net::SocketAddr>,
    ) -> Result<Vec<std::net::SocketAddr>, Error> {
        if addresses.is_empty() {
            return Err(Error::DestinationNotFound);
        }
        let (allowed, refused): (Vec<_>, Vec<_>) = addresses
            .into_iter()
            .partition(|address| self.private_network || address::is_public(address.ip()));
        if let (true, Some(refused)) = (allowed.is_empty(), refused.first()) {
            let address = refused.ip();
            let line = format!(
                "lambkin: denied an outbound request to {origin}: its address {address} is not public"
            );
            (self.output)(Stream::Stderr, &line);
            return Err(Error::DestinationIpProhibited);
        }
        Ok(allowed)
    }
}

/// The hooks through which wasmtime-wasi-http sends.
pub(crate) struct Outbound(Arc<Policy>);

impl Outbound {
    pub(crate) fn new(policy: Policy) -> Self {
        Self(Arc::new(policy))
    }
}

/// The part of an exchange that goes on after the response's head has come: resolves when the connection has ended.
type Exchange = Box<dyn Future<Output = Result<(), Error>> + Send>;

type Sent = Result<(http::Response<WasiBody>, Exchange), Error>;

impl WasiHttpHooks for Outbound {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Exchange,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        let policy = Arc::clone(&self.0);
        Box::new(send::send(policy, request, options.unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use futures::{SinkExt as _, StreamExt as _};
    use http_body::Frame;
    use http_body_util::{BodyExt as _, StreamBody};
    use std::sync::Mutex;

    fn policy(http: &[&str], private_network: bool) -> (Policy, Arc<Mutex<Vec<String>>>) {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let lines = Arc::clone(&seen);
        let grants = Grants {
            http: http.iter().map(|&grant| grant.to_owned()).collect(),
            tmp: None,
            private_network,
        };
        let output: OutputSink =
            Arc::new(move |_, line: &str| lines.lock().unwrap().push(line.to_owned()));
        (Policy::new(&grants, output).unwrap(), seen)
    }

    #[test]
    fn a_denied_origin_is_named_with_the_grant_to_add() {
        let (policy, seen) = policy(&["https://api.example.com"], false);
        let origin = Origin::of(&"https://evil.example/x".parse().unwrap()).unwrap();
        assert!(matches!(policy.check_origin(&origin), Err(Error::HttpRequestDenied)));
        assert!(seen.lock().unwrap()[0].contains("add \"https://evil.example\" to grants.http"));
        let origin = Origin::of(&"https://api.example.com:443/x".parse().unwrap()).unwrap();
        assert!(policy.check_origin(&origin).is_ok());
    }

    #[tokio::test]
    async fn the_body_of_a_refused_request_can_be_written_to_its_end() {
        let (policy, _) = policy(&[], false);
        let (mut write, parts) = futures::channel::mpsc::channel(1);
        let body = StreamBody::new(parts.map(|part| Ok(Frame::data(Bytes::from_static(part)))));
        let request = http::Request::post("http://evil.example/").body(body.boxed_unsync());
        let sent = send::send(Arc::new(policy), request.unwrap(), RequestOptions::default()).await;
        assert!(matches!(sent, Err(Error::HttpRequestDenied)));
        for _ in 0..3 {
            write.send(b"part").await.unwrap();
        }
    }

    #[test]
    fn only_public_addresses_are_left() {
        let origin = Origin::of(&"http://x.example/".parse().unwrap()).unwrap();
        let addresses =
            || vec!["127.0.0.1:80".parse().unwrap(), "93.184.216.34:80".parse().unwrap()];
        let (strict, seen) = policy(&[], false);
        assert_eq!(strict.check_addresses(&origin, addresses()).unwrap(), [addresses()[1]]);
        let refused = strict.check_addresses(&origin, vec![addresses()[0]]);
        assert!(matches!(refused, Err(Error::DestinationIpProhibited)));
        assert!(seen.lock().unwrap()[0].contains("127.0.0.1 is not public"));
        let (local, _) = policy(&[], true);
        assert_eq!(local.check_addresses(&origin, addresses()).unwrap(), addresses());
    }
}
