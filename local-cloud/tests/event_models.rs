//! Every event that the gateways emit, by the judgement of Powertools' models and of `@types/aws-lambda`, which nobody here wrote.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what fails in a helper fails its test"
)]

mod support;

use std::sync::Arc;

use http::Request;
use lambkin_local_cloud::api_gateway::{Definition, Server, Settings};
use lambkin_local_cloud::lambda::ControlPlane;
use lambkin_local_cloud::logs::Logs;
use lambkin_local_cloud::sqs::{Invoke, Invoked, Queues};
use lambkin_local_cloud::{Endpoint, Services, events as sources};
use lambkin_protocol::manifest::{self, Api, ApiType};
use serde_json::{Value, json};
use support::{Logged, judge, python_function, run_script_text, send};
use tokio::sync::mpsc;

const HEAD: &str =
    "lambkin = 1\n[app]\nname = 'shop'\n[component.shop]\nlanguage = 'python'\nsource = 'a.py'\n";

const TABLES: &str = "
    [authorizer.requests]
    type = 'request'
    component = 'shop'
    identity_source = ['$request.header.Authorization']
    ttl_seconds = 0
    [[route]]
    path = '/open/{id}'
    component = 'shop'
    [[route]]
    path = '/guarded/{id}'
    component = 'shop'
    authorizer = 'requests'
";

/// The events that the function gets behind an API of these tables: of a bare request, of a full one, of one that passed an
/// authorizer; and the authorizer's own.
async fn events(logged: &Logged, tables: &str) -> [Value; 4] {
    let manifest = manifest::parse(&format!("{HEAD}{tables}")).unwrap();
    let address = "127.0.0.1:0".parse().unwrap();
    let settings = Settings::new(address, Definition::from(&manifest), logged.function.clone());
    let server = Server::start(settings).await.unwrap();
    let get = async |request: http::request::Builder, body: &str| {
        let request = request.header("user-agent", "tests").body(body.into()).unwrap();
        send(server.address(), request).await.json()
    };
    let bare = get(Request::get("/open/1"), "").await;
    let full = Request::post("/open/a%20b?x=1&x=2&y=z").header("cookie", "a=1; b=2");
    let full = get(full.header("content-type", "application/json"), r#"{"n":1}"#).await;
    let guarded = get(Request::get("/guarded/1?x=1").header("authorization", "echo"), "").await;
    let said = &guarded["requestContext"]["authorizer"];
    let asked = said.get("lambda").unwrap_or(said)["event"].as_str().unwrap();
    let asked = serde_json::from_str(asked).unwrap();
    [bare, full, guarded, asked]
}

/// The event of a function URL or of a load balancer.
async fn event_of(logged: &Logged, kind: ApiType) -> Value {
    let api = Api { kind, ..Api::default() };
    let definition = Definition { api, ..Definition::default() };
    let address = "127.0.0.1:0".parse().unwrap();
    let server = Server::start(Settings::new(address, definition, logged.function.clone()));
    let request = Request::get("/a?x=1").header("user-agent", "tests").body(vec![]).unwrap();
    send(server.await.unwrap().address(), request).await.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_of_a_gateway_fits_its_model_and_type() {
    let logged = python_function(|_| ());
    let [bare, full, guarded, asked] = events(&logged, TABLES).await;
    let one = format!("[api]\npayload = '1.0'\n{}", TABLES.replace("ttl", "payload = '1.0'\nttl"));
    let [bare_1, full_1, guarded_1, asked_1] = events(&logged, &one).await;
    let rest = format!("[api]\ntype = 'rest'\n{TABLES}");
    let [bare_rest, full_rest, guarded_rest, asked_rest] = events(&logged, &rest).await;
    let token = rest.replace("type = 'request'", "type = 'token'");
    let [_, _, token_rest, asked_token] = events(&logged, &token).await;
    let url_event = event_of(&logged, ApiType::FunctionUrl).await;
    let alb_event = event_of(&logged, ApiType::Alb).await;
    judge(&[
        ("APIGatewayProxyEventV2Model", "HttpApi", bare),
        ("APIGatewayProxyEventV2Model", "HttpApi", full),
        ("APIGatewayProxyEventV2Model", "HttpApiGuarded", guarded),
        ("ApiGatewayAuthorizerRequestV2", "RequestAuthorizer2", asked),
        ("APIGatewayProxyEventModel", "HttpApi1", bare_1),
        ("APIGatewayProxyEventModel", "HttpApi1", full_1),
        ("APIGatewayProxyEventModel", "HttpApi1Guarded", guarded_1),
        ("ApiGatewayAuthorizerRequest", "RequestAuthorizer1", asked_1),
        ("APIGatewayProxyEventModel", "RestApi", bare_rest),
        ("APIGatewayProxyEventModel", "RestApi", full_rest),
        ("APIGatewayProxyEventModel", "RestApiGuarded", guarded_rest),
        ("APIGatewayProxyEventModel", "RestApiGuarded", token_rest),
        ("ApiGatewayAuthorizerRequest", "RequestAuthorizer", asked_rest),
        ("ApiGatewayAuthorizerToken", "TokenAuthorizer", asked_token),
        ("LambdaFunctionUrlModel", "FunctionUrl", url_event),
        ("AlbModel", "Alb", alb_event),
    ]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_event_of_a_queue_fits_its_model_and_type() {
    let queues = Queues::new("us-east-1");
    let (sender, mut heard) = mpsc::unbounded_channel();
    let invoke: Invoke = Arc::new(move |event| {
        sender.send(event).unwrap();
        Box::pin(async { Invoked::Answered("null".into()) })
    });
    let place =
        sources::Place { region: "us-east-1".to_owned(), account: "000000000000".to_owned() };
    let running =
        sources::Sources::new(place, Arc::new(|_| ())).with_queues(queues.clone(), invoke);
    let tables = "[[trigger]]\ntype = 'sqs'\nqueue = 'orders'\ncomponent = 'shop'\n";
    running.set(&manifest::parse(&format!("{HEAD}{tables}")).unwrap().trigger).unwrap();
    let services = Services { lambda: ControlPlane::new([]), logs: Logs::in_memory(), queues };
    let endpoint = Endpoint::start("127.0.0.1:0".parse().unwrap(), services).await.unwrap();
    let send = "import boto3, sys
sqs = boto3.client('sqs', endpoint_url=sys.argv[1], region_name='us-east-1', aws_access_key_id='a', aws_secret_access_key='b')
till = {'till': {'DataType': 'Number', 'StringValue': '7'}}
sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName='orders')['QueueUrl'], MessageBody='two', MessageAttributes=till)";
    run_script_text(send, &[&endpoint.url()]).await;
    let event: Value = serde_json::from_slice(&heard.recv().await.unwrap()).unwrap();
    let record = &event["Records"][0];
    assert_eq!((&record["body"], &record["awsRegion"]), (&json!("two"), &json!("us-east-1")));
    assert_eq!(record["eventSourceARN"], "arn:aws:sqs:us-east-1:000000000000:orders");
    let till = json!({ "stringValue": "7", "stringListValues": [], "binaryListValues": [], "dataType": "Number" });
    assert_eq!(record["messageAttributes"]["till"], till);
    judge(&[("SqsModel", "Sqs", event)]);
}
