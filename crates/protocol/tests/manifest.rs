//! `lambkin.toml`: what is accepted, and what is said, with line and column, about what is not.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use lambkin_protocol::manifest::{
    self, ApiType, AuthorizerType, JsEngine, Kind, Language, Payload, parse, schema,
};

const FULL: &str = r#"
lambkin = 1

[app]
name = "shop"
description = "Sells things"

[component.web]
language = "javascript"
source = "src/index.js"
handler = "handler"
kind = "function"
engine = "starlingmonkey"
environment = { GREETING = "ahoj" }
config = { "shop.currency" = "EUR" }
grants = { http = ["https://api.example.com", "https://*.example.com", "http://127.0.0.1:9000"], tmp = true }
limits = { memory_mb = 256, timeout_seconds = 2 }

[component.tool]
language = "wasm"
source = "tool.wasm"
build = { command = "make tool.wasm", watch = ["tool.c"] }

[[route]]
path = "/items/{id}"
methods = ["GET", "PUT"]
component = "web"

[[route]]
path = "/{proxy+}"
component = "tool"
"#;

/// A manifest with one component, `web`, and `more` after it.
fn with(more: &str) -> String {
    format!(
        "lambkin = 1\n[app]\nname = \"shop\"\n[component.web]\nlanguage = \"rust\"\nsource = \".\"\n{more}"
    )
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let error = parse(text).unwrap_err();
    let said: Vec<_> = error.to_string().lines().map(str::to_owned).collect();
    assert_eq!(said, expected);
}

#[test]
fn reads_every_key() {
    let manifest = parse(FULL).unwrap();
    assert_eq!(manifest.app.name, "shop");
    let web = &manifest.component["web"];
    assert_eq!(
        (web.language, web.kind, web.engine),
        (Language::JavaScript, Some(Kind::Function), Some(JsEngine::StarlingMonkey))
    );
    assert_eq!(web.environment["GREETING"], "ahoj");
    assert_eq!(web.config["shop.currency"], "EUR");
    assert_eq!(web.grants.http.len(), 3);
    assert!(web.grants.tmp);
    assert_eq!((web.limits.memory_mb, web.limits.timeout_seconds), (Some(256), Some(2)));
    assert_eq!(manifest.component["tool"].build.as_ref().unwrap().watch, ["tool.c"]);
    let paths: Vec<_> =
        manifest.route.iter().map(|route| (route.path.as_str(), route.methods.is_none())).collect();
    assert_eq!(paths, [("/items/{id}", false), ("/{proxy+}", true)]);
}

#[test]
fn an_api_has_a_type_a_stage_and_cors() {
    let text = with(
        "[api]\npayload = \"1.0\"\nstage = \"test\"\nstage_variables = { table = \"t\" }\n[api.cors]\n\
         allow_origins = [\"https://a.example\", \"http://*\"]\nallow_methods = [\"GET\", \"*\"]\n\
         allow_headers = [\"x-id\"]\nexpose_headers = [\"x-id\"]\nmax_age_seconds = 5\nallow_credentials = true\n",
    );
    let manifest = parse(&text).unwrap();
    let api = manifest.api.clone().unwrap();
    assert_eq!((api.kind, api.payload), (ApiType::Http, Some(Payload::One)));
    assert_eq!((api.stage.as_deref(), api.stage_variables["table"].as_str()), (Some("test"), "t"));
    let cors = api.cors.unwrap();
    assert_eq!((cors.max_age_seconds, cors.allow_credentials), (Some(5), true));
    assert_eq!(parse(&toml::to_string(&manifest).unwrap()).unwrap(), manifest);
    let rest =
        parse(&with("[api]\ntype = \"rest\"\nbinary_media_types = [\"image/*\"]\n")).unwrap();
    assert_eq!(rest.api.unwrap().kind, ApiType::Rest);
}

#[test]
fn an_api_that_cannot_be_is_refused() {
    check(
        &with("[api]\ntype = \"rest\"\npayload = \"2.0\"\nstage = \"$default\"\n"),
        &[
            "line 9, column 11: `payload` is for HTTP APIs (leave it out, or say another `type`)",
            "line 10, column 9: `$default` is not a stage's name (letters, digits, `-` and `_`, at most 128; an HTTP API may have `$default`)",
        ],
    );
    check(
        &with(
            "[api.cors]\nallow_origins = [\"https://a.example/\", \"*\"]\nallow_methods = [\"get\"]\n\
             allow_headers = [\"a b\"]\nmax_age_seconds = 86401\nallow_credentials = true\n",
        ),
        &[
            "line 8, column 18: `https://a.example/` is not an origin (write `https://www.example.com`, `https://*`, `http://*` or `*`)",
            "line 9, column 18: `get` is not a method (methods are DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT and *)",
            "line 10, column 18: `a b` is not a header's name",
            "line 11, column 19: `max_age_seconds` must be from 0 to 86400",
            "line 12, column 21: `allow_credentials` cannot go with the origin `*` (name the origins: a browser sends no credentials to an API that allows all)",
        ],
    );
    check(
        &with("[api]\nresponse_transfer_mode = \"stream\"\n"),
        &[
            "line 8, column 26: `response_transfer_mode` is for REST APIs and function URLs (leave it out, or say another `type`)",
        ],
    );
    check(
        &with(
            "[api]\ntype = \"alb\"\nstage = \"test\"\n[authorizer.users]\ntype = \"request\"\ncomponent = \"web\"\n\
             [[route]]\npath = \"/\"\ncomponent = \"web\"\nauthorizer = \"users\"\n",
        ),
        &[
            "line 9, column 9: `stage` is for HTTP APIs and REST APIs (leave it out, or say another `type`)",
            "line 16, column 14: function URLs and load balancers ask no authorizer (leave it out, or put an HTTP or REST API in front)",
        ],
    );
    check(
        &with("[api]\ntype = \"soap\"\n"),
        &[
            "line 8, column 8: unknown variant `soap`, expected one of `http`, `rest`, `function-url`, `alb`",
        ],
    );
}

#[test]
fn an_authorizer_is_a_component_or_an_issuer() {
    let text = with(
        "[authorizer.tokens]\ntype = \"request\"\ncomponent = \"web\"\n\
         identity_source = [\"$request.header.X-Key\"]\nttl_seconds = 60\npayload = \"1.0\"\n\
         [authorizer.users]\ntype = \"jwt\"\nissuer = \"https://i.example\"\naudience = [\"shop\"]\n\
         [[route]]\npath = \"/\"\ncomponent = \"web\"\nauthorizer = \"users\"\nscopes = [\"read\"]\n",
    );
    let manifest = parse(&text).unwrap();
    let tokens = &manifest.authorizer["tokens"];
    assert_eq!((tokens.kind, tokens.ttl()), (AuthorizerType::Request, 60));
    assert_eq!(manifest.authorizer["users"].identity_sources().len(), 1);
    assert_eq!(manifest.route[0].authorizer.as_deref(), Some("users"));
    assert_eq!(parse(&toml::to_string(&manifest).unwrap()).unwrap(), manifest);
}

#[test]
fn an_authorizer_that_cannot_be_is_refused() {
    check(
        &with(
            "[authorizer.tokens]\ntype = \"token\"\ncomponent = \"wep\"\nissuer = \"http://i.example\"\n\
             [authorizer.open]\ntype = \"request\"\ncomponent = \"web\"\nttl_seconds = 5\n\
             [authorizer.users]\ntype = \"jwt\"\nissuer = \"http://127.0.0.1:9\"\nidentity_source = [\"token\"]\n\
             [[route]]\npath = \"/\"\ncomponent = \"web\"\nauthorizer = \"user\"\n\
             [[route]]\npath = \"/a\"\ncomponent = \"web\"\nscopes = [\"read\"]\n\
             [[route]]\npath = \"/b\"\ncomponent = \"web\"\nauthorizer = \"open\"\nscopes = [\"read\"]\n",
        ),
        &[
            "line 8, column 8: `token` is for REST APIs (use `request`, or say `type = \"rest\"` in `[api]`)",
            "line 9, column 13: authorizer `tokens` is the unknown component `wep` (did you mean `web`?)",
            "line 10, column 10: `http://i.example` is not an issuer's URL (write `https://…`; `http://` is for an issuer on this machine)",
            "line 10, column 10: authorizer `tokens` has `issuer`, which its type has not (leave it out)",
            "line 14, column 15: answers can be kept by an identity only (add an `identity_source`)",
            "line 15, column 1: authorizer `users` has no `audience` (add `audience`)",
            "line 18, column 19: `token` is not an identity source (write `$request.header.<name>`, `$request.querystring.<name>`, `$context.<name>` or `$stageVariables.<name>`)",
            "line 22, column 14: route `/` has the unknown authorizer `user` (did you mean `users`?)",
            "line 26, column 10: route `/a` has scopes and no authorizer (add `authorizer`)",
            "line 31, column 10: route `/b` has scopes, which only `jwt` looks at (leave them out)",
        ],
    );
}

#[test]
fn writes_what_it_reads() {
    let manifest = parse(FULL).unwrap();
    assert_eq!(parse(&toml::to_string(&manifest).unwrap()).unwrap(), manifest);
}

#[test]
fn wants_a_version_it_knows() {
    check(
        "",
        &[
            "line 1, column 1: the manifest does not say its version (put `lambkin = 1` on the first line)",
        ],
    );
    check(
        "lambkin = 2\nanything = 'new'",
        &[
            "line 1, column 11: the manifest has version 2, newer than the 1 this lambkin knows (update lambkin)",
        ],
    );
    check(
        "lambkin = \"1\"",
        &[
            "line 1, column 11: the version of the manifest is not a known number (write `lambkin = 1`)",
        ],
    );
}

#[test]
fn suggests_the_nearest_known_key_everywhere() {
    check(
        &with(
            "handlr = \"x\"\nenviroment = { A = \"1\" }\nlimits = { memory = 1 }\n[[rout]]\n[component.web.grants]\nhtttp = []\n",
        ),
        &[
            "line 7, column 1: unknown key `handlr` in `web` (did you mean `handler`?)",
            "line 8, column 1: unknown key `enviroment` in `web` (did you mean `environment`?)",
            "line 9, column 12: unknown key `memory` in `limits` (did you mean `memory_mb`?)",
            "line 10, column 3: unknown key `rout` in the top level (did you mean `route`?)",
            "line 12, column 1: unknown key `htttp` in `grants` (did you mean `http`?)",
        ],
    );
    check(
        &with("[[route]]\npath = \"/\"\ncomponent = \"web\"\nzebra = 1"),
        &["line 10, column 1: unknown key `zebra` in `route`"],
    );
}

#[test]
fn places_wrong_types_and_missing_keys() {
    check(
        "lambkin = 1\n[app]\nname = 7\n[component.web]\nlanguage = \"cobol\"\nsource = \".\"\n[component.other]\nlanguage = \"go\"\n",
        &[
            "line 3, column 8: invalid type: integer `7`, expected a string",
            "line 5, column 12: unknown variant `cobol`, expected one of `rust`, `javascript`, `typescript`, `python`, `go`, `wasm`",
            "line 7, column 1: missing field `source`",
        ],
    );
    check(
        "lambkin = 1\ncomponent = 1\nroute = 2",
        &[
            "line 1, column 1: the manifest has no `[app]` (add `[app]` with the app's `name`)",
            "line 2, column 13: `component` is a table of components (write `[component.<name>]`)",
            "line 3, column 9: `route` is a list of tables (write `[[route]]`)",
        ],
    );
}

#[test]
fn places_broken_toml() {
    let error = parse("lambkin = 1\n[app\nname = \"ü\"\nü = = 1\n").unwrap_err();
    assert_eq!(error.problems[0].line, 2);
    assert!(error.problems.iter().any(|problem| problem.line == 4), "{error}");
}

#[test]
fn checks_names() {
    check(
        "lambkin = 1\n[app]\nname = \"My Shop\"\n[component.Web_1]\nlanguage = \"rust\"\nsource = \".\"\n",
        &[
            "line 3, column 8: bad name of the app: `My Shop` holds `M`: a name consists of lower-case letters, digits and dashes",
            "line 4, column 12: bad name of a component: `Web_1` holds `W`: a name consists of lower-case letters, digits and dashes",
        ],
    );
}

#[test]
fn checks_values() {
    check(
        &with(
            "engine = \"quickjs\"\nlimits = { memory_mb = 9000, timeout_seconds = 0 }\ngrants = { http = [\"api.example.com\", \"https://a.com/x\"] }\n",
        ),
        &[
            "line 7, column 10: `engine` is for JavaScript and TypeScript, not for rust (leave it out)",
            "line 8, column 24: `memory_mb` must be from 1 to 4096",
            "line 8, column 48: `timeout_seconds` must be from 1 to 900",
            "line 9, column 20: `api.example.com` is not an origin (write `https://api.example.com`, `https://*.example.com` or `http://127.0.0.1:9000`)",
            "line 9, column 39: `https://a.com/x` is not an origin (write `https://api.example.com`, `https://*.example.com` or `http://127.0.0.1:9000`)",
        ],
    );
}

#[test]
fn checks_how_long_an_instance_lives() {
    check(
        &with("reuse = { max_invocations = 1, max_age_seconds = 0, max_concurrent = 0 }\n"),
        &[
            "line 7, column 29: `max_invocations` must be from 2 to 1000000",
            "line 7, column 50: `max_age_seconds` must be from 1 to 86400",
            "line 7, column 70: `max_concurrent` must be from 1 to 1000",
        ],
    );
    check(
        &with("reuse = { max_concurrent = 1001 }\n"),
        &["line 7, column 28: `max_concurrent` must be from 1 to 1000"],
    );
    let reused = with("reuse = { max_invocations = 2, max_concurrent = 1000 }\n");
    let manifest = parse(&reused).unwrap();
    let reuse = manifest.component["web"].reuse.unwrap();
    assert_eq!((reuse.max_invocations, reuse.max_age_seconds), (Some(2), None));
    assert_eq!(reuse.max_concurrent, Some(1000));
}

#[test]
fn checks_routes() {
    let route = |path: &str, methods: &str, component: &str| {
        let methods =
            if methods.is_empty() { String::new() } else { format!("methods = {methods}\n") };
        format!("[[route]]\npath = \"{path}\"\n{methods}component = \"{component}\"\n")
    };
    let routes = [
        route("/items/{id}", "", "web"),
        route("/items/{name}", "", "web"),
        route("/items/{id}", "", "web"),
        route("/a", "[\"get\"]", "web"),
        route("/{proxy+}/x", "", "web"),
        route("/b", "", "wbe"),
    ];
    check(
        &with(&routes.concat()),
        &[
            "line 11, column 8: route `ANY /items/{name}` overlaps the earlier `ANY /items/{id}` (both would answer the same requests)",
            "line 14, column 8: route `ANY /items/{id}` overlaps the earlier `ANY /items/{name}` (both would answer the same requests)",
            "line 18, column 11: route `/a`: `get` is not a method, did you mean `GET`? (methods are DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT and ANY)",
            "line 21, column 8: route `/{proxy+}/x`: `{proxy+}` takes the rest of the path, so it must be the last segment",
            "line 25, column 13: route `/b` leads to the unknown component `wbe` (did you mean `web`?)",
        ],
    );
}

#[test]
fn describes_itself_to_editors() {
    let schema = schema();
    assert_eq!(
        schema["properties"]["component"]["additionalProperties"]["$ref"],
        "#/$defs/Component"
    );
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(schema["$defs"]["Component"]["additionalProperties"], false);
    assert_eq!(
        schema["$defs"]["App"]["properties"]["name"]["description"],
        "The app's name: lower-case letters, digits and dashes, at most 63."
    );
}

#[test]
fn a_route_has_a_component_or_files() {
    let base = "lambkin = 1\n[app]\nname = 'shop'\n[component.web]\nlanguage = 'wasm'\nsource = 'a'\n[[route]]\npath = '/{p+}'\n";
    let parse = |rest: &str| manifest::parse(&format!("{base}{rest}"));
    let manifest = parse("static = 'public'").unwrap();
    assert_eq!(manifest.route[0].files.as_ref().map(manifest::Static::folder), Some("public"));
    parse("static = { folder = 'public', fallback = 'index.html', dotfiles = true }").unwrap();
    let check = |rest: &str, says: &str| {
        let error = parse(rest).unwrap_err().to_string();
        assert!(error.contains(says), "{rest}: {error}");
    };
    check("", "leads nowhere");
    check("static = 'public'\ncomponent = 'web'", "has a component and files");
    check("static = '../public'", "not a folder of the app");
    check("static = '/etc'", "not a folder of the app");
    check("static = 7", "a folder, or a table with `folder`");
    check("static = { folder = 'a', fallbak = 'b' }", "did you mean `fallback`?");
    check("static = { folder = 'a', headers = { etag = 'b' } }", "the host sets it");
    check("static = { folder = 'a', headers = { 'a b' = 'c' } }", "not allowed in HTTP");
}

#[test]
fn a_usage_plan_has_keys_of_a_rest_api() {
    let plan = "[usage_plan.basic]\napi_keys = { ada = \"12345678901234567890\" }\n\
                throttle = { rate_limit = 10, burst_limit = 20 }\nquota = { limit = 1000, period = \"day\" }\n";
    let route = "[[route]]\npath = \"/\"\ncomponent = \"web\"\napi_key_required = true\n";
    let text = with(&format!("[api]\ntype = \"rest\"\n{plan}{route}"));
    let manifest = parse(&text).unwrap();
    assert_eq!(manifest.usage_plan["basic"].quota.unwrap().limit, 1000);
    assert!(manifest.route[0].api_key_required);
    assert_eq!(parse(&toml::to_string(&manifest).unwrap()).unwrap(), manifest);
    check(
        &with(&format!("{plan}{route}")),
        &[
            "line 7, column 1: usage plans are for REST APIs (leave it out, or say `type = \"rest\"` in `[api]`)",
            "line 14, column 20: API keys are for REST APIs (leave it out, or say `type = \"rest\"` in `[api]`)",
        ],
    );
    check(
        &with(&format!("[api]\ntype = \"rest\"\n{route}")),
        &[
            "line 12, column 20: route `/` asks for an API key, and there is none (add `[usage_plan.<name>]` with `api_keys`)",
        ],
    );
    check(
        &with(
            "[api]\ntype = \"rest\"\n[usage_plan.a]\napi_keys = { one = \"short\" }\n\
             [usage_plan.b]\napi_keys = { two = \"short\" }\nthrottle = { rate_limit = 0, burst_limit = 1 }\n",
        ),
        &[
            "line 10, column 20: API key `one` must have 20 to 128 characters",
            "line 12, column 20: API key `two` is in the usage plan `a` too (a key has one plan for an API)",
            "line 12, column 20: API key `two` must have 20 to 128 characters",
            "line 13, column 12: `rate_limit` and `burst_limit` must be 1 or more (leave `throttle` out for no bound)",
        ],
    );
}
