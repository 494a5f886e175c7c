//! JSON Web Tokens as an HTTP API verifies them: RSA signatures by the issuer's keys, then the claims.
//!
//! Rules: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html>. The cryptography is
//! `ring`'s, which TLS brings along.

use std::collections::BTreeMap;
use std::sync::Once;

use jsonwebtoken::crypto::{CryptoProvider, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind, Validation, decode, decode_header};
use lambkin_protocol::authorizer::Decision;
use lambkin_protocol::manifest::Authorizer;
use ring::signature as rsa;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use signature::Verifier;

use super::Refusal;
use super::issuer::Issuers;

/// The claims of a token that was verified.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::api_gateway) struct Claims(BTreeMap<String, Value>);

/// Verifies a token, with or without `Bearer` in front, for an authorizer.
pub(super) async fn verify(
    authorizer: &Authorizer,
    token: &str,
    issuers: &Issuers,
) -> Result<Claims, Refusal> {
    let token = match token.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => token.trim(),
    };
    let refused = |error: &Error| Refusal::Unauthorized(format!("the token is refused: {error}"));
    let header = decode_header(token).map_err(|error| refused(&error))?;
    if scheme_of(header.alg).is_none() {
        let why = format!("the token is signed by {:?}: an HTTP API takes RSA alone", header.alg);
        return Err(Refusal::Unauthorized(why));
    }
    let issuer = authorizer.issuer.as_deref().unwrap_or_default();
    let key = issuers.key(issuer, header.kid.as_deref()).await.map_err(Refusal::Unauthorized)?;
    install_provider();
    let mut validation = Validation::new(header.alg);
    validation.leeway = 0;
    validation.validate_nbf = true;
    validation.validate_aud = false;
    validation.set_issuer(&[issuer]);
    validation.set_required_spec_claims(&["exp", "iss"]);
    let decoded = decode::<BTreeMap<String, Value>>(token, &key, &validation);
    let claims = Claims(decoded.map_err(|error| refused(&error))?.claims);
    claims.check_audience(&authorizer.audience)?;
    claims.check_issue_time()?;
    Ok(claims)
}

impl Claims {
    /// `aud`, or `client_id` of a token without one, must be among the authorizer's.
    fn check_audience(&self, accepted: &[String]) -> Result<(), Refusal> {
        let told = self.0.get("aud").or_else(|| self.0.get("client_id"));
        if words(told, None).iter().any(|audience| accepted.contains(audience)) {
            return Ok(());
        }
        Err(Refusal::Unauthorized("the token is for another audience".to_owned()))
    }

    fn check_issue_time(&self) -> Result<(), Refusal> {
        let now = i64::try_from(jsonwebtoken::get_current_timestamp()).unwrap_or(i64::MAX);
        match self.0.get("iat").and_then(Value::as_i64) {
            Some(issued) if issued > now => {
                Err(Refusal::Unauthorized("the token is from the future".to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// A route with scopes wants a token that has at least one of them.
    pub(super) fn check_scopes(&self, wanted: &[String]) -> Result<(), Refusal> {
        if wanted.is_empty() || self.scopes().iter().any(|scope| wanted.contains(scope)) {
            return Ok(());
        }
        let why = format!("the token has none of the route's scopes, {}", wanted.join(", "));
        Err(Refusal::Forbidden { why, decision: Decision::ImplicitDeny })
    }

    fn scopes(&self) -> Vec<String> {
        words(self.0.get("scope").or_else(|| self.0.get("scp")), Some(' '))
    }

    /// `requestContext.authorizer` of an event in format 2.0; every claim is a text there.
    pub(in crate::api_gateway) fn context_v2(&self, wanted: &[String]) -> Option<Box<RawValue>> {
        serde_json::value::to_raw_value(&json!({ "jwt": self.members(wanted) })).ok()
    }

    /// The same of an event in format 1.0.
    pub(in crate::api_gateway) fn context_v1(&self, wanted: &[String]) -> Option<Box<RawValue>> {
        serde_json::value::to_raw_value(&self.members(wanted)).ok()
    }

    fn members(&self, wanted: &[String]) -> Value {
        let claims: BTreeMap<&String, String> =
            self.0.iter().map(|(name, value)| (name, text(value))).collect();
        let scopes = self.scopes();
        let scopes: Vec<_> = scopes.iter().filter(|scope| wanted.contains(scope)).collect();
        json!({ "claims": claims, "scopes": if wanted.is_empty() { Value::Null } else { json!(scopes) } })
    }
}

/// A claim as API Gateway writes it: lists in brackets, with spaces between their elements.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(elements) => {
            format!("[{}]", elements.iter().map(text).collect::<Vec<_>>().join(" "))
        }
        other => other.to_string(),
    }
}

/// The texts of a claim that is one or a list of them, or several in one text with a separator.
fn words(claim: Option<&Value>, separator: Option<char>) -> Vec<String> {
    match (claim, separator) {
        (Some(Value::String(text)), Some(separator)) => {
            text.split(separator).filter(|word| !word.is_empty()).map(str::to_owned).collect()
        }
        (Some(Value::String(text)), None) => vec![text.clone()],
        (Some(Value::Array(elements)), _) => {
            elements.iter().filter_map(|element| element.as_str().map(str::to_owned)).collect()
        }
        _ => Vec::new(),
    }
}

/// The signature scheme of an algorithm, if it is one of RSA.
fn scheme_of(algorithm: Algorithm) -> Option<&'static rsa::RsaParameters> {
    match algorithm {
        Algorithm::RS256 => Some(&rsa::RSA_PKCS1_2048_8192_SHA256),
        Algorithm::RS384 => Some(&rsa::RSA_PKCS1_2048_8192_SHA384),
        Algorithm::RS512 => Some(&rsa::RSA_PKCS1_2048_8192_SHA512),
        _ => None,
    }
}

/// Verifies by `ring`.
struct RingVerifier {
    algorithm: Algorithm,
    scheme: &'static rsa::RsaParameters,
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

impl Verifier<Vec<u8>> for RingVerifier {
    fn verify(&self, message: &[u8], proof: &Vec<u8>) -> Result<(), signature::Error> {
        let key = rsa::RsaPublicKeyComponents { n: &self.modulus, e: &self.exponent };
        key.verify(self.scheme, message, proof).map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for RingVerifier {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>, Error> {
    let refused = || Error::from(ErrorKind::InvalidAlgorithm);
    let scheme = scheme_of(*algorithm).ok_or_else(refused)?;
    let DecodingKeyKind::RsaModulusExponent { n, e } = key.kind() else { return Err(refused()) };
    let (modulus, exponent) = (n.clone(), e.clone());
    Ok(Box::new(RingVerifier { algorithm: *algorithm, scheme, modulus, exponent }))
}

/// Makes `jsonwebtoken` verify by `ring`, for the whole process. Nobody signs here.
fn install_provider() {
    static PROVIDER: CryptoProvider = CryptoProvider {
        signer_factory: |_, _| Err(Error::from(ErrorKind::InvalidAlgorithm)),
        verifier_factory: verifier,
        key_utils: KeyUtils::new_unimplemented(),
    };
    static ONCE: Once = Once::new();
    // Another provider of the same process verifies as well.
    ONCE.call_once(|| {
        let _ = PROVIDER.install_default();
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(value: &Value) -> Claims {
        serde_json::from_value(value.clone()).map(Claims).unwrap()
    }

    #[test]
    fn the_audience_is_aud_or_else_client_id() {
        let accepted = ["shop".to_owned()];
        for good in
            [json!({"aud": "shop"}), json!({"aud": ["x", "shop"]}), json!({"client_id": "shop"})]
        {
            assert!(claims(&good).check_audience(&accepted).is_ok(), "{good}");
        }
        for bad in [json!({}), json!({"aud": "x"}), json!({"aud": "x", "client_id": "shop"})] {
            assert!(claims(&bad).check_audience(&accepted).is_err(), "{bad}");
        }
    }

    #[test]
    fn one_of_the_routes_scopes_is_enough() {
        let token = claims(&json!({"scope": "read write"}));
        let check = |wanted: &[&str]| {
            let wanted: Vec<_> = wanted.iter().map(|scope| (*scope).to_owned()).collect();
            token.check_scopes(&wanted).is_ok()
        };
        assert!(check(&[]) && check(&["write", "admin"]) && !check(&["admin"]) && !check(&["rea"]));
    }

    #[test]
    fn claims_become_texts() {
        let token = claims(
            &json!({"sub": "u", "exp": 7, "ok": true, "groups": ["a", "b"], "scope": "r w"}),
        );
        let told = token.context_v2(&["w".to_owned(), "x".to_owned()]).unwrap();
        let told: Value = serde_json::from_str(told.get()).unwrap();
        let claims =
            json!({"sub": "u", "exp": "7", "ok": "true", "groups": "[a b]", "scope": "r w"});
        assert_eq!(told, json!({"jwt": {"claims": claims, "scopes": ["w"]}}));
        let without: Value = serde_json::from_str(token.context_v1(&[]).unwrap().get()).unwrap();
        assert_eq!(without["scopes"], Value::Null);
    }
}
