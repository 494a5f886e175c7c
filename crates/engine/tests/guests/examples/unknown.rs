//! A function that imports an interface which Lambkin does not offer.

wit_bindgen::generate!({
    inline: r#"
        package lambkin:guests;

        world unknown {
            import wasi:http/outgoing-handlers@0.2.0;
            include lambkin:function/function@0.1.0;
        }

        package wasi:http@0.2.0 {
            interface outgoing-handlers {
                handle: func() -> u32;
            }
        }
    "#,
    path: "../../../../wit/lambkin-function",
    world: "lambkin:guests/unknown",
    generate_all,
});

use exports::lambkin::function::handler::{Context, FunctionError, Guest};

struct Handler;

export!(Handler);

impl Guest for Handler {
    fn handle(_: String, _: Context) -> Result<String, FunctionError> {
        Ok(wasi::http::outgoing_handlers::handle().to_string())
    }
}
