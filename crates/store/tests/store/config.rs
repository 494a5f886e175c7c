//! Where the stores under test are.

use std::io::Write as _;
use std::path::Path;

use lambkin_store::{S3Access, Store};

/// An S3 server to test against; its bucket exists.
pub(crate) struct Server {
    pub(crate) access: S3Access,
    pub(crate) bucket: String,
}

impl Server {
    /// A store below a prefix that nobody used before.
    pub(crate) fn store(&self, case: &str) -> Store {
        let run =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
        Store::open(&format!("s3://{}/test/{case}-{run}", self.bucket), &self.access).unwrap()
    }
}

/// The server named by `LAMBKIN_TEST_S3_ENDPOINT`, `_BUCKET`, `_ACCESS_KEY_ID` and `_SECRET_ACCESS_KEY`.
pub(crate) fn s3(case: &str) -> Option<Server> {
    let names = ["ENDPOINT", "BUCKET", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY"];
    let values: Vec<String> =
        names.iter().filter_map(|name| variable(&format!("LAMBKIN_TEST_S3_{name}"))).collect();
    let Ok([endpoint, bucket, access_key_id, secret_access_key]) = <[String; 4]>::try_from(values)
    else {
        // Past the capture of the test harness, so that a run without S3 shows as one.
        let skipped = format!(
            "SKIPPED s3::{case}: LAMBKIN_TEST_S3_{{{}}} are not all set\n",
            names.join(",")
        );
        std::io::stderr().write_all(skipped.as_bytes()).unwrap();
        return None;
    };
    let access = S3Access {
        endpoint: Some(endpoint),
        region: "us-east-1".to_owned(),
        access_key_id,
        secret_access_key,
        ..S3Access::default()
    };
    Some(Server { access, bucket })
}

/// A store in a folder that is not there yet.
pub(crate) fn folder(root: &Path) -> Store {
    Store::open(root.join("store").to_str().unwrap(), &S3Access::default()).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "the tests' own configuration")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
