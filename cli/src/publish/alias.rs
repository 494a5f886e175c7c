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
    let (now, expect) = read(store, app, alias).await?;
    let current = now.as_ref().and_then(Alias::only).map(ToOwned::to_owned);
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
    // What several releases share goes back to where it came from.
    next.previous = current.clone().or_else(|| now.and_then(|alias| alias.previous));
    load(store, app, &mut next).await?;
    write(store, (app, alias), (next, expect), release).await?;
    Ok(Move::Moved { from: current })
}

/// Lets `alias` of `app` send `percent` of the invocations to `release`, and the rest to the release it points to now.
/// Returns that one.
pub(crate) async fn share_alias(
    store: &Store,
    (app, alias): (&str, &str),
    release: &str,
    percent: u8,
) -> Result<String> {
    let (now, expect) = read(store, app, alias).await?;
    let base = now.as_ref().and_then(|now| now.only().or(now.previous.as_deref()));
    let base = base.filter(|base| *base != release).ok_or_else(|| {
        hinted(
            format!("{app}@{alias} has no other release that the rest of the requests could go to"),
            format!("`lambkin alias {alias} --to {release}` sends all of them to it"),
        )
    })?;
    let mut next = Alias::canary(base, release, percent);
    load(store, app, &mut next).await?;
    write(store, (app, alias), (next, expect), release).await?;
    Ok(base.to_owned())
}

/// The alias as it is, and what must still be true when it is written.
async fn read(store: &Store, app: &str, alias: &str) -> Result<(Option<Alias>, Expect)> {
    let unreadable = || format!("{app}@{alias} cannot be read");
    match store.alias(app, alias, None).await.with_context(unreadable)? {
        Pointer::Changed { bytes, etag } => {
            let parsed = Alias::parse(&bytes).with_context(unreadable)?;
            Ok((Some(parsed), Expect::Match(etag)))
        }
        Pointer::Missing | Pointer::Unchanged => Ok((None, Expect::Absent)),
    }
}

/// Lets the releases ride along that the alias points to; one that cannot be read is none to point to.
async fn load(store: &Store, app: &str, alias: &mut Alias) -> Result<()> {
    for target in alias.targets.clone() {
        let document = store.release(app, &target.release).await;
        let document =
            document.with_context(|| format!("release {} cannot be read", target.release))?;
        alias.carry(&target.release, &document);
    }
    Ok(())
}

async fn write(
    store: &Store,
    (app, alias): (&str, &str),
    (mut next, expect): (Alias, Expect),
    release: &str,
) -> Result<()> {
    next.updated = Some(humantime::format_rfc3339_seconds(SystemTime::now()).to_string());
    match store.put_alias(app, alias, next.to_bytes().into(), expect).await {
        Ok(_) => Ok(()),
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
