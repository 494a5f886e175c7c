//! `lambkin build` as its users call it: from wherever they are.

use lambkin_tests::programs::Programs;
use std::process::Command;

const MANIFEST: &str = "lambkin = 1\n\n[app]\nname = 'shop'\n\n\
    [component.web]\nlanguage = 'javascript'\nsource = 'web.js'\nengine = 'starlingmonkey'\n\n\
    [[route]]\npath = '/web'\ncomponent = 'web'\n";

/// componentize-js keeps its files in the temporary folder, and names them by the current directory when they lie below.
#[test]
fn an_app_on_starlingmonkey_is_built_from_above_the_temporary_folder() {
    let (app, temporary) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs_err::write(app.path().join("lambkin.toml"), MANIFEST).unwrap();
    fs_err::write(app.path().join("web.js"), "export const handler = async () => 1;\n").unwrap();
    let mut command = Command::new(Programs::find().unwrap().lambkin);
    command.args(["build", "--project"]).arg(app.path());
    command.current_dir(temporary.path()).env("TMPDIR", temporary.path());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(app.path().join(".lambkin/components/web.wasm").is_file());
}
