//! What a guest writes to standard output and standard error: cut into lines and passed on.
//!
//! Writing never blocks a guest. A line that grows beyond [`MAX_LINE`] is passed on in pieces, so that a guest cannot
//! make the host hold more than that.

use crate::invocation::{OutputSink, Stream};
use bytes::Bytes;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use tokio::io::AsyncWrite;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// Bytes after which a line is passed on although it has not ended.
pub(crate) const MAX_LINE: usize = 256 * 1024;

/// Bytes of the end of the output that are kept for an error's message.
const TAIL: usize = 4096;

/// Bytes that a guest may write at once.
const WRITE_PERMIT: usize = 64 * 1024;

/// Standard output or standard error of one invocation.
#[derive(Clone)]
pub(crate) struct LineWriter(Arc<Mutex<Lines>>);

struct Lines {
    stream: Stream,
    sink: OutputSink,
    partial: Vec<u8>,
    tail: String,
}

impl LineWriter {
    pub(crate) fn new(stream: Stream, sink: OutputSink) -> Self {
        Self(Arc::new(Mutex::new(Lines { stream, sink, partial: Vec::new(), tail: String::new() })))
    }

    /// Passes on a last line that has no line break.
    pub(crate) fn flush_line(&self) {
        let mut lines = self.lock();
        if !lines.partial.is_empty() {
            let rest = std::mem::take(&mut lines.partial);
            lines.emit(&rest);
        }
    }

    /// Forgets what an earlier invocation in the same store wrote.
    pub(crate) fn begin(&self) {
        let mut lines = self.lock();
        lines.partial.clear();
        lines.tail.clear();
    }

    /// The end of what was written, some lines.
    pub(crate) fn tail(&self) -> String {
        self.lock().tail.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lines {
    fn push(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            self.partial.extend_from_slice(piece);
            if let Some(line) = self.partial.strip_suffix(b"\n") {
                let line = line.strip_suffix(b"\r").unwrap_or(line).to_vec();
                self.partial.clear();
                self.emit(&line);
            }
            while self.partial.len() > MAX_LINE {
                let rest = self.partial.split_off(character_boundary(&self.partial, MAX_LINE));
                let piece = std::mem::replace(&mut self.partial, rest);
                self.emit(&piece);
            }
        }
    }

    fn emit(&mut self, line: &[u8]) {
        let line = String::from_utf8_lossy(line);
        (self.sink)(self.stream, &line);
        self.tail.push_str(&line);
        self.tail.push('\n');
        if self.tail.len() > TAIL {
            let cut = self.tail.ceil_char_boundary(self.tail.len() - TAIL);
            self.tail.drain(..cut);
        }
    }
}

/// The last place at or before `at` where UTF-8 text may be cut.
fn character_boundary(bytes: &[u8], at: usize) -> usize {
    let is_start = |&index: &usize| bytes.get(index).is_none_or(|byte| byte & 0xC0 != 0x80);
    (at.saturating_sub(3)..=at).rev().find(is_start).unwrap_or(at)
}

impl IsTerminal for LineWriter {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for LineWriter {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl AsyncWrite for LineWriter {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.lock().push(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[async_trait]
impl Pollable for LineWriter {
    async fn ready(&mut self) {}
}

impl OutputStream for LineWriter {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.lock().push(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_PERMIT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn writer() -> (LineWriter, Arc<Mutex<Vec<String>>>) {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&seen);
        (
            LineWriter::new(
                Stream::Stdout,
                Arc::new(move |_, line: &str| sink.lock().unwrap().push(line.to_owned())),
            ),
            seen,
        )
    }

    #[test]
    fn lines_are_joined_over_writes_and_the_last_is_flushed() {
        let (mut writer, seen) = writer();
        for part in ["on", "e\r\ntwo\n\nthr", "ee"] {
            OutputStream::write(&mut writer, Bytes::from_static(part.as_bytes())).unwrap();
        }
        assert_eq!(*seen.lock().unwrap(), ["one", "two", ""]);
        writer.flush_line();
        writer.flush_line();
        assert_eq!(*seen.lock().unwrap(), ["one", "two", "", "three"]);
        assert_eq!(writer.tail(), "one\ntwo\n\nthree\n");
    }

    #[test]
    fn a_very_long_line_comes_in_pieces_of_whole_characters() {
        let (mut writer, seen) = writer();
        let text = "a".to_owned() + &"é".repeat(MAX_LINE);
        OutputStream::write(&mut writer, Bytes::from(text.clone())).unwrap();
        writer.flush_line();
        let seen = seen.lock().unwrap();
        assert_eq!(seen.len(), 3);
        assert!(seen.iter().all(|piece| piece.len() <= MAX_LINE && !piece.contains('\u{FFFD}')));
        assert_eq!(seen.concat(), text);
        assert!(writer.tail().len() <= TAIL);
    }
}
