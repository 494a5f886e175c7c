//! How a client spells the names of its headers: HTTP does not care and `hyper` forgets it, but a REST API's events have the
//! names as they came.

use std::collections::BTreeMap;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The most names that are noted of one head.
const MOST: usize = 200;

/// The longest beginning of a line that is looked at for a name, in bytes.
const LONGEST: usize = 256;

/// The names of a request's headers as they came, by their lower-case form; an extension of the request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Spelling(pub(crate) BTreeMap<String, String>);

/// What was read of the head that is on its way.
#[derive(Debug, Default)]
struct Head {
    names: BTreeMap<String, String>,
    line: Vec<u8>,
    is_over: bool,
}

/// The head of a connection's present request.
#[derive(Debug, Clone, Default)]
pub(super) struct Noted(Arc<Mutex<Head>>);

impl Noted {
    /// The names of the head that has just been read.
    pub(super) fn take(&self) -> Spelling {
        Spelling(std::mem::take(&mut self.head().names))
    }

    /// The request is answered: what comes now is the next one's head.
    pub(super) fn expect_head(&self) {
        *self.head() = Head::default();
    }

    fn head(&self) -> std::sync::MutexGuard<'_, Head> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Head {
    fn note(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if self.is_over {
                return;
            }
            match byte {
                b'\n' => self.end_line(),
                byte if self.line.len() < LONGEST => self.line.push(*byte),
                _ => {}
            }
        }
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        if matches!(line.as_slice(), b"" | b"\r") {
            self.is_over = true;
            return;
        }
        let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
        let is_name = name.len() < line.len() && http::HeaderName::from_bytes(name).is_ok();
        if let (true, true, Ok(name)) =
            (is_name, self.names.len() < MOST, std::str::from_utf8(name))
        {
            self.names.entry(name.to_ascii_lowercase()).or_insert_with(|| name.to_owned());
        }
    }
}

/// A connection whose heads are noted as they are read.
#[derive(Debug)]
pub(super) struct Noting<S> {
    inner: S,
    noted: Noted,
}

impl<S> Noting<S> {
    pub(super) fn new(inner: S, noted: Noted) -> Self {
        Self { inner, noted }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Noting<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.inner).poll_read(context, buffer);
        self.noted.head().note(buffer.filled().get(before..).unwrap_or_default());
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Noting<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_noted_however_the_head_is_cut() {
        let head = b"GET /a:b HTTP/1.1\r\nHost: x\r\ntEsT-HEADeR: a:b\r\nX-Long: ";
        for size in [1, 7, 1000] {
            let noted = Noted::default();
            for part in head.chunks(size) {
                noted.head().note(part);
            }
            noted.head().note(&[b'x'; 1000]);
            noted.head().note(b"\r\n\r\nNot-A-Header: in the body\r\n");
            let names: Vec<_> = noted.take().0.into_values().collect();
            assert_eq!(names, ["Host", "tEsT-HEADeR", "X-Long"]);
        }
    }

    #[test]
    fn the_next_head_is_noted_when_the_request_is_answered() {
        let noted = Noted::default();
        noted.head().note(b"GET / HTTP/1.1\r\nA: 1\r\n\r\n");
        assert_eq!(noted.take().0.len(), 1);
        noted.head().note(b"B: body\r\n");
        noted.expect_head();
        noted.head().note(b"GET / HTTP/1.1\r\nC: 1\r\n\r\n");
        assert_eq!(noted.take().0.into_keys().collect::<Vec<_>>(), ["c"]);
    }
}
