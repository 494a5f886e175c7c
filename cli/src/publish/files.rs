//! Brings the folders that routes serve into a store: each file once, by its digest, with its compressed forms, and an
//! index of the folder.

use super::compress;
use crate::hint::hinted;
use crate::project::Project;
use anyhow::{Context as _, Result};
use bytes::Bytes;
use lambkin_build::Home;
use lambkin_protocol::digest::sha256_hex;
use lambkin_protocol::files::{self, File, Index, Variant};
use lambkin_protocol::manifest::is_dotfile;
use lambkin_protocol::release::FileIndex;
use lambkin_store::{Put, Store};
use mime_guess::{Mime, mime};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What was uploaded: a put and its size in bytes.
pub(crate) type Uploads = Vec<(Put, u64)>;

/// The indexes of all folders that the app's routes serve, with everything that they name in the store.
pub(crate) async fn publish(
    project: &Project,
    (store, home): (&Store, &Home),
) -> Result<(BTreeMap<String, FileIndex>, Uploads)> {
    let (mut indexes, mut uploads) = (BTreeMap::new(), Uploads::new());
    for (folder, dotfiles) in folders(project) {
        let index = folder_index(project, (&folder, dotfiles), (store, home), &mut uploads).await;
        indexes.insert(
            folder.clone(),
            index.with_context(|| format!("the files of {folder:?} cannot be published"))?,
        );
    }
    Ok((indexes, uploads))
}

/// The folders on disk that the app's routes serve, for who watches them.
pub(crate) fn paths(project: &Project) -> Vec<PathBuf> {
    folders(project).into_keys().map(|folder| project.root.join(folder)).collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Dotfiles {
    Left,
    Served,
}

/// Each folder once; with its dotfiles if any of its routes serves them. The host serves them by no other route.
fn folders(project: &Project) -> BTreeMap<String, Dotfiles> {
    let mut folders = BTreeMap::new();
    for files in project.manifest.route.iter().filter_map(|route| route.files.as_ref()) {
        let served = files.table().is_some_and(|table| table.dotfiles);
        let dotfiles = if served { Dotfiles::Served } else { Dotfiles::Left };
        let entry = folders.entry(files.folder().to_owned()).or_insert(dotfiles);
        *entry = dotfiles.max(*entry);
    }
    folders
}

async fn folder_index(
    project: &Project,
    (folder, dotfiles): (&str, Dotfiles),
    (store, home): (&Store, &Home),
    uploads: &mut Uploads,
) -> Result<FileIndex> {
    let root = project.root.join(folder);
    if !root.exists() {
        return Err(hinted(
            format!("there is no {}", root.display()),
            format!("create it, or correct `static` in {}", project.manifest_path().display()),
        ));
    }
    let walk = Walk { root: fs_err::canonicalize(&root)?, dotfiles };
    let (mut files, mut size) = (BTreeMap::new(), 0);
    for (path, place) in walk.files()? {
        let bytes = Bytes::from(fs_err::read(&place)?);
        size += bytes.len() as u64;
        let name = if path.is_empty() { folder } else { &path };
        let file = file(name, bytes, (store, home), uploads).await;
        files
            .insert(path, file.with_context(|| format!("{} cannot be uploaded", place.display()))?);
    }
    let index = Index { lambkin_files: files::VERSION, files };
    let count = index.files.len() as u64;
    let variant = put(store, index.to_bytes().into(), uploads).await?;
    Ok(FileIndex { digest: variant.digest, files: count, size })
}

/// One file in the store, with those of its compressed forms that save something.
async fn file(
    name: &str,
    bytes: Bytes,
    (store, home): (&Store, &Home),
    uploads: &mut Uploads,
) -> Result<File> {
    let mime = mime_guess::from_path(name).first_or_octet_stream();
    let plain = put(store, bytes.clone(), uploads).await?;
    let mut encodings = BTreeMap::new();
    if compress::is_compressible(&mime) {
        let (digest, home) = (plain.digest.clone(), home.path().to_owned());
        let compressed =
            tokio::task::spawn_blocking(move || compress::all(&bytes, &digest, &home)).await??;
        for (encoding, bytes) in compressed {
            encodings.insert(encoding, put(store, bytes, uploads).await?);
        }
    }
    Ok(File { content_type: content_type(&mime), plain, encodings })
}

async fn put(store: &Store, bytes: Bytes, uploads: &mut Uploads) -> Result<Variant> {
    let (digest, size) = (sha256_hex(&bytes), bytes.len() as u64);
    uploads.push((store.put_blob(&digest, bytes).await?, size));
    Ok(Variant { digest, size })
}

/// Text is UTF-8: what editors write, and what browsers do not take it for by themselves.
fn content_type(mime: &Mime) -> String {
    if mime.type_() == mime::TEXT && mime.get_param(mime::CHARSET).is_none() {
        return format!("{mime}; charset=utf-8");
    }
    mime.to_string()
}

/// A folder, or a single file, that is looked through.
struct Walk {
    /// Without symbolic links in it.
    root: PathBuf,
    dotfiles: Dotfiles,
}

impl Walk {
    /// All files by their path below the root, with `/` between names; a root that is a file has the empty path.
    fn files(&self) -> Result<BTreeMap<String, PathBuf>> {
        let mut found = BTreeMap::new();
        if self.root.is_file() {
            found.insert(String::new(), self.root.clone());
        } else {
            let mut above = BTreeSet::from([self.root.clone()]);
            self.folder(&self.root, "", (&mut above, &mut found))?;
        }
        Ok(found)
    }

    fn folder(
        &self,
        folder: &Path,
        prefix: &str,
        (above, found): (&mut BTreeSet<PathBuf>, &mut BTreeMap<String, PathBuf>),
    ) -> Result<()> {
        for entry in fs_err::read_dir(folder)? {
            let place = entry?.path();
            let name = place.file_name().and_then(|name| name.to_str());
            let name =
                name.with_context(|| format!("the name of {} is not UTF-8", place.display()))?;
            if self.dotfiles == Dotfiles::Left && is_dotfile(name) {
                continue;
            }
            let path = format!("{prefix}{name}");
            let real = fs_err::canonicalize(&place)?;
            if !real.starts_with(&self.root) {
                return Err(hinted(
                    format!("{} leads out of the folder, to {}", place.display(), real.display()),
                    "copy the file into the folder, or leave it out",
                ));
            }
            if !real.is_dir() {
                found.insert(path, real);
            } else if above.insert(real.clone()) {
                self.folder(&real, &format!("{path}/"), (above, found))?;
                above.remove(&real);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn walk(root: &Path, dotfiles: Dotfiles) -> Result<Vec<String>> {
        let root = fs_err::canonicalize(root).unwrap();
        Ok(Walk { root, dotfiles }.files()?.into_keys().collect())
    }

    #[test]
    fn files_are_found_below_the_folder_and_dotfiles_left_there_unless_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.txt", "b/c.txt", ".env", ".git/config", ".well-known/x"] {
            let place = folder.path().join(name);
            fs_err::create_dir_all(place.parent().unwrap()).unwrap();
            fs_err::write(place, name).unwrap();
        }
        symlink("a.txt", folder.path().join("link.txt")).unwrap();
        symlink("..", folder.path().join("b/loop")).unwrap();
        let expected = [".well-known/x", "a.txt", "b/c.txt", "link.txt"];
        assert_eq!(walk(folder.path(), Dotfiles::Left).unwrap(), expected);
        assert_eq!(walk(folder.path(), Dotfiles::Served).unwrap().len(), 6);
        assert_eq!(walk(&folder.path().join("a.txt"), Dotfiles::Left).unwrap(), [""]);
    }

    #[test]
    fn a_link_that_leaves_the_folder_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let public = folder.path().join("public");
        fs_err::create_dir(&public).unwrap();
        fs_err::write(folder.path().join("secret"), "x").unwrap();
        symlink("../secret", public.join("open")).unwrap();
        let error = format!("{:#}", walk(&public, Dotfiles::Left).unwrap_err());
        assert!(error.contains("leads out of the folder"), "{error}");
    }
}
