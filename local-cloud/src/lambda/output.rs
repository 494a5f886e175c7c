//! One output pipe of a sandbox, cut into lines.
//!
//! [`Output::drain`] reads what is in the pipe right now, so that everything a function printed before it answered is in
//! the log before its `END` line, without waiting for the event loop.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::unix::pipe::Receiver;

use super::log::{Journal, Source};

/// The longest line, in bytes; Lambda cuts there too.
const MAX_LINE: usize = 256 * 1024;

/// How much is read at once, in bytes.
const CHUNK: usize = 16 * 1024;

/// The reading end of a pipe.
pub(crate) struct Output {
    pipe: Receiver,
    /// What came after the last line's end.
    rest: Mutex<Vec<u8>>,
    source: Source,
    journal: Arc<Journal>,
}

#[derive(PartialEq, Eq)]
enum Pipe {
    Open,
    Closed,
}

impl Output {
    /// Takes the pipe and reads it until its end.
    pub(crate) fn start(
        pipe: OwnedFd,
        source: Source,
        journal: Arc<Journal>,
    ) -> io::Result<Arc<Self>> {
        let pipe = Receiver::from_owned_fd(pipe)?;
        let output = Arc::new(Self { pipe, rest: Mutex::new(Vec::new()), source, journal });
        tokio::spawn(Arc::clone(&output).pump());
        Ok(output)
    }

    async fn pump(self: Arc<Self>) {
        while self.pipe.readable().await.is_ok() {
            // The runtime's own read, because it alone learns from it that the pipe is empty.
            if self.read(|chunk| self.pipe.try_read(chunk)) == Pipe::Closed {
                return;
            }
        }
    }

    /// Hands on every whole line that is in the pipe now.
    pub(crate) fn drain(&self) {
        // A read past the runtime, which may not know yet that there is something to read.
        self.read(|chunk| rustix::io::read(&self.pipe, chunk).map_err(io::Error::from));
    }

    /// Hands on everything, a line without an end too: the process is gone.
    pub(crate) fn finish(&self) {
        self.drain();
        let rest = std::mem::take(&mut *self.rest.lock().unwrap_or_else(PoisonError::into_inner));
        if !rest.is_empty() {
            self.print(&rest);
        }
    }

    fn read(&self, mut from_pipe: impl FnMut(&mut [u8]) -> io::Result<usize>) -> Pipe {
        // One reader at a time, so that lines keep their order.
        let mut rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        let mut chunk = [0; CHUNK];
        loop {
            match from_pipe(&mut chunk) {
                Ok(0) => return Pipe::Closed,
                Ok(length) => {
                    rest.extend_from_slice(chunk.get(..length).unwrap_or_default());
                    self.cut(&mut rest);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Pipe::Open,
                Err(_) => return Pipe::Closed,
            }
        }
    }

    fn cut(&self, rest: &mut Vec<u8>) {
        let mut start = 0;
        for end in rest.iter().enumerate().filter_map(|(at, byte)| (*byte == b'\n').then_some(at)) {
            self.print(rest.get(start..end).unwrap_or_default());
            start = end + 1;
        }
        rest.drain(..start);
        while rest.len() >= MAX_LINE {
            let tail = rest.split_off(MAX_LINE);
            self.print(rest);
            *rest = tail;
        }
    }

    fn print(&self, line: &[u8]) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        self.journal.printed(self.source, String::from_utf8_lossy(line).into_owned());
    }
}
