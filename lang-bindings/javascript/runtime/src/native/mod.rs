//! The functions that the prelude's JavaScript is built on, as the module `lambkin:native`.

mod capabilities;
mod crypto;
mod http;
mod text;
mod url;

pub use http::{accept, fail_response, flatten, response_started};

use crate::{event_loop, instance};
use rquickjs::module::{Declarations, Exports, ModuleDef};
use rquickjs::{Ctx, Exception, Function, Object, Result, TypedArray};

/// The module `lambkin:native`; its default export is one object with every function.
pub struct Native;

impl ModuleDef for Native {
    fn declare(declarations: &Declarations<'_>) -> Result<()> {
        declarations.declare("default")?;
        Ok(())
    }

    fn evaluate<'js>(ctx: &Ctx<'js>, exports: &Exports<'js>) -> Result<()> {
        let native = Object::new(ctx.clone())?;
        base(ctx, &native)?;
        text::define(ctx, &native)?;
        url::define(ctx, &native)?;
        capabilities::define(ctx, &native)?;
        crypto::define(ctx, &native)?;
        http::define(ctx, &native)?;
        exports.export("default", native)?;
        Ok(())
    }
}

fn base<'js>(ctx: &Ctx<'js>, native: &Object<'js>) -> Result<()> {
    native.set("inSnapshot", Function::new(ctx.clone(), instance::in_snapshot)?)?;
    native.set("defer", Function::new(ctx.clone(), instance::defer)?)?;
    native.set("write", Function::new(ctx.clone(), write)?)?;
    native.set("environment", Function::new(ctx.clone(), environment)?)?;
    native.set("random", Function::new(ctx.clone(), instance::random)?)?;
    native.set("monotonic", Function::new(ctx.clone(), || instance::monotonic() as f64 / 1e6)?)?;
    native.set("setTimer", Function::new(ctx.clone(), event_loop::set_timer)?)?;
    native.set("clearTimer", Function::new(ctx.clone(), event_loop::clear_timer)?)?;
    native.set("abort", Function::new(ctx.clone(), event_loop::abort)?)?;
    native.set("mapStack", Function::new(ctx.clone(), crate::source_map::map_stack)?)?;
    Ok(())
}

/// Writes to standard output (1) or standard error (2). A build keeps both on the latter: the former is its report.
fn write(descriptor: u32, text: String) {
    let descriptor = if instance::in_snapshot() { 2 } else { descriptor };
    instance::write(descriptor, text.as_bytes());
}

/// The environment's names and values in turn; empty at build time.
fn environment() -> Vec<String> {
    if instance::in_snapshot() {
        return Vec::new();
    }
    wasip2::cli::environment::get_environment()
        .into_iter()
        .flat_map(|(name, value)| [name, value])
        .collect()
}

/// The bytes of a `Uint8Array`.
fn bytes(ctx: &Ctx<'_>, array: &TypedArray<'_, u8>) -> Result<Vec<u8>> {
    // SAFETY: the bytes are copied before any JavaScript can run.
    let bytes = unsafe { array.as_bytes() };
    bytes.map(<[u8]>::to_vec).ok_or_else(|| Exception::throw_type(ctx, "the buffer is detached"))
}
