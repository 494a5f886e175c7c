//! The export `lambkin:function/handler`: a Lambda handler.

use crate::vm::{Thrown, Vm, thrown};
use rquickjs::{Ctx, Function, Object, Result};

mod bindings {
    #![allow(missing_docs, reason = "generated")]
    wit_bindgen::generate!({ path: "../../../wit/lambkin-function", world: "function" });
}

use bindings::exports::lambkin::function::handler::{Context, FunctionError, Guest};

struct Handler;

bindings::export!(Handler with_types_in bindings);

impl Guest for Handler {
    fn handle(event: String, context: Context) -> std::result::Result<String, FunctionError> {
        let vm = Vm::get()?;
        vm.begin(environment(&context))?;
        let answer = vm.settle(
            |prelude| {
                let ctx = prelude.ctx();
                let arguments = (ctx.json_parse(event)?, describe(ctx, &context)?);
                prelude.get::<_, Function<'_>>("invokeFunction")?.call(arguments)
            },
            |answer| {
                let text = answer.as_object().and_then(|answer| answer.get("answer").ok());
                Ok((thrown(answer)?, text))
            },
        )?;
        match answer {
            (Some(error), _) => Err(error.into()),
            (None, text) => Ok(text.unwrap_or_else(|| "null".to_owned())),
        }
    }
}

impl From<Thrown> for FunctionError {
    fn from(error: Thrown) -> Self {
        Self { error_type: error.name, error_message: error.message, stack_trace: error.stack }
    }
}

/// Names and values in turn: WASI's environment, the manifest's, and what Lambda sets for its own runtimes
/// (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>).
fn environment(context: &Context) -> Vec<String> {
    let function = &context.function;
    let lambda = [
        ("AWS_LAMBDA_FUNCTION_NAME", function.name.clone()),
        ("AWS_LAMBDA_FUNCTION_VERSION", function.version.clone()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", function.memory_mb.to_string()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", function.log_group.clone()),
        ("AWS_LAMBDA_LOG_STREAM_NAME", function.log_stream.clone()),
        ("_X_AMZN_TRACE_ID", context.trace_id.clone().unwrap_or_default()),
    ];
    let lambda = lambda
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name.to_owned(), value));
    lambda
        .chain(context.environment.iter().cloned())
        .flat_map(|(name, value)| [name, value])
        .collect()
}

fn describe<'js>(ctx: &Ctx<'js>, context: &Context) -> Result<Object<'js>> {
    let object = Object::new(ctx.clone())?;
    object.set("requestId", &*context.request_id)?;
    object.set("deadline", context.deadline_ms as f64)?;
    object.set("app", &*context.app)?;
    object.set("alias", &*context.alias)?;
    object.set("release", &*context.release)?;
    object.set("component", &*context.component)?;
    object.set("tenant", context.tenant.as_deref())?;
    object.set("name", &*context.function.name)?;
    object.set("version", &*context.function.version)?;
    object.set("arn", &*context.function.invoked_arn)?;
    object.set("memory", context.function.memory_mb)?;
    object.set("logGroup", &*context.function.log_group)?;
    object.set("logStream", &*context.function.log_stream)?;
    object.set("clientContext", context.client_context.as_deref())?;
    object.set("identity", context.identity.as_deref())?;
    Ok(object)
}
