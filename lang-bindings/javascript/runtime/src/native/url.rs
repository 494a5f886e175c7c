//! URLs by the WHATWG standard, on the `url` crate.

use rquickjs::{Ctx, Function, Object, Result};
use url::{Url, quirks};

pub fn define<'js>(ctx: &Ctx<'js>, native: &Object<'js>) -> Result<()> {
    native.set("parseUrl", Function::new(ctx.clone(), parse)?)?;
    native.set("setUrlPart", Function::new(ctx.clone(), set_part)?)?;
    Ok(())
}

/// The parts of a URL in the order the prelude's `URL` keeps them, or null when it is malformed.
fn parse(text: String, base: Option<String>) -> Option<Vec<String>> {
    let url = match base {
        Some(base) => Url::parse(&base).ok()?.join(&text).ok()?,
        None => Url::parse(&text).ok()?,
    };
    Some(parts(&url))
}

/// The parts after one was set, by the standard's rules; null when the new `href` is malformed.
fn set_part(href: String, part: String, value: String) -> Option<Vec<String>> {
    let mut url = Url::parse(&href).ok()?;
    // The standard's setters ignore a value that does not fit.
    let _ = match part.as_str() {
        "href" => quirks::set_href(&mut url, &value).map_err(|_| ()).ok().map(Ok)?,
        "protocol" => quirks::set_protocol(&mut url, &value),
        "username" => quirks::set_username(&mut url, &value),
        "password" => quirks::set_password(&mut url, &value),
        "host" => quirks::set_host(&mut url, &value),
        "hostname" => quirks::set_hostname(&mut url, &value),
        "port" => quirks::set_port(&mut url, &value),
        "pathname" => {
            quirks::set_pathname(&mut url, &value);
            Ok(())
        }
        "search" => {
            quirks::set_search(&mut url, &value);
            Ok(())
        }
        _ => {
            quirks::set_hash(&mut url, &value);
            Ok(())
        }
    };
    Some(parts(&url))
}

fn parts(url: &Url) -> Vec<String> {
    [
        quirks::href(url),
        quirks::protocol(url),
        quirks::username(url),
        quirks::password(url),
        quirks::host(url),
        quirks::hostname(url),
        quirks::port(url),
        quirks::pathname(url),
        quirks::search(url),
        quirks::hash(url),
        quirks::origin(url).as_str(),
    ]
    .map(str::to_owned)
    .to_vec()
}
