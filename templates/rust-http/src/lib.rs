use lambkin::{Body, Error, IntoResponse, Json, Request, RequestExt as _};
use serde_json::json;

/// Answers every route of `lambkin.toml`. `lambkin::Client` sends requests to the origins that the manifest grants.
#[lambkin::http]
async fn handler(request: Request<Body>) -> Result<impl IntoResponse, Error> {
    println!("{} {}", request.method(), request.uri().path());
    match request.path_parameter("id") {
        Some(id) => Ok(Json(json!({ "id": id }))),
        None => Ok(Json(json!({ "message": "Hello from {{name}}" }))),
    }
}

#[cfg(test)]
mod tests {
    use super::IntoResponse;
    use lambkin::Json;

    #[test]
    fn answers_with_json() {
        let response = Json([1, 2]).into_response().expect("a response");
        assert_eq!(response.headers()["content-type"], "application/json");
    }
}
