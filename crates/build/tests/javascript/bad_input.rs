//! What a user reads when a source cannot become a component.

use crate::JAVASCRIPT;
use crate::rig::App;
use lambkin_build::Kind;

#[test]
fn a_syntax_error_names_its_file_and_line() {
    let app = App::new(JAVASCRIPT, "syntax")
        .file("src/index.js", "import './broken.js';\nexport const handler = () => 1;\n")
        .file("src/broken.js", "const one = 1;\nconst two = ;\n");
    let text = app.failure("src/index.js");
    assert!(text.contains("Unexpected \";\""), "{text}");
    assert!(text.contains("src/broken.js:2:12:"), "{text}");
    assert!(text.contains("bundling src/index.js failed"), "{text}");
}

#[test]
fn a_package_that_is_not_installed_is_named() {
    for (specifier, package) in [("left-pad", "left-pad"), ("@scope/shop/items", "@scope/shop")] {
        let text = format!("import it from \"{specifier}\";\nexport const handler = () => it;\n");
        let app = App::new(JAVASCRIPT, "missing").file("index.js", &text);
        let text = app.failure("index.js");
        assert!(text.contains("index.js:1:15:"), "{text}");
        let summary =
            format!("the package {package} is not installed: run `npm install {package}`");
        assert!(text.ends_with(&summary), "{text}");
    }
}

#[test]
fn a_file_that_is_not_there_is_no_package() {
    let app = App::new(JAVASCRIPT, "no-file")
        .file("index.js", "import './nowhere.js';\nexport const handler = () => 1;\n");
    let text = app.failure("index.js");
    assert!(text.contains("Could not resolve \"./nowhere.js\""), "{text}");
    assert!(!text.contains("npm install"), "{text}");
}

#[test]
fn a_source_that_is_not_there_is_named() {
    let text = App::new(JAVASCRIPT, "no-source").failure("src/index.js");
    assert!(text.contains("app/src/index.js is not there"), "{text}");
}

#[test]
fn a_module_without_a_handler_names_its_exports() {
    let app = App::new(JAVASCRIPT, "no-handler")
        .file("index.js", "export const handle = () => 1;\nexport const limit = 2;\n");
    let text = app.failure("index.js");
    assert!(text.contains("index.js exports no function `handler`"), "{text}");
    assert!(text.ends_with("it exports handle, limit"), "{text}");
}

#[test]
fn a_handler_of_another_kind_than_the_manifests_is_named() {
    let app = App::new(JAVASCRIPT, "other-kind")
        .file("index.js", "export const handler = () => 1;\n")
        .kind(Kind::Http);
    let text = app.failure("index.js");
    assert!(text.ends_with("of kind function, and the manifest says http"), "{text}");
}

#[test]
fn an_error_while_the_module_loads_names_the_users_own_line() {
    let app = App::new(JAVASCRIPT, "throws")
        .file("index.js", "const shop = undefined;\n\nexport const handler = shop.open();\n");
    let text = app.failure("index.js");
    assert!(text.contains("loading guest failed: TypeError:"), "{text}");
    assert!(text.contains("index.js:3:"), "{text}");
}

#[test]
fn a_module_of_node_that_nothing_provides_is_named() {
    let app = App::new(JAVASCRIPT, "sqlite").file(
        "index.js",
        "import { DatabaseSync } from \"node:sqlite\";\nexport const handler = () => new DatabaseSync(\":memory:\");\n",
    );
    let text = app.failure("index.js");
    assert!(text.contains("node:sqlite is not available on Lambkin's QuickJS"), "{text}");
}
