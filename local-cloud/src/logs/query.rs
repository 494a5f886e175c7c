//! What is asked of the logs, and the pages it is answered in.

use super::pattern::Pattern;
use super::{Event, Group};

/// The most events of one answer.
pub(super) const MAX_EVENTS: usize = 10_000;

/// The most that the messages of one answer have together, in bytes.
const MAX_ANSWER: usize = 1 << 20;

/// Which events of a group are wanted.
#[derive(Debug, Default)]
pub(super) struct Filter {
    /// In milliseconds since 1970; the first moment.
    pub(super) start: Option<u64>,
    /// The last moment.
    pub(super) end: Option<u64>,
    /// Names of streams; none: all.
    pub(super) streams: Vec<String>,
    pub(super) stream_prefix: Option<String>,
    pub(super) pattern: Pattern,
}

impl Filter {
    fn takes(&self, event: &Event) -> bool {
        self.start.is_none_or(|start| event.timestamp >= start)
            && self.end.is_none_or(|end| event.timestamp <= end)
            && (self.streams.is_empty()
                || self.streams.iter().any(|stream| **stream == *event.stream))
            && self.stream_prefix.as_ref().is_none_or(|prefix| event.stream.starts_with(&**prefix))
            && self.pattern.matches(&event.message)
    }
}

/// From where a page goes which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    /// The event after this number, and those that follow.
    After(u64),
    /// The last events before this number.
    Before(u64),
}

/// Some of the events that were asked for, in their order.
pub(super) struct Page<'a> {
    pub(super) events: Vec<&'a Event>,
    /// Whether there are more that way.
    pub(super) more: bool,
}

impl Group {
    /// The events that the filter takes, `limit` at most.
    pub(super) fn page(&self, filter: &Filter, from: From, limit: usize) -> Page<'_> {
        let limit = limit.clamp(1, MAX_EVENTS);
        let taken = self.events.iter().filter(|event| filter.takes(event));
        match from {
            From::After(number) => cut(taken.filter(|event| event.number > number), limit),
            From::Before(number) => {
                let mut page = cut(taken.rev().filter(|event| event.number < number), limit);
                page.events.reverse();
                page
            }
        }
    }
}

fn cut<'a>(mut events: impl Iterator<Item = &'a Event>, limit: usize) -> Page<'a> {
    let (mut page, mut size) = (Vec::new(), 0);
    let more = loop {
        let Some(event) = events.next() else { break false };
        size += event.message.len();
        if page.len() == limit || (size > MAX_ANSWER && !page.is_empty()) {
            break true;
        }
        page.push(event);
    };
    Page { events: page, more }
}
