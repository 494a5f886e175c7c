//! Events that reach a function by themselves: S3's notifications, schedules and the messages of queues, by the triggers of an app's manifest.
//!
//! `schedule` knows when, [`s3`] what has changed, [`sqs`] what was sent; `delivery` invokes. Who takes an event inside the function is the host's to say.

mod delivery;
mod schedule;

use std::sync::{Arc, Mutex, PoisonError};

use lambkin_protocol::event::takes_s3;
use lambkin_protocol::manifest::{Trigger, TriggerKind};
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};

pub use delivery::{Deliver, to_function};
pub use schedule::{Schedule, ScheduleError};

use crate::s3;
use crate::sqs::{self, Invoke, Queues};

/// The sources of a function's events, as its triggers say. Dropping it stops schedules and polls.
pub struct Sources {
    deliver: Deliver,
    place: Place,
    triggers: Arc<Mutex<Vec<Trigger>>>,
    schedules: Mutex<JoinSet<()>>,
    /// Ends the polls of the triggers before, but not their invocations.
    polls: Mutex<Option<DropGuard>>,
    queues: Option<(Queues, Invoke)>,
}

/// Where events say that they come from.
#[derive(Debug, Clone)]
pub struct Place {
    /// The region.
    pub region: String,
    /// The account's number.
    pub account: String,
}

impl Sources {
    /// Nothing is delivered until there are triggers.
    pub fn new(place: Place, deliver: Deliver) -> Self {
        Self {
            deliver,
            place,
            triggers: Arc::default(),
            schedules: Mutex::default(),
            polls: Mutex::default(),
            queues: None,
        }
    }

    /// Polls `queues` for the triggers that name one, and calls `invoke` with what they get.
    #[must_use]
    pub fn with_queues(self, queues: Queues, invoke: Invoke) -> Self {
        Self { queues: Some((queues, invoke)), ..self }
    }

    /// Delivers the notifications of `server`, by the triggers that are in force when an object changes.
    pub fn follow(&self, server: &s3::Server) {
        let (triggers, deliver) = (Arc::clone(&self.triggers), Arc::clone(&self.deliver));
        let region = self.place.region.clone();
        server.on_change(Arc::new(move |change| {
            let triggers = triggers.lock().unwrap_or_else(PoisonError::into_inner);
            let origin = (change.bucket.as_str(), change.name);
            if let Some(trigger) =
                triggers.iter().find(|trigger| takes_s3(trigger, origin, &change.key))
            {
                deliver(change.event(&region, &trigger.component).to_string().into());
            }
        }));
    }

    /// Puts `triggers` in the place of those before; schedules and polls begin anew. On an error those before stay. Must be called
    /// within a tokio runtime with timers.
    pub fn set(&self, triggers: &[Trigger]) -> Result<(), ScheduleError> {
        let mut rules = Vec::new();
        for trigger in triggers.iter().filter(|trigger| trigger.kind == TriggerKind::Schedule) {
            let schedule = Schedule::parse(trigger.schedule.as_deref().unwrap_or_default())?;
            let rule = trigger.rule.as_deref().unwrap_or(&trigger.component);
            rules.push((schedule, rule.rsplit('/').next().unwrap_or(rule).to_owned()));
        }
        let mut running = JoinSet::new();
        for (schedule, rule) in rules {
            running.spawn(schedule::run(
                schedule,
                rule,
                (self.place.clone(), Arc::clone(&self.deliver)),
            ));
        }
        *self.schedules.lock().unwrap_or_else(PoisonError::into_inner) = running;
        self.poll(triggers);
        *self.triggers.lock().unwrap_or_else(PoisonError::into_inner) = triggers.to_vec();
        Ok(())
    }

    fn poll(&self, triggers: &[Trigger]) {
        let stop = CancellationToken::new();
        let queued = triggers.iter().filter(|trigger| trigger.kind == TriggerKind::Sqs);
        for (trigger, (queues, invoke)) in queued.zip(self.queues.iter().cycle()) {
            let mapping = sqs::Mapping::of(trigger, queues);
            tokio::spawn(mapping.run(queues.clone(), Arc::clone(invoke), stop.clone()));
        }
        *self.polls.lock().unwrap_or_else(PoisonError::into_inner) = Some(stop.drop_guard());
    }
}

impl std::fmt::Debug for Sources {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Sources").field("place", &self.place).finish_non_exhaustive()
    }
}
