//! Gives an event the path parameters of the app's own route, leaving every other byte as it is.

use std::collections::BTreeMap;

use super::wire::{Envelope, Pairs, not_json};
use super::{EventError, fields};

/// The event with `pathParameters` set to `parameters`.
///
/// They are set when the event has none (absent, null or `{}`), and when all it has is the `proxy` of a gateway's
/// catch-all route in front of the app. Parameters of a more telling route of the gateway stay, and so does
/// everything when `parameters` is empty. All other members keep their bytes and their order.
pub fn with_path_parameters(
    event: &[u8],
    parameters: &BTreeMap<String, String>,
) -> Result<Vec<u8>, EventError> {
    let envelope = Envelope::parse(event)?;
    let known = fields::path_parameters(envelope.path_parameters)?;
    if parameters.is_empty() || known.keys().any(|name| name != "proxy") {
        return Ok(event.to_vec());
    }
    let json = serde_json::to_vec(parameters)
        .map_err(|source| EventError::Field { field: "pathParameters", source })?;
    Ok(set_member(event, &json)?.unwrap_or_else(|| event.to_vec()))
}

/// Replaces the value of `pathParameters`, or puts the member first. Nothing for an event that is not an object.
fn set_member(event: &[u8], json: &[u8]) -> Result<Option<Vec<u8>>, EventError> {
    let Some(brace) = event
        .iter()
        .position(|byte| !byte.is_ascii_whitespace())
        .filter(|at| event.get(*at) == Some(&b'{'))
    else {
        return Ok(None);
    };
    let members: Pairs<'_, &serde_json::value::RawValue> =
        serde_json::from_slice(event).map_err(|source| not_json(event, source))?;
    let old =
        members.0.iter().rev().find(|(key, _)| key.0 == "pathParameters").map(|(_, raw)| raw.get());
    let joined = if let Some(old) = old {
        // `old` is a part of `event`, so the distance of their starts is where it stands.
        let start = old.as_ptr().addr() - event.as_ptr().addr();
        let (before, rest) = event.split_at(start);
        let (_, after) = rest.split_at(old.len());
        [before, json, after].concat()
    } else {
        let (before, after) = event.split_at(brace + 1);
        let comma: &[u8] = if members.0.is_empty() { b"" } else { b"," };
        [before, br#""pathParameters":"#, json, comma, after].concat()
    };
    Ok(Some(joined))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(event: &str) -> String {
        let parameters = BTreeMap::from([("id".to_owned(), "a \"b\"".to_owned())]);
        String::from_utf8(with_path_parameters(event.as_bytes(), &parameters).unwrap()).unwrap()
    }

    #[test]
    fn sets_them_where_there_are_none() {
        let json = r#"{"id":"a \"b\""}"#;
        assert_eq!(set("{}"), format!(r#"{{"pathParameters":{json}}}"#));
        assert_eq!(
            set("{ \"b\" : 1.0 ,\n\"a\":[ ] }"),
            format!("{{\"pathParameters\":{json}, \"b\" : 1.0 ,\n\"a\":[ ] }}")
        );
        assert_eq!(
            set(r#"{"b":1,"pathParameters": null ,"a":2}"#),
            format!(r#"{{"b":1,"pathParameters": {json} ,"a":2}}"#)
        );
        assert_eq!(set(r#"{"pathParameters":{}}"#), format!(r#"{{"pathParameters":{json}}}"#));
        assert_eq!(
            set(r#"{"pathParameters":{"proxy":"items/7"}}"#),
            format!(r#"{{"pathParameters":{json}}}"#)
        );
        assert_eq!(
            set(r#"{"x":{"pathParameters":null}}"#),
            format!(r#"{{"pathParameters":{json},"x":{{"pathParameters":null}}}}"#)
        );
    }

    #[test]
    fn leaves_the_gateways_own() {
        for kept in [
            r#"{"pathParameters":{"key":"1"}}"#,
            r#"{"pathParameters":{"proxy":"a","key":"1"}}"#,
            "[1]",
            " 7 ",
        ] {
            assert_eq!(set(kept), kept);
        }
        let event = br#"{ "a" : 1 }"#;
        assert_eq!(with_path_parameters(event, &BTreeMap::new()).unwrap(), event);
        assert!(with_path_parameters(b"{", &BTreeMap::new()).is_err());
    }
}
