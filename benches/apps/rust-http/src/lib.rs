//! The handler as a web component.

#[path = "../../rust-function/src/transform.rs"]
mod transform;

use lambkin::{Body, Error, IntoResponse, Json, Request, RequestExt as _, Response};
use serde_json::json;

#[lambkin::http]
async fn handler(mut request: Request<Body>) -> Result<Response<Body>, Error> {
    match request.uri().path() {
        "/transform" => {
            json_text(transform::transform(request.body_mut().contents().await?)?.into())
        }
        "/echo" => json_text(request.into_body()),
        path => {
            let name = request.path_parameter("name").unwrap_or_else(|| "nobody".into());
            Json(json!({ "message": format!("Hello, {name}!"), "path": path })).into_response()
        }
    }
}

fn json_text(body: Body) -> Result<Response<Body>, Error> {
    Ok(Response::builder().header("content-type", "application/json").body(body)?)
}
