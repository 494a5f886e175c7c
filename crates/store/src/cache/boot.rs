//! Which start of the machine this is.

use std::sync::OnceLock;

/// Linux's id of the current boot (<https://man7.org/linux/man-pages/man4/random.4.html>).
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// A word that is the same for all processes until the machine starts anew, and another one afterwards. Files are not
/// flushed to the disk, so that after a power cut one may have the right length and the wrong bytes: what was written
/// before the last start is not believed. Where the system does not tell, no process believes another.
pub(super) fn word() -> &'static str {
    static WORD: OnceLock<String> = OnceLock::new();
    WORD.get_or_init(|| {
        let text = fs_err::read_to_string(BOOT_ID).unwrap_or_default();
        let word: String = text.chars().filter(char::is_ascii_hexdigit).take(12).collect();
        if word.is_empty() { format!("p{}", fastrand::u64(..)) } else { word }
    })
}
