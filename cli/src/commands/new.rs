//! `lambkin new`: copies a template and puts the app's name in.

use crate::args;
use crate::hint::hinted;
use crate::output::Output;
use anyhow::{Context as _, Result};
use include_dir::{Dir, DirEntry, include_dir};
use serde::{Deserialize, Serialize};
use std::path::Path;

static TEMPLATES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../templates");

/// The word that stands for the app's name in a template.
const NAME: &str = "{{name}}";

/// What a template says of itself; not copied.
const ABOUT: &str = "template.toml";

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct About {
    description: String,
    language: String,
    kind: String,
    #[serde(rename = "try")]
    path: String,
}

#[derive(Serialize)]
struct Listed {
    name: String,
    #[serde(flatten)]
    about: About,
}

pub(crate) fn run(arguments: &args::New, output: &Output) -> Result<()> {
    let (Some(name), Some(wanted), false) = (&arguments.name, &arguments.template, arguments.list)
    else {
        let templates = list()?;
        return output.result(&templates, || {
            templates
                .iter()
                .map(|one| format!("{:<20} {}\n", one.name, one.about.description))
                .collect()
        });
    };
    let template = TEMPLATES.get_dir(wanted).ok_or_else(|| unknown(wanted))?;
    let about = about(template)?;
    let folder = Path::new(name);
    let app = folder
        .file_name()
        .and_then(|name| name.to_str())
        .context("the app's name is not valid text")?;
    lambkin_protocol::name::check(app).map_err(|problem| {
        hinted(
            format!("{app:?} is not a name for an app: {problem}"),
            "use lower-case letters, digits and dashes, for example `my-shop`",
        )
    })?;
    if folder.exists() && fs_err::read_dir(folder)?.next().is_some() {
        return Err(hinted(
            format!("{} exists and is not empty", folder.display()),
            "choose another name",
        ));
    }
    copy(template, template.path(), (folder, app))?;
    output.done("Created", &format!("{} from {wanted}", folder.display()));
    output.line("next", &format!("cd {} && lambkin dev", folder.display()));
    output.line("then", &format!("curl http://127.0.0.1:3000{}", about.path));
    Ok(())
}

fn list() -> Result<Vec<Listed>> {
    let mut templates = Vec::new();
    for folder in TEMPLATES.dirs() {
        let name = folder.path().to_string_lossy().into_owned();
        templates.push(Listed { name, about: about(folder)? });
    }
    templates.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(templates)
}

fn about(template: &Dir<'_>) -> Result<About> {
    let file = template
        .get_file(template.path().join(ABOUT))
        .context("the template does not describe itself")?;
    Ok(toml::from_str(file.contents_utf8().context("the template's description is not text")?)?)
}

fn unknown(wanted: &str) -> anyhow::Error {
    let names: Vec<String> =
        TEMPLATES.dirs().map(|folder| folder.path().display().to_string()).collect();
    hinted(
        format!("there is no template {wanted:?}"),
        format!("the templates are {}", names.join(", ")),
    )
}

fn copy(folder: &Dir<'_>, base: &Path, (to, app): (&Path, &str)) -> Result<()> {
    for entry in folder.entries() {
        let relative = entry.path().strip_prefix(base)?;
        if relative == Path::new(ABOUT) {
            continue;
        }
        match entry {
            DirEntry::Dir(inner) => copy(inner, base, (to, app))?,
            DirEntry::File(file) => {
                let path = to.join(relative.to_string_lossy().replace(NAME, app));
                fs_err::create_dir_all(path.parent().context("a file in the app's folder")?)?;
                match file.contents_utf8() {
                    Some(text) => fs_err::write(path, text.replace(NAME, app))?,
                    None => fs_err::write(path, file.contents())?,
                }
            }
        }
    }
    Ok(())
}
