//! Authorizers: what identifies a client, what a component that decides is asked and answers, and which route an
//! authorizer's event is about.
//!
//! [`IdentitySource`] and [`Verdict`] are the gateway's side, for the local cloud; [`Asked`] and [`is_authorized`] are the
//! host's. `policy` evaluates IAM policies, `event` writes the events.
//! Rules: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html>,
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html> and
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html>.

mod asked;
mod event;
mod identity;
mod policy;
mod verdict;

pub use asked::{Asked, AskedRoute, is_authorized, is_connection_authorized};
pub use event::{http_api_v1, http_api_v2, rest_request, rest_token, websocket_request};
pub use identity::IdentitySource;
pub use policy::{Decision, Policy};
pub use verdict::{MalformedVerdict, Verdict};
