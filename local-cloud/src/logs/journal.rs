//! Log lines on disk: one JSON object a line in `events.jsonl`, and those before it in `events.1.jsonl`. Each has a bound,
//! so that both together have one.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use fs_err as fs;
use serde::{Deserialize, Serialize};

/// When the next file is begun, in bytes.
const MAX_FILE: u64 = 8 << 20;

/// One line of a log.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Line {
    pub(super) group: String,
    pub(super) stream: String,
    /// In milliseconds since 1970.
    pub(super) timestamp: u64,
    pub(super) message: String,
}

/// The file that lines are added to.
pub(super) struct Journal {
    current: PathBuf,
    earlier: PathBuf,
    file: fs::File,
    size: u64,
}

impl Journal {
    /// Opens the files in `folder`, which is made, and reads what is in them.
    pub(super) fn open(folder: &Path) -> io::Result<(Self, Vec<Line>)> {
        fs::create_dir_all(folder)?;
        let current = folder.join("events.jsonl");
        let earlier = folder.join("events.1.jsonl");
        let mut lines = read(&earlier)?;
        lines.extend(read(&current)?);
        let mut file = append(&current)?;
        // The end of a file that was left in the middle of a line must not spoil the next.
        if fs::read(&current)?.last().is_some_and(|last| *last != b'\n') {
            file.write_all(b"\n")?;
        }
        let size = file.metadata()?.len();
        Ok((Self { current, earlier, file, size }, lines))
    }

    /// Adds a line. A full disk costs the line on disk and nothing else.
    pub(super) fn append(&mut self, line: &Line) {
        let Ok(mut text) = serde_json::to_vec(line) else { return };
        text.push(b'\n');
        if self.size >= MAX_FILE && self.begin_next().is_err() {
            return;
        }
        if self.file.write_all(&text).is_ok() {
            self.size += text.len() as u64;
        }
    }

    fn begin_next(&mut self) -> io::Result<()> {
        fs::rename(&self.current, &self.earlier)?;
        self.file = append(&self.current)?;
        self.size = 0;
        Ok(())
    }
}

fn append(path: &Path) -> io::Result<fs::File> {
    fs::OpenOptions::new().create(true).append(true).open(path)
}

/// The lines of a file; one that was broken off is left out.
fn read(path: &Path) -> io::Result<Vec<Line>> {
    match fs::read(path) {
        Ok(bytes) => Ok(bytes
            .split(|byte| *byte == b'\n')
            .filter_map(|line| serde_json::from_slice(line).ok())
            .collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}
