//! The event loop: runs promise jobs, fires timers, and waits for the host's pollables in between.
//!
//! Operations of the host are futures of ours, polled whenever one of the pollables they wait for is ready, so that
//! fetches and timers overlap inside one synchronous call of the component.

use crate::instance;
use rquickjs::function::Args;
use rquickjs::{
    Context, Ctx, Function, IntoJs as _, Object, Persistent, Promise, Result, TypedArray, Value,
};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Poll, Waker};
use wasip2::io::poll::{Pollable, poll};

/// What a finished operation of the host gives to JavaScript.
pub enum Outcome {
    Nothing,
    Bytes(Option<Vec<u8>>),
    /// An HTTP response: status, names and values in turn, and the handle of its body.
    Response {
        status: u16,
        headers: Vec<String>,
        body: u32,
    },
}

/// How an operation of the host ends; the error is the message of the JavaScript error.
pub type Ended = std::result::Result<Outcome, String>;

type SavedFunction = Persistent<Function<'static>>;

struct Task {
    key: u32,
    future: Pin<Box<dyn Future<Output = Ended>>>,
    resolve: SavedFunction,
    reject: SavedFunction,
}

#[derive(Default)]
struct EventLoop {
    /// When each timer is due, with the order they were set in; the callbacks are JavaScript's.
    timers: BTreeMap<(u64, u64), u32>,
    order: u64,
    tasks: Vec<Task>,
}

thread_local! {
    static LOOP: RefCell<EventLoop> = RefCell::default();
    static WAITING: RefCell<Vec<Rc<Pollable>>> = const { RefCell::new(Vec::new()) };
}

/// Starts `future` and returns the promise of its end; `key` names it for [`abort`].
pub fn spawn<'js>(
    ctx: &Ctx<'js>,
    key: u32,
    future: impl Future<Output = Ended> + 'static,
) -> Result<Promise<'js>> {
    let (promise, resolve, reject) = ctx.promise()?;
    let task = Task {
        key,
        future: Box::pin(future),
        resolve: Persistent::save(ctx, resolve),
        reject: Persistent::save(ctx, reject),
    };
    LOOP.with_borrow_mut(|events| events.tasks.push(task));
    Ok(promise)
}

/// Drops the operation named `key`; its promise never settles.
pub fn abort(key: u32) {
    LOOP.with_borrow_mut(|events| events.tasks.retain(|task| task.key != key));
}

/// Asks for JavaScript's timer `id` to fire in `milliseconds`.
pub fn set_timer(id: u32, milliseconds: f64) {
    let due = instance::monotonic().saturating_add((milliseconds * 1e6) as u64);
    LOOP.with_borrow_mut(|events| {
        events.order += 1;
        let order = events.order;
        events.timers.insert((due, order), id);
    });
}

/// Forgets JavaScript's timer `id`.
pub fn clear_timer(id: u32) {
    LOOP.with_borrow_mut(|events| events.timers.retain(|_, timer| *timer != id));
}

/// Moves what is due from one monotonic clock to another: a timer set at build time keeps its remaining time.
pub fn rebase(snapshot_clock: u64) {
    let now = instance::monotonic();
    LOOP.with_borrow_mut(|events| {
        let timers = std::mem::take(&mut events.timers);
        let moved = timers
            .into_iter()
            .map(|((due, order), id)| ((now + due.saturating_sub(snapshot_clock), order), id));
        events.timers = moved.collect();
    });
}

/// Waits until `pollable` is ready, letting other operations go on.
pub async fn ready(pollable: Pollable) {
    let pollable = Rc::new(pollable);
    poll_fn(|_| {
        if pollable.ready() {
            return Poll::Ready(());
        }
        WAITING.with_borrow_mut(|waiting| waiting.push(Rc::clone(&pollable)));
        Poll::Pending
    })
    .await;
}

/// Runs until `done` says so (true) or until nothing is left that could make progress (false).
pub fn run(
    context: &Context,
    fire: &SavedFunction,
    mut done: impl FnMut(&Ctx<'_>) -> bool,
) -> bool {
    loop {
        let finished = context.with(|ctx| {
            while ctx.execute_pending_job() {}
            done(&ctx)
        });
        if finished {
            return true;
        }
        let progressed = fire_due_timers(context, fire) | advance_tasks(context);
        if progressed {
            // JavaScript is about to run: a stream it closes must not have a pollable of ours left.
            WAITING.with_borrow_mut(Vec::clear);
        } else if !wait() {
            return false;
        }
    }
}

fn fire_due_timers(context: &Context, fire: &SavedFunction) -> bool {
    let now = instance::monotonic();
    let due = LOOP.with_borrow_mut(|events| {
        let later = events.timers.split_off(&(now + 1, 0));
        std::mem::replace(&mut events.timers, later)
    });
    let any = !due.is_empty();
    for id in due.into_values() {
        context.with(|ctx| {
            // The callback's own errors are caught and reported in JavaScript.
            let _ = fire.clone().restore(&ctx).and_then(|fire| fire.call::<_, ()>((id,)));
            while ctx.execute_pending_job() {}
        });
    }
    any
}

/// Polls every operation once; true when at least one ended.
fn advance_tasks(context: &Context) -> bool {
    let tasks = LOOP.with_borrow_mut(|events| std::mem::take(&mut events.tasks));
    let mut waker = std::task::Context::from_waker(Waker::noop());
    let (mut pending, mut ended) = (Vec::new(), Vec::new());
    for mut task in tasks {
        match task.future.as_mut().poll(&mut waker) {
            Poll::Pending => pending.push(task),
            Poll::Ready(outcome) => ended.push((task.resolve, task.reject, outcome)),
        }
    }
    LOOP.with_borrow_mut(|events| events.tasks.append(&mut pending));
    let any = !ended.is_empty();
    if any {
        WAITING.with_borrow_mut(Vec::clear);
    }
    for (resolve, reject, outcome) in ended {
        context.with(|ctx| {
            let _ = settle(&ctx, resolve, reject, outcome);
            while ctx.execute_pending_job() {}
        });
    }
    any
}

fn settle<'js>(
    ctx: &Ctx<'js>,
    resolve: SavedFunction,
    reject: SavedFunction,
    outcome: Ended,
) -> Result<()> {
    let (target, value) = match outcome {
        Ok(outcome) => (resolve, outcome.into_value(ctx)?),
        Err(message) => (reject, message.into_js(ctx)?),
    };
    let mut arguments = Args::new(ctx.clone(), 1);
    arguments.push_arg(value)?;
    target.restore(ctx)?.call_arg(arguments)
}

impl Outcome {
    fn into_value<'js>(self, ctx: &Ctx<'js>) -> Result<Value<'js>> {
        match self {
            Self::Nothing => Ok(Value::new_undefined(ctx.clone())),
            Self::Bytes(None) => Ok(Value::new_null(ctx.clone())),
            Self::Bytes(Some(bytes)) => Ok(TypedArray::new(ctx.clone(), bytes)?.into_value()),
            Self::Response { status, headers, body } => {
                let response = Object::new(ctx.clone())?;
                response.set("status", status)?;
                response.set("headers", headers)?;
                response.set("body", body)?;
                Ok(response.into_value())
            }
        }
    }
}

/// Blocks until a timer is due or an operation may go on; false when there is neither.
fn wait() -> bool {
    let next = LOOP.with_borrow(|events| events.timers.keys().next().map(|(due, _)| *due));
    if instance::in_snapshot() {
        let Some(due) = next else { return false };
        std::thread::sleep(std::time::Duration::from_nanos(
            due.saturating_sub(instance::monotonic()),
        ));
        return true;
    }
    let waiting = WAITING.take();
    if waiting.is_empty() && next.is_none() {
        return false;
    }
    let timer = next.map(wasip2::clocks::monotonic_clock::subscribe_instant);
    let pollables: Vec<&Pollable> = waiting.iter().map(Rc::as_ref).chain(timer.as_ref()).collect();
    poll(&pollables);
    true
}
