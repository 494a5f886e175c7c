//! What a component that decides has answered: a simple response or an IAM policy, and a context for the route's component.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::policy::{Decision, Policy};

/// The largest answer of an authorizer, in bytes
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>).
const MAX_ANSWER: usize = 8 * 1024;

/// A component's answer. It counts for every route whose authorizer it is, until its time is over.
#[derive(Debug, Clone)]
pub struct Verdict {
    said: Said,
    principal: Option<String>,
    context: Option<Box<RawValue>>,
    api_key: Option<String>,
}

#[derive(Debug, Clone)]
enum Said {
    Simple { allows: bool },
    Policy(Policy),
}

/// Why an answer is not an authorizer's.
#[derive(Debug, thiserror::Error)]
pub enum MalformedVerdict {
    /// It is too large.
    #[error(
        "the authorizer's answer has {size} bytes, more than the {MAX_ANSWER} that API Gateway takes"
    )]
    TooLarge {
        /// Its size in bytes.
        size: usize,
    },
    /// It is not JSON, or a member has the wrong type.
    #[error("the authorizer's answer is malformed: {0}")]
    Malformed(#[source] serde_json::Error),
    /// It says neither yes nor no.
    #[error("the authorizer's answer has neither `isAuthorized` nor a `policyDocument`")]
    Undecided,
    /// A REST API needs to know whom it is about.
    #[error("the authorizer's answer has no `principalId`")]
    NoPrincipal,
    /// A REST API passes on texts, numbers and booleans only.
    #[error("the authorizer's context has `{name}`, which is neither text nor number nor boolean")]
    Context {
        /// The member's name.
        name: String,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    is_authorized: Option<bool>,
    principal_id: Option<String>,
    policy_document: Option<Policy>,
    context: Option<Box<RawValue>>,
    usage_identifier_key: Option<String>,
}

impl Verdict {
    /// The answer for an HTTP API: simple, or a policy.
    pub fn of_http_api(payload: &[u8]) -> Result<Self, MalformedVerdict> {
        let answer = parse(payload)?;
        let said = match (answer.is_authorized, answer.policy_document) {
            (Some(allows), _) => Said::Simple { allows },
            (None, Some(policy)) => Said::Policy(policy),
            (None, None) => return Err(MalformedVerdict::Undecided),
        };
        Ok(Self { said, principal: answer.principal_id, context: answer.context, api_key: None })
    }

    /// The answer for a REST API: a policy about a principal, with a context of plain values.
    pub fn of_rest_api(payload: &[u8]) -> Result<Self, MalformedVerdict> {
        let answer = parse(payload)?;
        let policy = answer.policy_document.ok_or(MalformedVerdict::Undecided)?;
        let principal = answer.principal_id.ok_or(MalformedVerdict::NoPrincipal)?;
        let verdict = Self {
            said: Said::Policy(policy),
            principal: Some(principal),
            context: answer.context,
            api_key: answer.usage_identifier_key,
        };
        verdict.texts().map(|_| verdict)
    }

    /// What it says of the invocation of `arn`.
    pub fn decide(&self, arn: &str) -> Decision {
        match &self.said {
            Said::Simple { allows: true } => Decision::Allow,
            Said::Simple { allows: false } => Decision::ExplicitDeny,
            Said::Policy(policy) => policy.decide(arn),
        }
    }

    /// The API key that it names for the client, `usageIdentifierKey`.
    pub fn api_key(&self) -> Option<&str> {
        self.api_key.as_deref()
    }

    /// `requestContext.authorizer` of an HTTP API's event in format 2.0.
    pub fn context_v2(&self) -> Option<Box<RawValue>> {
        let context = self.context.as_ref().map_or("null", |context| context.get());
        RawValue::from_string(format!(r#"{{"lambda":{context}}}"#)).ok()
    }

    /// `requestContext.authorizer` of an event in format 1.0: the principal and the context's members side by side, as
    /// texts.
    pub fn context_v1(&self) -> Option<Box<RawValue>> {
        let mut members = self.texts().unwrap_or_default();
        if let Some(principal) = &self.principal {
            members.insert("principalId".to_owned(), principal.clone());
        }
        serde_json::value::to_raw_value(&members).ok()
    }

    /// `requestContext.authorizer` of a REST API's event, with the milliseconds that the authorizer took.
    pub fn context_rest(&self, latency_ms: u64) -> Option<Box<RawValue>> {
        let members: BTreeMap<String, Value> =
            serde_json::from_str(self.context_v1()?.get()).ok()?;
        let latency = [("integrationLatency".to_owned(), Value::from(latency_ms))];
        let members: BTreeMap<_, _> = latency.into_iter().chain(members).collect();
        serde_json::value::to_raw_value(&members).ok()
    }

    /// The context's members as texts.
    fn texts(&self) -> Result<BTreeMap<String, String>, MalformedVerdict> {
        let Some(context) = &self.context else { return Ok(BTreeMap::new()) };
        let members: Option<BTreeMap<String, Value>> =
            serde_json::from_str(context.get()).map_err(MalformedVerdict::Malformed)?;
        let text = |(name, value): (String, Value)| match value {
            Value::String(text) => Ok((name, text)),
            Value::Bool(_) | Value::Number(_) => Ok((name, value.to_string())),
            Value::Null | Value::Array(_) | Value::Object(_) => {
                Err(MalformedVerdict::Context { name })
            }
        };
        members.unwrap_or_default().into_iter().map(text).collect()
    }
}

fn parse(payload: &[u8]) -> Result<Answer, MalformedVerdict> {
    if payload.len() > MAX_ANSWER {
        return Err(MalformedVerdict::TooLarge { size: payload.len() });
    }
    serde_json::from_slice(payload).map_err(MalformedVerdict::Malformed)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ARN: &str = "arn:aws:execute-api:us-east-1:123456789012:abcdef/prod/GET/items";

    fn policy(context: &Value) -> Vec<u8> {
        let statement =
            json!({"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": "*/GET/*"});
        let document = json!({"Version": "2012-10-17", "Statement": [statement]});
        let answer = json!({"principalId": "u", "policyDocument": document, "context": context});
        serde_json::to_vec(&answer).unwrap()
    }

    #[test]
    fn an_http_api_takes_simple_answers_and_policies() {
        let simple = Verdict::of_http_api(br#"{"isAuthorized":true,"context":{"a":[1,{"b":2}]}}"#);
        let simple = simple.unwrap();
        assert_eq!(simple.decide(ARN), Decision::Allow);
        assert_eq!(simple.context_v2().unwrap().get(), r#"{"lambda":{"a":[1,{"b":2}]}}"#);
        let no = Verdict::of_http_api(br#"{"isAuthorized":false}"#).unwrap();
        assert_eq!(no.decide(ARN), Decision::ExplicitDeny);
        assert_eq!(no.context_v2().unwrap().get(), r#"{"lambda":null}"#);
        let policy = Verdict::of_http_api(&policy(&json!({"a": 1}))).unwrap();
        assert_eq!(policy.decide(ARN), Decision::Allow);
        assert_eq!(policy.decide(&ARN.replace("GET", "PUT")), Decision::ImplicitDeny);
        for malformed in [
            "{}",
            "null",
            "[]",
            r#""yes""#,
            r#"{"isAuthorized":"yes"}"#,
            r#"{"policyDocument":{}}"#,
        ] {
            assert!(Verdict::of_http_api(malformed.as_bytes()).is_err(), "{malformed}");
        }
        let large = format!(r#"{{"isAuthorized":true,"context":"{}"}}"#, "x".repeat(MAX_ANSWER));
        assert!(Verdict::of_http_api(large.as_bytes()).is_err());
    }

    #[test]
    fn a_rest_api_takes_policies_and_makes_its_context_texts() {
        let verdict = Verdict::of_rest_api(&policy(&json!({"n": 1, "b": true, "s": "t"}))).unwrap();
        let context: Value = serde_json::from_str(verdict.context_v1().unwrap().get()).unwrap();
        assert_eq!(context, json!({"b": "true", "n": "1", "principalId": "u", "s": "t"}));
        assert!(Verdict::of_rest_api(br#"{"isAuthorized":true}"#).is_err());
        for wrong in [json!({"a": []}), json!({"a": null}), json!({"a": {}}), json!("text")] {
            assert!(Verdict::of_rest_api(&policy(&wrong)).is_err(), "{wrong}");
        }
        assert!(Verdict::of_rest_api(&policy(&Value::Null)).is_ok());
    }
}
