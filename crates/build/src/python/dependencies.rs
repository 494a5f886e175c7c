//! Installs an app's dependencies by pip, as pure Python: a component cannot load native code.

use super::project::Project;
use super::tool::{self, Tool};
use crate::{BuildFailure, Progress, tools};
use anyhow::{Context as _, Result};
use lambkin_protocol::digest::sha256_hex;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The folder of the packages, beside [`NATIVE`].
const PACKAGES: &str = "packages";

/// Where the removed native modules are written down, in the folder of the dependencies.
const NATIVE: &str = "lambkin-native.json";

/// Installed dependencies.
pub(super) struct Dependencies {
    /// The folder that has them in it, in another called [`PACKAGES`]: see [`Sources`](super::sources::Sources).
    pub folder: PathBuf,
    /// The file that declares them, and those it includes.
    pub declared_in: Vec<PathBuf>,
    /// Modules that were compiled for this machine and are left out, with the distribution they belong to.
    pub native: BTreeMap<String, String>,
}

impl Dependencies {
    /// Installs what `requirements.txt` or `pyproject.toml` asks for, once for each content.
    pub(super) fn install(
        project: &Project,
        root: &Path,
        work: &Path,
        tool: &Tool,
        progress: Progress<'_>,
    ) -> Result<Self> {
        let declared = Declared::find(&project.folder, root)?;
        let key = declared.key();
        let folder = work.join(format!("dependencies-{key}"));
        if !folder.exists() {
            remove_older(work)?;
            let fresh = tempfile::Builder::new().prefix(".dependencies-").tempdir_in(work)?;
            let content = fresh.path().join("content");
            let packages = content.join(PACKAGES);
            fs_err::create_dir_all(&packages)?;
            if !declared.is_empty() {
                progress(&format!("installing {} by pip", declared.name()));
                pip(&declared, tool, &packages)?;
            }
            let native = remove_native(&packages)?;
            fs_err::write(content.join(NATIVE), serde_json::to_vec(&native)?)?;
            fs_err::rename(content, &folder)?;
        }
        let native = serde_json::from_slice(&fs_err::read(folder.join(NATIVE))?)?;
        Ok(Self { folder, declared_in: declared.files, native })
    }
}

/// The declaration of what an app depends on.
struct Declared {
    /// The declaring file first, then what it includes.
    files: Vec<PathBuf>,
    /// pip's requirement lines, where they come from `pyproject.toml`.
    listed: Option<Vec<String>>,
    text: String,
}

impl Declared {
    /// The nearest declaration from `folder` up to the app's `root`.
    fn find(folder: &Path, root: &Path) -> Result<Self> {
        for candidate in folder.ancestors().take_while(|path| path.starts_with(root)) {
            let requirements = candidate.join("requirements.txt");
            if requirements.is_file() {
                return Self::requirements(requirements);
            }
            let pyproject = candidate.join("pyproject.toml");
            if pyproject.is_file() {
                return Self::pyproject(pyproject);
            }
        }
        Ok(Self { files: Vec::new(), listed: None, text: String::new() })
    }

    fn requirements(path: PathBuf) -> Result<Self> {
        let mut files = Vec::new();
        let mut text = String::new();
        let mut open = vec![path];
        while let Some(path) = open.pop() {
            if files.contains(&path) {
                continue;
            }
            let lines = fs_err::read_to_string(&path)?;
            let folder = path.parent().unwrap_or(&path).to_path_buf();
            open.extend(lines.lines().filter_map(included).map(|name| folder.join(name)));
            for line in lines.lines().map(requirement).filter(|line| !line.is_empty()) {
                text.push_str(line);
                text.push('\n');
            }
            files.push(path);
        }
        Ok(Self { files, listed: None, text })
    }

    fn pyproject(path: PathBuf) -> Result<Self> {
        let table: toml::Table =
            toml::from_str(&fs_err::read_to_string(&path)?).map_err(|error| BuildFailure {
                output: error.to_string(),
                summary: format!("{} is not valid TOML", path.display()),
            })?;
        let listed: Vec<String> = table
            .get("project")
            .and_then(|project| project.get("dependencies"))
            .and_then(toml::Value::as_array)
            .map(|list| list.iter().filter_map(toml::Value::as_str).map(str::to_owned).collect())
            .unwrap_or_default();
        let text = listed.join("\n");
        Ok(Self { files: vec![path], listed: Some(listed), text })
    }

    fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    fn key(&self) -> String {
        let mut key = sha256_hex(format!("{}\n{PACKAGES}\n{}", tool::VERSION, self.text));
        key.truncate(16);
        key
    }

    fn name(&self) -> String {
        let file = self.files.first().and_then(|path| path.file_name()).unwrap_or_default();
        file.to_string_lossy().into_owned()
    }
}

/// A requirements file's line without its comment.
fn requirement(line: &str) -> &str {
    let line = line.trim();
    if line.starts_with('#') { "" } else { line.split(" #").next().unwrap_or_default().trim() }
}

/// The file that a requirements file's line includes.
fn included(line: &str) -> Option<&str> {
    let line = requirement(line);
    ["-r ", "-c ", "--requirement ", "--constraint "]
        .iter()
        .find_map(|flag| line.strip_prefix(flag))
        .map(str::trim)
}

/// Pure wheels for the component's Python where every dependency has one; else what this machine's pip makes of them.
fn pip(declared: &Declared, tool: &Tool, target: &Path) -> Result<()> {
    let mut command = pip_command(declared, tool, target)?;
    command.args(["--python-version", "3.14", "--only-binary=:all:", "--platform", "any"]);
    if tools::run(&mut command, "pip install").is_ok() {
        return Ok(());
    }
    fs_err::remove_dir_all(target)?;
    fs_err::create_dir_all(target)?;
    let mut command = pip_command(declared, tool, target)?;
    tools::run(&mut command, &format!("installing {} by pip", declared.name())).map(drop)
}

fn pip_command(declared: &Declared, tool: &Tool, target: &Path) -> Result<std::process::Command> {
    let file = declared.files.first().context("no requirements")?;
    let mut command = tool.python();
    command.current_dir(file.parent().context("a file without a folder")?);
    command.args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]);
    command.args(["--no-compile", "--target"]).arg(target);
    match &declared.listed {
        Some(listed) => command.args(listed),
        None => command.arg("-r").arg(file),
    };
    Ok(command)
}

/// Removes native code and scripts, and tells which modules went with it.
fn remove_native(folder: &Path) -> Result<BTreeMap<String, String>> {
    let mut files = Vec::new();
    walk(folder, Path::new(""), &mut files)?;
    let owners = owners(folder, &files)?;
    let mut native = BTreeMap::new();
    for file in files.iter().filter(|file| is_native(file)) {
        fs_err::remove_file(folder.join(file))?;
        let name = file.to_string_lossy().into_owned();
        let owner = owners.get(&name).cloned().unwrap_or_else(|| "a dependency".to_owned());
        native.insert(module_name(&name), owner);
    }
    let scripts = folder.join("bin");
    if scripts.is_dir() {
        fs_err::remove_dir_all(scripts)?;
    }
    Ok(native)
}

/// Which distribution each file came with, by the `RECORD` of each (`PyPA`'s specification of installed projects).
fn owners(folder: &Path, files: &[PathBuf]) -> Result<BTreeMap<String, String>> {
    let mut owners = BTreeMap::new();
    for record in files.iter().filter(|file| file.ends_with("RECORD")) {
        let folder_name = record.parent().unwrap_or(record).to_string_lossy().into_owned();
        let distribution = folder_name.trim_end_matches(".dist-info").replacen('-', " ", 1);
        for line in fs_err::read_to_string(folder.join(record))?.lines() {
            let name = line.split(',').next().unwrap_or_default();
            owners.insert(name.to_owned(), distribution.clone());
        }
    }
    Ok(owners)
}

fn is_native(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let extension = file.extension().unwrap_or_default();
    extension == "so" || extension == "pyd" || extension == "dylib" || name.contains(".so.")
}

/// `pkg/fast.cpython-311-x86_64-linux-gnu.so` is the module `pkg.fast`.
fn module_name(file: &str) -> String {
    let (folder, name) = file.rsplit_once('/').unwrap_or(("", file));
    let stem = name.split('.').next().unwrap_or(name);
    format!("{folder}/{stem}").trim_start_matches('/').replace('/', ".")
}

fn walk(root: &Path, below: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs_err::read_dir(root.join(below))? {
        let entry = entry?;
        let path = below.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            walk(root, &path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

fn remove_older(work: &Path) -> Result<()> {
    for entry in fs_err::read_dir(work)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("dependencies-") {
            fs_err::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_nearest_declaration() {
        let root = tempfile::tempdir().unwrap();
        let inner = root.path().join("src/shop");
        fs_err::create_dir_all(&inner).unwrap();
        assert!(Declared::find(&inner, root.path()).unwrap().is_empty());
        fs_err::write(
            root.path().join("pyproject.toml"),
            "[project]\nname = 'x'\ndependencies = ['flask>=3', 'jinja2']\n",
        )
        .unwrap();
        let declared = Declared::find(&inner, root.path()).unwrap();
        assert_eq!(
            declared.listed.as_deref(),
            Some(&["flask>=3".to_owned(), "jinja2".to_owned()][..])
        );
        fs_err::write(root.path().join("base.txt"), "idna\n").unwrap();
        fs_err::write(
            root.path().join("src/requirements.txt"),
            "# web\nflask == 3.1.3 # pinned\n\n-r ../base.txt\n",
        )
        .unwrap();
        let declared = Declared::find(&inner, root.path()).unwrap();
        assert_eq!(declared.text, "flask == 3.1.3\n-r ../base.txt\nidna\n");
        assert_eq!(declared.files.len(), 2);
    }

    #[test]
    fn removes_native_code_and_names_its_distribution() {
        let root = tempfile::tempdir().unwrap();
        let files = [
            ("fast/_core.cpython-311-x86_64-linux-gnu.so", ""),
            ("fast/__init__.py", ""),
            ("fast.libs/libblas.so.3", ""),
            ("bin/fast", ""),
            (
                "fast-2.1.dist-info/RECORD",
                "fast/__init__.py,,\nfast/_core.cpython-311-x86_64-linux-gnu.so,sha256=x,1\n",
            ),
        ];
        for (name, text) in files {
            let file = root.path().join(name);
            fs_err::create_dir_all(file.parent().unwrap()).unwrap();
            fs_err::write(file, text).unwrap();
        }
        let native = remove_native(root.path()).unwrap();
        assert_eq!(native.get("fast._core").map(String::as_str), Some("fast 2.1"));
        assert!(root.path().join("fast/__init__.py").exists());
        assert!(!root.path().join("fast/_core.cpython-311-x86_64-linux-gnu.so").exists());
        assert!(!root.path().join("bin").exists());
    }
}
