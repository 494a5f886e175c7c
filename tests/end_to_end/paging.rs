//! Components that begin before all of their artifact is unpacked, on the real `bootstrap` from a real S3.

use crate::stage::{Host, Stage, http_event};
use lambkin_local_cloud::lambda::Settings;
use serde_json::{Value, json};
use std::path::Path;

const APP: (&str, &str) = ("LAMBKIN_APP", "shop@live");

/// A handler that does little at first, and much that no first call does when it is asked to.
const HANDLER: &str = "let calls = 0;
export const handler = async (event) => {
  calls += 1;
  if (event.rawPath !== '/all') return { calls };
  const text = JSON.stringify(Array.from({ length: 2000 }, (_, n) => ({ n, t: new Date(n).toISOString() })));
  const words = [...text.matchAll(/\"n\":(\\d+)/g)].map((match) => Number(match[1])).sort((a, b) => b - a);
  return { calls, words: words.length, last: words[0], upper: text.normalize('NFKD').toUpperCase().length };
};
";

fn publish(stage: &Stage) {
    let folder = stage.app("shop");
    fs_err::create_dir_all(&folder).unwrap();
    let manifest = "lambkin = 1\n\n[app]\nname = 'shop'\n\n\
        [component.web]\nlanguage = 'javascript'\nsource = 'web.js'\n\n\
        [[route]]\npath = '/{proxy+}'\ncomponent = 'web'\n";
    fs_err::write(folder.join("lambkin.toml"), manifest).unwrap();
    fs_err::write(folder.join("web.js"), HANDLER).unwrap();
    stage.publish_app("shop", std::env::consts::ARCH);
}

async fn everything(host: &Host) -> Value {
    host.invoke(&http_event("x", "/all")).await.unwrap()
}

/// The artifacts in a host's folder that are whole.
fn whole(folder: &Path) -> usize {
    let entries = fs_err::read_dir(folder).into_iter().flatten();
    let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    names.filter(|name| !name.contains('.')).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_begins_with_what_a_first_call_touches_and_finds_the_rest() {
    let stage = Stage::start().await;
    publish(&stage);
    // The smaller one fetches the rest some seconds later.
    for memory_mb in [128, 1024] {
        let cache = tempfile::tempdir().unwrap();
        let folder = cache.path().display().to_string();
        let variables = [APP, ("LAMBKIN_CACHE_DIR", folder.as_str())];
        let host = stage.host_with(&variables, |settings| Settings { memory_mb, ..settings });
        let first = host.invoke(&http_event("x", "/first")).await.unwrap();
        assert_eq!(first, json!({ "calls": 1 }));
        let load = host.log.wait_for_text("cold load").unwrap();
        assert_eq!((&load["source"], &load["paged"]), (&json!("store"), &json!(true)));
        let expected = json!({ "calls": 1, "words": 2000, "last": 1999, "upper": 82_891 });
        for _ in 0..3 {
            assert_eq!(everything(&host).await, expected);
        }
        assert_eq!(host.processes(), 1);
        // A function of less than a whole processor spends none on a file.
        assert_eq!(whole(cache.path()), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_with_a_whole_processor_keeps_the_artifact_for_the_next_load() {
    let stage = Stage::start().await;
    publish(&stage);
    let cache = tempfile::tempdir().unwrap();
    let folder = cache.path().display().to_string();
    let variables = [APP, ("LAMBKIN_CACHE_DIR", folder.as_str())];
    let host = stage.host_with(&variables, |settings| Settings { memory_mb: 1769, ..settings });
    let before = everything(&host).await;
    let until = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
    while whole(cache.path()) == 0 && tokio::time::Instant::now() < until {
        // The sandbox is frozen between invocations.
        assert_eq!(everything(&host).await, before);
    }
    assert_eq!(whole(cache.path()), 1);
    let next = stage.host(&variables);
    assert_eq!(everything(&next).await, before);
    let load = next.log.wait_for_text("cold load").unwrap();
    assert_eq!((&load["source"], &load["paged"]), (&json!("disk"), &json!(false)));
}
