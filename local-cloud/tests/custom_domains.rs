//! Custom domains: host names and base paths choose the API, and its events have the base path as AWS's do.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what fails in a helper fails its test"
)]

mod support;

use http::Request;
use lambkin_local_cloud::api_gateway::{
    Api, Definition, DefinitionError, Mapping, Server, Settings, StartError,
};
use lambkin_protocol::manifest;
use serde_json::{Value, json};
use support::{Logged, Reply, python_function, send};

/// An API's manifest with these tables.
fn definition(tables: &str) -> Definition {
    let head = "lambkin = 1\n[app]\nname = 'shop'\n[component.shop]\nlanguage = 'python'\nsource = 'a.py'\n";
    let routes = "[[route]]\npath = '/'\ncomponent = 'shop'\n[[route]]\npath = '/items/{id}'\ncomponent = 'shop'\n";
    Definition::from(&manifest::parse(&format!("{head}{tables}\n{routes}")).unwrap())
}

fn mapping(domain: &str, base_path: &str, api: &str) -> Mapping {
    Mapping { domain: domain.to_owned(), base_path: base_path.to_owned(), api: api.to_owned() }
}

struct Gateway {
    server: Server,
    _logged: Logged,
}

impl Gateway {
    async fn start() -> Self {
        let logged = python_function(|settings| settings.max_sandboxes = 1);
        let apis = [
            ("main", ""),
            ("staged", "[api]\nstage = 'test'\n[api.stage_variables]\nwho = 'staged'"),
            ("rest", "[api]\ntype = 'rest'"),
        ];
        let apis = apis.map(|(name, tables)| Api {
            name: name.to_owned(),
            definition: definition(tables),
            function: logged.function.clone(),
        });
        let mappings = vec![
            mapping("api.example.com", "shop", "staged"),
            mapping("api.example.com", "shop/v2", "rest"),
            mapping("*.example.com", "", "rest"),
        ];
        let settings = Settings::new(
            "127.0.0.1:0".parse().unwrap(),
            Definition::default(),
            logged.function.clone(),
        );
        let server = Server::start(Settings { apis: apis.into(), mappings, ..settings }).await;
        Self { server: server.unwrap(), _logged: logged }
    }

    async fn get(&self, domain: &str, path: &str) -> Reply {
        let request = Request::get(path).header("host", domain).body(vec![]).unwrap();
        send(self.server.address(), request).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn base_paths_are_in_events_and_not_in_routes() {
    let gateway = Gateway::start().await;
    let event = gateway.get("api.example.com:3000", "/shop/items/1").await.json();
    // At a custom domain the path has the base path, and no stage.
    assert_eq!(
        (&event["rawPath"], &event["routeKey"]),
        (&json!("/shop/items/1"), &json!("ANY /items/{id}"))
    );
    assert_eq!(event["pathParameters"], json!({ "id": "1" }));
    let context = &event["requestContext"];
    assert_eq!(
        (&context["stage"], &context["domainName"]),
        (&json!("test"), &json!("api.example.com"))
    );
    assert_eq!(event["stageVariables"], json!({ "who": "staged" }));
    assert_eq!(gateway.get("api.example.com", "/shop").await.json()["routeKey"], "ANY /");

    let event = gateway.get("api.example.com", "/shop/v2/items/a%20b").await.json();
    assert_eq!(
        (&event["path"], &event["resource"]),
        (&json!("/shop/v2/items/a%20b"), &json!("/items/{id}"))
    );
    assert_eq!(event["requestContext"]["path"], "/shop/v2/items/a%20b");
    assert_eq!(event["requestContext"]["resourcePath"], "/items/{id}");
    assert_eq!(event["pathParameters"], json!({ "id": "a%20b" }));
    let event = gateway.get("anna.example.com", "/items/1").await.json();
    assert_eq!(
        (&event["path"], &event["requestContext"]["domainName"]),
        (&json!("/items/1"), &json!("anna.example.com"))
    );

    // The first API answers everywhere else, with its own stage.
    let event: Value = gateway.get("127.0.0.1", "/items/1").await.json();
    assert_eq!(
        (&event["rawPath"], &event["requestContext"]["stage"]),
        (&json!("/items/1"), &json!("$default"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_without_a_mapping_for_the_path_forbids_it() {
    let gateway = Gateway::start().await;
    for path in ["/", "/items/1", "/shopping"] {
        let reply = gateway.get("api.example.com", path).await;
        assert_eq!(
            (reply.status, reply.json()),
            (403, json!({ "message": "Forbidden" })),
            "{path}"
        );
    }
    // A path below a mapping that no route takes is the API's to refuse.
    assert_eq!(gateway.get("api.example.com", "/shop/elsewhere").await.status, 404);
    let refused = gateway.get("api.example.com", "/shop/v2/elsewhere").await;
    assert_eq!(refused.json()["message"], "Missing Authentication Token");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapping_to_an_api_that_is_not_there_is_refused() {
    let logged = python_function(|_| ());
    let mut settings =
        Settings::new("127.0.0.1:0".parse().unwrap(), definition(""), logged.function.clone());
    settings.mappings = vec![mapping("api.example.com", "", "nobody")];
    let error = Server::start(settings.clone()).await.err().unwrap();
    assert!(
        matches!(error, StartError::Definition(DefinitionError::NoApi { name }) if name == "nobody")
    );
    settings.mappings.clear();
    let server = Server::start(settings).await.unwrap();
    assert!(matches!(server.deploy("nobody", definition("")), Err(DefinitionError::NoApi { .. })));
}
