//! Events that come by themselves: what a client does to a bucket reaches the component of the trigger, in the real host.

use crate::judge::judge;
use crate::server::Server;
use crate::stage::{Stage, guest};
use lambkin_tests::boto3;
use lambkin_tests::programs::{self, Programs};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const APP: &str = "lambkin = 1\n\n[app]\nname = 'shop'\n\n\
    [component.images]\nlanguage = 'javascript'\nsource = 'images.js'\n\n\
    [component.web]\nlanguage = 'javascript'\nsource = 'web.js'\n\n\
    [[route]]\npath = '$default'\ncomponent = 'web'\n\n\
    [[trigger]]\ntype = 's3'\nbucket = 'uploads'\nprefix = 'in/'\nsuffix = '.txt'\ncomponent = 'images'\n\
    events = ['s3:ObjectCreated:*', 's3:ObjectRemoved:Delete']\n";

/// Says what it is told, and fails for what it does not know.
const IMAGES: &str = "export const handler = async (event) => { for (const record of event.Records) \
    console.log('told ' + JSON.stringify({ version: record.eventVersion, name: record.eventName, ...record.s3.object, event })); };";

#[test]
fn a_schedule_reaches_its_component_when_its_time_has_come() {
    let folder = tempfile::tempdir().unwrap();
    let schedule = APP.split("[[trigger]]").next().unwrap().to_owned()
        + "[[trigger]]\ntype = 'schedule'\nschedule = 'cron(* * * * ? *)'\nrule = 'minutely'\ncomponent = 'images'\n";
    fs_err::write(folder.path().join("lambkin.toml"), schedule).unwrap();
    let tick =
        "export const handler = async (event) => console.log('tick ' + JSON.stringify(event));";
    fs_err::write(folder.path().join("images.js"), tick).unwrap();
    fs_err::write(folder.path().join("web.js"), "export const handler = async () => 'web';")
        .unwrap();
    let dev = Server::start(|command| {
        command.args(["dev", "--no-watch", "--listen", "127.0.0.1:0"]).current_dir(folder.path());
    });
    let line = dev.wait_longer_for("tick {", Duration::from_mins(3));
    let told: Value =
        serde_json::from_str(&line[line.find('{').unwrap()..=line.rfind('}').unwrap()]).unwrap();
    assert_eq!(told["detail-type"], "Scheduled Event");
    assert!(told["resources"][0].as_str().unwrap().ends_with(":rule/minutely"), "{told}");
    assert!(told["time"].as_str().unwrap().ends_with(":00Z"), "{told}");
    judge(&[("EventBridgeModel", "Schedule", told)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_that_any_client_puts_copies_or_deletes_reach_the_component_of_the_trigger() {
    let folder = tempfile::tempdir().unwrap();
    fs_err::write(folder.path().join("lambkin.toml"), APP).unwrap();
    fs_err::write(folder.path().join("images.js"), IMAGES).unwrap();
    fs_err::write(folder.path().join("web.js"), "export const handler = async () => 'web';")
        .unwrap();
    let dev = Server::start(|command| {
        command.args(["dev", "--no-watch", "--listen", "127.0.0.1:0"]).current_dir(folder.path());
    });
    let line = dev.wait_for("access key local");
    let endpoint =
        line.split_whitespace().find(|word| word.starts_with("http://")).unwrap().to_owned();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("end_to_end/uploads.py");
    tokio::task::spawn_blocking(move || boto3::run(&script, &[&endpoint, "uploads"]).unwrap())
        .await
        .unwrap();
    // They are invoked side by side, and so may be told in any order.
    let mut all = BTreeMap::new();
    for _ in 0..7 {
        let line = dev.wait_for("told {");
        let told: Value =
            serde_json::from_str(&line[line.find('{').unwrap()..=line.rfind('}').unwrap()])
                .unwrap();
        let text = |member: &str| told[member].as_str().unwrap().to_owned();
        all.insert((text("name"), text("key")), told);
    }
    let told = |name: &str, key: &str| {
        let found = all.get(&(name.to_owned(), key.to_owned()));
        found.unwrap_or_else(|| panic!("{name} {key} is not in {all:?}")).clone()
    };
    let put = told("ObjectCreated:Put", "in/put+%C3%BC.txt");
    assert_eq!((&put["version"], &put["size"]), (&json!("2.1"), &json!(4)));
    assert_eq!(put["eTag"], "81dc9bdb52d04dc20036dbd8313ed055");
    let parts = told("ObjectCreated:CompleteMultipartUpload", "in/parts.txt");
    assert_eq!(parts["size"], 6 << 20);
    assert!(parts["eTag"].as_str().unwrap().ends_with("-2"), "{parts}");
    assert_eq!(told("ObjectCreated:Put", "in/signed.txt")["size"], 2);
    assert_eq!(told("ObjectCreated:Post", "in/form.txt")["size"], 3);
    let copy = told("ObjectCreated:Copy", "in/copy.txt");
    let gone = told("ObjectRemoved:Delete", "in/copy.txt");
    assert_eq!((&gone["size"], &gone["eTag"]), (&Value::Null, &Value::Null));
    assert!(gone["sequencer"].as_str().unwrap() > copy["sequencer"].as_str().unwrap());
    told("ObjectRemoved:Delete", "in/form.txt");
    assert!(!dev.says_within("told", Duration::from_millis(300)), "of another prefix");
    let kind = |name: &str| if name.starts_with("ObjectRemoved") { "S3Deleted" } else { "S3" };
    let events = all.iter().map(|((name, _), told)| ("S3Model", kind(name), told["event"].clone()));
    judge(&events.collect::<Vec<_>>());
}

#[test]
fn the_events_that_are_invoked_by_hand_fit_their_models_and_types() {
    let folder = tempfile::tempdir().unwrap();
    let app = "lambkin = 1\n\n[app]\nname = 'shop'\n\n[component.echo]\nlanguage = 'javascript'\nsource = 'echo.js'\n\n\
        [[route]]\npath = '$default'\ncomponent = 'echo'\n";
    fs_err::write(folder.path().join("lambkin.toml"), app).unwrap();
    let echo = "export const handler = async (event) => event;";
    fs_err::write(folder.path().join("echo.js"), echo).unwrap();
    let made = |template| {
        let mut invoke = Command::new(Programs::find().unwrap().lambkin);
        invoke.args(["invoke", "--event-template", template]).current_dir(folder.path());
        serde_json::from_str(&programs::run(&mut invoke).unwrap()).unwrap()
    };
    judge(&[
        ("S3Model", "S3", made("s3")),
        ("EventBridgeModel", "Schedule", made("schedule")),
        ("SqsModel", "Sqs", made("sqs")),
        ("SnsModel", "Sns", made("sns")),
        ("EventBridgeModel", "EventBridge", made("eventbridge")),
        ("DynamoDBStreamModel", "DynamoDb", made("dynamodb")),
        ("KinesisDataStreamModel", "Kinesis", made("kinesis")),
    ]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_host_hands_an_event_to_the_component_of_its_trigger_and_others_to_their_route() {
    let stage = Stage::start().await;
    let folder = stage.app("shop");
    fs_err::create_dir_all(&folder).unwrap();
    let mut manifest = "lambkin = 1\n\n[app]\nname = 'shop'\n".to_owned();
    for name in ["orders", "nightly", "rest"] {
        fs_err::copy(guest("function"), folder.join("function.wasm")).unwrap();
        manifest += &format!(
            "\n[component.{name}]\nlanguage = 'wasm'\nsource = 'function.wasm'\nenvironment = {{ VERSION = '{name}' }}\n"
        );
    }
    manifest += "\n[[route]]\npath = '/events/{source}'\ncomponent = 'rest'\n\
        \n[[trigger]]\ntype = 'sqs'\nqueue = 'orders'\ncomponent = 'orders'\n\
        \n[[trigger]]\ntype = 'schedule'\nschedule = 'rate(1 day)'\nrule = 'nightly'\ncomponent = 'nightly'\n\
        \n[[trigger]]\ntype = 'sns'\ntopic = 'news'\ncomponent = 'orders'\n\
        \n[[trigger]]\ntype = 'dynamodb'\ntable = 'people'\ncomponent = 'nightly'\n\
        \n[[trigger]]\ntype = 'kinesis'\nstream = 'arn:aws:kinesis:eu-west-1:1:stream/clicks'\ncomponent = 'orders'\n\
        \n[[trigger]]\ntype = 'eventbridge'\nsource = 'till'\ncomponent = 'nightly'\n";
    fs_err::write(folder.join("lambkin.toml"), manifest).unwrap();
    stage.lambkin(&folder, &["publish", "--target", std::env::consts::ARCH]).unwrap();
    let host = stage.host(&[("LAMBKIN_APP", "shop@live")]);
    let queue = |name: &str| json!({ "Records": [{ "eventSource": "aws:sqs", "eventSourceARN": format!("arn:aws:sqs:eu-west-1:1:{name}") }] });
    let tick = |rule: &str| json!({ "source": "aws.events", "detail-type": "Scheduled Event", "resources": [format!("arn:aws:events:eu-west-1:1:rule/{rule}")] });
    let topic = |name: &str| json!({ "Records": [{ "EventSource": "aws:sns", "Sns": { "TopicArn": format!("arn:aws:sns:eu-west-1:1:{name}") } }] });
    let table = |name: &str| json!({ "Records": [{ "eventSource": "aws:dynamodb", "eventSourceARN": format!("arn:aws:dynamodb:eu-west-1:1:table/{name}/stream/2026-01-01T00:00:00.000") }] });
    let stream = |region: &str| json!({ "Records": [{ "eventSource": "aws:kinesis", "eventSourceARN": format!("arn:aws:kinesis:{region}:1:stream/clicks") }] });
    let sold = |source: &str| json!({ "source": source, "detail-type": "sold", "detail": {}, "resources": [] });
    let own = json!({ "anything": 1 });
    let expected = [
        (topic("news"), "orders"),
        (topic("sports"), "rest"),
        (table("people"), "nightly"),
        (table("peoples"), "rest"),
        (stream("eu-west-1"), "orders"),
        (stream("us-east-1"), "rest"),
        (sold("till"), "nightly"),
        (sold("door"), "rest"),
        (queue("orders"), "orders"),
        (queue("other"), "rest"),
        (tick("nightly"), "nightly"),
        (tick("weekly"), "rest"),
        (own, "rest"),
    ];
    for (event, component) in expected {
        let answer = host.invoke(&event).await.unwrap();
        assert_eq!((&answer["version"], &answer["event"]), (&json!(component), &event));
    }
}
