//! A Lambda handler with the types that `lambda_runtime` users know.

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use lambkin::Context;
use serde_json::{Value, json};

#[lambkin::function]
async fn handler(event: ApiGatewayV2httpRequest, _context: Context) -> Result<Value, std::convert::Infallible> {
    let name = event.path_parameters.get("name").map_or("world", String::as_str);
    Ok(json!({ "language": "Rust", "greeting": format!("Salut, {name}!") }))
}
