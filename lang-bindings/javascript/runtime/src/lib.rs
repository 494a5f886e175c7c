//! Lambkin's JavaScript runtime: QuickJS with an event loop and the web and Node globals that handlers expect.
//!
//! Compiled once to a core WebAssembly module. `lambkin build` instantiates it, lets it evaluate a user's bundle
//! (`snapshot`), and keeps the memory that results; an invocation starts from there. Two exports serve invocations:
//! `lambkin:function/handler` and `wasi:http/incoming-handler`; the build drops the one a component does not have.

mod event_loop;
mod function;
mod http;
mod instance;
mod loader;
mod native;
mod snapshot;
mod source_map;
mod vm;
