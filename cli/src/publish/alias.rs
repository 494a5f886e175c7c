//! Moves an alias with a conditional write: of two who move it at once, one wins and the other is told.

use crate::hint::hinted;
use anyhow::{Context as _, Result};
use lambkin_protocol::alias::Alias;
use lambkin_store::{Expect, Pointer, Store, WriteError};
use std::time::SystemTime;

/// What a move did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Move {
    /// It points to the release already.
    Already,
    /// It was moved, from this release if it existed.
    Moved { from: Option<String> },
}

/// Points `alias` of `app` to `release`, if it is still what it was when this began, and `expected` when that is given.
pub(crate) async fn move_alias(
    store: &Store,
    (app, alias): (&str, &str),
    release: &str,
    expected: Option<&str>,
) -> Result<Move> {
    let pointer = store
        .alias(app, alias, None)
        .await
        .with_context(|| format!("{app}@{alias} cannot be read"))?;
    let (current, expect) = match pointer {
        Pointer::Changed { bytes, etag } => {
            let parsed =
                Alias::parse(&bytes).with_context(|| format!("{app}@{alias} cannot be read"))?;
            (parsed.only().map(ToOwned::to_owned), Expect::Match(etag))
        }
        Pointer::Missing | Pointer::Unchanged => (None, Expect::Absent),
    };
    if let Some(expected) = expected.filter(|expected| current.as_deref() != Some(*expected)) {
        let now = current.as_deref().unwrap_or("nothing");
        return Err(hinted(
            format!("{app}@{alias} points to {now}, not to {expected}"),
            "somebody else moved it: look with `lambkin alias` and decide again",
        ));
    }
    if current.as_deref() == Some(release) {
        return Ok(Move::Already);
    }
    let mut next = Alias::single(release);
    next.previous.clone_from(&current);
    next.updated = Some(humantime::format_rfc3339_seconds(SystemTime::now()).to_string());
    match store.put_alias(app, alias, next.to_bytes().into(), expect).await {
        Ok(_) => Ok(Move::Moved { from: current }),
        Err(WriteError::Conflict { .. }) => Err(hinted(
            format!(
                "{app}@{alias} was moved by somebody else at the same time; it is as they left it"
            ),
            format!(
                "release {release} is uploaded whole: `lambkin alias {alias} --to {release}` moves the alias to it"
            ),
        )),
        Err(error) => Err(error).with_context(|| format!("{app}@{alias} cannot be moved")),
    }
}
