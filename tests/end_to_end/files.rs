//! Static routes: files of the app beside its components, by the real host through an HTTP API, from S3 and by `lambkin serve`.

use crate::serving::Serve;
use crate::stage::{Stage, guest};
use lambkin_local_cloud::api_gateway::{self, Definition};
use lambkin_local_cloud::lambda::{Answer as LambdaAnswer, InvokeOptions};
use lambkin_protocol::routes::Route;
use lambkin_tests::case::Request;
use lambkin_tests::client::{self, Answer};
use std::net::SocketAddr;
use std::path::Path;

const MANIFEST: &str = "lambkin = 1\n\n[app]\nname = 'site'\n\n\
    [component.web]\nlanguage = 'wasm'\nsource = 'web.wasm'\n\n\
    [[route]]\npath = '/api/{proxy+}'\ncomponent = 'web'\n\n\
    [[route]]\npath = '/'\nstatic = 'public'\n\n\
    [[route]]\npath = '/{proxy+}'\nstatic = 'public'\n\n\
    [[route]]\npath = '/app/{proxy+}'\n\
    static = { folder = 'spa', fallback = 'index.html', headers = { x-frame-options = 'DENY' } }\n";

/// Larger than Lambda's answer.
const LARGE: usize = 9 << 20;

fn write(folder: &Path) {
    fs_err::create_dir_all(folder.join("public/docs")).unwrap();
    fs_err::create_dir_all(folder.join("spa")).unwrap();
    fs_err::copy(guest("web"), folder.join("web.wasm")).unwrap();
    fs_err::write(folder.join("lambkin.toml"), MANIFEST).unwrap();
    let page = format!("<h1>Home</h1>{}", "<p>again and again</p>".repeat(100));
    fs_err::write(folder.join("public/index.html"), page).unwrap();
    fs_err::write(folder.join("public/docs/index.html"), "docs").unwrap();
    fs_err::write(folder.join("public/pixel.png"), [0_u8, 159, 146, 150, 255]).unwrap();
    fs_err::write(folder.join("public/.env"), "SECRET=1").unwrap();
    fs_err::write(folder.join("public/large.bin"), large()).unwrap();
    fs_err::write(folder.join("spa/index.html"), "the app").unwrap();
}

fn large() -> Vec<u8> {
    (0..LARGE).map(|at| u8::try_from(at % 251).unwrap()).collect()
}

async fn ask(address: SocketAddr, request: &str) -> Answer {
    let request: Request = toml::from_str(request).unwrap();
    client::send(address, &request).await.unwrap()
}

async fn get(address: SocketAddr, path: &str) -> Answer {
    ask(address, &format!("path = '{path}'")).await
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

/// What every front must answer.
async fn check(address: SocketAddr) {
    let home = get(address, "/").await;
    assert_eq!((home.status, header(&home, "content-type")), (200, "text/html; charset=utf-8"));
    assert!(home.body.starts_with(b"<h1>Home"));
    assert_eq!(header(&home, "vary"), "accept-encoding");
    let known = format!("path = '/'\nheaders = {{ if-none-match = '{}' }}", header(&home, "etag"));
    let again = ask(address, &known).await;
    assert_eq!((again.status, again.body.len()), (304, 0));
    let mut bodies = Vec::new();
    for encoding in ["br", "gzip", "zstd"] {
        let request =
            format!("path = '/index.html'\nheaders = {{ accept-encoding = '{encoding}' }}");
        let answer = ask(address, &request).await;
        assert_eq!((answer.status, header(&answer, "content-encoding")), (200, encoding));
        assert_ne!(header(&answer, "etag"), header(&home, "etag"));
        assert!(answer.body.len() < home.body.len() / 4);
        bodies.push(answer.body);
    }
    assert!(bodies[0] != bodies[1] && bodies[1] != bodies[2]);
    let png = get(address, "/pixel.png").await;
    assert_eq!(
        (header(&png, "content-type"), &png.body[..]),
        ("image/png", &[0, 159, 146, 150, 255][..])
    );
    let head = ask(address, "method = 'HEAD'\npath = '/pixel.png'").await;
    assert_eq!(
        (head.status, header(&head, "etag"), head.body.len()),
        (200, header(&png, "etag"), 0)
    );
    let part = ask(address, "path = '/pixel.png'\nheaders = { range = 'bytes=1-2' }").await;
    assert_eq!(
        (part.status, header(&part, "content-range"), &part.body[..]),
        (206, "bytes 1-2/5", &[159, 146][..])
    );
    let beyond = ask(address, "path = '/pixel.png'\nheaders = { range = 'bytes=9-' }").await;
    assert_eq!((beyond.status, header(&beyond, "content-range")), (416, "bytes */5"));
    let folder = get(address, "/docs").await;
    assert_eq!((folder.status, header(&folder, "location")), (308, "./docs/"));
    assert_eq!(get(address, "/docs/").await.body, "docs");
    for nowhere in
        ["/nowhere.js", "/.env", "/..%2flambkin.toml", "/%2e%2e/lambkin.toml", "/web.wasm"]
    {
        assert_eq!(get(address, nowhere).await.status, 404, "{nowhere}");
    }
    let spa = get(address, "/app/orders/7").await;
    assert_eq!(
        (spa.status, &spa.body[..], header(&spa, "x-frame-options")),
        (200, &b"the app"[..], "DENY")
    );
    let refused = ask(address, "method = 'POST'\npath = '/index.html'").await;
    assert_eq!((refused.status, header(&refused, "allow")), (405, "GET, HEAD"));
    assert_eq!(get(address, "/api/items").await.status, 200, "the component beside the files");
    let start = format!("path = '/large.bin'\nheaders = {{ range = 'bytes={}-' }}", LARGE - 1000);
    let end = ask(address, &start).await;
    assert_eq!((end.status, &end.body[..]), (206, &large()[LARGE - 1000..]));
}

async fn api(stage: &Stage, mode: &str) -> api_gateway::Server {
    let host = stage.host(&[("LAMBKIN_APP", "site@live"), ("LAMBKIN_RESPONSE_MODE", mode)]);
    let default = Route { path: "$default".to_owned(), ..Route::default() };
    let definition = Definition { routes: vec![default], ..Definition::default() };
    let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
    let settings = api_gateway::Settings::new(loopback, definition, host.function.clone());
    api_gateway::Server::start(settings).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_answered_through_api_gateway_and_what_is_too_large_is_redirected_to_s3() {
    let stage = Stage::start().await;
    let folder = stage.app("site");
    write(&folder);
    let first = stage.lambkin(&folder, &["publish", "--target", std::env::consts::ARCH]).unwrap();
    assert!(first["uploadedObjects"].as_u64().unwrap() > 8, "{first}");
    let api = api(&stage, "buffered").await;
    check(api.address()).await;
    let away = get(api.address(), "/large.bin").await;
    assert_eq!((away.status, header(&away, "cache-control")), (307, "private, no-store"));
    let url = header(&away, "location").to_owned();
    let target = url.strip_prefix(&stage.endpoint()).unwrap();
    let (path, query) = target.split_once('?').unwrap();
    let server: SocketAddr = stage.endpoint().strip_prefix("http://").unwrap().parse().unwrap();
    let whole = ask(server, &format!("path = '{path}'\nquery = '{query}'")).await;
    assert_eq!((whole.status, header(&whole, "content-type")), (200, "application/octet-stream"));
    assert!(whole.body == large(), "other bytes");
    let head = ask(api.address(), "method = 'HEAD'\npath = '/large.bin'").await;
    assert_eq!(head.status, 200);

    // Only what has changed goes up: the file, its index and the release.
    fs_err::write(folder.join("public/docs/index.html"), "new docs").unwrap();
    let second = stage.lambkin(&folder, &["publish", "--target", std::env::consts::ARCH]).unwrap();
    assert_eq!(second["uploadedObjects"], 3, "{second}");
    let changed = async { while get(api.address(), "/docs/").await.body != "new docs" {} };
    tokio::time::timeout(std::time::Duration::from_secs(20), changed).await.unwrap();
    api.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_for_one_answer_is_streamed_where_lambda_streams() {
    let stage = Stage::start().await;
    let folder = stage.app("site");
    write(&folder);
    stage.lambkin(&folder, &["publish", "--target", std::env::consts::ARCH]).unwrap();
    let host = stage.host(&[("LAMBKIN_APP", "site@live"), ("LAMBKIN_RESPONSE_MODE", "stream")]);
    let event = crate::stage::http_event("x", "/large.bin").to_string();
    let answer = host.function.invoke(event.into(), InvokeOptions::default()).await.unwrap();
    let LambdaAnswer::Buffered(payload) = answer.into_buffered().await else { panic!("it failed") };
    assert!(payload.ends_with(&large()), "other bytes");
    assert!(payload.starts_with(b"{\"statusCode\":200"));
}

#[tokio::test(flavor = "multi_thread")]
async fn lambkin_serve_streams_files_from_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let serve = Serve::start(&[folder.path().to_str().unwrap()]);
    check(serve.address).await;
    let whole = get(serve.address, "/large.bin").await;
    assert_eq!((whole.status, header(&whole, "content-length")), (200, LARGE.to_string().as_str()));
    assert!(whole.body == large(), "other bytes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_out_of_the_folder_stops_the_publish() {
    let stage = Stage::start().await;
    let folder = stage.app("site");
    write(&folder);
    std::os::unix::fs::symlink("../lambkin.toml", folder.join("public/open.toml")).unwrap();
    let error = stage.lambkin(&folder, &["publish"]).unwrap_err().to_string();
    assert!(error.contains("leads out of the folder"), "{error}");
}
