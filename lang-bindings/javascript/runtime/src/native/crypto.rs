//! Random bytes, digests and message authentication codes.

use super::bytes;
use crate::instance;
use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::Md5;
use rquickjs::{Ctx, Exception, Function, Object, Result, TypedArray};
use sha1::Sha1;
use sha2::{Digest as _, Sha224, Sha256, Sha384, Sha512};

type Bytes<'js> = TypedArray<'js, u8>;

pub fn define<'js>(ctx: &Ctx<'js>, native: &Object<'js>) -> Result<()> {
    native.set("randomBytes", Function::new(ctx.clone(), random_bytes)?)?;
    native.set("digest", Function::new(ctx.clone(), digest)?)?;
    native.set("hmac", Function::new(ctx.clone(), hmac)?)?;
    Ok(())
}

/// Secure random bytes. A secret made at build time would be the same in every instance, so the module waits.
fn random_bytes<'js>(ctx: Ctx<'js>, length: usize) -> Result<Bytes<'js>> {
    if instance::in_snapshot() {
        instance::defer("crypto".to_owned());
    }
    let mut bytes = vec![0; length];
    instance::fill_random(&mut bytes);
    TypedArray::new(ctx, bytes)
}

fn digest<'js>(ctx: Ctx<'js>, algorithm: String, data: Bytes<'js>) -> Result<Bytes<'js>> {
    let data = bytes(&ctx, &data)?;
    let digest = match algorithm.as_str() {
        "md5" => Md5::digest(data).to_vec(),
        "sha1" => Sha1::digest(data).to_vec(),
        "sha224" => Sha224::digest(data).to_vec(),
        "sha256" => Sha256::digest(data).to_vec(),
        "sha384" => Sha384::digest(data).to_vec(),
        "sha512" => Sha512::digest(data).to_vec(),
        _ => return Err(unknown(&ctx, &algorithm)),
    };
    TypedArray::new(ctx, digest)
}

macro_rules! authenticate {
    ($hash:ty, $key:expr, $data:expr) => {
        Hmac::<$hash>::new_from_slice(&$key)
            .ok()
            .map(|mac| mac.chain_update(&$data).finalize().into_bytes().to_vec())
    };
}

fn hmac<'js>(
    ctx: Ctx<'js>,
    algorithm: String,
    key: Bytes<'js>,
    data: Bytes<'js>,
) -> Result<Bytes<'js>> {
    let (key, data) = (bytes(&ctx, &key)?, bytes(&ctx, &data)?);
    let code = match algorithm.as_str() {
        "md5" => authenticate!(Md5, key, data),
        "sha1" => authenticate!(Sha1, key, data),
        "sha224" => authenticate!(Sha224, key, data),
        "sha256" => authenticate!(Sha256, key, data),
        "sha384" => authenticate!(Sha384, key, data),
        "sha512" => authenticate!(Sha512, key, data),
        _ => None,
    };
    TypedArray::new(ctx.clone(), code.ok_or_else(|| unknown(&ctx, &algorithm))?)
}

fn unknown(ctx: &Ctx<'_>, algorithm: &str) -> rquickjs::Error {
    Exception::throw_message(ctx, &format!("Digest method not supported: {algorithm}"))
}
