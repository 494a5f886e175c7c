//! The part of IAM's policy language that authorizers answer in: may this ARN be invoked.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html>.

use serde::Deserialize;

/// What a policy says of one invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// A statement allows it, and none denies it.
    Allow,
    /// A statement denies it.
    ExplicitDeny,
    /// No statement is about it.
    ImplicitDeny,
}

/// An IAM policy. A statement with conditions cannot be evaluated here: it allows nothing, and denies.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Policy {
    #[serde(rename = "Statement")]
    statements: OneOrMany<Statement>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    effect: Effect,
    action: OneOrMany<String>,
    resource: OneOrMany<String>,
    condition: Option<serde_json::Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
enum Effect {
    Allow,
    Deny,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    fn as_slice(&self) -> &[T] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

impl Policy {
    /// What the policy says of the invocation of `arn`, such as
    /// `arn:aws:execute-api:us-east-1:123456789012:abcdef/prod/GET/items`.
    pub fn decide(&self, arn: &str) -> Decision {
        let about = |statement: &&Statement| {
            let actions = statement.action.as_slice();
            let resources = statement.resource.as_slice();
            actions.iter().any(|action| matches(&action.to_ascii_lowercase(), "execute-api:invoke"))
                && resources.iter().any(|resource| matches(resource, arn))
        };
        let mut decision = Decision::ImplicitDeny;
        for statement in self.statements.as_slice().iter().filter(about) {
            match (statement.effect, &statement.condition) {
                (Effect::Deny, _) => return Decision::ExplicitDeny,
                (Effect::Allow, None) => decision = Decision::Allow,
                (Effect::Allow, Some(_)) => {}
            }
        }
        decision
    }
}

/// Whether `text` is what `pattern` describes, in which `*` stands for any text, slashes too, and `?` for one character.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut seen, mut star) = (0, 0, None);
    while let Some(character) = text.get(seen) {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, seen));
                at += 1;
            }
            Some(expected) if *expected == '?' || expected == character => {
                at += 1;
                seen += 1;
            }
            // The last star takes one character more.
            _ => match star {
                Some((place, taken)) => {
                    star = Some((place, taken + 1));
                    at = place + 1;
                    seen = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern.get(at..).is_some_and(|rest| rest.iter().all(|character| *character == '*'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ARN: &str = "arn:aws:execute-api:us-east-1:123456789012:abcdef/prod/GET/items/1";

    fn decide(statements: &serde_json::Value) -> Decision {
        let policy = json!({ "Version": "2012-10-17", "Statement": statements });
        serde_json::from_value::<Policy>(policy).unwrap().decide(ARN)
    }

    #[test]
    fn stars_take_slashes_too() {
        for pattern in
            ["*", ARN, "arn:aws:execute-api:*/prod/GET/*", "*/items/?", "arn:*:abcdef/*/items/1*"]
        {
            assert!(matches(pattern, ARN), "{pattern}");
        }
        for pattern in ["", "*/POST/*", "*/items/??", "arn:aws:execute-api:us-east-1"] {
            assert!(!matches(pattern, ARN), "{pattern}");
        }
    }

    #[test]
    fn a_deny_is_stronger_than_an_allow() {
        let allow = json!({"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": [ARN]});
        let deny =
            json!({"Action": ["execute-api:*"], "Effect": "Deny", "Resource": "*/GET/items/*"});
        assert_eq!(decide(&allow), Decision::Allow);
        assert_eq!(decide(&json!([allow, deny])), Decision::ExplicitDeny);
        assert_eq!(decide(&json!([])), Decision::ImplicitDeny);
        let elsewhere = json!({"Action": "*", "Effect": "Allow", "Resource": "*/POST/*"});
        assert_eq!(decide(&elsewhere), Decision::ImplicitDeny);
        let other = json!({"Action": "s3:*", "Effect": "Allow", "Resource": "*"});
        assert_eq!(decide(&other), Decision::ImplicitDeny);
    }

    #[test]
    fn a_condition_allows_nothing() {
        let check = |effect: &str| {
            decide(&json!({
                "Action": "*", "Effect": effect, "Resource": "*", "Condition": {"IpAddress": {}}
            }))
        };
        assert_eq!(check("Allow"), Decision::ImplicitDeny);
        assert_eq!(check("Deny"), Decision::ExplicitDeny);
    }
}
