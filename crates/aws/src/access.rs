//! Who signs, and for which region. Handed in by the caller: no environment and no profile file is read here.

use std::fmt;
use std::path::PathBuf;

/// Credentials, region and trust.
#[derive(Clone, Default)]
pub struct Access {
    /// The AWS region, such as `eu-central-1`; it is part of every signature.
    pub region: String,
    /// The access key id.
    pub access_key_id: String,
    /// The secret key that signs each request.
    pub secret_access_key: String,
    /// The session token that goes with temporary credentials, as Lambda's are.
    pub session_token: Option<String>,
    /// A file of PEM certificates to trust instead of the compiled-in Mozilla roots.
    pub ca_bundle: Option<PathBuf>,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("region", &self.region)
            .field("access_key_id", &self.access_key_id)
            .field("ca_bundle", &self.ca_bundle)
            .finish_non_exhaustive()
    }
}

impl Access {
    /// The URL of a service in the region: `https://lambda.eu-central-1.amazonaws.com`
    /// (<https://docs.aws.amazon.com/general/latest/gr/rande.html>).
    pub fn endpoint(&self, service: &str) -> String {
        let suffix =
            if self.region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        format!("https://{service}.{}.{suffix}", self.region)
    }
}

#[cfg(test)]
mod tests {
    use super::Access;

    #[test]
    fn china_has_a_domain_of_its_own() {
        let at = |region: &str| Access { region: region.to_owned(), ..Access::default() };
        assert_eq!(at("eu-west-1").endpoint("lambda"), "https://lambda.eu-west-1.amazonaws.com");
        assert_eq!(
            at("cn-north-1").endpoint("lambda"),
            "https://lambda.cn-north-1.amazonaws.com.cn"
        );
    }
}
