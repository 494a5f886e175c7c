//! Reads single members of an HTTP event, naming the member when it is malformed.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;

use super::EventError;
use super::wire::{Pairs, Raw, Text};

/// A member's value, or nothing when it is absent.
pub(super) fn read<'a, T: Deserialize<'a>>(
    field: &'static str,
    raw: Raw<'a>,
) -> Result<Option<T>, EventError> {
    raw.map(|raw| serde_json::from_str(raw.get()))
        .transpose()
        .map_err(|source| EventError::Field { field, source })
}

/// A member's text.
pub(super) fn text(field: &'static str, raw: Raw<'_>) -> Result<Option<String>, EventError> {
    Ok(read::<Text<'_>>(field, raw)?.map(|text| text.0.into_owned()))
}

/// `pathParameters`.
pub(super) fn path_parameters(raw: Raw<'_>) -> Result<BTreeMap<String, String>, EventError> {
    let pairs: Pairs<'_, Option<Text<'_>>> = read("pathParameters", raw)?.unwrap_or_default();
    let owned = |(name, value): (Text<'_>, Option<Text<'_>>)| {
        Some((name.0.into_owned(), value?.0.into_owned()))
    };
    Ok(pairs.0.into_iter().filter_map(owned).collect())
}

/// The single-value and the multi-value form of one map, as one list: the multi-value form has all values, so the
/// other one adds only the names that it lacks. Names are compared by `same`.
pub(super) fn merge<'a>(
    single: (&'static str, Raw<'a>),
    multi: (&'static str, Raw<'a>),
    same: fn(&str, &str) -> bool,
) -> Result<Vec<(Text<'a>, Text<'a>)>, EventError> {
    let multi: Pairs<'_, Option<Vec<Text<'_>>>> = read(multi.0, multi.1)?.unwrap_or_default();
    let single: Pairs<'_, Option<Text<'_>>> = read(single.0, single.1)?.unwrap_or_default();
    let mut all = Vec::new();
    for (name, values) in &multi.0 {
        all.extend(values.iter().flatten().map(|value| (name.clone(), value.clone())));
    }
    let lacking = single
        .0
        .into_iter()
        .filter(|(name, _)| !multi.0.iter().any(|(known, _)| same(&known.0, &name.0)));
    all.extend(lacking.filter_map(|(name, value)| Some((name, value?))));
    Ok(all)
}

/// Headers out of names and values.
pub(super) fn headers<'a>(
    pairs: impl IntoIterator<Item = (Text<'a>, Text<'a>)>,
) -> Result<HeaderMap, EventError> {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let refused = || EventError::Header { name: name.0.clone().into_owned() };
        let header = HeaderName::from_bytes(name.0.as_bytes()).map_err(|_| refused())?;
        let value = HeaderValue::from_bytes(value.0.as_bytes()).map_err(|_| refused())?;
        headers.append(header, value);
    }
    Ok(headers)
}
