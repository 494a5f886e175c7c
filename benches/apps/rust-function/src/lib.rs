//! The handler as a function component.

mod hello;

use hello::{Answer, Event};
use lambkin::{Context, Error};

#[lambkin::function]
async fn handler(event: Event, _context: Context) -> Result<Answer, Error> {
    Ok(hello::hello(event)?)
}
