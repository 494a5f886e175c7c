//! The arguments of `lambkin logs`.

use super::Source;
use crate::commands::logs::record::Level;
use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct Logs {
    #[command(flatten)]
    pub(crate) source: Source,
    /// Read this function's log on AWS, instead of that of the `lambkin dev` here
    #[arg(long, value_name = "NAME")]
    pub(crate) function: Option<String>,
    /// The same by its log group, when that is not /aws/lambda/NAME
    #[arg(long, value_name = "GROUP", conflicts_with = "function")]
    pub(crate) group: Option<String>,
    /// Go on with what comes, until Ctrl-C
    #[arg(long, short)]
    pub(crate) follow: bool,
    /// Only lines of this app, in a function that serves several
    #[arg(long, value_name = "NAME")]
    pub(crate) app: Option<String>,
    /// Only lines of this component
    #[arg(long, value_name = "NAME")]
    pub(crate) component: Option<String>,
    /// Only lines of this Lambda request: its id, or the first digits
    #[arg(long, value_name = "ID")]
    pub(crate) request_id: Option<String>,
    /// Only lines since then: `10m`, `2h`, or `2026-11-23T07:00:00Z`; on AWS 10m when nothing is said
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// The least that a line must matter
    #[arg(long, value_enum, default_value_t)]
    pub(crate) level: Level,
    /// One JSON object a line, as `--format json`
    #[arg(long)]
    pub(crate) json: bool,
}
