//! Programs of Debian that are unpacked into the cache, which needs no root.

use crate::shell;
use std::path::Path;

/// Unpacks the packages into `folder`, unless apt cannot get them.
pub(super) fn unpack(packages: &[&str], folder: &Path) -> anyhow::Result<bool> {
    // Beside its place first: a folder that was left half-made is not taken for a whole one.
    let unfinished = folder.with_extension("unfinished");
    if unfinished.exists() {
        fs_err::remove_dir_all(&unfinished)?;
    }
    fs_err::create_dir_all(&unfinished)?;
    let mut download = shell::command("apt-get", &["download"], &unfinished);
    download.args(packages);
    if !shell::succeeds(download) {
        return Ok(false);
    }
    for entry in fs_err::read_dir(&unfinished)? {
        let package = entry?.path();
        let mut unpack = shell::command("dpkg-deb", &["--extract"], &unfinished);
        unpack.arg(&package).arg(&unfinished);
        shell::run(unpack)?;
        fs_err::remove_file(&package)?;
    }
    if folder.exists() {
        fs_err::remove_dir_all(folder)?;
    }
    fs_err::rename(&unfinished, folder)?;
    Ok(true)
}
