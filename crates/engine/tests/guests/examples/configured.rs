//! A function that answers with the value of the `wasi:config` key that is its event.

wit_bindgen::generate!({
    inline: r#"
        package lambkin:guests;

        world configured {
            import wasi:config/store@0.2.0-rc.1;
            include lambkin:function/function@0.1.0;
        }

        package wasi:config@0.2.0-rc.1 {
            interface store {
                variant error { upstream(string), io(string) }
                get: func(key: string) -> result<option<string>, error>;
            }
        }
    "#,
    path: "../../../../wit/lambkin-function",
    world: "lambkin:guests/configured",
    generate_all,
});

use exports::lambkin::function::handler::{Context, FunctionError, Guest};
use wasi::config::store;

struct Handler;

export!(Handler);

impl Guest for Handler {
    fn handle(event: String, _: Context) -> Result<String, FunctionError> {
        Ok(format!("{:?}", store::get(&event)))
    }
}
