//! A deployment package's folder: one app, what its alias points to, and its artifacts ready to be mapped.
//!
//! Beside `bootstrap` in the function's zip lies the folder `lambkin`:
//!
//! | path | content |
//! |---|---|
//! | `package.json` | the app and the alias that were packaged |
//! | `apps/...` | the alias and its releases, as in a store, so that the folder is a store to read from |
//! | `blobs/<digest>` | the static files of the releases and the indexes of them, as in a store |
//! | `artifacts/<digest>` | an artifact, unpacked; the digest is the one that the release names |

use std::io;
use std::path::{Path, PathBuf};

use fs_err as fs;
use serde::{Deserialize, Serialize};

use crate::packed::ArtifactDigest;
use crate::{ReadError, Store, layout};

const DESCRIPTION: &str = "package.json";
const ARTIFACTS: &str = "artifacts";

/// The version of the layout.
const VERSION: u32 = 1;

/// The packaged app, opened for reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    folder: PathBuf,
    description: Description,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Description {
    version: u32,
    app: String,
    alias: String,
}

/// One file of a package, by its path below the package's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageFile {
    /// Names separated by `/`.
    pub path: String,
    /// Its content.
    pub bytes: bytes::Bytes,
}

impl Package {
    /// The folder's name beside `bootstrap`.
    pub const FOLDER: &str = "lambkin";

    /// Opens the package in `folder`; none when there is no package in it.
    ///
    /// # Errors
    /// `InvalidData` when the description is not of this version's form, and what reading it fails with.
    pub fn open(folder: &Path) -> io::Result<Option<Self>> {
        let path = folder.join(DESCRIPTION);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            // A file of the folder's name is the command `lambkin`, where both programs lie side by side.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let invalid = |what: String| {
            let why = format!("{}: {what}; package the app again", path.display());
            io::Error::new(io::ErrorKind::InvalidData, why)
        };
        let description: Description =
            serde_json::from_slice(&bytes).map_err(|error| invalid(error.to_string()))?;
        if description.version != VERSION {
            return Err(invalid(format!(
                "its version is {}, this host reads {VERSION}",
                description.version
            )));
        }
        Ok(Some(Self { folder: folder.to_owned(), description }))
    }

    /// The packaged app's name.
    pub fn app(&self) -> &str {
        &self.description.app
    }

    /// The packaged alias.
    pub fn alias(&self) -> &str {
        &self.description.alias
    }

    /// The package's folder, which [`Store::open`] takes as a store.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file of an artifact, if it is in the package and of the right size.
    pub(crate) fn find(&self, expected: &ArtifactDigest) -> Option<PathBuf> {
        let path = self.folder.join(artifact(&expected.digest));
        let metadata = path.metadata().ok()?;
        (metadata.is_file() && metadata.len() == expected.size).then_some(path)
    }

    /// The description's file of a package of `alias` of `app`.
    pub fn describe(app: &str, alias: &str) -> PackageFile {
        let description =
            Description { version: VERSION, app: app.to_owned(), alias: alias.to_owned() };
        // Two strings and a number always have a JSON form.
        let bytes = serde_json::to_vec(&description).unwrap_or_default();
        PackageFile { path: DESCRIPTION.to_owned(), bytes: bytes.into() }
    }

    /// The alias as it is written into a package.
    pub fn alias_file(app: &str, alias: &str, bytes: bytes::Bytes) -> PackageFile {
        PackageFile { path: layout::alias(app, alias), bytes }
    }

    /// A release of `store` as it is written into a package.
    pub async fn release_file(
        store: &Store,
        app: &str,
        id: &str,
    ) -> Result<PackageFile, ReadError> {
        let bytes = store.release(app, id).await?;
        Ok(PackageFile { path: layout::release(app, id), bytes })
    }

    /// A blob as it is written into a package.
    pub fn blob_file(digest: &str, bytes: bytes::Bytes) -> PackageFile {
        PackageFile { path: layout::blob(digest), bytes }
    }

    /// An unpacked artifact as it is written into a package.
    pub fn artifact_file(digest: &str, bytes: bytes::Bytes) -> PackageFile {
        PackageFile { path: artifact(digest), bytes }
    }
}

fn artifact(digest: &str) -> String {
    format!("{ARTIFACTS}/{}", layout::segment(digest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn write(folder: &Path, file: &PackageFile) {
        let path = folder.join(&file.path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, &file.bytes).unwrap();
    }

    #[test]
    fn what_is_packaged_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Package::open(folder.path()).unwrap(), None);
        let command = folder.path().join("lambkin");
        fs::write(&command, "a program").unwrap();
        assert_eq!(Package::open(&command).unwrap(), None);
        write(folder.path(), &Package::describe("shop", "live"));
        write(folder.path(), &Package::artifact_file("ab12", Bytes::from_static(b"code")));
        let package = Package::open(folder.path()).unwrap().unwrap();
        assert_eq!((package.app(), package.alias()), ("shop", "live"));
        let expected = |digest: &str, size| ArtifactDigest { digest: digest.to_owned(), size };
        assert!(package.find(&expected("ab12", 4)).is_some());
        assert!(package.find(&expected("ab12", 5)).is_none(), "of another size");
        assert!(package.find(&expected("../package.json", 4)).is_none());
    }

    #[test]
    fn a_description_of_another_form_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for (text, expected) in
            [("{", "package.json"), (r#"{"version":9,"app":"a","alias":"b"}"#, "version is 9")]
        {
            fs::write(folder.path().join(DESCRIPTION), text).unwrap();
            let error = Package::open(folder.path()).unwrap_err().to_string();
            assert!(error.contains(expected) && error.contains("package the app again"), "{error}");
        }
    }
}
