//! Text and bytes: UTF-8, Latin-1, base64 and hexadecimal.

use super::bytes;
use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use rquickjs::{Ctx, Exception, Function, Object, Result, TypedArray};

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_allow_trailing_bits(true)
    .with_decode_padding_mode(DecodePaddingMode::Indifferent);
const PADDED: GeneralPurpose = GeneralPurpose::new(&STANDARD, LENIENT);
const URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, LENIENT.with_encode_padding(false));

type Bytes<'js> = TypedArray<'js, u8>;

pub fn define<'js>(ctx: &Ctx<'js>, native: &Object<'js>) -> Result<()> {
    native.set("utf8Encode", Function::new(ctx.clone(), utf8_encode)?)?;
    native.set("utf8Decode", Function::new(ctx.clone(), utf8_decode)?)?;
    native.set("latin1Decode", Function::new(ctx.clone(), latin1_decode)?)?;
    native.set("base64Encode", Function::new(ctx.clone(), base64_encode)?)?;
    native.set("base64Decode", Function::new(ctx.clone(), base64_decode)?)?;
    native.set("hexEncode", Function::new(ctx.clone(), hex_encode)?)?;
    Ok(())
}

/// The UTF-8 of a well-formed string.
fn utf8_encode<'js>(ctx: Ctx<'js>, text: String) -> Result<Bytes<'js>> {
    TypedArray::new(ctx, text.into_bytes())
}

/// The text of UTF-8 bytes; what is malformed becomes U+FFFD, or an error when `fatal`.
fn utf8_decode<'js>(
    ctx: Ctx<'js>,
    array: Bytes<'js>,
    fatal: bool,
) -> Result<rquickjs::String<'js>> {
    // SAFETY: no JavaScript runs while the slice is alive.
    let bytes = unsafe { array.as_bytes() }.unwrap_or_default();
    match std::str::from_utf8(bytes) {
        Ok(text) => rquickjs::String::from_str(ctx, text),
        Err(_) if fatal => {
            Err(Exception::throw_type(&ctx, "The encoded data was not valid for encoding utf-8"))
        }
        Err(_) => rquickjs::String::from_str(ctx, &String::from_utf8_lossy(bytes)),
    }
}

/// Each byte as the character of that number.
fn latin1_decode(ctx: Ctx<'_>, array: Bytes<'_>) -> Result<String> {
    Ok(bytes(&ctx, &array)?.into_iter().map(char::from).collect())
}

fn base64_encode(ctx: Ctx<'_>, array: Bytes<'_>, url: bool) -> Result<String> {
    let bytes = bytes(&ctx, &array)?;
    Ok(if url { URL.encode(bytes) } else { PADDED.encode(bytes) })
}

/// The bytes of base64 text without white space, in either alphabet, padded or not; null when it is malformed.
fn base64_decode<'js>(ctx: Ctx<'js>, text: String) -> Result<Option<Bytes<'js>>> {
    let text = text.replace('-', "+").replace('_', "/");
    PADDED.decode(text).ok().map(|bytes| TypedArray::new(ctx, bytes)).transpose()
}

fn hex_encode(ctx: Ctx<'_>, array: Bytes<'_>) -> Result<String> {
    Ok(bytes(&ctx, &array)?.into_iter().map(|byte| format!("{byte:02x}")).collect())
}
