//! The priority rules of HTTP APIs, one case per line.

use super::*;

fn route(written: &str) -> Route {
    let (methods, path) = written.split_once(' ').unwrap_or(("ANY", written));
    let methods = (methods != "ANY").then(|| methods.split(',').map(str::to_owned).collect());
    Route { path: path.to_owned(), methods, component: "web".to_owned(), ..Route::default() }
}

#[test]
fn the_name_of_a_file_begins_where_the_first_parameter_stands() {
    let check =
        |route: &str, path: &str, rest: &str| assert_eq!(super::super::rest(route, path), rest);
    check("/assets/{proxy+}", "/assets/css/a%20b.css", "css/a%20b.css");
    check("/{proxy+}", "/a/b/", "a/b/");
    check("/v1/{name}/{file}", "/v1/x/y", "x/y");
    check("$default", "/a/b", "a/b");
    check("/", "/", "");
    check("/robots.txt", "/robots.txt", "");
}

fn table(routes: &[&str]) -> Table {
    Table::new(&routes.iter().map(|written| route(written)).collect::<Vec<_>>()).unwrap()
}

/// The written route that answers `request` ("GET /path"), or "none".
fn answers<'a>(routes: &[&'a str], request: &str) -> &'a str {
    let (method, path) = request.split_once(' ').unwrap();
    let table = table(routes);
    table.find(&method.parse().unwrap(), path).map_or("none", |found| routes[found.index])
}

#[test]
fn follows_the_example_of_the_documentation() {
    let routes = [
        "GET /pets/dog/1",
        "GET /pets/dog/{id}",
        "GET /pets/{proxy+}",
        "ANY /{proxy+}",
        "$default",
    ];
    assert_eq!(answers(&routes, "GET /pets/dog/1"), "GET /pets/dog/1");
    assert_eq!(answers(&routes, "GET /pets/dog/2"), "GET /pets/dog/{id}");
    assert_eq!(answers(&routes, "GET /pets/cat/1"), "GET /pets/{proxy+}");
    assert_eq!(answers(&routes, "POST /test/5"), "ANY /{proxy+}");
    assert_eq!(answers(&routes, "GET /"), "$default");
}

#[test]
fn prefers_static_to_parameter_to_greedy_and_method_to_any() {
    let routes = [
        "ANY /items/{id}",
        "GET /items/{id}",
        "ANY /items/new",
        "GET /{proxy+}",
        "ANY /items/{rest+}",
    ];
    let check = |request, expected| assert_eq!(answers(&routes, request), expected, "{request}");
    check("GET /items/new", "ANY /items/new");
    check("GET /items/7", "GET /items/{id}");
    check("PUT /items/7", "ANY /items/{id}");
    check("GET /items/7/parts", "ANY /items/{rest+}");
    check("GET /other", "GET /{proxy+}");
    check("PUT /other", "none");
}

#[test]
fn goes_back_when_a_more_special_path_leads_nowhere() {
    let routes = ["GET /a/b/c", "GET /a/{x}/d", "GET /{y}/b/e", "POST /a/b/f", "GET /a/{rest+}"];
    let check = |request, expected| assert_eq!(answers(&routes, request), expected, "{request}");
    check("GET /a/b/c", "GET /a/b/c");
    check("GET /a/b/d", "GET /a/{x}/d");
    check("GET /a/b/e", "GET /{y}/b/e");
    check("GET /a/b/f", "GET /a/{rest+}");
    check("GET /a", "none");
}

#[test]
fn keeps_trailing_and_double_slashes_apart() {
    let routes = ["/items", "/items/{id}", "/files/{proxy+}", "/"];
    let check = |request, expected| assert_eq!(answers(&routes, request), expected, "{request}");
    check("GET /items", "/items");
    check("GET /items/", "none");
    check("GET /items//", "none");
    check("GET /files/", "none");
    check("GET /files/a/", "/files/{proxy+}");
    check("GET /files//a", "/files/{proxy+}");
    check("GET /", "/");
    check("GET //", "none");
}

#[test]
fn decodes_parameters() {
    let table = table(&["/items/{id}/{proxy+}", "/{name}", "/café"]);
    let parameters = |path: &str| table.find(&Method::GET, path).unwrap().parameters;
    let map = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect::<BTreeMap<_, _>>()
    };
    assert_eq!(parameters("/items/a%2Fb/c/d%20e/"), map(&[("id", "a/b"), ("proxy", "c/d e/")]));
    assert_eq!(parameters("/Gr%C3%BC%C3%9Fe+x"), map(&[("name", "Grüße+x")]));
    assert_eq!(parameters("/50%"), map(&[("name", "50%")]));
    assert_eq!(parameters("/caf%C3%A9"), map(&[]));
}

#[test]
fn refuses_overlaps() {
    let refused = |routes: &[&str]| {
        let routes: Vec<_> = routes.iter().map(|written| route(written)).collect();
        Table::new(&routes).unwrap_err().to_string()
    };
    assert_eq!(
        refused(&["/items/{id}", "/items/{name}"]),
        "route `ANY /items/{name}` overlaps the earlier `ANY /items/{id}`"
    );
    assert_eq!(
        refused(&["GET,PUT /a", "POST,PUT /a"]),
        "route `PUT /a` overlaps the earlier `PUT /a`"
    );
    assert_eq!(
        refused(&["/{proxy+}", "/{rest+}"]),
        "route `ANY /{rest+}` overlaps the earlier `ANY /{proxy+}`"
    );
    assert_eq!(refused(&["/a", "b"]), "route `b` cannot be");
    table(&[
        "/items/{id}",
        "GET /items/{name}",
        "/items/{rest+}",
        "/items/all",
        "POST /items/{key}",
    ]);
}

/// How long it takes to find `/tenant-<n>/items/7` ten thousand times among `count` routes and a catch-all.
fn time_among(count: usize) -> std::time::Duration {
    let mut routes: Vec<_> =
        (0..count).map(|n| route(&format!("GET /tenant-{n}/items/{{id}}"))).collect();
    routes.push(route("/{proxy+}"));
    let table = Table::new(&routes).unwrap();
    let started = std::time::Instant::now();
    for n in 0..5_000 {
        let path = format!("/tenant-{}/items/7", n % count);
        assert_eq!(table.find(&Method::GET, &path).unwrap().index, n % count);
        assert_eq!(table.find(&Method::POST, &path).unwrap().index, count);
    }
    started.elapsed()
}

#[test]
fn stays_quick_with_thousands_of_routes() {
    // A scan of the list would take a thousand times as long.
    let (few, many) = (time_among(10), time_among(10_000));
    assert!(many < few * 50, "{few:?} among 10 routes, {many:?} among 10,000");
}
