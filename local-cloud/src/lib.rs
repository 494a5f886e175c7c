//! The local cloud: what `lambkin dev` starts in place of AWS, one module per emulated service.
//!
//! [`s3`] keeps buckets in a folder, [`lambda`] runs a real `bootstrap` process per sandbox behind the Lambda Runtime
//! API, [`logs`] keeps what these print, [`sqs`] has queues, [`api_gateway`] turns HTTP requests into events and payloads back into responses,
//! and [`events`] invokes a function for what happens by itself; [`Endpoint`] is where AWS's own clients call. Everything listens on the
//! address it is given (loopback in practice). It knows neither the host nor the engine: it speaks HTTP to the
//! `bootstrap`, as Lambda does. What differs from AWS is a bug.

pub mod api_gateway;
pub mod events;
pub mod lambda;
pub mod logs;
pub mod s3;
pub mod sqs;

mod endpoint;
mod http_server;

pub use endpoint::{Endpoint, Services};

/// The account that everything of the local cloud belongs to, in events and ARNs: twelve digits.
pub const ACCOUNT_ID: &str = "000000000000";
