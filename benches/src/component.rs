//! The apps as components on the host: each with its artifact in S3, in `/tmp` and in the function's own package, and
//! some once more with instances that serve many invocations.

use crate::lambkin::{Cloud, STORE};
use crate::subject::{Cache, Program, Subject};
use anyhow::Context as _;

/// The apps' folders, and how the tables name them.
const APPS: [(&str, &str); 6] = [
    ("rust-http", "Rust component, wasi:http"),
    ("rust-function", "Rust component"),
    ("go", "Go component"),
    ("javascript", "JavaScript component, QuickJS"),
    ("starlingmonkey", "JavaScript component, StarlingMonkey"),
    ("python", "Python component"),
];

/// The apps that have a `reuse.toml` beside their manifest: the same, with `reuse = {}`.
const REUSED: [&str; 4] = ["go", "javascript", "starlingmonkey", "python"];

/// Publishes the apps and lists the components.
pub(crate) fn all(cloud: &Cloud) -> anyhow::Result<Vec<Subject>> {
    let mut subjects = Vec::new();
    for (app, name) in APPS {
        cloud.publish(app)?;
        subjects.extend([stored(cloud, (app, name), true), stored(cloud, (app, name), false)]);
        subjects.push(packaged(cloud, (app, name))?);
        if REUSED.contains(&app) {
            subjects.push(reused(cloud, (app, name))?);
        }
    }
    Ok(subjects)
}

/// From S3 when the host's folder is empty before each start, else from `/tmp`.
fn stored(cloud: &Cloud, (app, name): (&str, &str), is_empty: bool) -> Subject {
    let (id, place) = if is_empty { ("s3", "from S3") } else { ("tmp", "from /tmp") };
    let folder = cloud.folder().join("cache").join(format!("{app}-{id}"));
    Subject {
        id: format!("{app}/{id}"),
        name: format!("Lambkin, {name}, {place}"),
        program: cloud
            .host(&folder)
            .with("LAMBKIN_STORE", STORE)
            .with("LAMBKIN_APP", format!("bench-{app}@live")),
        cache: Some(Cache { folder, is_emptied: is_empty }),
        starts: true,
        // Once it runs, where its artifact came from makes no difference.
        calls: is_empty,
    }
}

/// As `lambkin package` packs it, unpacked as Lambda does.
fn packaged(cloud: &Cloud, (app, name): (&str, &str)) -> anyhow::Result<Subject> {
    let task = cloud.folder().join("package").join(app);
    fs_err::create_dir_all(&task)?;
    let zip = task.with_extension("zip");
    cloud.package(&format!("bench-{app}@live"), &zip)?;
    zip::ZipArchive::new(fs_err::File::open(&zip)?)
        .and_then(|mut archive| archive.extract(&task))
        .with_context(|| format!("unpacking {}", zip.display()))?;
    Ok(Subject {
        id: format!("{app}/package"),
        name: format!("Lambkin, {name}, packaged"),
        program: Program::new(&task.join("bootstrap"))
            .with("LAMBDA_TASK_ROOT", task.display().to_string()),
        cache: None,
        starts: true,
        calls: false,
    })
}

/// The same app, whose instances serve many invocations.
fn reused(cloud: &Cloud, (app, name): (&str, &str)) -> anyhow::Result<Subject> {
    cloud.publish_manifest(app, "reuse.toml")?;
    let folder = cloud.folder().join("cache").join(format!("{app}-reuse"));
    fs_err::create_dir_all(&folder)?;
    Ok(Subject {
        id: format!("{app}/reuse"),
        name: format!("Lambkin, {name}, reused"),
        program: cloud
            .host(&folder)
            .with("LAMBKIN_STORE", STORE)
            .with("LAMBKIN_APP", format!("bench-{app}-reuse@live")),
        cache: None,
        starts: false,
        calls: true,
    })
}
