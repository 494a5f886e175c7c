//! The arguments of `lambkin dev`.

use super::Source;
use super::websocket::WebSocket;
use clap::Args;
use lambkin_protocol::domain;
use std::net::SocketAddr;
use std::path::PathBuf;

/// An app at a custom domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mapped {
    /// The host name, in lower case.
    pub(crate) domain: String,
    /// The base path without slashes at its ends.
    pub(crate) base_path: String,
    /// The app's folder, or its manifest.
    pub(crate) folder: PathBuf,
}

impl Mapped {
    fn parse(text: &str) -> Result<Self, String> {
        let (place, folder) = text
            .split_once('=')
            .filter(|(_, folder)| !folder.is_empty())
            .ok_or("give the app's folder as well: `api.example.com/shop=../shop`")?;
        let (domain, base_path) = place.split_once('/').unwrap_or((place, ""));
        let base_path = base_path.trim_matches('/');
        if !domain::is_base_path(base_path) {
            return Err(format!("the base path {base_path:?} has an empty segment"));
        }
        let labels = domain.strip_prefix("*.").unwrap_or(domain);
        let is_name = |label: &str| {
            !label.is_empty()
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        if !labels.split('.').all(is_name) {
            return Err(format!(
                "{domain:?} is not a host name; write `api.example.com` or `*.example.com`, without a port"
            ));
        }
        Ok(Self {
            domain: domain.to_ascii_lowercase(),
            base_path: base_path.to_owned(),
            folder: folder.into(),
        })
    }
}

#[derive(Debug, Args)]
pub(crate) struct Dev {
    #[command(flatten)]
    pub(crate) source: Source,
    /// The address to serve the app on
    #[arg(long, default_value = "127.0.0.1:3000", value_name = "ADDRESS")]
    pub(crate) listen: SocketAddr,
    /// The address where AWS's clients of Lambda and of logs call; two ports beside --listen when nothing is said
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen_aws: Option<SocketAddr>,
    #[command(flatten)]
    pub(crate) websocket: WebSocket,
    /// Serve an app at a custom domain too: a host name or `*.example.com`, a base path, and the app's folder; once for each
    /// mapping
    #[arg(long = "domain", value_name = "DOMAIN[/PATH]=FOLDER", value_parser = Mapped::parse)]
    pub(crate) domains: Vec<Mapped>,
    /// Serve what is there, and do not watch the sources
    #[arg(long)]
    pub(crate) no_watch: bool,
    /// The most sandboxes (host processes) at once
    #[arg(long, default_value_t = 10, value_name = "COUNT")]
    pub(crate) max_sandboxes: usize,
    /// How many requests the function answers at once before it refuses more as Lambda does; without it they wait
    #[arg(long, value_name = "COUNT")]
    pub(crate) reserved_concurrency: Option<usize>,
    /// The function's memory in MiB
    #[arg(long, default_value_t = 512, value_name = "MIB")]
    pub(crate) memory: u32,
    /// How long an invocation may take, in seconds, as it is set at a function; an API gives up earlier by itself
    #[arg(long, default_value_t = 900, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=900))]
    pub(crate) timeout: u64,
    /// The host to run, when it is not beside `lambkin`
    #[arg(long, env = "LAMBKIN_BOOTSTRAP", value_name = "FILE")]
    pub(crate) bootstrap: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_names_a_domain_a_base_path_and_a_folder() {
        let mapped = |domain: &str, base_path: &str, folder: &str| Mapped {
            domain: domain.to_owned(),
            base_path: base_path.to_owned(),
            folder: folder.into(),
        };
        let check = |text: &str, expected: Mapped| assert_eq!(Mapped::parse(text), Ok(expected));
        check("API.example.com=shop", mapped("api.example.com", "", "shop"));
        check("api.example.com/shop/v2/=../a=b", mapped("api.example.com", "shop/v2", "../a=b"));
        check("*.localhost=.", mapped("*.localhost", "", "."));
        for (text, expected) in [
            ("api.example.com", "give the app's folder"),
            ("api.example.com=", "give the app's folder"),
            ("api.example.com:3000=.", "without a port"),
            ("a.*.com=.", "is not a host name"),
            ("=.", "is not a host name"),
            ("api.example.com/a//b=.", "empty segment"),
        ] {
            let error = Mapped::parse(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
