//! Requests of Python guests to other services, by the libraries that people use, unchanged.

use crate::PYTHON;
use crate::origin::{self, LARGE};
use crate::rig::{App, Component};
use crate::server::Origin;
use http::Method;
use serde_json::{Value, json};
use std::net::TcpListener;

const REQUIREMENTS: &str =
    "requests==2.34.2\nhttpx==0.28.1\nurllib3==2.8.0\nboto3==1.44.5\naiohttp==3.14.5\n";

/// What each library fails with when a request does not get through, outermost exception first.
const FAILURES: [(&str, &str); 7] = [
    ("urllib", "URLError"),
    ("http.client", ""),
    ("requests", "ConnectionError"),
    ("httpx", "ReadError"),
    ("urllib3", "ProtocolError"),
    ("async", "ReadError"),
    ("aiohttp", "ClientOSError"),
];

#[tokio::test(flavor = "multi_thread")]
async fn outbound_requests_of_every_library_go_through() {
    let app = App::new(PYTHON, "outbound")
        .copied("python/outbound.py")
        .file("requirements.txt", REQUIREMENTS);
    let function = app.component("outbound.py");
    let origin = origin::start().await;
    let granted = function.granted(&origin.url());

    with_the_standard_library(&granted, &origin).await;
    with_requests(&granted, &origin).await;
    with_httpx(&granted, &origin).await;
    with_aiohttp(&granted, &origin).await;
    with_boto3(&granted, &origin).await;
    time_outs(&granted, &origin).await;
    other_protocols(&granted, &origin).await;
    unreachable(&function, &origin).await;
    origin.stop();
}

/// A build has no network: a module that wants it runs again in each instance.
#[tokio::test(flavor = "multi_thread")]
async fn a_web_app_may_call_out_while_its_module_is_loaded() {
    let app = App::new(PYTHON, "early").copied("python/early.py");
    let web = app.component("early.py");
    let origin = origin::start().await;
    let granted = web.granted(&origin.url()).with(&[("ORIGIN", origin.url().as_str())]);
    let answer = granted.request(Method::POST, "/", &[], "wool and more").await;
    assert_eq!((answer.status, answer.text()), (200, "4 13"));

    let refused = web.with(&[("ORIGIN", origin.url().as_str())]);
    assert_eq!(refused.request(Method::POST, "/", &[], "wool").await.status, 500);
    let hint = format!("add \"{}\" to grants.http of the component", origin.url());
    let lines = refused.take_output();
    assert!(lines.iter().any(|line| line.contains(&hint)), "{lines:?}");
    origin.stop();
}

async fn call(function: &Component, case: &str, origin: &str) -> Value {
    function.call(json!({ "case": case, "origin": origin })).await.unwrap()
}

async fn with_the_standard_library(function: &Component, origin: &Origin) {
    let answer = call(function, "with_urllib", &origin.url()).await;
    let got = &answer["got"];
    assert_eq!((&got["method"], &got["query"]), (&json!("GET"), &json!("q=1")));
    assert_eq!(got["headers"]["host"], origin.url().trim_start_matches("http://"));
    assert_eq!(got["headers"].get("transfer-encoding"), None, "a GET announces no body");
    let put = &answer["put"];
    assert_eq!((&put["method"], &put["body"]), (&json!("PUT"), &json!("lamb")));
    assert_eq!(
        (&put["headers"]["x-guest"], &put["headers"]["content-length"]),
        (&json!("a"), &json!("4"))
    );
    assert_eq!(answer["header"], "origin");
    assert_eq!(answer["status"], json!([404, "Not Found", "as asked"]));

    let answer = call(function, "with_http_client", &origin.url()).await;
    for (number, echoed) in answer["answers"].as_array().unwrap().iter().enumerate() {
        assert_eq!(
            (&echoed["body"], &echoed["query"]),
            (&json!("one two"), &json!(format!("n={number}")))
        );
    }
    assert_eq!(answer["head"], json!([200, "", 11]));
    assert_eq!(answer["empty"], json!([204, "No Content", ""]));
}

async fn with_requests(function: &Component, origin: &Origin) {
    let answer = call(function, "with_requests", &origin.url()).await;
    let posted = &answer["posted"];
    assert_eq!(
        (&posted["body"], &posted["query"]),
        (&json!(r#"{"lamb": 1}"#), &json!("q=gr%C3%BCn"))
    );
    assert_eq!(posted["headers"]["x-guest"], "session");
    assert_eq!(answer["followed"], json!(["/echo", 1, "GET"]));
    assert_eq!(answer["zipped"], json!({"zipped": true}));
    assert_eq!(answer["missing"], json!([404, false]));
    assert_eq!(answer["size"], json!([LARGE, "chunked"]));
    assert_eq!(answer["sent"], json!([3_000_000, 3_000_000]), "an iterator's and a text's bytes");
}

async fn with_httpx(function: &Component, origin: &Origin) {
    let answer = call(function, "with_httpx", &origin.url()).await;
    let posted = &answer["posted"];
    assert_eq!(
        (&posted["body"], &posted["headers"]["x-guest"]),
        (&json!(r#"{"lamb":1}"#), &json!("httpx"))
    );
    assert_eq!((&answer["followed"], &answer["size"]), (&json!("/echo"), &json!(LARGE)));
    assert_eq!(answer["version"], "HTTP/1.1");

    let answer = call(function, "with_async_httpx", &origin.url()).await;
    assert_eq!(
        answer,
        json!({"met": ["/meet/first", "/meet/second"], "posted": "lamb", "size": LARGE})
    );
}

async fn with_aiohttp(function: &Component, origin: &Origin) {
    let answer = call(function, "with_aiohttp", &origin.url()).await;
    assert_eq!(
        answer,
        json!({"met": ["/meet/first", "/meet/second"], "posted": "lamb", "size": LARGE})
    );
}

async fn with_boto3(function: &Component, origin: &Origin) {
    let answer = call(function, "with_boto3", &origin.url()).await;
    let expected = json!({
        "etag": "\"1\"", "size": 20_000, "same": true, "metadata": {"kind": "sheep"}, "missing": "NoSuchKey",
    });
    assert_eq!(answer, expected);
}

async fn time_outs(function: &Component, origin: &Origin) {
    let answer = call(function, "times_out", &origin.url()).await;
    let expected = json!({
        "urllib/never": "TimeoutError", "requests/never": "ReadTimeout", "httpx/never": "ReadTimeout",
        "async/never": "ReadTimeout", "urllib/stalls": "TimeoutError",
        // requests itself calls a time-out within a body so.
        "requests/stalls": "ConnectionError", "httpx/stalls": "ReadTimeout", "async/stalls": "ReadTimeout",
        "cut": "IncompleteRead", "waited": true,
    });
    assert_eq!(answer, expected);
}

/// What is no plain request of HTTP/1.1 is refused with the reason.
async fn other_protocols(function: &Component, origin: &Origin) {
    let answer = call(function, "refused_by_name", &origin.url()).await;
    for (case, reason) in [
        ("redis", "HTTP/1.1 and nothing else: '*1' begins no such request"),
        ("mysql", "there is nothing to read before a request is complete"),
        ("proxy", "through a proxy; the host connects by itself, unset HTTP_PROXY and HTTPS_PROXY"),
        ("udp", "a component connects to others, and nobody to it"),
        ("server", "a component connects to others, and nobody to it"),
        ("host", "the header host names other.example"),
        ("client certificate", "SSLError: [Errno 66] the host speaks TLS for a component"),
        ("authorities", "trusts Mozilla's authorities, none of a component's own (/tmp/own.pem)"),
        ("name", "gaierror: [Errno -4] a component resolves no names"),
    ] {
        let text = answer[case].as_str().unwrap_or_default();
        assert!(text.contains(reason), "{case}: {answer:#}");
    }
}

/// Each reason reaches each library as the exception that it knows.
async fn unreachable(function: &Component, origin: &Origin) {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let refused = format!("http://{free}");
    let https = origin.url().replace("http:", "https:");
    let unknown = "http://no.such.name.invalid".to_owned();

    let hint =
        format!("{} is not granted: add \"{0}\" to grants.http of the component", origin.url());
    expect(function, &origin.url(), "PermissionError", &hint).await;
    let hint = format!("{https} is not granted: add \"{https}\" to grants.http of the component");
    expect(function, &https, "PermissionError", &hint).await;
    expect(&function.granted(&refused), &refused, "ConnectionRefusedError", "Connection refused")
        .await;
    expect(&function.granted(&unknown), &unknown, "gaierror", "Name or service not known").await;
    // The host tries to speak TLS with a server that does not.
    expect(&function.granted(&https), &https, "SSLError", &https).await;
}

async fn expect(function: &Component, origin: &str, cause: &str, text: &str) {
    let answer = call(function, "failures", origin).await;
    for (library, outermost) in FAILURES {
        let found = &answer[library];
        let causes = found["causes"].as_array().unwrap_or_else(|| panic!("{library}: {answer:#}"));
        assert!(causes.contains(&json!(cause)), "{origin} {library}: {answer:#}");
        let has_its_own = ["requests", "urllib3"].contains(&library) && cause == "SSLError";
        let outermost = if outermost.is_empty() || has_its_own { cause } else { outermost };
        assert_eq!(causes[0], outermost, "{origin} {library}: {answer:#}");
        assert!(found["texts"].as_str().unwrap().contains(text), "{origin} {library}: {answer:#}");
    }
}
