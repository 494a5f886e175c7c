//! How to reach and sign in to an S3 server. The values are handed in by the caller: no environment, no profile
//! file and no instance metadata is read here, so opening a store costs no look-up.

use std::fmt;
use std::path::PathBuf;

/// The endpoint, region and credentials of an S3 server; a folder store ignores all of it.
#[derive(Clone, Default)]
pub struct S3Access {
    /// The server's URL, such as `http://127.0.0.1:8333`; absent means AWS itself, in `region`.
    /// With an endpoint, buckets are addressed by path (`endpoint/bucket/key`), which every S3 server understands.
    pub endpoint: Option<String>,
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

impl fmt::Debug for S3Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Access")
            .field("endpoint", &self.endpoint)
            .field("region", &self.region)
            .field("access_key_id", &self.access_key_id)
            .field("ca_bundle", &self.ca_bundle)
            .finish_non_exhaustive()
    }
}
