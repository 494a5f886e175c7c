//! `lambkin domain`: maps apps to the base paths of a domain, with a conditional write.

use crate::args;
use crate::hint::hinted;
use crate::output::Output;
use crate::settings;
use anyhow::{Context as _, Result};
use lambkin_protocol::domain::{Domain, Mapping};
use lambkin_store::{Expect, Pointer, WriteError};

pub(crate) async fn run(arguments: &args::Domain, output: &Output) -> Result<()> {
    let store = settings::store(&arguments.store)?;
    let name = arguments.name.to_ascii_lowercase();
    let base_path = arguments.base_path.trim_matches('/').to_owned();
    let (mut domain, expect) = match store.domain(&name, None).await? {
        Pointer::Changed { bytes, etag } => (
            Domain::parse(&bytes).with_context(|| format!("the domain {name:?} cannot be read"))?,
            Expect::Match(etag),
        ),
        Pointer::Missing | Pointer::Unchanged => (Domain::empty(), Expect::Absent),
    };
    match (&arguments.app, arguments.remove) {
        (Some(target), _) => {
            let (app, alias) = settings::app_and_alias(target);
            domain.mappings.insert(base_path, Mapping { app, alias });
        }
        (None, true) => {
            domain.mappings.remove(&base_path).ok_or_else(|| {
                hinted(
                    format!("{name} has no mapping for {base_path:?}"),
                    "`lambkin domain <domain>` shows the mappings",
                )
            })?;
        }
        (None, false) => return show(&name, &domain, output),
    }
    match store.put_domain(&name, domain.to_bytes().into(), expect).await {
        Ok(_) => show(&name, &domain, output),
        Err(WriteError::Conflict { .. }) => Err(hinted(
            format!("{name} was changed by somebody else at the same time"),
            "look at it and try again",
        )),
        Err(error) => Err(error).with_context(|| format!("the domain {name:?} cannot be changed")),
    }
}

fn show(name: &str, domain: &Domain, output: &Output) -> Result<()> {
    output.result(domain, || {
        if domain.mappings.is_empty() {
            return format!("{name} has no mappings");
        }
        let lines = domain.mappings.iter();
        lines.map(|(path, to)| format!("{name}/{path} -> {}@{}\n", to.app, to.alias)).collect()
    })
}
