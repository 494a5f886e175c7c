//! Which file answers a request, and how.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, Method};
use lambkin_protocol::digest::sha256_hex;
use lambkin_protocol::files::{self, Answer, Content, Encoding, File, Index, Variant, answer};
use lambkin_protocol::manifest::{Static, StaticFiles};

fn variant(name: &str) -> Variant {
    Variant { digest: sha256_hex(name), size: 100 }
}

fn index() -> Index {
    let paths = [
        "index.html",
        "404.html",
        "docs/index.html",
        "a b/ü.txt",
        "app.3f2a91bc.js",
        "photo-iphone15pro.jpg",
        ".env",
        ".well-known/security.txt",
    ];
    let file = |path: &str| File {
        content_type: "text/html".to_owned(),
        plain: variant(path),
        encodings: match path {
            "index.html" => BTreeMap::from([(Encoding::Br, variant("br"))]),
            _ => BTreeMap::new(),
        },
    };
    Index {
        lambkin_files: files::VERSION,
        files: paths.into_iter().map(|path| (path.to_owned(), file(path))).collect(),
    }
}

fn plain() -> Static {
    Static::Folder("public".to_owned())
}

fn ask(route: &Static, rest: &str, headers: &[(&str, &str)]) -> Answer {
    let headers: HeaderMap = headers
        .iter()
        .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()))
        .collect();
    answer(&index(), route, (&Method::GET, rest), &headers)
}

fn check(route: &Static, rest: &str, (status, of): (u16, &str)) {
    let answer = ask(route, rest, &[]);
    assert_eq!(answer.head.status().as_u16(), status, "{rest}");
    match &answer.body {
        Content::Blob { digest, .. } => assert_eq!(*digest, sha256_hex(of), "{rest}"),
        Content::Empty => assert_eq!(answer.head.headers()["location"], of, "{rest}"),
        Content::Text(text) => assert!(text.contains(of), "{rest}: {text}"),
    }
}

#[test]
fn a_path_leads_to_its_file_and_to_no_other() {
    check(&plain(), "", (200, "index.html"));
    check(&plain(), "index.html", (200, "index.html"));
    check(&plain(), "docs/", (200, "docs/index.html"));
    check(&plain(), "docs", (308, "./docs/"));
    check(&plain(), "a%20b/%C3%BC.txt", (200, "a b/ü.txt"));
    check(&plain(), ".well-known/security.txt", (200, ".well-known/security.txt"));
    for nowhere in [
        "nowhere",
        "../index.html",
        "%2e%2e/index.html",
        "docs%2Findex.html",
        "./",
        "index.html%00",
    ] {
        let answer = ask(&plain(), nowhere, &[("accept", "text/html")]);
        assert_eq!(answer.head.status(), 404, "{nowhere}");
    }
    check(&plain(), "nowhere", (404, "404.html"));
    check(&plain(), "nowhere.js", (404, "Not Found"));
    check(&plain(), ".env", (404, "Not Found"));
    let table = StaticFiles { dotfiles: true, ..table() };
    check(&Static::Table(table), ".env", (200, ".env"));
}

fn table() -> StaticFiles {
    StaticFiles {
        folder: "public".to_owned(),
        index: None,
        fallback: None,
        cache_control: None,
        headers: BTreeMap::new(),
        dotfiles: false,
    }
}

#[test]
fn a_single_page_app_answers_for_pages_and_not_for_scripts() {
    let route = Static::Table(StaticFiles { fallback: Some("index.html".to_owned()), ..table() });
    check(&route, "orders/7", (200, "index.html"));
    check(&route, "missing.js", (404, "Not Found"));
    let answer = ask(&route, "orders/v1.2", &[("accept", "text/html,*/*;q=0.8")]);
    assert_eq!(answer.head.status(), 200);
}

#[test]
fn tags_differ_by_encoding_and_a_known_one_is_not_sent_again() {
    let first = ask(&plain(), "", &[]);
    let compressed = ask(&plain(), "", &[("accept-encoding", "gzip, br")]);
    let tag = |answer: &Answer| answer.head.headers()["etag"].to_str().unwrap().to_owned();
    assert_ne!(tag(&first), tag(&compressed));
    assert_eq!(compressed.head.headers()["content-encoding"], "br");
    assert_eq!(first.head.headers()["vary"], "accept-encoding");
    let again = ask(&plain(), "", &[("if-none-match", &tag(&first))]);
    assert_eq!((again.head.status().as_u16(), again.body), (304, Content::Empty));
    assert!(!again.head.headers().contains_key("content-type"));
    assert_eq!(again.head.headers()["cache-control"], "public, max-age=0, must-revalidate");
    let other = ask(&plain(), "", &[("if-match", "\"x\"")]);
    assert_eq!(other.head.status(), 412);
}

#[test]
fn a_range_is_a_part_and_one_beyond_the_end_is_refused() {
    let part = ask(&plain(), "docs/", &[("range", "bytes=90-200")]);
    assert_eq!(part.head.status(), 206);
    assert_eq!(part.head.headers()["content-range"], "bytes 90-99/100");
    assert_eq!(part.head.headers()["content-length"], "10");
    let Content::Blob { range, .. } = part.body else { unreachable!("a part has a body") };
    assert_eq!(range, 90..100);
    let beyond = ask(&plain(), "docs/", &[("range", "bytes=100-")]);
    assert_eq!(beyond.head.status(), 416);
    assert_eq!(beyond.head.headers()["content-range"], "bytes */100");
}

#[test]
fn only_get_and_head_are_answered_and_head_has_no_body() {
    let none = HeaderMap::new();
    let refused = answer(&index(), &plain(), (&Method::POST, ""), &none);
    assert_eq!(
        (refused.head.status().as_u16(), &refused.head.headers()["allow"]),
        (405, &"GET, HEAD".parse().unwrap())
    );
    let head = answer(&index(), &plain(), (&Method::HEAD, ""), &none);
    assert_eq!((head.head.status().as_u16(), head.body), (200, Content::Empty));
    assert_eq!(head.head.headers()["content-length"], "100");
}

#[test]
fn only_what_has_a_hash_in_its_name_is_kept_for_long_unless_the_route_says_more() {
    let control = |route: &Static, rest: &str| {
        ask(route, rest, &[]).head.headers()["cache-control"].to_str().unwrap().to_owned()
    };
    assert_eq!(control(&plain(), "app.3f2a91bc.js"), "public, max-age=31536000, immutable");
    assert!(control(&plain(), "photo-iphone15pro.jpg").contains("must-revalidate"));
    let headers = BTreeMap::from([("X-Frame-Options".to_owned(), "DENY".to_owned())]);
    let route = Static::Table(StaticFiles {
        cache_control: Some("no-store".to_owned()),
        headers,
        ..table()
    });
    assert_eq!(control(&route, "app.3f2a91bc.js"), "no-store");
    assert_eq!(ask(&route, "", &[]).head.headers()["x-frame-options"], "DENY");
}

#[test]
fn an_index_reads_back_and_one_that_could_lead_astray_is_refused() {
    let bytes = index().to_bytes();
    assert_eq!(Index::parse(&bytes).unwrap(), index());
    let text = String::from_utf8(bytes).unwrap();
    assert!(Index::parse(text.replace(&sha256_hex("docs/index.html"), "../x").as_bytes()).is_err());
    assert!(
        Index::parse(text.replace("\"lambkin_files\":1", "\"lambkin_files\":9").as_bytes())
            .is_err()
    );
}
