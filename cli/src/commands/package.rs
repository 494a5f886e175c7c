//! `lambkin package`: one app, ready to be mapped, in a function's zip beside the host. Nothing is asked of S3 at start.

use crate::args;
use crate::hint::hinted;
use crate::output::Output;
use crate::project::Project;
use crate::publish::{self, Destination};
use crate::settings;
use anyhow::{Context as _, Result};
use bytes::Bytes;
use lambkin_engine::Target;
use lambkin_protocol::alias::Alias;
use lambkin_protocol::files::{File, Index};
use lambkin_protocol::release::Release;
use lambkin_store::{ArtifactDigest, ArtifactKey, Package, PackageFile, Pointer, S3Access, Store};
use serde::Serialize;
use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use zip::write::SimpleFileOptions;

/// The alias that a package made of sources holds.
const ALIAS: &str = "live";

/// What a function may take unzipped, layers included, and what may be uploaded without S3, both in bytes
/// (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>).
const UNZIPPED: u64 = 250 << 20;
const DIRECT_UPLOAD: u64 = 50 << 20;

/// The numbers that ELF has for the processors (`e_machine`, at byte 18:
/// <https://gabi.xinuos.com/elf/02-eheader.html>).
const MACHINES: [(u16, &str); 2] = [(62, "x86_64"), (183, "aarch64")];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    file: &'a Path,
    app: &'a str,
    alias: &'a str,
    releases: Vec<String>,
    bytes: u64,
    unzipped_bytes: u64,
}

pub(crate) async fn run(arguments: &args::Package, output: &Output) -> Result<()> {
    let bootstrap = settings::bootstrap(arguments.bootstrap.as_deref())?;
    let host = Bytes::from(fs_err::read(&bootstrap)?);
    let target = processor(&host)
        .with_context(|| format!("{} is no host for Lambda", bootstrap.display()))?;
    let (store, app, alias) = match (&arguments.app, &arguments.store.store) {
        (Some(target), Some(_)) => {
            let (app, alias) = settings::app_and_alias(target);
            (settings::store(&arguments.store)?, app, alias)
        }
        _ => publish_here(arguments, target, output).await?,
    };
    let (releases, files) = collect(&store, (&app, &alias), target).await?;
    let unzipped =
        files.iter().map(|file| file.bytes.len() as u64).sum::<u64>() + host.len() as u64;
    if unzipped > UNZIPPED {
        return Err(hinted(
            format!(
                "{app}@{alias} takes {} with the host, and a function may take 250 MiB",
                size(unzipped)
            ),
            "publish it with `lambkin publish`, and let the host fetch it from the store",
        ));
    }
    let step = output.step(&format!("compressing {}", size(unzipped)));
    let file = arguments.output.clone();
    let bytes = tokio::task::spawn_blocking(move || write(&file, &host, &files)).await??;
    drop(step);
    let file = arguments.output.as_path();
    output.done(
        "Packaged",
        &format!(
            "{app}@{alias} with the host for {target} in {} ({})",
            file.display(),
            size(bytes)
        ),
    );
    if bytes > DIRECT_UPLOAD {
        output.warn("a zip of more than 50 MiB reaches Lambda through S3 only: `aws lambda update-function-code --s3-bucket`");
    }
    let report =
        Report { file, app: &app, alias: &alias, releases, bytes, unzipped_bytes: unzipped };
    output.result(&report, || file.display().to_string())
}

/// Builds the app here and publishes it to the store in its own folder.
async fn publish_here(
    arguments: &args::Package,
    target: Target,
    output: &Output,
) -> Result<(Store, String, String)> {
    let project = Project::load(&arguments.source.project)?;
    let home = settings::home()?;
    let store =
        Store::open(&project.work().join("store").display().to_string(), &S3Access::default())?;
    let built = publish::build_all(&project, &home, output).await?;
    let (targets, quiet) = ([target], Output::quiet());
    let to = Destination::local(&store, &targets, &home);
    let published = publish::publish(&project, &built, to, &quiet).await?;
    let app = project.manifest.app.name.clone();
    publish::move_alias(&store, (&app, ALIAS), &published.id, None).await?;
    Ok((store, app, ALIAS.to_owned()))
}

/// Everything that goes into the package of an alias: each release that it points to, and their artifacts.
async fn collect(
    store: &Store,
    (app, alias): (&str, &str),
    target: Target,
) -> Result<(Vec<String>, Vec<PackageFile>)> {
    let unreadable = || format!("{app}@{alias} cannot be read from {}", store.url());
    let bytes = match store.alias(app, alias, None).await.with_context(unreadable)? {
        Pointer::Changed { bytes, .. } => bytes,
        Pointer::Missing | Pointer::Unchanged => {
            return Err(hinted(
                format!("{app}@{alias} is not in {}", store.url()),
                "`lambkin releases` lists an app's aliases",
            ));
        }
    };
    let pointer = Alias::parse(&bytes).with_context(unreadable)?;
    let mut files =
        vec![Package::describe(app, alias), Package::alias_file(app, alias, bytes.clone())];
    let mut releases = Vec::new();
    for one in &pointer.targets {
        let release = Package::release_file(store, app, &one.release).await;
        let file = release.with_context(|| format!("release {} cannot be read", one.release))?;
        let release = Release::parse(&file.bytes)
            .with_context(|| format!("release {} cannot be read", one.release))?;
        files.push(file);
        releases.push(one.release.clone());
        static_files(store, &release, &mut files).await?;
        artifacts(store, &release, target, &mut files).await?;
    }
    Ok((releases, files))
}

/// Adds the static files of a release that are not among the files yet.
async fn static_files(
    store: &Store,
    release: &Release,
    files: &mut Vec<PackageFile>,
) -> Result<()> {
    for (folder, index) in &release.files {
        let unreadable = || format!("the files of {folder:?} cannot be read");
        let bytes = store.blob(&index.digest).await.with_context(unreadable)?;
        let index_file = Package::blob_file(&index.digest, bytes.clone());
        if files.iter().any(|file| file.path == index_file.path) {
            continue;
        }
        files.push(index_file);
        let mut packed: BTreeSet<String> = files.iter().map(|file| file.path.clone()).collect();
        for variant in
            Index::parse(&bytes).with_context(unreadable)?.files.values().flat_map(File::variants)
        {
            if packed.insert(Package::blob_file(&variant.digest, Bytes::new()).path) {
                let bytes = store.blob(&variant.digest).await.with_context(unreadable)?;
                files.push(Package::blob_file(&variant.digest, bytes));
            }
        }
    }
    Ok(())
}

/// Adds the artifacts of a release that are not among the files yet.
async fn artifacts(
    store: &Store,
    release: &Release,
    target: Target,
    files: &mut Vec<PackageFile>,
) -> Result<()> {
    for (name, component) in &release.components {
        let word = target.to_string();
        let artifact = component.artifacts.get(&word).ok_or_else(|| {
            hinted(
                format!("component {name:?} was not published for {word}, which the host is for"),
                format!(
                    "publish the app with `--target {word}`, or name another host with --bootstrap"
                ),
            )
        })?;
        let expected = ArtifactDigest { digest: artifact.digest.clone(), size: artifact.size };
        let name_in_package = Package::artifact_file(&expected.digest, Bytes::new()).path;
        if files.iter().any(|file| file.path == name_in_package) {
            continue;
        }
        let key = ArtifactKey {
            engine: component.engine.clone(),
            target: word,
            component: component.digest.clone(),
            expected,
            stored_size: artifact.stored_size,
            start_size: artifact.start_size,
        };
        let bytes = store
            .artifact(&key)
            .await
            .with_context(|| format!("the artifact of {name:?} cannot be read"))?;
        files.push(Package::artifact_file(&key.expected.digest, bytes));
    }
    Ok(())
}

/// The processor that a host is built for.
fn processor(host: &[u8]) -> Result<Target> {
    let header = host.get(..20).filter(|header| header.starts_with(b"\x7FELF"));
    let machine = header.and_then(|header| header.get(18..20)?.try_into().ok());
    let machine = u16::from_le_bytes(machine.context("it is no ELF file")?);
    let name = MACHINES.iter().find(|(number, _)| *number == machine);
    let (_, name) = name.with_context(|| {
        format!("it is for ELF machine {machine}; Lambda has x86_64 and aarch64")
    })?;
    Ok(name.parse()?)
}

/// Writes the zip beside its name and renames it, so that nobody uploads half of one. Returns its size in bytes.
fn write(path: &Path, host: &[u8], files: &[PackageFile]) -> Result<u64> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    fs_err::create_dir_all(&folder)?;
    let mut unfinished = tempfile::Builder::new().prefix(".package-").tempfile_in(&folder)?;
    // One time for all entries: the same app gives the same zip.
    let plain = SimpleFileOptions::default().last_modified_time(zip::DateTime::default());
    let mut zip = zip::ZipWriter::new(&mut unfinished);
    zip.start_file("bootstrap", plain.unix_permissions(0o755))?;
    zip.write_all(host)?;
    for file in files {
        let name = format!("{}/{}", Package::FOLDER, file.path);
        zip.start_file(name, plain.unix_permissions(0o644))?;
        zip.write_all(&file.bytes)?;
    }
    zip.finish()?;
    let bytes = unfinished.as_file().metadata()?.len();
    unfinished.persist(path).with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(bytes)
}

fn size(bytes: u64) -> String {
    publish::size(usize::try_from(bytes).unwrap_or(usize::MAX))
}
