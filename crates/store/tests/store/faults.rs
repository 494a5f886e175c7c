//! Servers that are busy, slow, gone or refuse: what is tried again, for how long, and what is said in the end.

use std::error::Error as _;
use std::time::{Duration, Instant};

use bytes::Bytes;
use lambkin_aws::ConnectorError;
use lambkin_store::{Expect, OpenError, Pointer, ReadError, S3Access, Store, WriteError};

use crate::config;
use crate::server::{Act, Server, access, start_tls};
use crate::suite::{ENGINE, TARGET, blob, key_of, noise};

#[tokio::test]
async fn a_busy_server_is_asked_again() {
    let server = Server::start([Act::busy(), Act::busy(), Act::object(b"{}")]).await;
    let alias = server.store.alias("shop", "live", None).await.unwrap();
    assert!(matches!(alias, Pointer::Changed { bytes, .. } if bytes == "{}"));
    assert_eq!(server.requests().len(), 3);
    assert!(server.requests()[0].starts_with("GET /bucket/prefix/apps/shop/aliases/live.json"));
}

#[tokio::test]
async fn a_dropped_connection_and_half_a_body_are_asked_again() {
    let server =
        Server::start([Act::Close, Act::Half(b"{\"a\": 1}".to_vec()), Act::object(b"{}")]).await;
    let alias = server.store.alias("shop", "live", None).await.unwrap();
    assert!(matches!(alias, Pointer::Changed { bytes, .. } if bytes == "{}"));
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn an_artifact_that_breaks_off_goes_on_from_there() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().to_str().unwrap(), &S3Access::default()).unwrap();
    let (component, content) = blob(&noise(1, 900_000));
    let artifact = (content.clone(), Vec::new());
    let stored = store.put_artifact(ENGINE, TARGET, &component, artifact).await.unwrap();
    let object = format!("artifacts/{ENGINE}/{TARGET}/{component}");
    let object = fs_err::read(folder.path().join(object)).unwrap();
    let half = object.len() / 2;
    let rest = object[half..].to_vec();
    let script = [Act::Half(object), Act::Answer("206 Partial Content", String::new(), rest)];
    let server = Server::start(script).await;
    assert_eq!(server.store.artifact(&key_of(&component, &stored)).await.unwrap(), content);
    let requests = server.requests();
    assert!(requests[0].contains(" bytes=0-"), "{requests:?}");
    assert!(requests[1].contains(&format!(" bytes={half}-")), "{requests:?}");
    assert_eq!(requests.len(), 2);
}

#[tokio::test]
async fn a_connection_that_hangs_is_given_up_for_another() {
    let server = Server::start([Act::Hang, Act::object(b"{}")]).await;
    let store = server.store.with_patience(Duration::from_secs(3));
    assert!(matches!(store.alias("shop", "live", None).await.unwrap(), Pointer::Changed { .. }));
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_server_that_never_answers_is_unavailable_at_the_deadline() {
    let server = Server::start([]).await;
    let store = server.store.with_patience(Duration::from_millis(1200));
    let started = Instant::now();
    let error = store.release("shop", "00").await.unwrap_err();
    let ReadError::Unavailable { object, attempts, within, .. } = &error else { panic!("{error}") };
    assert_eq!(object, "s3://bucket/prefix/apps/shop/releases/00.json");
    assert!(*attempts >= 2 && *within == Duration::from_millis(1200), "{error}");
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_server_that_stays_busy_is_unavailable_and_says_so() {
    let server = Server::start(std::iter::repeat_n(Act::busy(), 1000)).await;
    let store = server.store.with_patience(Duration::from_millis(300));
    let error = store
        .put_alias("shop", "live", Bytes::from_static(b"{}"), Expect::Absent)
        .await
        .unwrap_err();
    let WriteError::Unavailable { attempts, .. } = &error else { panic!("{error}") };
    // The deadline may cut the last attempt short before it reaches the server.
    let seen = server.requests().len();
    assert!((seen..=seen + 1).contains(&(*attempts as usize)), "{attempts} attempts, {seen} seen");
    assert!(
        error.source().unwrap().to_string().contains("503 SlowDown Please reduce"),
        "{error:?}"
    );
}

#[tokio::test]
async fn an_attempt_that_the_deadline_cuts_short_does_not_hide_why_the_one_before_it_failed() {
    let server = Server::start([Act::busy(), Act::Hang, Act::Hang]).await;
    let store = server.store.with_patience(Duration::from_millis(450));
    let error = store.alias("shop", "live", None).await.unwrap_err();
    assert!(matches!(error, ReadError::Unavailable { .. }), "{error}");
    assert!(error.source().unwrap().to_string().contains("503 SlowDown"), "{error:?}");
}

#[tokio::test]
async fn an_endpoint_where_nobody_listens_is_unavailable() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let store = Store::open("s3://bucket", &access(&endpoint))
        .unwrap()
        .with_patience(Duration::from_millis(300));
    let started = Instant::now();
    let error = store.list_apps().await.unwrap_err();
    assert!(matches!(&error, ReadError::Unavailable { attempts, .. } if *attempts >= 2), "{error}");
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn refusals_are_not_tried_again() {
    let answer = |status, code| {
        Act::Answer(status, String::new(), format!("<Error><Code>{code}</Code></Error>").into())
    };
    let server = Server::start([
        answer("403 Forbidden", "AccessDenied"),
        answer("404 Not Found", "NoSuchKey"),
        answer("404 Not Found", "NoSuchBucket"),
        answer("400 Bad Request", "ExpiredToken"),
    ])
    .await;
    let read = || server.store.release("shop", "00");
    assert!(
        matches!(read().await, Err(ReadError::Denied { reason, .. }) if reason == "403 AccessDenied")
    );
    assert!(matches!(read().await, Err(ReadError::NotFound { .. })));
    assert!(
        matches!(read().await, Err(ReadError::NoStore { store, .. }) if store == "s3://bucket/prefix")
    );
    assert!(
        matches!(read().await, Err(ReadError::Refused { reason, .. }) if reason == "400 ExpiredToken")
    );
    assert_eq!(server.requests().len(), 4);
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_is_known_to_be_ours() {
    let lost = || Act::Answer("412 Precondition Failed", String::new(), Vec::new());
    let server = Server::start([Act::Close, lost(), Act::object(b"ours")]).await;
    let put = |store: Store| async move {
        store.put_alias("shop", "live", Bytes::from_static(b"ours"), Expect::Absent).await
    };
    assert_eq!(put(server.store.clone()).await.unwrap().as_str(), "\"tag\"");
    let methods: Vec<_> = server.requests().iter().map(|line| line[..4].to_owned()).collect();
    assert_eq!(methods, ["PUT ", "PUT ", "GET "]);
    let theirs = Server::start([Act::Close, lost(), Act::object(b"theirs")]).await;
    assert!(matches!(put(theirs.store.clone()).await, Err(WriteError::Conflict { .. })));
}

#[tokio::test]
async fn https_needs_a_certificate_that_is_trusted() {
    let (endpoint, certificate) = start_tls(b"{}").await;
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("ca.pem");
    fs_err::write(&bundle, certificate).unwrap();
    let trusting = S3Access { ca_bundle: Some(bundle), ..access(&endpoint) };
    let alias =
        Store::open("s3://bucket", &trusting).unwrap().alias("shop", "live", None).await.unwrap();
    assert!(matches!(alias, Pointer::Changed { bytes, .. } if bytes == "{}"));
    // With the public roots alone nothing is believed, and nothing is tried a second time.
    let error = Store::open("s3://bucket", &access(&endpoint))
        .unwrap()
        .alias("shop", "live", None)
        .await
        .unwrap_err();
    assert!(matches!(error, ReadError::Unavailable { attempts: 1, .. }), "{error:?}");
    assert!(format!("{error:?}").contains("UnknownIssuer"), "{error:?}");
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_no_store() {
    let root = tempfile::tempdir().unwrap();
    let error = config::folder(root.path()).release("shop", "00").await.unwrap_err();
    assert!(
        matches!(&error, ReadError::NoStore { object, .. } if object.ends_with("apps/shop/releases/00.json"))
    );
}

#[tokio::test]
async fn a_wrong_secret_is_denied() {
    let Some(server) = config::s3("a_wrong_secret_is_denied") else { return };
    let access = S3Access { secret_access_key: "wrong".to_owned(), ..server.access };
    let store = Store::open(&format!("s3://{}/denied", server.bucket), &access).unwrap();
    assert!(matches!(store.release("shop", "00").await, Err(ReadError::Denied { .. })));
    assert!(matches!(store.has_blob("00").await, Err(ReadError::Denied { .. })));
    let error = store
        .put_alias("shop", "live", Bytes::from_static(b"{}"), Expect::Absent)
        .await
        .unwrap_err();
    assert!(matches!(error, WriteError::Denied { .. }), "{error}");
}

#[tokio::test]
async fn a_missing_bucket_is_no_store() {
    let Some(server) = config::s3("a_missing_bucket_is_no_store") else { return };
    let store = Store::open("s3://lambkin-no-such-bucket/prefix", &server.access).unwrap();
    let error = store.release("shop", "00").await.unwrap_err();
    assert!(
        matches!(&error, ReadError::NoStore { store, .. } if store == "s3://lambkin-no-such-bucket/prefix"),
        "{error}"
    );
}

#[test]
fn what_is_wrong_with_a_store_url_is_said() {
    let open = |url: &str, access: &S3Access| {
        Store::open(url, access).map(|store| store.url()).map_err(|e| e.to_string())
    };
    let none = S3Access::default();
    for url in ["s3://", "s3:///key", "gs://bucket", "", "file://host/folder"] {
        assert!(matches!(Store::open(url, &none), Err(OpenError::Url { .. })), "{url}");
    }
    assert_eq!(open("/srv/store", &none).unwrap(), "/srv/store");
    assert_eq!(open("file:///srv/a%20store", &none).unwrap(), "/srv/a store");
    assert_eq!(open("s3://b/a/b/", &access("http://127.0.0.1:1")).unwrap(), "s3://b/a/b");
    assert_eq!(open("s3://b", &none).unwrap_err(), "store s3://b needs AWS_REGION");
    for endpoint in ["127.0.0.1:9000", "ftp://host", "http://"] {
        assert!(
            matches!(
                Store::open("s3://b", &access(endpoint)),
                Err(OpenError::Connection(ConnectorError::Endpoint { .. }))
            ),
            "{endpoint}"
        );
    }
    let bundle =
        S3Access { ca_bundle: Some("/no/such.pem".into()), ..access("https://127.0.0.1:1") };
    assert!(matches!(
        Store::open("s3://b", &bundle),
        Err(OpenError::Connection(ConnectorError::CaBundle { .. }))
    ));
    let secret = format!("{:?}", access("http://127.0.0.1:1"));
    assert!(!secret.contains("secret"), "{secret}");
}
