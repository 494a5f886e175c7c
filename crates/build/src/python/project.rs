//! Finds the module and the object that answer, from the manifest's `source`, `handler` and `kind`.

use super::definitions;
use crate::{BuildFailure, Kind, Source};
use anyhow::Result;
use std::path::{Path, PathBuf};

/// Modules to look for in a source folder when the manifest names no handler.
const MODULES: [&str; 5] = ["lambda_function", "app", "main", "handler", "index"];

/// A Python app: what to import from where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Project {
    /// The folder that imports start from.
    pub folder: PathBuf,
    /// The dotted name of the handler's module.
    pub module: String,
    /// The handler's name in it, perhaps dotted.
    pub attribute: String,
    /// What the handler is.
    pub kind: Kind,
}

impl Project {
    /// Reads the handler's module as far as the manifest leaves something to find out.
    pub(super) fn find(source: &Source) -> Result<Self> {
        if source.kind == Some(Kind::Command) {
            return Err(failure(
                "a Python component is a function or a web app: `kind` cannot be `command`",
            ));
        }
        let (folder, prefix) = import_root(&source.path);
        let named = source.handler.as_deref().map(split_handler);
        let module = module(source, &folder, &prefix, named.as_ref())?;
        let text = fs_err::read_to_string(
            module_file(&folder, &module).ok_or_else(|| missing(&module, &folder))?,
        )?;
        let (attribute, kind) = match named {
            Some((_, attribute)) => {
                let kind = definitions::kind_of(&text, &attribute);
                (attribute, kind)
            }
            None => definitions::conventional(&text)
                .filter(|(_, kind)| source.kind.is_none_or(|wanted| wanted == *kind))
                .or_else(|| definitions::conventional(&text))
                .map(|(name, kind)| (name.to_owned(), kind))
                .ok_or_else(|| undefined(&module))?,
        };
        Ok(Self { folder, module, attribute, kind: source.kind.unwrap_or(kind) })
    }
}

/// The folder that holds the outermost package of `path`, and the dotted name of the package between them.
fn import_root(path: &Path) -> (PathBuf, Vec<String>) {
    let start = if path.is_dir() { path } else { path.parent().unwrap_or(path) };
    let mut folder = start.to_path_buf();
    let mut packages = Vec::new();
    while folder.join("__init__.py").is_file() {
        let (Some(name), Some(parent)) = (folder.file_name(), folder.parent()) else { break };
        packages.insert(0, name.to_string_lossy().into_owned());
        folder = parent.to_path_buf();
    }
    (folder, packages)
}

/// AWS's `module.function`, the servers' `module:object`, or the object alone.
fn split_handler(handler: &str) -> (Option<String>, String) {
    let split = handler.split_once(':').or_else(|| handler.rsplit_once('.'));
    match split {
        Some((module, attribute)) => (Some(module.replace('/', ".")), attribute.to_owned()),
        None => (None, handler.to_owned()),
    }
}

fn module(
    source: &Source,
    folder: &Path,
    prefix: &[String],
    named: Option<&(Option<String>, String)>,
) -> Result<String> {
    let qualified = |name: &str| {
        let mut parts = prefix.to_vec();
        parts.push(name.to_owned());
        parts.join(".")
    };
    if let Some((Some(name), _)) = named {
        return [name.clone(), qualified(name)]
            .into_iter()
            .find(|module| module_file(folder, module).is_some())
            .ok_or_else(|| missing(name, folder));
    }
    if !source.path.is_dir() {
        let stem = source.path.file_stem().unwrap_or_default().to_string_lossy();
        return Ok(if stem == "__init__" { prefix.join(".") } else { qualified(&stem) });
    }
    MODULES
        .iter()
        .map(|name| qualified(name))
        .find(|module| module_file(folder, module).is_some())
        .or_else(|| only_module(&source.path).map(|name| qualified(&name)))
        .ok_or_else(|| {
            failure(&format!(
                "{} holds none of {}.py: name the handler in lambkin.toml, as in `handler = \"module.function\"`",
                source.path.display(),
                MODULES.join(".py, ")
            ))
        })
}

/// The one module of a folder that has no other beside `__init__`.
fn only_module(folder: &Path) -> Option<String> {
    let mut names = fs_err::read_dir(folder).ok()?.flatten().filter_map(|entry| {
        let path = entry.path();
        let python = path.extension().is_some_and(|extension| extension == "py");
        let stem = path.file_stem().filter(|stem| python && *stem != "__init__")?;
        Some(stem.to_string_lossy().into_owned())
    });
    match (names.next(), names.next()) {
        (Some(name), None) => Some(name),
        _ => None,
    }
}

fn module_file(folder: &Path, module: &str) -> Option<PathBuf> {
    let base = folder.join(module.replace('.', "/"));
    let mut file = base.clone().into_os_string();
    file.push(".py");
    [base.join("__init__.py"), PathBuf::from(file)].into_iter().find(|path| path.is_file())
}

fn missing(module: &str, folder: &Path) -> anyhow::Error {
    failure(&format!(
        "there is no module {module}: {} is not there",
        folder.join(format!("{}.py", module.replace('.', "/"))).display()
    ))
}

fn undefined(module: &str) -> anyhow::Error {
    failure(&format!(
        "{module} defines none of lambda_handler, handler, app and application: name the handler in lambkin.toml, as in `handler = \"{module}.function\"`"
    ))
}

fn failure(summary: &str) -> anyhow::Error {
    BuildFailure { output: String::new(), summary: summary.to_owned() }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(
        files: &[(&str, &str)],
        path: &str,
        handler: Option<&str>,
    ) -> Result<Project, String> {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let file = root.path().join(name);
            fs_err::create_dir_all(file.parent().unwrap()).unwrap();
            fs_err::write(file, text).unwrap();
        }
        let source = Source {
            name: "web".to_owned(),
            root: root.path().to_path_buf(),
            path: root.path().join(path),
            handler: handler.map(str::to_owned),
            kind: None,
            engine: None,
            hash_seed: None,
            work: root.path().join("work"),
        };
        let found = Project::find(&source).map_err(|error| error.to_string())?;
        let folder = found.folder.strip_prefix(root.path()).unwrap().to_path_buf();
        Ok(Project { folder, ..found })
    }

    fn expect(folder: &str, module: &str, attribute: &str, kind: Kind) -> Project {
        Project {
            folder: folder.into(),
            module: module.to_owned(),
            attribute: attribute.to_owned(),
            kind,
        }
    }

    const LAMBDA: &str = "def lambda_handler(event, context): ...\n";

    #[test]
    fn reads_the_handler_in_every_notation() {
        let files = [("src/app.py", "app = Flask(__name__)\ndef work(event, context): ...\n")];
        let app = Ok(expect("src", "app", "app", Kind::Http));
        assert_eq!(project(&files, "src/app.py", None), app);
        assert_eq!(project(&files, "src", None), app);
        assert_eq!(project(&files, "src", Some("app:app")), app);
        assert_eq!(project(&files, "src", Some("app.app")), app);
        assert_eq!(project(&files, "src/app.py", Some("app")), app);
        let work = Ok(expect("src", "app", "work", Kind::Function));
        assert_eq!(project(&files, "src/app.py", Some("work")), work);
        assert_eq!(project(&files, ".", Some("src/app.work")).unwrap().module, "src.app");
    }

    #[test]
    fn starts_imports_above_the_outermost_package() {
        let files = [
            ("src/shop/__init__.py", ""),
            ("src/shop/web/__init__.py", ""),
            ("src/shop/web/api.py", LAMBDA),
        ];
        let found = Ok(expect("src", "shop.web.api", "lambda_handler", Kind::Function));
        assert_eq!(project(&files, "src/shop/web/api.py", None), found);
        assert_eq!(project(&files, "src/shop/web", None), found);
        assert_eq!(project(&files, "src/shop", Some("web.api.lambda_handler")), found);
    }

    #[test]
    fn says_what_is_missing() {
        let files = [("src/one.py", "x = 1\n"), ("src/two.py", "")];
        let text = project(&files, "src", None).unwrap_err();
        assert!(text.contains("lambda_function.py, app.py"), "{text}");
        let text = project(&files, "src/one.py", None).unwrap_err();
        assert!(text.contains("one defines none of lambda_handler"), "{text}");
        let text = project(&files, "src", Some("three.handler")).unwrap_err();
        assert!(text.contains("there is no module three"), "{text}");
    }
}
