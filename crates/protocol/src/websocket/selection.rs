//! The route selection expression: `$request.body.action`, or text with `${request.body.a}` in it.
//!
//! Rules:
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-develop-routes.html#apigateway-websocket-api-route-selection-expressions>.

use std::str::FromStr;

use serde_json::Value;

use super::{CONNECT, DEFAULT, DISCONNECT};

/// What stands before the path of a member of the message.
const BODY: &str = "request.body.";

/// A route selection expression, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    /// The names on the way to a member.
    Member(Vec<String>),
}

/// Why an expression is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    /// It looks at nothing in the message.
    #[error("the route selection expression `{expression}` names no member of the message")]
    NoMember {
        /// The expression.
        expression: String,
    },
    /// It looks at something else than the message's body.
    #[error(
        "the route selection expression names `${variable}`, which is not a member of the message"
    )]
    NotBody {
        /// What follows the `$`.
        variable: String,
    },
    /// A `${` has no `}`.
    #[error("the route selection expression `{expression}` has a `${{` without its `}}`")]
    Open {
        /// The expression.
        expression: String,
    },
}

impl FromStr for Selection {
    type Err = SelectionError;

    fn from_str(expression: &str) -> Result<Self, SelectionError> {
        let mut parts = Vec::new();
        let mut rest = expression;
        while let Some(place) = rest.find('$') {
            let (before, from) = rest.split_at(place);
            if !before.is_empty() {
                parts.push(Part::Literal(before.to_owned()));
            }
            let from = from.get(1..).unwrap_or_default();
            let (variable, after) = match from.strip_prefix('{') {
                Some(inside) => inside
                    .split_once('}')
                    .ok_or_else(|| SelectionError::Open { expression: expression.to_owned() })?,
                None => from.split_at(end_of_variable(from)),
            };
            parts.push(Part::Member(path(variable)?));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        if !parts.iter().any(|part| matches!(part, Part::Member(_))) {
            return Err(SelectionError::NoMember { expression: expression.to_owned() });
        }
        Ok(Self(parts))
    }
}

/// Without braces a variable ends where no name can go on.
fn end_of_variable(text: &str) -> usize {
    let goes_on = |letter: char| letter.is_alphanumeric() || matches!(letter, '.' | '_' | '-');
    text.find(|letter| !goes_on(letter)).unwrap_or(text.len())
}

fn path(variable: &str) -> Result<Vec<String>, SelectionError> {
    let names = variable.strip_prefix(BODY).map(|path| path.split('.').map(str::to_owned));
    let names: Vec<_> = names.into_iter().flatten().collect();
    if names.is_empty() || names.iter().any(String::is_empty) {
        return Err(SelectionError::NotBody { variable: variable.to_owned() });
    }
    Ok(names)
}

impl Selection {
    /// The key that the message asks for. `$default` when it is not JSON; a member that it does not have is empty.
    ///
    /// A message cannot ask for `$connect` or `$disconnect`: what says so goes to `$default`.
    pub fn evaluate(&self, message: &str) -> String {
        let Ok(message) = serde_json::from_str::<Value>(message) else {
            return DEFAULT.to_owned();
        };
        let text = |part: &Part| match part {
            Part::Literal(text) => text.clone(),
            Part::Member(path) => member(&message, path),
        };
        let key: String = self.0.iter().map(text).collect();
        if key == CONNECT || key == DISCONNECT { DEFAULT.to_owned() } else { key }
    }
}

fn member(message: &Value, path: &[String]) -> String {
    let found = path.iter().try_fold(message, |value, name| match value {
        Value::Array(elements) => name.parse::<usize>().ok().and_then(|index| elements.get(index)),
        value => value.get(name),
    });
    match found {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expression: &str, message: &str, key: &str) {
        let selection: Selection = expression.parse().unwrap();
        assert_eq!(selection.evaluate(message), key, "{expression} on {message}");
    }

    #[test]
    fn a_member_of_the_message_is_the_key() {
        for expression in ["$request.body.action", "${request.body.action}"] {
            check(expression, r#"{"action":"send","text":"hi"}"#, "send");
            check(expression, r#"{"action":7}"#, "7");
            check(expression, r#"{"action":true}"#, "true");
        }
        check("$request.body.meta.kind", r#"{"meta":{"kind":"ping"}}"#, "ping");
        check("$request.body.list.1", r#"{"list":["a","b"]}"#, "b");
    }

    #[test]
    fn several_members_and_text_make_one_key() {
        let expression = "${request.body.service}/${request.body.action}";
        check(expression, r#"{"service":"chat","action":"join"}"#, "chat/join");
        check(expression, r#"{"service":"chat"}"#, "chat/");
        check(
            "$request.body.service/$request.body.action",
            r#"{"service":"chat","action":"x"}"#,
            "chat/x",
        );
        check("v1:$request.body.action", r#"{"action":"join"}"#, "v1:join");
    }

    #[test]
    fn what_is_not_there_is_empty_and_what_is_not_json_is_default() {
        for message in ["{}", "[]", "7", r#"{"action":null}"#, r#""action""#] {
            check("$request.body.action", message, "");
        }
        for message in ["", "hello", "{", "{'action':'send'}"] {
            check("$request.body.action", message, DEFAULT);
        }
    }

    #[test]
    fn a_message_cannot_pretend_to_connect() {
        for action in ["$connect", "$disconnect", "$default"] {
            check("$request.body.action", &format!(r#"{{"action":"{action}"}}"#), DEFAULT);
        }
    }

    #[test]
    fn an_expression_that_looks_at_nothing_is_refused() {
        for (expression, why) in [
            ("action", "names no member"),
            ("", "names no member"),
            ("$request.header.x", "`$request.header.x`"),
            ("$request.body.", "not a member"),
            ("$request.body.a..b", "not a member"),
            ("${request.body.a", "without its `}`"),
            ("$", "not a member"),
        ] {
            let error = expression.parse::<Selection>().unwrap_err().to_string();
            assert!(error.contains(why), "{expression}: {error}");
        }
    }
}
