use lambkin::events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use lambkin::{Context, Error};
use serde_json::{Value, json};

/// Answers every route of `lambkin.toml`. Any type that serde can read may stand for the event, and any that it can
/// write for the answer.
#[lambkin::function]
async fn handler(event: ApiGatewayV2httpRequest, context: Context) -> Result<ApiGatewayV2httpResponse, Error> {
    println!("request {}", context.request_id);
    match event.path_parameters.get("id") {
        Some(id) => Ok(answer(&json!({ "id": id }))),
        None => Ok(answer(&json!({ "message": "Hello from {{name}}" }))),
    }
}

fn answer(body: &Value) -> ApiGatewayV2httpResponse {
    let mut answer = ApiGatewayV2httpResponse::default();
    answer.status_code = 200;
    answer.headers.insert("content-type", "application/json".parse().expect("a valid header"));
    answer.body = Some(body.to_string().into());
    answer
}

#[cfg(test)]
mod tests {
    use super::answer;
    use serde_json::json;

    #[test]
    fn answers_with_json() {
        let answer = answer(&json!({ "id": "42" }));
        assert_eq!(answer.status_code, 200);
        assert_eq!(answer.headers["content-type"], "application/json");
    }
}
