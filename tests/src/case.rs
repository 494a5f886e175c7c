//! A conformance case: requests to one app, and what must come back. Read from `cases/<name>/case.toml`.

use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// Requests to one app, and what must come back.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The case's name: that of its folder.
    #[serde(skip)]
    pub name: String,
    /// The kinds of app that answer it.
    #[serde(default = "web_and_function")]
    pub kinds: Vec<Kind>,
    /// The requests in their order.
    pub exchange: Vec<Exchange>,
    /// JSON pointers into the answers' bodies, to values that no two answers may share.
    #[serde(default)]
    pub differ: Vec<String>,
    /// JSON pointers into the answers' bodies, to Unix times in milliseconds that must be the present.
    #[serde(default)]
    pub present: Vec<String>,
    /// Whether one host process must survive all exchanges.
    #[serde(default)]
    pub host_survives: bool,
}

/// The kind of an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A Lambda handler.
    Function,
    /// A web handler.
    Http,
    /// A WASI command.
    Command,
}

/// One request and its answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// What is sent.
    pub request: Request,
    /// What must come back.
    pub expect: Expect,
}

/// An HTTP request.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The method.
    #[serde(default = "get")]
    pub method: String,
    /// The path, percent-encoded.
    pub path: String,
    /// The query, percent-encoded, without the question mark.
    pub query: Option<String>,
    /// The headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body; empty when absent.
    pub body: Option<Content>,
}

/// What must come back. What is not named is not compared.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// The status.
    pub status: u16,
    /// Headers that must be there; several values of one name are compared as a list.
    #[serde(default)]
    pub headers: BTreeMap<String, Values>,
    /// The body.
    pub body: Option<Content>,
    /// Lines that the host must log.
    #[serde(default)]
    pub log: Vec<Line>,
}

/// One value of a header, or several in their order.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Values {
    /// Values of one name joined by commas, as HTTP allows.
    One(String),
    /// Each value in a header line of its own.
    Many(Vec<String>),
}

/// The content of a body.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Content {
    /// Text, as it is.
    Text(String),
    /// Bytes in base64.
    Base64(String),
    /// JSON text, compared by value. A string that begins with `regex:` stands for every string or number that the
    /// expression matches as a whole.
    Json(String),
    /// A regular expression that the whole body matches.
    Regex(String),
    /// This many bytes of a pattern.
    Generated {
        /// How many bytes.
        length: usize,
        /// Which bytes.
        pattern: Pattern,
    },
}

/// The bytes of a generated body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pattern {
    /// The letter `x`.
    Letters,
    /// Every byte in turn.
    Binary,
}

/// A line that the host must log.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// A part of the message.
    pub text: String,
    /// Which stream of the guest it was printed on; absent: any line of the log.
    pub stream: Option<String>,
}

impl Case {
    /// Reads every case, in the order of their names.
    pub fn read_all(folder: &Path) -> anyhow::Result<Vec<Self>> {
        let mut cases = Vec::new();
        for entry in fs_err::read_dir(folder)? {
            let path = entry?.path();
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .context("a case's name is not text")?;
            let file = path.join("case.toml");
            let text = fs_err::read_to_string(&file)?;
            let mut case: Self =
                toml::from_str(&text).with_context(|| file.display().to_string())?;
            name.clone_into(&mut case.name);
            cases.push(case);
        }
        cases.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(cases)
    }
}

impl Content {
    /// The bytes to send; a pattern to match has none.
    pub fn bytes(&self) -> anyhow::Result<Bytes> {
        match self {
            Self::Text(text) | Self::Json(text) => Ok(Bytes::from(text.clone())),
            Self::Base64(text) => {
                Ok(Bytes::from(STANDARD.decode(text).context("the case's base64")?))
            }
            Self::Generated { length, pattern } => Ok(pattern.bytes(*length)),
            Self::Regex(_) => anyhow::bail!("a regular expression cannot be sent"),
        }
    }
}

impl Pattern {
    fn bytes(self, length: usize) -> Bytes {
        match self {
            Self::Letters => vec![b'x'; length].into(),
            Self::Binary => (0..=u8::MAX).cycle().take(length).collect(),
        }
    }
}

fn web_and_function() -> Vec<Kind> {
    vec![Kind::Function, Kind::Http]
}

fn get() -> String {
    "GET".to_owned()
}
