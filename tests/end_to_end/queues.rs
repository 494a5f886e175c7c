//! A queue's messages reach the component of its trigger in the real host, in batches; what fails comes again, and ends among
//! the dead letters.

use crate::server::Server;
use lambkin_tests::boto3;
use lambkin_tests::programs::{self, Programs};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

const MANIFEST: &str = r#"
lambkin = 1

[app]
name = "shop"

[component.orders]
language = "javascript"
source = "orders.js"

[component.web]
language = "javascript"
source = "web.js"

[[route]]
path = "$default"
component = "web"

[[trigger]]
type = "sqs"
queue = "arn:aws:sqs:eu-west-1:123456789012:orders"
component = "orders"
batch_size = 5
report_batch_item_failures = true
visibility_timeout_seconds = 1
max_receives = 2
dead_letter_queue = "lost-orders"
"#;

/// Takes good orders, shy ones at the second time, and poison never.
const ORDERS: &str = r"export const handler = async ({ Records }) => {
  const failed = Records.filter(({ body, attributes }) =>
    body === 'poison' || (body === 'shy' && attributes.ApproximateReceiveCount === '1'));
  for (const record of Records)
    console.log(`${failed.includes(record) ? 'failed' : 'took'} ${record.body} of ${Records.length}.`);
  return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
};
";

fn app() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let web = "export const handler = async () => 'web';";
    for (name, content) in [("lambkin.toml", MANIFEST), ("orders.js", ORDERS), ("web.js", web)] {
        fs_err::write(folder.path().join(name), content).unwrap();
    }
    folder
}

#[test]
fn an_event_made_of_a_message_is_invoked_by_hand() {
    let folder = app();
    fs_err::write(folder.path().join("message"), "poison").unwrap();
    let mut invoke = Command::new(Programs::find().unwrap().lambkin);
    invoke.args(["invoke", "--event-template", "sqs", "--event", "message"]);
    let answer = programs::run(invoke.current_dir(folder.path())).unwrap();
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["batchItemFailures"].as_array().unwrap().len(), 1, "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_come_in_batches_those_that_fail_again_and_poison_ends_among_the_dead_letters() {
    let folder = app();
    let dev = Server::start(|command| {
        command.args(["dev", "--no-watch", "--listen", "127.0.0.1:0"]).current_dir(folder.path());
    });
    let running = fs_err::read(folder.path().join(".lambkin/dev.json")).unwrap();
    let running: Value = serde_json::from_slice(&running).unwrap();
    let endpoint = running["aws"].as_str().unwrap().to_owned();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("end_to_end/queues.py");
    let sent = tokio::task::spawn_blocking(move || boto3::run(&script, &[&endpoint]).unwrap());
    let mut heard = BTreeSet::new();
    let expected = ["took good", "failed shy", "failed poison", "took shy"];
    while !expected.iter().all(|it| heard.iter().any(|line: &String| line.contains(it))) {
        heard.insert(dev.wait_for(" of "));
    }
    // The batch that was sent as one came as one.
    assert!(heard.iter().any(|line| line.contains("of 3.")), "{heard:?}");
    assert_eq!(sent.await.unwrap().trim(), "poison");
}
