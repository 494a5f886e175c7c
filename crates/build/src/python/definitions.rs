//! What a module defines at its top level, read line by line: enough to tell a Lambda handler from a web app.
//!
//! `CPython` itself judges the module later; this must only cope with sources newer than any parser on the machine.

use crate::Kind;

/// How a name comes to be in a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Definition {
    /// `def` or `async def`, with the parameters as written.
    Function(String),
    /// An assignment, a class, or an import.
    Object,
}

/// The names that are looked for when the manifest names no handler, and what each of them is.
const CONVENTIONS: [(&str, Kind); 4] = [
    ("lambda_handler", Kind::Function),
    ("handler", Kind::Function),
    ("app", Kind::Http),
    ("application", Kind::Http),
];

/// The handler that a module shows by its names, first of the conventions.
pub(super) fn conventional(text: &str) -> Option<(&'static str, Kind)> {
    CONVENTIONS.into_iter().find(|(name, _)| find(text, name).is_some())
}

/// The kind of the handler that is called `name`; a module that does not show it leaves a Lambda handler to be assumed.
pub(super) fn kind_of(text: &str, name: &str) -> Kind {
    if let Some((_, kind)) = CONVENTIONS.into_iter().find(|(known, _)| *known == name) {
        return kind;
    }
    match find(text, name) {
        Some(Definition::Object) => Kind::Http,
        Some(Definition::Function(parameters)) if is_web(&parameters) => Kind::Http,
        _ => Kind::Function,
    }
}

/// How `name` is defined at the top level of `text`.
pub(super) fn find(text: &str, name: &str) -> Option<Definition> {
    let mut state = State::Code;
    let mut found = None;
    for line in text.lines() {
        if state == State::Code
            && let Some(definition) = definition(line, name)
        {
            found = Some(definition);
        }
        if state == State::ImportList && names(line, name) {
            found = Some(Definition::Object);
        }
        state = state.after(line);
    }
    found
}

/// Where in the text a line starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Code,
    Text(&'static str),
    ImportList,
}

impl State {
    fn after(self, line: &str) -> Self {
        match self {
            Self::ImportList if line.contains(')') => Self::Code,
            Self::ImportList => Self::ImportList,
            Self::Text(quotes) => match line.split_once(quotes) {
                Some((_, rest)) => Self::Code.after(rest),
                None => self,
            },
            Self::Code if line.starts_with("from ") && line.ends_with('(') => Self::ImportList,
            Self::Code => open_text(line),
        }
    }
}

/// Whether a line of code opens a text of several lines.
fn open_text(line: &str) -> State {
    let first = ["\"\"\"", "'''"]
        .into_iter()
        .filter_map(|quotes| line.find(quotes).map(|at| (at, quotes)))
        .min();
    let Some((at, quotes)) = first else { return State::Code };
    if line.get(..at).is_some_and(|before| before.contains('#')) {
        return State::Code;
    }
    State::Text(quotes).after(line.get(at + quotes.len()..).unwrap_or_default())
}

fn definition(line: &str, name: &str) -> Option<Definition> {
    let code = line.strip_prefix("async ").unwrap_or(line);
    if let Some(rest) = code.strip_prefix("def ") {
        let rest = rest.trim_start().strip_prefix(name)?;
        let parameters = rest.trim_start().strip_prefix(['(', '['])?;
        return Some(Definition::Function(parameters.to_owned()));
    }
    if line.starts_with("from ") || line.starts_with("import ") {
        let (_, imported) = line.split_once("import ")?;
        return names(imported, name).then_some(Definition::Object);
    }
    let rest = line.strip_prefix("class ").unwrap_or(line).strip_prefix(name)?.trim_start();
    let assigned = rest.starts_with('=') && !rest.starts_with("==");
    (assigned || rest.starts_with(':') || line.starts_with("class ")).then_some(Definition::Object)
}

/// Whether an import list binds `name`.
fn names(list: &str, name: &str) -> bool {
    let list = list.split('#').next().unwrap_or_default();
    list.split(',').any(|item| {
        let item = item.trim().trim_matches(['(', ')']).trim();
        item.rsplit(" as ").next().map(str::trim) == Some(name)
    })
}

fn is_web(parameters: &str) -> bool {
    parameters.contains("start_response")
        || (parameters.contains("receive") && parameters.contains("send"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<(&'static str, Kind)>) {
        assert_eq!(conventional(text), expected, "{text}");
    }

    #[test]
    fn finds_the_handler_by_convention() {
        check(
            "def lambda_handler(event, context):\n  pass\n",
            Some(("lambda_handler", Kind::Function)),
        );
        check("async def handler(event, context): ...\n", Some(("handler", Kind::Function)));
        check("from flask import Flask\napp = Flask(__name__)\n", Some(("app", Kind::Http)));
        check("application: Callable = make()\n", Some(("application", Kind::Http)));
        check("from .web import app\n", Some(("app", Kind::Http)));
        check(
            "from .web import (\n    other,\n    server as app,  # the app\n)\n",
            Some(("app", Kind::Http)),
        );
        check(
            "app = Resolver()\ndef lambda_handler(e, c): return app(e)\n",
            Some(("lambda_handler", Kind::Function)),
        );
        check("x = 1\n", None);
    }

    #[test]
    fn passes_over_texts_and_inner_names() {
        check("\"\"\"An example:\napp = Flask()\n\"\"\"\n", None);
        check("'''one line'''\napp = 1\n", Some(("app", Kind::Http)));
        check("def f():\n    app = 1\n", None);
        check("apple = 1\nhandlers = []\napp == 2\n", None);
        check("# it's \"\"\" not open\napp = 1\n", Some(("app", Kind::Http)));
    }

    #[test]
    fn tells_the_kind_of_a_named_handler() {
        assert_eq!(kind_of("def process(event, context): ...", "process"), Kind::Function);
        assert_eq!(kind_of("def site(environ, start_response): ...", "site"), Kind::Http);
        assert_eq!(kind_of("async def site(scope, receive, send): ...", "site"), Kind::Http);
        assert_eq!(kind_of("site = Flask(__name__)", "site"), Kind::Http);
        assert_eq!(kind_of("handler = Mangum(app)", "handler"), Kind::Function);
    }
}
