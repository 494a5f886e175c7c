//! The handler as a web component.

use lambkin::{Body, Error, IntoResponse, Json, Request, RequestExt as _};
use serde_json::json;

#[lambkin::http]
async fn handler(request: Request<Body>) -> Result<impl IntoResponse, Error> {
    let name = request.path_parameter("name").unwrap_or_else(|| "nobody".into());
    let path = request.uri().path();
    Ok(Json(json!({ "message": format!("Hello, {name}!"), "path": path })))
}
