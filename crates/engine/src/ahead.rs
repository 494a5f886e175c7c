//! The instance that the next invocation will probably need, made before that comes.
//!
//! Between an answer and the next invocation nobody waits, and a function's invocations are mostly of one component. So
//! when it has been called twice in a row, its next instance is made there, start-up code included: that runs before the
//! event comes, as it does in every runtime of Lambda's
//! (<https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html>).
//!
//! *Invariant*: an instance from here has served nobody, serves one invocation, and only one like that which it was made
//! after: see [`Given`].

use crate::capabilities::Capabilities;
use crate::component::{Component, Inner};
use crate::given::Given;
use crate::instance::Instance;
use crate::invocation::{Invocation, OutputSink, Stream};
use crate::kept::ComponentId;
use crate::session::Session;
use crate::state::Stdout;
use futures::FutureExt as _;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::time::timeout_at;

/// An older one is not used: what start-up code has read, from a clock or a service, would be too old.
const OLDEST: Duration = Duration::from_mins(1);

/// What takes longer to make is made by the invocation that needs it, with the time that it has.
const LONGEST: Duration = Duration::from_millis(50);

/// What start-up code may write, in bytes. One that writes more is left to the invocation, whose log takes it as it comes.
const LONGEST_OUTPUT: usize = 64 * 1024;

/// The place of one engine's next instance.
#[derive(Default)]
pub(crate) struct Ahead(Mutex<Place>);

#[derive(Default)]
struct Place {
    /// The component of the last invocation.
    last: Option<ComponentId>,
    ready: Option<Ready>,
}

/// An instance that nobody has called yet.
pub(crate) struct Ready {
    session: Session,
    instance: Instance,
    given: Given,
    made: Instant,
    said: Arc<Mutex<Said>>,
}

/// What start-up code has written: it goes to the log of the invocation that the instance serves.
#[derive(Default)]
struct Said {
    lines: Vec<(Stream, String)>,
    bytes: usize,
}

/// What the next instance is made with.
pub(crate) struct Next {
    component: Component,
    given: Given,
    capabilities: Capabilities,
}

impl Ahead {
    /// An instance for the invocation, which begins, or with what one is to be made after it.
    pub(crate) fn take(
        &self,
        component: &Component,
        invocation: &Invocation,
    ) -> (Option<(Session, Instance)>, Option<Next>) {
        let id = component.0.id;
        let mut place = self.lock();
        let is_like_the_last = place.last.replace(id) == Some(id);
        let ready = place.ready.take();
        drop(place);
        let fits =
            |ready: &Ready| ready.made.elapsed() < OLDEST && ready.given.is_of(id, invocation);
        // One that does not fit is dropped: its memory is wanted.
        let next = |given| Next::new(component, given, invocation);
        match ready.filter(fits) {
            Some(Ready { session, instance, given, said, .. }) => {
                // The first invocation may be the last: many a process gets no second one.
                let next = is_like_the_last.then(|| next(given));
                for (stream, line) in &lock(&said).lines {
                    (invocation.output)(*stream, line);
                }
                (Some((session, instance)), next)
            }
            None if is_like_the_last => (None, Some(next(Given::new(id, invocation)))),
            None => (None, None),
        }
    }

    /// Drops the instance of a component that is gone.
    pub(crate) fn forget(&self, component: ComponentId) {
        let mut place = self.lock();
        let is_gone = |ready: &mut Ready| ready.given.component() == component;
        let gone = place.ready.take_if(is_gone);
        drop(place);
        drop(gone);
    }

    fn put(&self, ready: Ready) {
        let replaced = self.lock().ready.replace(ready);
        drop(replaced);
    }

    /// A panic while the lock was held leaves the place whole.
    fn lock(&self) -> MutexGuard<'_, Place> {
        lock(&self.0)
    }
}

impl Component {
    /// Makes the instance of an invocation like this one, for the first that comes. Only where
    /// [`Teardown::WhenAsked`](crate::Teardown::WhenAsked) is set, and only of what is called in an instance of its own.
    ///
    /// What fails is made again by the invocation. Must be called within a tokio runtime with timers.
    pub async fn prepare(&self, invocation: &Invocation) {
        let Inner { id, can_be_kept, shared, .. } = &*self.0;
        if *can_be_kept && shared.spent.is_asked() && invocation.reuse.is_none() {
            let next = Next::new(self, Given::new(*id, invocation), invocation);
            next.make(invocation.deadline).await;
        }
    }
}

impl Next {
    fn new(component: &Component, given: Given, invocation: &Invocation) -> Self {
        let capabilities = invocation.capabilities.clone();
        Self { component: component.clone(), given, capabilities }
    }

    /// Makes the instance between two invocations, of which the former had time until `deadline`.
    pub(crate) async fn make_between(self, deadline: Instant) {
        self.make(deadline.min(Instant::now() + 2 * LONGEST)).await;
    }

    /// Makes the instance, until `deadline` at the latest. What fails here is tried again by the invocation that needs it,
    /// whose caller then hears of it.
    async fn make(self, deadline: Instant) {
        let Self { component, given, capabilities } = self;
        let component: &Inner = &component.0;
        let said = Arc::<Mutex<Said>>::default();
        let mut invocation = given.invocation(deadline, capabilities, collect(&said));
        let Ok(mut session) = Session::open(component, &mut invocation, Stdout::Lines) else {
            return;
        };
        let made = timeout_at(deadline.into(), Instance::make(component, &mut session));
        // A panic in a host function is the instance's end and nobody else's.
        let made = AssertUnwindSafe(made).catch_unwind().await;
        session.store.data().flush_lines();
        if let Ok(Ok(Ok(instance))) = made
            && lock(&said).bytes <= LONGEST_OUTPUT
        {
            session.rest();
            let made = Instant::now();
            component.shared.ahead.put(Ready { session, instance, given, made, said });
        }
    }
}

/// Whether an instance that an invocation has made, in this time, is worth making ahead.
pub(crate) fn is_quick(instantiate: Duration) -> bool {
    instantiate <= LONGEST
}

fn collect(said: &Arc<Mutex<Said>>) -> OutputSink {
    let said = Arc::clone(said);
    Arc::new(move |stream, line| {
        let mut said = lock(&said);
        said.bytes = said.bytes.saturating_add(line.len());
        if said.bytes <= LONGEST_OUTPUT {
            said.lines.push((stream, line.to_owned()));
        }
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
