//! The host's capabilities: `lambkin:websocket`, `lambkin:jobs` and `lambkin:files`. A build leaves out the imports of
//! those that a bundle does not use.
//!
//! Each function gives what it has, or `{ code, message }` as the member `error` of an object.

use super::bytes;
use crate::instance;
use rquickjs::{Ctx, Function, IntoJs, Object, Result, TypedArray, Value};

mod websocket {
    #![allow(missing_docs, reason = "generated")]
    wit_bindgen::generate!({ path: "../../../wit/lambkin-websocket" });
}

mod jobs {
    #![allow(missing_docs, reason = "generated")]
    wit_bindgen::generate!({ path: "../../../wit/lambkin-jobs" });
}

mod files {
    #![allow(missing_docs, reason = "generated")]
    wit_bindgen::generate!({ path: "../../../wit/lambkin-files" });
}

use files::lambkin::files::files as store;
use jobs::lambkin::jobs::jobs as starter;
use websocket::lambkin::websocket::connections;

type Bytes<'js> = TypedArray<'js, u8>;

pub fn define<'js>(ctx: &Ctx<'js>, native: &Object<'js>) -> Result<()> {
    native.set("websocketSend", Function::new(ctx.clone(), send)?)?;
    native.set("websocketClose", Function::new(ctx.clone(), close)?)?;
    native.set("websocketInfo", Function::new(ctx.clone(), info)?)?;
    native.set("jobsStart", Function::new(ctx.clone(), start)?)?;
    native.set("filesGet", Function::new(ctx.clone(), get)?)?;
    native.set("filesPut", Function::new(ctx.clone(), put)?)?;
    native.set("filesList", Function::new(ctx.clone(), list)?)?;
    native.set("filesDelete", Function::new(ctx.clone(), delete)?)?;
    native.set("filesGetUrl", Function::new(ctx.clone(), get_url)?)?;
    native.set("filesPutUrl", Function::new(ctx.clone(), put_url)?)?;
    native.set("filesPostForm", Function::new(ctx.clone(), post_form)?)?;
    Ok(())
}

/// An error of any of the interfaces: its code as the contract writes it, and its message.
trait Refusal {
    fn parts(self) -> (&'static str, String);
}

macro_rules! refusal {
    ($interface:ident: $($variant:ident => $code:literal,)*) => {
        impl Refusal for $interface::Error {
            fn parts(self) -> (&'static str, String) {
                let code = match self.code {
                    $($interface::ErrorCode::$variant => $code,)*
                };
                (code, self.message)
            }
        }
    };
}

refusal! { connections:
    NotGranted => "not-granted",
    Gone => "gone",
    TooLarge => "too-large",
    Throttled => "throttled",
    Failed => "failed",
}

refusal! { starter:
    NotGranted => "not-granted",
    InvalidEvent => "invalid-event",
    TooLarge => "too-large",
    Throttled => "throttled",
    Failed => "failed",
}

refusal! { store:
    NotGranted => "not-granted",
    NotFound => "not-found",
    Invalid => "invalid",
    TooLarge => "too-large",
    Failed => "failed",
}

/// Calls the host, unless there is none: a module's top level runs at build time too, and is then put off.
fn call<'js, T: IntoJs<'js>, E: Refusal>(
    ctx: &Ctx<'js>,
    what: &str,
    host: impl FnOnce() -> std::result::Result<T, E>,
) -> Result<Object<'js>> {
    let answer = Object::new(ctx.clone())?;
    let refused = if instance::in_snapshot() {
        instance::defer(what.to_owned());
        Some(("failed", format!("{what} answers invocations alone")))
    } else {
        match host() {
            Ok(value) => {
                answer.set("value", value)?;
                None
            }
            Err(error) => Some(error.parts()),
        }
    };
    if let Some((code, message)) = refused {
        let error = Object::new(ctx.clone())?;
        error.set("code", code)?;
        error.set("message", message)?;
        answer.set("error", error)?;
    }
    Ok(answer)
}

fn send<'js>(ctx: Ctx<'js>, connection: String, message: Bytes<'js>) -> Result<Object<'js>> {
    let message = bytes(&ctx, &message)?;
    call(&ctx, "lambkin/websocket", || connections::send(&connection, &message))
}

fn close<'js>(ctx: Ctx<'js>, connection: String) -> Result<Object<'js>> {
    call(&ctx, "lambkin/websocket", || connections::close(&connection))
}

fn info<'js>(ctx: Ctx<'js>, connection: String) -> Result<Object<'js>> {
    call(&ctx, "lambkin/websocket", || connections::info(&connection))
}

fn start<'js>(ctx: Ctx<'js>, component: String, event: String) -> Result<Object<'js>> {
    call(&ctx, "lambkin/jobs", || starter::start(&component, &event))
}

fn get<'js>(ctx: Ctx<'js>, folder: String, path: String) -> Result<Object<'js>> {
    call(&ctx, "lambkin/files", || store::get(&folder, &path))
}

fn put<'js>(
    ctx: Ctx<'js>,
    folder: String,
    path: String,
    data: Bytes<'js>,
    content_type: Option<String>,
) -> Result<Object<'js>> {
    let data = bytes(&ctx, &data)?;
    call(&ctx, "lambkin/files", || store::put(&folder, &path, &data, content_type.as_deref()))
}

fn list<'js>(
    ctx: Ctx<'js>,
    folder: String,
    prefix: String,
    after: Option<String>,
) -> Result<Object<'js>> {
    call(&ctx, "lambkin/files", || store::entries(&folder, &prefix, after.as_deref()))
}

fn delete<'js>(ctx: Ctx<'js>, folder: String, path: String) -> Result<Object<'js>> {
    call(&ctx, "lambkin/files", || store::delete(&folder, &path))
}

fn get_url<'js>(
    ctx: Ctx<'js>,
    folder: String,
    path: String,
    seconds: u32,
) -> Result<Object<'js>> {
    call(&ctx, "lambkin/files", || store::get_url(&folder, &path, seconds))
}

fn put_url<'js>(
    ctx: Ctx<'js>,
    folder: String,
    path: String,
    seconds: u32,
    content_type: Option<String>,
) -> Result<Object<'js>> {
    call(&ctx, "lambkin/files", || {
        store::put_url(&folder, &path, seconds, content_type.as_deref())
    })
}

fn post_form<'js>(
    ctx: Ctx<'js>,
    folder: String,
    path: String,
    bounds: Object<'js>,
) -> Result<Object<'js>> {
    let upload = store::Upload {
        expires_seconds: bounds.get("expiresIn")?,
        min_bytes: bounds.get::<_, f64>("minBytes")? as u64,
        max_bytes: bounds.get::<_, f64>("maxBytes")? as u64,
        content_type: bounds.get("contentType")?,
    };
    call(&ctx, "lambkin/files", || store::post_form(&folder, &path, &upload))
}

impl<'js> IntoJs<'js> for connections::Connection {
    fn into_js(self, ctx: &Ctx<'js>) -> Result<Value<'js>> {
        let object = Object::new(ctx.clone())?;
        object.set("connectedAt", self.connected_at_ms as f64)?;
        object.set("lastActiveAt", self.last_active_at_ms as f64)?;
        object.set("sourceIp", self.source_ip)?;
        object.set("userAgent", self.user_agent)?;
        Ok(object.into_value())
    }
}

impl<'js> IntoJs<'js> for store::File {
    fn into_js(self, ctx: &Ctx<'js>) -> Result<Value<'js>> {
        let object = Object::new(ctx.clone())?;
        object.set("data", TypedArray::new(ctx.clone(), self.data)?)?;
        object.set("contentType", self.content_type)?;
        object.set("etag", self.etag)?;
        Ok(object.into_value())
    }
}

impl<'js> IntoJs<'js> for store::Page {
    fn into_js(self, ctx: &Ctx<'js>) -> Result<Value<'js>> {
        let object = Object::new(ctx.clone())?;
        object.set("entries", self.entries)?;
        object.set("next", self.next)?;
        Ok(object.into_value())
    }
}

impl<'js> IntoJs<'js> for store::Entry {
    fn into_js(self, ctx: &Ctx<'js>) -> Result<Value<'js>> {
        let object = Object::new(ctx.clone())?;
        object.set("path", self.path)?;
        object.set("size", self.size as f64)?;
        object.set("etag", self.etag)?;
        object.set("lastModified", self.last_modified_ms as f64)?;
        Ok(object.into_value())
    }
}

impl<'js> IntoJs<'js> for store::Form {
    fn into_js(self, ctx: &Ctx<'js>) -> Result<Value<'js>> {
        let (object, fields) = (Object::new(ctx.clone())?, Object::new(ctx.clone())?);
        for (name, value) in self.fields {
            fields.set(name, value)?;
        }
        object.set("url", self.url)?;
        object.set("fields", fields)?;
        Ok(object.into_value())
    }
}
