//! The host: it finds the app, the route and the component of a request, and calls the component.
//!
//! Two fronts lead to the same way through it. [`lambda::run`] is the Lambda custom runtime, and all of the program
//! `bootstrap`. [`HttpHost`] answers HTTP requests without a Lambda event between them and a web component; the server
//! around it, with its sockets, is the caller's.

mod apps;
mod capabilities;
mod components;
mod config;
mod error;
mod events;
mod files;
mod guard;
mod guest;
mod init;
mod invocation;
pub mod lambda;
mod paged;
mod received;
mod report;
mod runtime_api;
mod service;
mod serving;
mod stream;
mod telemetry;

pub use serving::{HttpHost, Settings, StartError};
pub use telemetry::log_to;
