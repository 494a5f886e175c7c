//! Signed HTTP requests to AWS services, and the connections that they travel on.
//!
//! Lambda's Invoke and API Gateway's `@connections` are one request each: a client crate for every service would cost the
//! host megabytes. S3, with its listings, parts and redirects, stays with the AWS SDK in `crates/store`, which takes its
//! connections from here.

mod access;
mod client;
mod connector;

pub use access::Access;
pub use client::{Client, SendError};
pub use connector::{Connector, ConnectorError, connector, pooled};
