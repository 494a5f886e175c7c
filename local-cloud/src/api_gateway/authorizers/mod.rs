//! The authorizers of an API: whether a request may pass, and what its component is told of the client.
//!
//! A component that decides is invoked with an authorizer's event and its answers are kept by identity; `jwt` verifies
//! tokens with the keys that `issuer` fetches. What an event and an answer look like is `lambkin_protocol`'s business.

mod issuer;
mod jwt;
mod kept;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Request;
use lambkin_protocol::authorizer::{Decision, MalformedVerdict, Verdict};
use lambkin_protocol::manifest::Authorizer;
use lambkin_protocol::request::Gateway;

use self::issuer::Issuers;
use self::kept::Kept;
use super::integration::{Failure, Integration};

pub(super) use self::jwt::Claims;

/// How long an authorizer may take
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>).
const TIMEOUT: Duration = Duration::from_secs(10);

/// An API's authorizers with what they have learnt.
#[derive(Debug, Default)]
pub(super) struct Authorizers {
    known: BTreeMap<String, Authorizer>,
    kept: Kept,
    issuers: Issuers,
}

/// Why a request may not pass. The text is for the developer, not for the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The client did not say who it is, or not credibly.
    Unauthorized(String),
    /// The authorizer said no.
    Forbidden { why: String, decision: Decision },
    /// The authorizer failed, or its answer is not one.
    Failed(String),
}

/// A request whose route has an authorizer.
#[derive(Clone, Copy)]
pub(super) struct Question<'a> {
    /// The authorizer's name.
    pub(super) name: &'a str,
    /// What the route is, for IAM's policies.
    pub(super) arn: &'a str,
    /// All that is asked with the request itself.
    pub(super) gateway: &'a Gateway<'a>,
    /// The trace that the request belongs to.
    pub(super) trace_id: &'a str,
}

/// How an API speaks with the component that decides: the event for an identity, and how its answer is read.
pub(super) struct Language<'a> {
    pub(super) event: &'a (dyn Fn(&[String]) -> Vec<u8> + Send + Sync),
    pub(super) read: fn(&[u8]) -> Result<Verdict, MalformedVerdict>,
}

impl Authorizers {
    pub(super) fn new(known: BTreeMap<String, Authorizer>) -> Self {
        Self { known, ..Self::default() }
    }

    /// The authorizer of this name.
    pub(super) fn get(&self, name: &str) -> Result<&Authorizer, Refusal> {
        let missing = || Refusal::Failed(format!("the API has no authorizer {name:?}"));
        self.known.get(name).ok_or_else(missing)
    }

    /// Asks the component, unless its answer for this identity is known still.
    pub(super) async fn ask<B>(
        &self,
        request: &Request<B>,
        question: Question<'_>,
        integration: &Integration,
        language: Language<'_>,
    ) -> Result<Arc<Verdict>, Refusal> {
        let authorizer = self.get(question.name)?;
        let identity = identity(authorizer, request, &question)?;
        let key = (question.name.to_owned(), identity);
        let ttl = Duration::from_secs(authorizer.ttl().into());
        let verdict = if let Some(verdict) = self.kept.get(&key, Instant::now()) {
            verdict
        } else {
            let verdict = Arc::new(call(question, integration, &language, &key.1).await?);
            if !ttl.is_zero() {
                self.kept.put(key, Arc::clone(&verdict), Instant::now() + ttl);
            }
            verdict
        };
        decide(&verdict, question).map(|()| verdict)
    }

    /// Asks the component, whatever it said before.
    pub(super) async fn ask_anew<B>(
        &self,
        request: &Request<B>,
        question: Question<'_>,
        integration: &Integration,
        language: Language<'_>,
    ) -> Result<Verdict, Refusal> {
        let identity = identity(self.get(question.name)?, request, &question)?;
        let verdict = call(question, integration, &language, &identity).await?;
        decide(&verdict, question).map(|()| verdict)
    }

    /// Verifies the request's token.
    pub(super) async fn verify<B>(
        &self,
        request: &Request<B>,
        question: Question<'_>,
        scopes: &[String],
    ) -> Result<Claims, Refusal> {
        let authorizer = self.get(question.name)?;
        let token = identity(authorizer, request, &question)?.concat();
        let claims = jwt::verify(authorizer, &token, &self.issuers).await?;
        claims.check_scopes(scopes)?;
        Ok(claims)
    }
}

async fn call(
    question: Question<'_>,
    integration: &Integration,
    language: &Language<'_>,
    identity: &[String],
) -> Result<Verdict, Refusal> {
    let event = (language.event)(identity);
    let called = integration.call_within(TIMEOUT, event, (question.trace_id, &mut None)).await;
    let payload = called.map_err(|failure| failed(&failure))?;
    (language.read)(&payload).map_err(|malformed| Refusal::Failed(malformed.to_string()))
}

fn decide(verdict: &Verdict, question: Question<'_>) -> Result<(), Refusal> {
    match verdict.decide(question.arn) {
        Decision::Allow => Ok(()),
        decision => {
            let why = format!("authorizer {:?} does not allow {}", question.name, question.arn);
            Err(Refusal::Forbidden { why, decision })
        }
    }
}

/// What identifies the client; a request that lacks a part is refused without anybody being asked.
fn identity<B>(
    authorizer: &Authorizer,
    request: &Request<B>,
    question: &Question<'_>,
) -> Result<Vec<String>, Refusal> {
    let sources = authorizer.identity_sources();
    let selected = sources.iter().map(|source| source.select(request, question.gateway));
    selected.collect::<Option<Vec<_>>>().ok_or_else(|| {
        let why = format!("the request lacks an identity source of authorizer {:?}", question.name);
        Refusal::Unauthorized(why)
    })
}

/// A function that raises the error `Unauthorized` says that the client is not who it claims to be.
fn failed(failure: &Failure) -> Refusal {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Report {
        error_message: String,
    }
    if let Failure::Raised(report) = failure
        && let Ok(report) = serde_json::from_slice::<Report>(report)
        && report.error_message == "Unauthorized"
    {
        return Refusal::Unauthorized("the authorizer raised `Unauthorized`".to_owned());
    }
    Refusal::Failed(format!("the authorizer failed: {}", failure.why()))
}
