//! The members of an event as they come, borrowed from its bytes and not looked into until they are needed.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::source::Marks;
use super::{EventError, Format};

/// A member that is not looked into yet; a null one is absent.
pub(super) type Raw<'a> = Option<&'a RawValue>;

/// A string, borrowed where it has no escapes.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(transparent)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// The members of an object in their order.
#[derive(Debug, Clone)]
pub(super) struct Pairs<'a, V>(pub(super) Vec<(Text<'a>, V)>);

impl<V> Default for Pairs<'_, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// The top level of any event.
#[derive(Debug, Default)]
pub(super) struct Envelope<'a> {
    pub(super) version: Raw<'a>,
    pub(super) raw_path: Raw<'a>,
    pub(super) raw_query: Raw<'a>,
    pub(super) cookies: Raw<'a>,
    pub(super) headers: Raw<'a>,
    pub(super) multi_headers: Raw<'a>,
    pub(super) query: Raw<'a>,
    pub(super) multi_query: Raw<'a>,
    pub(super) path_parameters: Raw<'a>,
    pub(super) method: Raw<'a>,
    pub(super) path: Raw<'a>,
    pub(super) resource: Raw<'a>,
    pub(super) body: Raw<'a>,
    pub(super) is_base64: Raw<'a>,
    pub(super) has_context: bool,
    pub(super) context: Context<'a>,
    pub(super) marks: Marks<'a>,
}

/// `requestContext`.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Context<'a> {
    #[serde(borrow)]
    pub(super) elb: Raw<'a>,
    #[serde(borrow)]
    pub(super) http: Raw<'a>,
    #[serde(borrow)]
    pub(super) domain_name: Raw<'a>,
    #[serde(borrow)]
    pub(super) stage: Raw<'a>,
    #[serde(borrow)]
    pub(super) path: Raw<'a>,
    #[serde(borrow)]
    pub(super) request_id: Raw<'a>,
    #[serde(borrow)]
    pub(super) connection_id: Raw<'a>,
    #[serde(borrow)]
    pub(super) identity: Raw<'a>,
    #[serde(borrow)]
    pub(super) service_network_arn: Raw<'a>,
}

/// `requestContext.http` of payload format 2.0.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ContextHttp<'a> {
    #[serde(borrow)]
    pub(super) method: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) source_ip: Option<Text<'a>>,
}

/// `requestContext.identity` of payload format 1.0.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Identity<'a> {
    #[serde(borrow)]
    pub(super) source_ip: Option<Text<'a>>,
}

impl<'a> Envelope<'a> {
    /// Reads any JSON; what is not an object has no members.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, EventError> {
        let is_object = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
        let parsed = if is_object {
            serde_json::from_slice(bytes)
        } else {
            serde_json::from_slice::<IgnoredAny>(bytes).map(|_| Self::default())
        };
        parsed.map_err(|source| not_json(bytes, source))
    }

    /// Whose HTTP event it is, if it is one. An authorizer's and a WebSocket's are not: nobody awaits a response to them.
    pub(super) fn format(&self) -> Option<Format> {
        if self.marks.is_authorizer() || self.context.connection_id.is_some() {
            return None;
        }
        if self.raw_path.is_some() && self.context.http.is_some() {
            return Some(if self.is_function_url() { Format::FunctionUrl } else { Format::HttpV2 });
        }
        self.method.and(self.path)?;
        if self.context.elb.is_some() {
            return Some(Format::Alb { multi_value: self.multi_headers.is_some() });
        }
        let is_gateway = self.resource.is_some() || self.has_context;
        let is_http_api = self.version.is_some_and(|version| version.get() == r#""1.0""#);
        is_gateway.then_some(if is_http_api { Format::HttpV1 } else { Format::RestV1 })
    }

    /// A function URL's host is `<id>.lambda-url.<region>.on.aws`; nothing else tells its event from an HTTP API's.
    fn is_function_url(&self) -> bool {
        self.context.domain_name.is_some_and(|domain| domain.get().contains(".lambda-url."))
    }

    fn set(&mut self, key: &str, raw: &'a RawValue) {
        let member = match key {
            "version" => &mut self.version,
            "rawPath" => &mut self.raw_path,
            "rawQueryString" => &mut self.raw_query,
            "cookies" => &mut self.cookies,
            "headers" => &mut self.headers,
            "multiValueHeaders" => &mut self.multi_headers,
            "queryStringParameters" => &mut self.query,
            "multiValueQueryStringParameters" => &mut self.multi_query,
            "pathParameters" => &mut self.path_parameters,
            "httpMethod" => &mut self.method,
            "path" => &mut self.path,
            "resource" => &mut self.resource,
            "body" => &mut self.body,
            "isBase64Encoded" => &mut self.is_base64,
            "requestContext" => {
                self.has_context = true;
                self.context = serde_json::from_str(raw.get()).unwrap_or_default();
                return;
            }
            _ => return self.marks.note(key, raw),
        };
        *member = Some(raw);
    }
}

impl<'de> Deserialize<'de> for Envelope<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Envelope<'de>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut envelope = Envelope::default();
                while let Some(key) = map.next_key::<Text<'de>>()? {
                    let raw: &'de RawValue = map.next_value()?;
                    if raw.get() != "null" {
                        envelope.set(&key.0, raw);
                    }
                }
                Ok(envelope)
            }
        }
        deserializer.deserialize_map(Members)
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Pairs<'de, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<V>(std::marker::PhantomData<V>);
        impl<'de, V: Deserialize<'de>> Visitor<'de> for Members<V> {
            type Value = Pairs<'de, V>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::with_capacity(map.size_hint().unwrap_or(16));
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Members(std::marker::PhantomData))
    }
}

/// The first element of an array, the others unread.
pub(super) struct First<T>(pub(super) Option<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for First<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Elements<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Elements<T> {
            type Value = First<T>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an array")
            }
            fn visit_seq<A: SeqAccess<'de>>(
                self,
                mut elements: A,
            ) -> Result<Self::Value, A::Error> {
                let first = elements.next_element()?;
                while elements.next_element::<IgnoredAny>()?.is_some() {}
                Ok(First(first))
            }
        }
        deserializer.deserialize_seq(Elements(std::marker::PhantomData))
    }
}

/// Where JSON ends, told by its line and column as `serde_json` counts them, in bytes from the start.
pub(super) fn not_json(bytes: &[u8], source: serde_json::Error) -> EventError {
    let lines = bytes.split_inclusive(|byte| *byte == b'\n');
    let before: usize = lines.take(source.line().saturating_sub(1)).map(<[u8]>::len).sum();
    let offset = (before + source.column().saturating_sub(1)).min(bytes.len());
    EventError::NotJson { offset, length: bytes.len(), source }
}
