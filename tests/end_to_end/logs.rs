//! What an operator reads in `CloudWatch` Logs.

use crate::stage::Stage;
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn the_first_call_after_a_load_says_where_its_time_went() {
    let stage = Stage::start().await;
    let release = stage.publish("shop", "web", "one");
    let host = stage.host(&[("LAMBKIN_APP", "shop@live")]);
    host.get("x", "/").await;
    host.get("x", "/").await;
    let record: Value = host.log.wait_for_text("cold load").unwrap();
    assert_eq!(record["source"], "store");
    for part in ["fetchMs", "verifyMs", "loadMs", "linkMs", "instantiateMs", "guestMs"] {
        assert!(record[part].is_number(), "{part} is not in {record}");
    }
    assert!(record["bytes"].as_u64() > record["fetchedBytes"].as_u64(), "it travels compressed");
    for (tag, value) in
        [("app", "shop"), ("alias", "live"), ("component", "guest"), ("release", &release)]
    {
        assert_eq!(record[tag], value, "{tag} in {record}");
    }
    assert!(record["requestId"].is_string());
    assert_eq!(host.log.count("cold load"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_guest_prints_is_tagged_and_json_is_not_encoded_twice() {
    let stage = Stage::start().await;
    stage.publish("shop", "web", "one");
    let host = stage.host(&[("LAMBKIN_APP", "shop@live")]);
    host.get("x", "/log").await;
    let record = host.log.wait_for_text("in JSON").unwrap();
    assert_eq!(record["message"]["said"], "in JSON");
    assert_eq!((&record["stream"], &record["component"]), (&"stdout".into(), &"guest".into()));
}
