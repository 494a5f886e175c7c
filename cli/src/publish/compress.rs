//! Compressed forms of files, made when they are published and kept by the digest of the file, so that the next publish
//! need not make them again.

use anyhow::{Context as _, Result};
use bytes::Bytes;
use lambkin_protocol::files::Encoding;
use mime_guess::{Mime, mime};
use std::io::Write as _;
use std::path::Path;

/// Below this many bytes a file travels in the packet of its headers, compressed or not.
const SMALLEST: usize = 512;
/// Above this many bytes brotli's slowest level takes seconds for each of them that it saves.
const LARGE: usize = 512 << 10;
/// A form must save this share of the file: one in so many.
const WORTH: usize = 20;
/// Part of the folder's name: counts up when a level changes.
const LEVELS: &str = "1";

/// Types that are not text and yet shrink.
const SHRINKING: [&str; 12] = [
    "application/javascript",
    "application/json",
    "application/manifest+json",
    "application/vnd.ms-fontobject",
    "application/wasm",
    "application/xml",
    "application/x-javascript",
    "font/otf",
    "font/ttf",
    "image/bmp",
    "image/svg+xml",
    "image/x-icon",
];

/// Whether files of this type shrink when they are compressed; images, archives and videos are compressed already.
pub(super) fn is_compressible(mime: &Mime) -> bool {
    mime.type_() == mime::TEXT
        || mime.suffix().is_some_and(|suffix| suffix == mime::XML || suffix == mime::JSON)
        || SHRINKING.contains(&mime.essence_str())
}

/// The compressed forms of the file that has `digest`, where they save something.
pub(super) fn all(bytes: &Bytes, digest: &str, home: &Path) -> Result<Vec<(Encoding, Bytes)>> {
    if bytes.len() < SMALLEST {
        return Ok(Vec::new());
    }
    let folder = home.join("compressed").join(LEVELS);
    let mut forms = Vec::new();
    for encoding in Encoding::ALL {
        let path = folder.join(format!("{digest}.{}", encoding.as_str()));
        let form = if let Ok(kept) = fs_err::read(&path) {
            kept
        } else {
            let made = compress(bytes, encoding).context("it cannot be compressed")?;
            keep(&folder, &path, &made)?;
            made
        };
        if form.len() + bytes.len() / WORTH <= bytes.len() {
            forms.push((encoding, form.into()));
        }
    }
    Ok(forms)
}

fn compress(bytes: &[u8], encoding: Encoding) -> std::io::Result<Vec<u8>> {
    let is_large = bytes.len() > LARGE;
    match encoding {
        Encoding::Br => {
            let quality = if is_large { 9 } else { 11 };
            let parameters = brotli::enc::BrotliEncoderParams { quality, ..Default::default() };
            let (mut source, mut target) = (bytes, Vec::new());
            brotli::BrotliCompress(&mut source, &mut target, &parameters)?;
            Ok(target)
        }
        Encoding::Zstd => zstd::bulk::compress(bytes, if is_large { 12 } else { 19 }),
        Encoding::Gzip => {
            let mut encoder =
                flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            encoder.write_all(bytes)?;
            encoder.finish()
        }
    }
}

/// Writes beside the place and renames, so that two publishes at once cannot leave half a file.
fn keep(folder: &Path, path: &Path, bytes: &[u8]) -> Result<()> {
    fs_err::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_shrinks_and_what_would_not_stays_as_it_is() {
        let home = tempfile::tempdir().unwrap();
        let text = Bytes::from("lambkin ".repeat(500));
        let forms = all(&text, "text", home.path()).unwrap();
        assert_eq!(forms.iter().map(|(encoding, _)| *encoding).collect::<Vec<_>>(), Encoding::ALL);
        assert_eq!(all(&text, "text", home.path()).unwrap(), forms, "kept");
        // As random as a compressed file.
        let noise: Vec<u8> = (0_u32..2000)
            .map(|n| {
                u8::try_from(n.wrapping_mul(2_654_435_761) >> 24).unwrap()
                    ^ u8::try_from(n * n % 251).unwrap()
            })
            .collect();
        assert!(all(&noise.into(), "noise", home.path()).unwrap().is_empty());
        assert!(all(&Bytes::from_static(b"short"), "short", home.path()).unwrap().is_empty());
    }

    #[test]
    fn images_are_left_alone_and_text_is_not() {
        let check = |name: &str, expected: bool| {
            let mime = mime_guess::from_path(name).first_or_octet_stream();
            assert_eq!(is_compressible(&mime), expected, "{name}: {mime}");
        };
        for name in
            ["a.html", "a.js", "a.css", "a.svg", "a.json", "a.wasm", "a.txt", "a.map", "a.ttf"]
        {
            check(name, true);
        }
        for name in ["a.png", "a.woff2", "a.mp4", "a.zip", "a"] {
            check(name, false);
        }
    }
}
