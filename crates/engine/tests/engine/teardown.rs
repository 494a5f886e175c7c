//! When stores are taken down: with their end, or later when somebody asks for it.

use crate::support::{get, invocation, load_into, wasm};
use http_body_util::BodyExt as _;
use lambkin_engine::{Component, Engine, Grants, Settings, Teardown};
use std::path::Path;

/// A call that writes a file in its `/tmp`, which is in `folder` as long as its store is.
async fn write_to_tmp(component: &Component, folder: &Path) {
    let (mut granted, _) = invocation();
    granted.grants = Grants { tmp: Some(folder.to_owned()), ..Grants::default() };
    let answer = component.http(get("/tmp?kept"), granted).await.unwrap();
    let body = answer.response.into_body().collect().await.unwrap().to_bytes();
    answer.usage.await.unwrap();
    assert_eq!(body, "Ok(\"kept\")");
}

/// The stores that a guest has written to.
fn stores(folder: &Path) -> usize {
    let stores = fs_err::read_dir(folder).unwrap().map(|store| store.unwrap().path());
    stores.filter(|store| fs_err::read_dir(store).unwrap().next().is_some()).count()
}

#[tokio::test]
async fn a_store_is_taken_down_at_once_or_when_that_is_asked_for_or_another_begins() {
    let folder = tempfile::tempdir().unwrap();
    for (teardown, left) in [(Teardown::AtOnce, 0), (Teardown::WhenAsked, 1)] {
        let engine = Engine::new(&Settings { teardown, ..Settings::default() }).unwrap();
        let component = load_into(&engine, &wasm("http"));
        // More than the pool has room for.
        for _ in 0..20 {
            write_to_tmp(&component, folder.path()).await;
            assert_eq!(stores(folder.path()), left, "{teardown:?}");
        }
        engine.between_invocations().await;
        assert_eq!(stores(folder.path()), 0, "{teardown:?}");
    }
}
