//! Frames of `application/vnd.amazon.eventstream`, which streamed answers of AWS's own calls come in
//! (<https://smithy.io/2.0/aws/amazon-eventstream.html>). Only what a server of events writes: string headers, no reading.

use bytes::{BufMut as _, Bytes, BytesMut};

/// The type of a header's value: a string.
const STRING: u8 = 7;

/// Total length, length of the headers, and the checksum of these two.
const PRELUDE: usize = 12;

/// One event of the given type.
pub(crate) fn event(kind: &str, content_type: &str, payload: &[u8]) -> Bytes {
    let mut headers = BytesMut::new();
    for (name, value) in
        [(":message-type", "event"), (":event-type", kind), (":content-type", content_type)]
    {
        // Names and values of ours are short; the format has room for 255 and 65,535 bytes.
        headers.put_u8(u8::try_from(name.len()).unwrap_or_default());
        headers.put_slice(name.as_bytes());
        headers.put_u8(STRING);
        headers.put_u16(u16::try_from(value.len()).unwrap_or_default());
        headers.put_slice(value.as_bytes());
    }
    let total = PRELUDE + headers.len() + payload.len() + 4;
    let mut frame = BytesMut::with_capacity(total);
    // A payload is a function's answer or a piece of it, which is megabytes at most.
    frame.put_u32(u32::try_from(total).unwrap_or_default());
    frame.put_u32(u32::try_from(headers.len()).unwrap_or_default());
    frame.put_u32(crc32fast::hash(&frame));
    frame.put_slice(&headers);
    frame.put_slice(payload);
    frame.put_u32(crc32fast::hash(&frame));
    frame.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_has_its_lengths_and_checksums() {
        let frame = event("PayloadChunk", "application/octet-stream", b"hello");
        assert_eq!(frame[..4], u32::try_from(frame.len()).unwrap().to_be_bytes());
        assert_eq!(frame[8..12], crc32fast::hash(&frame[..8]).to_be_bytes());
        let body = frame.len() - 4;
        assert_eq!(frame[body..], crc32fast::hash(&frame[..body]).to_be_bytes());
        assert_eq!(&frame[body - 5..body], b"hello");
        assert_eq!(&frame[12..30], b"\x0d:message-type\x07\0\x05e");
    }
}
