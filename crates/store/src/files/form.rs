//! Forms for browsers: a policy that says what may be uploaded, and its signature. The SDK has none.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html>.

use std::time::{Duration, SystemTime};

use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::{Place, SignError};
use crate::access::S3Access;

/// What may be uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormBounds {
    /// How long the form is good for.
    pub expires: Duration,
    /// The least size in bytes.
    pub min_bytes: u64,
    /// The greatest size in bytes.
    pub max_bytes: u64,
    /// The only content type that is taken; any when absent.
    pub content_type: Option<String>,
}

/// A form: post the fields, then the file as the field `file`, as `multipart/form-data`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// Where it is posted to.
    pub url: String,
    /// Names and values.
    pub fields: Vec<(String, String)>,
}

pub(super) fn sign(
    access: &S3Access,
    at: Place<'_>,
    bounds: &FormBounds,
    now: SystemTime,
) -> Result<Form, SignError> {
    if bounds.min_bytes > bounds.max_bytes {
        return Err(SignError { reason: "the least size is above the greatest".to_owned() });
    }
    let date: String = timestamp(now)?.chars().filter(char::is_ascii_alphanumeric).collect();
    let day = date.get(..8).unwrap_or_default();
    let credential = format!("{}/{day}/{}/s3/aws4_request", access.access_key_id, access.region);
    let mut fields = vec![
        ("key".to_owned(), at.key.to_owned()),
        ("x-amz-algorithm".to_owned(), "AWS4-HMAC-SHA256".to_owned()),
        ("x-amz-credential".to_owned(), credential),
        ("x-amz-date".to_owned(), date.clone()),
    ];
    fields.extend(
        access.session_token.iter().map(|token| ("x-amz-security-token".to_owned(), token.clone())),
    );
    fields.extend(bounds.content_type.iter().map(|kind| ("Content-Type".to_owned(), kind.clone())));
    let policy = policy(at, bounds, &fields, &timestamp(now + bounds.expires)?);
    let policy = STANDARD.encode(policy.to_string());
    let key = generate_signing_key(&access.secret_access_key, now, &access.region, "s3");
    let signature = calculate_signature(key, policy.as_bytes());
    fields.extend([("policy".to_owned(), policy), ("x-amz-signature".to_owned(), signature)]);
    Ok(Form { url: url(access, at.bucket), fields })
}

fn policy(
    at: Place<'_>,
    bounds: &FormBounds,
    fields: &[(String, String)],
    expiration: &str,
) -> serde_json::Value {
    let mut conditions: Vec<_> =
        fields.iter().map(|(name, value)| json!(["eq", format!("${name}"), value])).collect();
    conditions.push(json!({ "bucket": at.bucket }));
    conditions.push(json!(["content-length-range", bounds.min_bytes, bounds.max_bytes]));
    if bounds.content_type.is_none() {
        conditions.push(json!(["starts-with", "$Content-Type", ""]));
    }
    json!({ "expiration": expiration, "conditions": conditions })
}

/// `2026-11-23T07:00:00Z`, to the second.
fn timestamp(time: SystemTime) -> Result<String, SignError> {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let seconds = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
    DateTime::from_secs(seconds)
        .fmt(Format::DateTime)
        .map_err(|error| SignError { reason: error.to_string() })
}

/// A bucket whose name has a dot fits no certificate of `*.s3.amazonaws.com`.
fn url(access: &S3Access, bucket: &str) -> String {
    let suffix = if access.region.starts_with("cn-") { ".cn" } else { "" };
    match &access.endpoint {
        Some(endpoint) => format!("{}/{bucket}", endpoint.trim_end_matches('/')),
        None if bucket.contains('.') => {
            format!("https://s3.{}.amazonaws.com{suffix}/{bucket}", access.region)
        }
        None => format!("https://{bucket}.s3.{}.amazonaws.com{suffix}/", access.region),
    }
}

#[cfg(test)]
mod tests {
    use super::{FormBounds, Place, S3Access, sign};
    use base64::Engine as _;
    use std::time::{Duration, SystemTime};

    fn access() -> S3Access {
        S3Access {
            region: "us-east-1".to_owned(),
            access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret_access_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
            session_token: Some("token".to_owned()),
            ..S3Access::default()
        }
    }

    #[test]
    fn a_form_says_what_its_policy_does() {
        let bounds = FormBounds {
            expires: Duration::from_mins(1),
            min_bytes: 1,
            max_bytes: 100,
            content_type: Some("image/png".to_owned()),
        };
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_417_201);
        let at = Place { bucket: "photos", key: "in/a.png" };
        let form = sign(&access(), at, &bounds, now).unwrap();
        assert_eq!(form.url, "https://photos.s3.us-east-1.amazonaws.com/");
        let field = |name: &str| {
            form.fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()).unwrap()
        };
        let policy = base64::engine::general_purpose::STANDARD.decode(field("policy")).unwrap();
        let policy: serde_json::Value = serde_json::from_slice(&policy).unwrap();
        let date = field("x-amz-date");
        assert!(date.len() == 16 && date.ends_with('Z'), "{date}");
        let conditions = policy["conditions"].to_string();
        for part in ["image/png", "in/a.png", r#"["content-length-range",1,100]"#, "token", &date] {
            assert!(conditions.contains(part), "{part} is not in {conditions}");
        }
        assert_eq!(field("x-amz-signature").len(), 64);
    }

    #[test]
    fn bounds_that_nothing_fits_are_refused() {
        let bounds = FormBounds {
            expires: Duration::from_mins(1),
            min_bytes: 2,
            max_bytes: 1,
            content_type: None,
        };
        let at = Place { bucket: "photos", key: "a" };
        assert!(sign(&access(), at, &bounds, SystemTime::now()).is_err());
    }
}
