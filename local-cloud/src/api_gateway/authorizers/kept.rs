//! Answers of authorizers that still count, by authorizer and identity.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use lambkin_protocol::authorizer::Verdict;

/// The most answers that are kept; when there are more, all are forgotten and asked for again.
const MOST: usize = 10_000;

/// An authorizer's name and what identifies a client to it.
pub(super) type Key = (String, Vec<String>);

/// The answers.
#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<HashMap<Key, (Arc<Verdict>, Instant)>>);

impl Kept {
    /// The answer for `key`, if it counts at `now`.
    pub(super) fn get(&self, key: &Key, now: Instant) -> Option<Arc<Verdict>> {
        let answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        answers.get(key).filter(|(_, end)| now < *end).map(|(verdict, _)| Arc::clone(verdict))
    }

    /// Keeps an answer until `end`.
    pub(super) fn put(&self, key: Key, verdict: Arc<Verdict>, end: Instant) {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.len() >= MOST {
            answers.clear();
        }
        answers.insert(key, (verdict, end));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_answer_counts_until_its_time_is_over() {
        let (kept, now) = (Kept::default(), Instant::now());
        let verdict = Arc::new(Verdict::of_http_api(br#"{"isAuthorized":true}"#).unwrap());
        let key = |identity: &str| ("tokens".to_owned(), vec![identity.to_owned()]);
        kept.put(key("a"), verdict, now + Duration::from_secs(10));
        assert!(kept.get(&key("a"), now + Duration::from_secs(9)).is_some());
        assert!(kept.get(&key("a"), now + Duration::from_secs(10)).is_none());
        assert!(kept.get(&key("b"), now).is_none());
    }
}
