//! Pure types and conversions of Lambkin, without input or output.
//!
//! A Lambda event becomes an [`http::Request`] and an [`http::Response`] becomes the answer its sender expects;
//! `lambkin.toml`, releases, aliases and domains are parsed and checked; routes are matched by API Gateway's rules.
//! Who reads or writes the bytes is the business of the other crates: no file, clock, environment or socket here.

pub mod alias;
pub mod answer;
pub mod authorizer;
mod content;
pub mod cors;
pub mod digest;
pub mod domain;
mod encoding;
pub mod event;
pub mod files;
pub mod forwarded;
pub mod job;
pub mod manifest;
pub mod name;
pub mod release;
pub mod request;
pub mod routes;
pub mod websocket;
