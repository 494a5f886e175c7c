//! The SDK's client as a store uses it.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    BehaviorVersion, Credentials, Region, RequestChecksumCalculation, ResponseChecksumValidation,
    StalledStreamProtectionConfig,
};

use super::connection;
use crate::access::S3Access;
use crate::error::OpenError;

/// The SDK's client. `url` is only for messages.
pub(crate) fn client(url: &str, access: &S3Access) -> Result<Client, OpenError> {
    check(url, access)?;
    let credentials = Credentials::new(
        &access.access_key_id,
        &access.secret_access_key,
        access.session_token.clone(),
        None,
        "lambkin",
    );
    let mut config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(access.region.clone()))
        .credentials_provider(credentials)
        .http_client(connection::client(access)?)
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
    if let Some(endpoint) = &access.endpoint {
        config = config.endpoint_url(endpoint).force_path_style(true);
    }
    Ok(Client::from_conf(config.build()))
}

fn check(url: &str, access: &S3Access) -> Result<(), OpenError> {
    let settings = [
        ("AWS_REGION", &access.region),
        ("AWS_ACCESS_KEY_ID", &access.access_key_id),
        ("AWS_SECRET_ACCESS_KEY", &access.secret_access_key),
    ];
    match settings.into_iter().find(|(_, value)| value.is_empty()) {
        Some((missing, _)) => Err(OpenError::Access { url: url.to_owned(), missing }),
        None => Ok(()),
    }
}
