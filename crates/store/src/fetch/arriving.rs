//! The answer to one request, used while it arrives.

use std::ops::Range;
use std::sync::Arc;

use bytes::{Buf as _, Bytes};
use futures::StreamExt as _;
use futures::stream::BoxStream;

use crate::deadline::Deadline;
use crate::error::ReadError;
use crate::objects::Objects;

/// Room that is made for a range before its bytes are there. How long a description is says a label that nobody has
/// checked: a damaged one must not take more memory than there is.
const ROOM: usize = 1 << 20;

/// The bytes of an object from its start to some end, in order.
pub(super) struct Arriving {
    rest: BoxStream<'static, Result<Bytes, ReadError>>,
    /// What has arrived and was not taken.
    here: Bytes,
    /// Where in the object that begins.
    at: u64,
    /// How many bytes were asked for.
    end: u64,
}

impl Arriving {
    /// Asks for so many bytes; an object that is shorter gives all it has.
    pub(super) fn new(
        objects: &Arc<dyn Objects>,
        object: &str,
        end: u64,
        deadline: Deadline,
    ) -> Self {
        let rest = Arc::clone(objects).arriving(object.to_owned(), 0..end, deadline);
        Self { rest, here: Bytes::new(), at: 0, end }
    }

    /// How many bytes were asked for.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// How many bytes have arrived.
    pub(super) fn arrived(&self) -> u64 {
        self.at + self.here.len() as u64
    }

    /// The bytes of a range, which must not begin before the end of the last one; fewer where the object ends before.
    pub(super) async fn take(&mut self, range: Range<u64>) -> Result<Bytes, ReadError> {
        let mut taken = Vec::new();
        loop {
            self.skip(range.start);
            let length = self.until(range.end);
            if taken.is_empty() && self.at + length as u64 == range.end {
                self.at = range.end;
                return Ok(self.here.split_to(length));
            }
            let left = range.end - self.at.max(range.start);
            taken.reserve(usize::try_from(left).unwrap_or(ROOM).min(ROOM));
            taken.extend_from_slice(&self.here.split_to(length));
            self.at += length as u64;
            if self.at == range.end {
                return Ok(taken.into());
            }
            match self.rest.next().await.transpose()? {
                Some(bytes) => self.here = bytes,
                None => return Ok(taken.into()),
            }
        }
    }

    /// Waits for what is left, so that the connection can be used again. Nobody needs it: it may fail.
    pub(super) async fn finish(&mut self) {
        self.skip(self.arrived());
        while let Some(Ok(bytes)) = self.rest.next().await {
            self.at += bytes.len() as u64;
        }
    }

    fn skip(&mut self, to: u64) {
        let length = self.until(to);
        self.here.advance(length);
        self.at += length as u64;
    }

    /// How many of the bytes that are here are before this place.
    fn until(&self, place: u64) -> usize {
        usize::try_from(place.saturating_sub(self.at)).unwrap_or(usize::MAX).min(self.here.len())
    }
}
