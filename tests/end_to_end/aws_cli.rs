//! AWS's own command against `lambkin dev`: Lambda, the logs, queues, S3 and the clients of a WebSocket API.

use crate::local_cloud::{Dev, printed, text};
use crate::server::{PATIENCE, Server};
use futures::StreamExt as _;
use lambkin_tests::case::Request;
use lambkin_tests::{client, programs};
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

/// Runs the command in a folder, with the credentials that `lambkin dev` asks for where it asks for any.
fn aws(folder: &Path, endpoint: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(programs::tool("awscli-1.46.3/bin/aws").unwrap());
    command.args(["--endpoint-url", endpoint, "--output", "json"]).args(arguments);
    command.env("AWS_ACCESS_KEY_ID", "local").env("AWS_SECRET_ACCESS_KEY", "local-secret");
    command.env("AWS_DEFAULT_REGION", "us-east-1").env("AWS_MAX_ATTEMPTS", "1");
    command.current_dir(folder).output().unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_str(&printed(output)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_invokes_reads_logs_and_uses_queues() {
    let dev = Dev::start(&["--reserved-concurrency", "1"]);
    let aws = |arguments: &[&str]| aws(&dev.app, &dev.endpoint(), arguments);
    let invoke = ["lambda", "invoke", "--function-name", "shop", "--payload"];
    let answer = json(&aws(&[&invoke[..], &[r#"{"do":"work"}"#, "answer.json"]].concat()));
    assert_eq!(answer["StatusCode"], 200, "{answer}");
    let payload = fs_err::read_to_string(dev.app.join("answer.json")).unwrap();
    assert_eq!(payload, r#"{"path":"work"}"#);
    dev.server.wait_for("invoke");

    let output = ["--invocation-type", "Event", "later.json"];
    let answer = json(&aws(&[&invoke[..], &[r#"{"do":"later"}"#], &output[..]].concat()));
    assert_eq!(answer["StatusCode"], 202, "{answer}");
    dev.server.wait_for("| asked for later");
    let filter = ["logs", "filter-log-events", "--log-group-name", "/aws/lambda/shop"];
    let events = json(&aws(&[&filter[..], &["--filter-pattern", "asked"]].concat()));
    let events = events["events"].as_array().unwrap();
    assert_eq!(events.len(), 2, "{events:?}");
    assert!(events[1]["message"].as_str().unwrap().contains("asked for later"), "{events:?}");
    let functions = json(&aws(&["lambda", "list-functions"]));
    assert_eq!(functions["Functions"][0]["FunctionName"], "shop");

    let queue = json(&aws(&["sqs", "create-queue", "--queue-name", "letters"]));
    let url = ["--queue-url", queue["QueueUrl"].as_str().unwrap()];
    let sqs = |call: &str, more: &[&str]| aws(&[&["sqs", call], &url[..], more].concat());
    let sent = json(&sqs("send-message", &["--message-body", "by hand"]));
    let heard = json(&sqs("receive-message", &["--wait-time-seconds", "5"]));
    let heard = &heard["Messages"][0];
    assert_eq!((&heard["Body"], &heard["MessageId"]), (&json!("by hand"), &sent["MessageId"]));
    let handle = heard["ReceiptHandle"].as_str().unwrap();
    printed(&sqs("delete-message", &["--receipt-handle", handle]));
    assert_eq!(printed(&sqs("receive-message", &[])), "");

    // One request is as many as there may be; the next is refused as Lambda does.
    let address = dev.server.address;
    let waiting = tokio::spawn(async move {
        let request: Request = toml::from_str("path = '/wait'").unwrap();
        client::send(address, &request).await
    });
    dev.server.wait_for("| asked for /wait");
    let refused = aws(&[&invoke[..], &["{}", "refused.json"]].concat());
    let said = text(&refused.stderr);
    assert!(
        said.contains("(TooManyRequestsException)") && said.contains("Rate Exceeded."),
        "{said}"
    );
    waiting.abort();
}

const MANIFEST: &str = r#"
lambkin = 1

[app]
name = "shop"

[component.front]
language = "javascript"
source = "front.js"
grants.jobs = ["worker"]

[component.worker]
language = "javascript"
source = "worker.js"

[[route]]
path = "$default"
component = "front"

[[trigger]]
type = "s3"
bucket = "uploads"
prefix = "in/"
component = "worker"

[websocket]

[[websocket.route]]
key = "$default"
component = "front"
response = true
"#;

/// Tells a client its connection, and starts a job for who has none.
const FRONT: &str = r#"import { start } from "lambkin/jobs";
export const handler = async ({ requestContext: { connectionId } }) => ({
  statusCode: 200,
  body: connectionId ?? (await start("worker", { number: 7 })),
});
"#;

const WORKER: &str = "export const handler = async ({ number, Records }) => {
  if (number) throw new Error(`nobody works on ${number}`);
  for (const { s3 } of Records) console.log(`told of ${s3.object.key}, ${s3.object.size} bytes`);
};
";

/// A running app of these.
struct Shop {
    server: Server,
    folder: TempDir,
    running: Value,
}

impl Shop {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [("lambkin.toml", MANIFEST), ("front.js", FRONT), ("worker.js", WORKER)]
        {
            fs_err::write(folder.path().join(name), text).unwrap();
        }
        let free = "127.0.0.1:0";
        let server = Server::start(|command| {
            command.args(["dev", "--no-watch", "--listen", free, "--listen-websocket", free]);
            command.current_dir(folder.path());
        });
        let running = fs_err::read(folder.path().join(".lambkin/dev.json")).unwrap();
        Self { server, running: serde_json::from_slice(&running).unwrap(), folder }
    }

    fn aws(&self, endpoint: &str, arguments: &[&str]) -> Output {
        aws(self.folder.path(), endpoint, arguments)
    }

    /// Where a service answers.
    fn endpoint(&self, service: &str) -> &str {
        self.running[service].as_str().unwrap()
    }

    async fn get(&self, path: &str) -> String {
        let request: Request = toml::from_str(&format!("path = '{path}'")).unwrap();
        let answer = client::send(self.server.address, &request).await.unwrap();
        assert_eq!(answer.status, 200);
        text(&answer.body)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_copies_files_to_s3_and_back_and_a_component_is_told() {
    let shop = Shop::start();
    let s3 = shop.endpoint("s3");
    fs_err::write(shop.folder.path().join("page.txt"), "a page").unwrap();
    let copied = shop.aws(s3, &["s3", "cp", "page.txt", "s3://uploads/in/a page.txt"]);
    assert!(printed(&copied).contains("upload: ./page.txt to s3://uploads/in/a page.txt"));
    shop.server.wait_for("told of in/a+page.txt, 6 bytes");
    let listed = shop.aws(s3, &["s3", "ls", "s3://uploads/in/"]);
    assert!(printed(&listed).trim_end().ends_with(" 6 a page.txt"), "{listed:?}");
    let back = shop.aws(s3, &["s3", "cp", "s3://uploads/in/a page.txt", "-"]);
    assert_eq!(printed(&back), "a page");

    // What is large goes in parts, and comes back whole.
    let large: Vec<u8> = (0..9_u32 << 20).map(|at| u8::try_from(at % 251).unwrap()).collect();
    fs_err::write(shop.folder.path().join("large"), &large).unwrap();
    printed(&shop.aws(s3, &["s3", "cp", "--no-progress", "large", "s3://uploads/in/large"]));
    shop.server.wait_for(&format!("told of in/large, {} bytes", large.len()));
    printed(&shop.aws(s3, &["s3", "cp", "--no-progress", "s3://uploads/in/large", "back"]));
    assert!(fs_err::read(shop.folder.path().join("back")).unwrap() == large, "other bytes");
    let missing = shop.aws(s3, &["s3", "cp", "s3://uploads/nothing", "-"]);
    assert!(!missing.status.success() && text(&missing.stderr).contains("404"), "{missing:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_posts_to_a_connection_asks_about_it_and_ends_it() {
    let shop = Shop::start();
    let line = shop.server.wait_for("ws://");
    let address = line.split_once("ws://").unwrap().1.trim().to_owned();
    let (url, endpoint) = (format!("ws://{address}"), format!("http://{address}"));
    let stream = TcpStream::connect(address.split('/').next().unwrap()).await.unwrap();
    let (mut socket, _) = tokio_tungstenite::client_async(&url, stream).await.unwrap();
    futures::SinkExt::send(&mut socket, Message::text("who am I?")).await.unwrap();
    let id = hear(&mut socket).await.into_text().unwrap().to_string();
    let about = ["--connection-id", &id];
    let call = |name: &str, more: &[&str]| {
        shop.aws(&endpoint, &[&["apigatewaymanagementapi", name], &about[..], more].concat())
    };
    assert_eq!(printed(&call("post-to-connection", &["--data", "your order is ready"])), "");
    assert_eq!(hear(&mut socket).await, Message::text("your order is ready"));
    let told = json(&call("get-connection", &[]));
    assert_eq!(told["Identity"]["SourceIp"], "127.0.0.1", "{told}");
    assert_eq!(printed(&call("delete-connection", &[])), "");
    assert!(matches!(hear(&mut socket).await, Message::Close(Some(_))));
    drop(socket);
    let gone = call("post-to-connection", &["--data", "too late"]);
    assert!(text(&gone.stderr).contains("(GoneException)"), "{gone:?}");
}

async fn hear(socket: &mut WebSocketStream<TcpStream>) -> Message {
    tokio::time::timeout(PATIENCE, socket.next()).await.unwrap().unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_finds_the_record_of_a_failed_job_in_the_queue_that_it_named() {
    let shop = Shop::start();
    let endpoint = shop.endpoint("aws");
    let set = |attempts: &str, queue: &str| {
        let arn = format!("arn:aws:sqs:us-east-1:000000000000:{queue}");
        let to = json!({ "OnFailure": { "Destination": arn } }).to_string();
        let call = ["lambda", "put-function-event-invoke-config", "--function-name", "shop"];
        let settings = ["--maximum-retry-attempts", attempts, "--destination-config", &to];
        shop.aws(endpoint, &[&call[..], &settings].concat())
    };
    let refused = set("0", "failed-jobs");
    assert!(text(&refused.stderr).contains("nothing here has it"), "{refused:?}");
    let queue = json(&shop.aws(endpoint, &["sqs", "create-queue", "--queue-name", "failed-jobs"]));
    let answer = json(&set("0", "failed-jobs"));
    assert_eq!(answer["MaximumRetryAttempts"], 0, "{answer}");

    let job = shop.get("/").await;
    let receive = ["sqs", "receive-message", "--wait-time-seconds", "20", "--queue-url"];
    let heard =
        json(&shop.aws(endpoint, &[&receive[..], &[queue["QueueUrl"].as_str().unwrap()]].concat()));
    let record: Value =
        serde_json::from_str(heard["Messages"][0]["Body"].as_str().unwrap()).unwrap();
    let context = &record["requestContext"];
    assert_eq!(
        (&context["requestId"], &context["condition"], &context["approximateInvokeCount"]),
        (&json!(job), &json!("RetriesExhausted"), &json!(1)),
        "{record}"
    );
    assert_eq!(record["responseContext"]["functionError"], "Unhandled", "{record}");
    let message = record["responsePayload"]["errorMessage"].as_str().unwrap();
    assert!(message.contains("nobody works on 7"), "{record}");
    // What the job was given is in its event, for who wants to start it again.
    assert!(record["requestPayload"].to_string().contains(r#""number":7"#), "{record}");
}
