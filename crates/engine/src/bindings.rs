//! Bindings to our own worlds and capabilities, generated from `wit/`.
//!
//! The bindings of the standard worlds come from wasmtime-wasi and wasmtime-wasi-http.

/// A function that waits for nothing but itself.
pub(crate) mod function {
    wasmtime::component::bindgen!({
        path: "../../wit/lambkin-function",
        world: "function",
        exports: { default: async },
        require_store_data_send: true,
    });
}

/// A function that speaks the component model's asynchronous ABI.
pub(crate) mod async_function {
    wasmtime::component::bindgen!({
        path: "../../wit/lambkin-function",
        world: "async-function",
        exports: { default: async | store },
        require_store_data_send: true,
        with: { "lambkin:function/types": super::function::lambkin::function::types },
    });
}

/// The capability `lambkin:websocket`.
pub(crate) mod websocket {
    wasmtime::component::bindgen!({
        path: "../../wit/lambkin-websocket",
        imports: { default: async },
        require_store_data_send: true,
    });
}

/// The capability `lambkin:jobs`.
pub(crate) mod jobs {
    wasmtime::component::bindgen!({
        path: "../../wit/lambkin-jobs",
        imports: { default: async },
        require_store_data_send: true,
    });
}

/// The capability `lambkin:files`.
pub(crate) mod files {
    wasmtime::component::bindgen!({
        path: "../../wit/lambkin-files",
        imports: { default: async },
        require_store_data_send: true,
    });
}

pub(crate) use function::lambkin::function::types;

use crate::invocation::{Context, LambdaFunction};

impl types::Context {
    /// The WIT record for a guest that is given `environment`.
    pub(crate) fn new(context: Context, environment: Vec<(String, String)>) -> Self {
        let Context {
            request_id,
            deadline_ms,
            trace_id,
            app,
            alias,
            release,
            component,
            tenant,
            ..
        } = context;
        let LambdaFunction { name, version, invoked_arn, memory_mb, log_group, log_stream } =
            context.function;
        let function =
            types::LambdaFunction { name, version, invoked_arn, memory_mb, log_group, log_stream };
        let (client_context, identity) = (context.client_context, context.identity);
        Self {
            request_id,
            deadline_ms,
            trace_id,
            app,
            alias,
            release,
            component,
            tenant,
            function,
            client_context,
            identity,
            environment,
        }
    }
}
