//! The environment of a sandbox: what Lambda sets, then what the function's settings say, and nothing of our own.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use uuid::Uuid;

use super::Settings;

const DEFAULT_REGION: &str = "us-east-1";

/// Names and values for one sandbox whose Runtime API listens at `runtime_api`.
pub(crate) fn sandbox(
    settings: &Settings,
    runtime_api: SocketAddr,
    log_stream: &str,
) -> BTreeMap<String, String> {
    let task_root =
        settings.bootstrap.parent().unwrap_or(std::path::Path::new("/")).display().to_string();
    let mut variables = BTreeMap::new();
    let mut set = |name: &str, value: &str| variables.insert(name.to_owned(), value.to_owned());
    set("AWS_DEFAULT_REGION", DEFAULT_REGION);
    set("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &settings.memory_mb.to_string());
    set("AWS_LAMBDA_FUNCTION_NAME", &settings.name);
    set("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST");
    set("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand");
    set("AWS_LAMBDA_LOG_GROUP_NAME", &format!("/aws/lambda/{}", settings.name));
    set("AWS_LAMBDA_LOG_STREAM_NAME", log_stream);
    set("AWS_LAMBDA_RUNTIME_API", &runtime_api.to_string());
    set("AWS_REGION", DEFAULT_REGION);
    set("AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR");
    set("LAMBDA_RUNTIME_DIR", "/var/runtime");
    set("LAMBDA_TASK_ROOT", &task_root);
    set("LANG", "en_US.UTF-8");
    set(
        "LD_LIBRARY_PATH",
        &format!("/lib64:/usr/lib64:/var/runtime:{task_root}:{task_root}/lib:/opt/lib"),
    );
    set("PATH", "/usr/local/bin:/usr/bin:/bin:/opt/bin");
    set("TZ", ":UTC");
    set("_HANDLER", "bootstrap");
    if settings.concurrency_per_sandbox > 1 {
        set("AWS_LAMBDA_INITIALIZATION_TYPE", "lambda-managed-instances");
        set("AWS_LAMBDA_MAX_CONCURRENCY", &settings.concurrency_per_sandbox.to_string());
    }
    variables.extend(settings.environment.clone());
    variables
}

/// The region the function believes to be in.
pub(crate) fn region(settings: &Settings) -> &str {
    settings.environment.get("AWS_REGION").map_or(DEFAULT_REGION, String::as_str)
}

/// `<year>/<month>/<day>/[$LATEST]<32 hexadecimal digits>`, a new one for each sandbox.
pub(crate) fn log_stream() -> String {
    let (year, month, day) = date(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default());
    format!("{year}/{month:02}/{day:02}/[$LATEST]{}", Uuid::new_v4().simple())
}

/// The Gregorian date, counted in eras of 400 years that begin on 1 March
/// (<https://howardhinnant.github.io/date_algorithms.html#civil_from_days>).
fn date(since_epoch: Duration) -> (u64, u64, u64) {
    let days = since_epoch.as_secs() / 86_400 + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(seconds: u64, expected: (u64, u64, u64)) {
        assert_eq!(date(Duration::from_secs(seconds)), expected);
    }

    #[test]
    fn dates_are_gregorian() {
        check(0, (1970, 1, 1));
        check(951_782_399, (2000, 2, 28));
        check(951_782_400, (2000, 2, 29));
        check(951_868_800, (2000, 3, 1));
        check(1_795_305_600, (2026, 11, 22));
        check(4_107_542_400, (2100, 3, 1));
    }

    #[test]
    fn the_function_has_the_last_word() {
        let mut settings = Settings::new("/srv/app/bootstrap", "shop");
        settings.environment = [("AWS_REGION", "eu-central-1"), ("GREETING", "ahoj")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        let variables = sandbox(&settings, "127.0.0.1:9001".parse().unwrap(), "stream");
        assert_eq!(variables["AWS_REGION"], "eu-central-1");
        assert_eq!(variables["GREETING"], "ahoj");
        assert_eq!(variables["LAMBDA_TASK_ROOT"], "/srv/app");
        assert_eq!(variables["AWS_LAMBDA_RUNTIME_API"], "127.0.0.1:9001");
        assert!(!variables.contains_key("AWS_LAMBDA_MAX_CONCURRENCY"));
        assert!(!variables.contains_key("HOME"));
    }
}
