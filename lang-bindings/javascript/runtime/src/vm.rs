//! The one QuickJS context of an instance, and the prelude's functions that Rust calls.

use crate::{event_loop, instance, loader};
use rquickjs::promise::PromiseState;
use rquickjs::{
    CatchResultExt as _, CaughtError, Context, Ctx, Function, Module, Object, Persistent, Promise,
    Result, Runtime, Value,
};
use std::cell::RefCell;

/// How much of the stack JavaScript may use before it gets a `RangeError`. Each call costs the host's own stack
/// as well, so that this bound, not the host's trap, must be met first.
const STACK_BYTES: usize = 384 * 1024;

/// How much is allocated between collections of reference cycles; most garbage is freed by its count alone.
const COLLECT_BYTES: usize = 8 * 1024 * 1024;

type Saved<T> = Persistent<T>;

/// The context and what of the prelude is called from Rust.
#[derive(Clone)]
pub struct Vm {
    pub context: Context,
    prelude: Saved<Object<'static>>,
    fire: Saved<Function<'static>>,
    /// The monotonic clock when the snapshot was taken.
    snapshot_clock: u64,
}

/// A JavaScript error as the host is told of it.
#[derive(Debug, Default)]
pub struct Thrown {
    pub name: String,
    pub message: String,
    pub stack: Vec<String>,
}

thread_local! {
    static VM: RefCell<Option<Vm>> = const { RefCell::new(None) };
}

impl Vm {
    /// Starts QuickJS and evaluates the prelude.
    pub fn new() -> std::result::Result<Self, Thrown> {
        let failed = |error: rquickjs::Error| Thrown {
            name: "Error".to_owned(),
            message: error.to_string(),
            stack: Vec::new(),
        };
        let runtime = Runtime::new().map_err(failed)?;
        runtime.set_loader(loader::Builtin, loader::Builtin);
        runtime.set_max_stack_size(STACK_BYTES);
        runtime.set_gc_threshold(COLLECT_BYTES);
        let context = Context::full(&runtime).map_err(failed)?;
        let (prelude, fire) = context.with(|ctx| -> std::result::Result<_, Thrown> {
            let prelude =
                import(&ctx, "lambkin:main").catch(&ctx).map_err(|error| plain(&error))?;
            let fire: Function<'_> = prelude.get("fireTimer").map_err(failed)?;
            Ok((Persistent::save(&ctx, prelude), Persistent::save(&ctx, fire)))
        })?;
        track_rejections(&runtime, &prelude);
        Ok(Self { context, prelude, fire, snapshot_clock: 0 })
    }

    /// Keeps this context for the invocation that follows the snapshot.
    pub fn keep(mut self) {
        self.snapshot_clock = instance::monotonic();
        VM.set(Some(self));
    }

    /// The context that the snapshot holds.
    pub fn get() -> std::result::Result<Self, Thrown> {
        let missing = || Thrown {
            name: "Error".to_owned(),
            message: "the runtime holds no module: it was not built by `lambkin build`".to_owned(),
            stack: Vec::new(),
        };
        VM.with_borrow(Clone::clone).ok_or_else(missing)
    }

    /// Begins an instance's life, once: fresh randomness, environment and clocks, and the module if it waited for them.
    pub fn begin(&self, environment: Vec<String>) -> std::result::Result<(), Thrown> {
        if !instance::in_snapshot() {
            return Ok(());
        }
        instance::start();
        event_loop::rebase(self.snapshot_clock);
        let begun = self.settle(
            |prelude| prelude.get::<_, Function<'_>>("begin")?.call((environment,)),
            thrown,
        )?;
        begun.map_or(Ok(()), Err)
    }

    /// Calls a function of the prelude and runs the event loop until the promise it returns is settled.
    ///
    /// `call` makes the call; `read` turns the promise's value into the result. The prelude's functions catch what the
    /// user's code throws, so that a rejection is the runtime's own failure.
    pub fn settle<R: Default>(
        &self,
        call: impl for<'js> FnOnce(&Object<'js>) -> Result<Promise<'js>>,
        read: impl for<'js> FnOnce(Value<'js>) -> Result<R>,
    ) -> std::result::Result<R, Thrown> {
        let promise = self.context.with(|ctx| {
            let promise =
                self.prelude.clone().restore(&ctx).and_then(|prelude| call(&prelude)).catch(&ctx);
            promise.map(|promise| Persistent::save(&ctx, promise)).map_err(|error| plain(&error))
        })?;
        loop {
            let settled = event_loop::run(&self.context, &self.fire, |ctx| {
                let promise = promise.clone().restore(ctx);
                promise.map_or(true, |promise| promise.state() != PromiseState::Pending)
            });
            if settled || !self.context.with(|ctx| self.tell_idle(&ctx)) {
                break;
            }
        }
        self.context.with(|ctx| {
            let promise = promise.restore(&ctx).map_err(|error| Thrown::of(&error))?;
            match promise.result::<Value<'_>>() {
                None => Ok(R::default()),
                Some(value) => value.and_then(read).catch(&ctx).map_err(|error| plain(&error)),
            }
        })
    }

    /// Tells the prelude that nothing is left to wait for; true when that gave it something to do.
    fn tell_idle(&self, ctx: &Ctx<'_>) -> bool {
        let prelude = self.prelude.clone().restore(ctx);
        prelude
            .and_then(|prelude| prelude.get::<_, Function<'_>>("idle")?.call(()))
            .unwrap_or(false)
    }
}

impl Thrown {
    fn of(error: &rquickjs::Error) -> Self {
        Self { name: "Error".to_owned(), message: error.to_string(), stack: Vec::new() }
    }
}

/// The member `error` of what a function of the prelude answered.
pub fn thrown(answer: Value<'_>) -> Result<Option<Thrown>> {
    let Some(answer) = answer.as_object() else { return Ok(None) };
    let Some(error) = answer.get::<_, Option<Object<'_>>>("error")? else { return Ok(None) };
    Ok(Some(Thrown {
        name: error.get("name")?,
        message: error.get("message")?,
        stack: error.get("stack")?,
    }))
}

/// Imports a module that has nothing to wait for.
fn import<'js>(ctx: &Ctx<'js>, name: &str) -> Result<Object<'js>> {
    Module::import(ctx, name)?.finish()
}

/// An error of the runtime itself, or one that the prelude did not catch.
pub fn plain(error: &CaughtError<'_>) -> Thrown {
    match error {
        CaughtError::Exception(exception) => Thrown {
            name: exception.as_object().get("name").unwrap_or_else(|_| "Error".to_owned()),
            message: exception.message().unwrap_or_default(),
            stack: exception
                .stack()
                .unwrap_or_default()
                .lines()
                .map(|line| line.trim().to_owned())
                .collect(),
        },
        other => Thrown { name: "Error".to_owned(), message: other.to_string(), stack: Vec::new() },
    }
}

/// Lets the prelude know of promises that are rejected with nobody to handle it.
fn track_rejections(runtime: &Runtime, prelude: &Persistent<Object<'static>>) {
    let prelude = prelude.clone();
    runtime.set_host_promise_rejection_tracker(Some(Box::new(
        move |ctx, promise, reason, handled| {
            let prelude = prelude.clone().restore(&ctx);
            let _ = prelude.and_then(|prelude| {
                prelude
                    .get::<_, Function<'_>>("trackRejection")?
                    .call::<_, ()>((promise, reason, handled))
            });
        },
    )));
}
