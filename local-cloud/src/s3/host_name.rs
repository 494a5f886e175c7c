//! Where the bucket's name is: in the path or in the host name.
//!
//! `s3s` asks for one base domain; a local server is called many names, so the host header is read by rule instead.

use s3s::S3Result;
use s3s::host::{S3Host, VirtualHost};

/// `<bucket>.s3.localhost`, `<bucket>.localhost` and `<bucket>.127.0.0.1` are host-style; any other host is path-style.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LocalHost;

impl S3Host for LocalHost {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        let bucket = if name == "s3.localhost" {
            None
        } else {
            [".s3.localhost", ".localhost", ".127.0.0.1"]
                .iter()
                .find_map(|suffix| name.strip_suffix(suffix))
        };
        Ok(match bucket {
            Some(bucket) if !bucket.is_empty() => VirtualHost::new(host).with_bucket(bucket),
            _ => VirtualHost::new(host),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(host: &str, bucket: Option<&str>) {
        assert_eq!(LocalHost.parse_host_header(host).unwrap().bucket(), bucket, "{host}");
    }

    #[test]
    fn the_bucket_is_found_in_the_host_name() {
        check("127.0.0.1:9000", None);
        check("localhost:9000", None);
        check("localhost", None);
        check("s3.localhost:9000", None);
        check("shop.s3.localhost:9000", Some("shop"));
        check("shop.localhost:9000", Some("shop"));
        check("my.shop.s3.localhost", Some("my.shop"));
        check("shop.127.0.0.1:9000", Some("shop"));
        check("[::1]:9000", None);
        check("minio.example.com", None);
    }
}
