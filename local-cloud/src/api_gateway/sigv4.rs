//! Checks AWS's Signature Version 4 of a request, in the `Authorization` header.
//!
//! Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>. Any region is taken:
//! the local cloud is in all of them. A session token is not looked at.

use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, Uri, request::Parts};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest as _, Sha256};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// How far a signature's time may be from ours, in seconds.
const WINDOW: i64 = 5 * 60;
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const PATH: &AsciiSet = &COMPONENT.remove(b'/');

/// Who may sign.
#[derive(Debug, Clone)]
pub(super) struct AccessKey {
    pub(super) id: String,
    pub(super) secret: String,
}

/// What is called, and when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call<'a> {
    /// The service's name in signatures, such as `execute-api`.
    pub(super) service: &'a str,
    /// Now, in seconds since 1970.
    pub(super) now: i64,
}

/// Why a signature is refused; the text is AWS's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum SignatureError {
    #[error("Missing Authentication Token")]
    Missing,
    #[error(
        "Authorization header requires 'Credential', 'Signature' and 'SignedHeaders' parameters, and the request an 'X-Amz-Date' header."
    )]
    Incomplete,
    #[error("The security token included in the request is invalid.")]
    UnknownKey,
    #[error("Credential should be scoped to correct service: '{service}'.")]
    Scope { service: String },
    #[error("Signature expired or not yet current: {date} is more than 5 min. from the time here.")]
    Expired { date: String },
    #[error(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
    )]
    Mismatch,
}

impl SignatureError {
    /// AWS's name of the exception, for `x-amzn-ErrorType`.
    pub(super) fn exception(&self) -> &'static str {
        match self {
            Self::Missing => "MissingAuthenticationTokenException",
            Self::Incomplete => "IncompleteSignatureException",
            Self::UnknownKey => "UnrecognizedClientException",
            Self::Scope { .. } | Self::Expired { .. } | Self::Mismatch => {
                "InvalidSignatureException"
            }
        }
    }
}

/// Whether `key` signed the request with this body.
pub(super) fn verify(
    request: &Parts,
    body: &[u8],
    key: &AccessKey,
    call: Call<'_>,
) -> Result<(), SignatureError> {
    let header = text(&request.headers, "authorization").ok_or(SignatureError::Missing)?;
    let given = header.strip_prefix(ALGORITHM).ok_or(SignatureError::Missing)?;
    let given = Authorization::parse(given).ok_or(SignatureError::Incomplete)?;
    let date = text(&request.headers, "x-amz-date").ok_or(SignatureError::Incomplete)?;
    let (access_key, scope) = given.credential.split_once('/').ok_or(SignatureError::Incomplete)?;
    let [day, region, service, "aws4_request"] = scope.split('/').collect::<Vec<_>>()[..] else {
        return Err(SignatureError::Incomplete);
    };
    if access_key != key.id {
        return Err(SignatureError::UnknownKey);
    }
    if service != call.service {
        return Err(SignatureError::Scope { service: call.service.to_owned() });
    }
    let time = seconds(date).filter(|_| date.starts_with(day));
    if time.is_none_or(|time| (time - call.now).abs() > WINDOW) {
        return Err(SignatureError::Expired { date: date.to_owned() });
    }
    let canonical = hex(&Sha256::digest(canonical_request(request, body, given.signed_headers)));
    let to_sign = format!("{ALGORITHM}\n{date}\n{scope}\n{canonical}");
    let start = format!("AWS4{}", key.secret).into_bytes();
    let signing_key = [day, region, service, "aws4_request"]
        .iter()
        .fold(start, |key, part| hmac(&key, part.as_bytes()));
    let is_same = hex(&hmac(&signing_key, to_sign.as_bytes())) == given.signature;
    if is_same { Ok(()) } else { Err(SignatureError::Mismatch) }
}

/// The parameters of the header.
struct Authorization<'a> {
    credential: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
}

impl<'a> Authorization<'a> {
    fn parse(parameters: &'a str) -> Option<Self> {
        let find = |name: &str| {
            let mut pairs = parameters.split(',').filter_map(|pair| pair.trim().split_once('='));
            pairs.find(|(found, _)| *found == name).map(|(_, value)| value)
        };
        Some(Self {
            credential: find("Credential")?,
            signed_headers: find("SignedHeaders")?,
            signature: find("Signature")?,
        })
    }
}

fn canonical_request(request: &Parts, body: &[u8], signed_headers: &str) -> String {
    let headers: String = signed_headers
        .split(';')
        .map(|name| format!("{name}:{}\n", canonical_value(&request.headers, name)))
        .collect();
    // What is encoded already is encoded once more: so it is for all services but S3.
    let path = utf8_percent_encode(request.uri.path(), PATH);
    format!(
        "{}\n{path}\n{}\n{headers}\n{signed_headers}\n{}",
        request.method,
        canonical_query(&request.uri),
        hex(&Sha256::digest(body))
    )
}

fn canonical_value(headers: &HeaderMap, name: &str) -> String {
    let values = headers.get_all(name).iter().map(|value| {
        let text = String::from_utf8_lossy(value.as_bytes());
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    });
    values.collect::<Vec<_>>().join(",")
}

fn canonical_query(uri: &Uri) -> String {
    let encode = |text: &str| {
        let decoded: Vec<u8> = percent_decode_str(text).collect();
        percent_encoding::percent_encode(&decoded, COMPONENT).to_string()
    };
    let pairs = uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    let mut pairs: Vec<_> = pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (encode(name), encode(value)))
        .collect();
    // By names, then values: not as they will stand there, where `=` would be compared too.
    pairs.sort();
    let pairs: Vec<_> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

/// `20150830T123600Z` in seconds since 1970
/// (<https://howardhinnant.github.io/date_algorithms.html#days_from_civil>).
fn seconds(date: &str) -> Option<i64> {
    let number = |range| date.get(range).and_then(|digits: &str| digits.parse::<i64>().ok());
    if date.len() != 16 || date.get(8..9) != Some("T") || !date.ends_with('Z') {
        return None;
    }
    let (year, month, day) = (number(0..4)?, number(4..6)?, number(6..8)?);
    let year = if month > 2 { year } else { year - 1 };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = era * 146_097 + day_of_era - 719_468;
    Some(days * 86_400 + number(9..11)? * 3600 + number(11..13)? * 60 + number(13..15)?)
}

fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    // A key of any length is taken.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    /// The access key, time and service of AWS's test suite for Signature Version 4.
    fn key() -> AccessKey {
        AccessKey {
            id: "AKIDEXAMPLE".to_owned(),
            secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(),
        }
    }
    const CALL: Call<'_> = Call { service: "service", now: 1_440_938_160 };
    const DATE: &str = "20150830T123600Z";

    struct Case<'a> {
        method: &'a str,
        target: &'a str,
        headers: &'a [(&'a str, &'a str)],
        body: &'a str,
        signed: &'a str,
        signature: &'a str,
    }

    const VANILLA: Case<'_> = Case {
        method: "GET",
        target: "/",
        headers: &[],
        body: "",
        signed: "host;x-amz-date",
        signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    };

    impl Case<'_> {
        fn parts(&self) -> Parts {
            let mut request = Request::builder()
                .method(self.method)
                .uri(self.target)
                .header("host", "example.amazonaws.com")
                .header("x-amz-date", DATE)
                .header(
                    "authorization",
                    format!(
                        "{ALGORITHM} Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
                         SignedHeaders={}, Signature={}",
                        self.signed, self.signature
                    ),
                );
            for (name, value) in self.headers {
                request = request.header(*name, *value);
            }
            request.body(()).unwrap().into_parts().0
        }

        #[track_caller]
        fn check(&self) {
            let verified = verify(&self.parts(), self.body.as_bytes(), &key(), CALL);
            assert_eq!(verified, Ok(()), "{} {}", self.method, self.target);
        }
    }

    #[test]
    fn the_cases_of_awss_test_suite_are_accepted() {
        VANILLA.check();
        let sorted = "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac";
        let target = "/?Param-3=Value3&Param=Value2&%E1%88%B4=Value1";
        Case { target, signature: sorted, ..VANILLA }.check();
        Case {
            headers: &[("my-header1", " value1"), ("my-header2", " \"a   b   c\"")],
            signed: "host;my-header1;my-header2;x-amz-date",
            signature: "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
            ..VANILLA
        }
        .check();
        Case {
            headers: &[
                ("my-header1", "value2"),
                ("my-header1", "value2"),
                ("my-header1", "value1"),
            ],
            signed: "host;my-header1;x-amz-date",
            signature: "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
            ..VANILLA
        }
        .check();
        let posted = "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11";
        let target = "/?Param1=value1";
        Case { method: "POST", target, signature: posted, ..VANILLA }.check();
        let digest = "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e";
        Case {
            method: "POST",
            headers: &[
                ("content-type", "application/x-www-form-urlencoded"),
                ("content-length", "13"),
                ("x-amz-content-sha256", digest),
            ],
            body: "Param1=value1",
            signed: "content-length;content-type;host;x-amz-content-sha256;x-amz-date",
            signature: "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b",
            ..VANILLA
        }
        .check();
    }

    /// The case of that suite that stands for `@connections`: path and id are encoded once more.
    #[test]
    fn a_connections_path_is_encoded_twice() {
        let key = AccessKey {
            id: "ANOTREAL".to_owned(),
            secret: "notrealrnrELgWzOk3IfjzDKtFBhDby".to_owned(),
        };
        let signature = "57d157672191bac40bae387e48bbe14b15303c001fdbb01f4abf295dccb09705";
        let request = Request::post("/test/@connections/JBDvjfGEIAMCERw%3D")
            .header("host", "tj9n5r0m12.execute-api.us-east-1.amazonaws.com")
            .header("x-amz-date", DATE)
            .header(
                "authorization",
                format!(
                    "{ALGORITHM} Credential=ANOTREAL/20150830/us-east-1/service/aws4_request, \
                     SignedHeaders=host;x-amz-date, Signature={signature}"
                ),
            );
        let parts = request.body(()).unwrap().into_parts().0;
        assert_eq!(verify(&parts, b"", &key, CALL), Ok(()));
    }

    #[test]
    fn what_was_changed_after_it_was_signed_is_refused() {
        let refused = |change: &dyn Fn(&mut Parts)| {
            let mut parts = VANILLA.parts();
            change(&mut parts);
            verify(&parts, b"", &key(), CALL).unwrap_err()
        };
        assert_eq!(
            refused(&|parts| parts.uri = "/other".parse().unwrap()),
            SignatureError::Mismatch
        );
        assert_eq!(refused(&|parts| parts.method = http::Method::POST), SignatureError::Mismatch);
        assert_eq!(
            refused(&|parts| drop(parts.headers.remove("authorization"))),
            SignatureError::Missing
        );
        assert_eq!(
            refused(&|parts| drop(parts.headers.remove("x-amz-date"))),
            SignatureError::Incomplete
        );
        let parts = VANILLA.parts();
        assert_eq!(verify(&parts, b"body", &key(), CALL), Err(SignatureError::Mismatch));
        let stranger = AccessKey { id: "AKIDOTHER".to_owned(), ..key() };
        assert_eq!(verify(&parts, b"", &stranger, CALL), Err(SignatureError::UnknownKey));
        let thief = AccessKey { secret: "guess".to_owned(), ..key() };
        assert_eq!(verify(&parts, b"", &thief, CALL), Err(SignatureError::Mismatch));
        for now in [CALL.now - WINDOW - 1, CALL.now + WINDOW + 1] {
            let late = Call { now, ..CALL };
            let expired = SignatureError::Expired { date: DATE.to_owned() };
            assert_eq!(verify(&parts, b"", &key(), late), Err(expired));
        }
        let elsewhere = Call { service: "execute-api", ..CALL };
        let scope = SignatureError::Scope { service: "execute-api".to_owned() };
        assert_eq!(verify(&parts, b"", &key(), elsewhere), Err(scope));
    }

    #[test]
    fn times_are_counted_from_1970() {
        assert_eq!(seconds("19700101T000000Z"), Some(0));
        assert_eq!(seconds(DATE), Some(CALL.now));
        assert_eq!(seconds("20000229T000000Z"), Some(951_782_400));
        for wrong in ["", "20150830", "20150830T1236000", "2015083xT123600Z"] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
    }
}
