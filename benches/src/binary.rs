//! The size of the host's binary, as it is and zipped: what a function's package weighs.

use crate::statistics::mebibytes;
use crate::table::{Table, yes_or_no};
use anyhow::ensure;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// In megabytes of a million bytes.
const ZIPPED: f64 = 4.0;

/// Measures and prints the table. `gzip` compresses as zip does, with as much as a hundred bytes of difference.
pub(crate) fn run(bootstrap: &Path) -> anyhow::Result<Value> {
    let size = fs_err::metadata(bootstrap)?.len();
    let output = Command::new("gzip").args(["-9", "--stdout"]).arg(bootstrap).output()?;
    ensure!(output.status.success(), "gzip: {}", String::from_utf8_lossy(&output.stderr));
    let zipped = output.stdout.len() as u64;
    let megabytes = mebibytes(zipped) * 1.048_576;
    let met = megabytes <= ZIPPED;
    let mut table = Table::new("The bootstrap binary", &["MiB", "zipped MB", "target", "met"]);
    table.row(vec![
        format!("{:.1}", mebibytes(size)),
        format!("{megabytes:.1}"),
        format!("<= {ZIPPED} MB"),
        yes_or_no(met),
    ]);
    table.print();
    Ok(json!({ "bytes": size, "zippedBytes": zipped, "met": met }))
}
