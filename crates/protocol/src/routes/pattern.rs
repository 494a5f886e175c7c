//! What a route's path and methods mean: segments, a greedy end, and the claim by which overlaps are seen.

use std::collections::BTreeSet;

use super::{DEFAULT, Route};
use crate::encoding::decode_path;
use crate::name::nearest;

/// The methods a route may name. API Gateway knows no others.
pub(crate) const METHODS: [&str; 7] = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];
/// The word that stands for any method.
const ANY: &str = "ANY";

/// What is wrong with a route.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// The path does not begin with a slash.
    #[error("a path begins with `/` (or is `$default`)")]
    NoSlash,
    /// Two slashes follow each other, or one ends the path.
    #[error("a path has no empty segment, and no slash at its end")]
    EmptySegment,
    /// Braces that do not enclose a whole segment, or a parameter name that cannot be.
    #[error(
        "`{segment}` must be text without braces, `{{name}}` or `{{name+}}`, with letters, digits, `_`, `-` and `.` in the name"
    )]
    BadSegment {
        /// The segment.
        segment: String,
    },
    /// A greedy parameter that is not the last segment.
    #[error("`{segment}` takes the rest of the path, so it must be the last segment")]
    GreedyNotLast {
        /// The segment.
        segment: String,
    },
    /// The same parameter name twice.
    #[error("the parameter `{name}` occurs twice")]
    RepeatedParameter {
        /// Its name.
        name: String,
    },
    /// Characters that belong to a query or fragment.
    #[error("a path ends before `?` and `#`")]
    NotAPath,
    /// An empty list of methods.
    #[error("the list of methods is empty: leave it out to take any method")]
    NoMethods,
    /// A method that API Gateway does not know.
    #[error("`{method}` is not a method{}", .nearest.map(|near| format!(", did you mean `{near}`?")).unwrap_or_default())]
    UnknownMethod {
        /// What was written.
        method: String,
        /// The method that is most like it.
        nearest: Option<&'static str>,
    },
}

/// One segment of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Segment {
    /// Text to be met exactly, decoded.
    Static(String),
    /// `{name}`.
    Parameter(String),
    /// `{name+}`.
    Greedy(String),
}

/// A route's path, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pattern {
    /// `$default`.
    Default,
    /// Segments; none for `/`.
    Path(Vec<Segment>),
}

impl Pattern {
    pub(super) fn parse(path: &str) -> Result<Self, PatternError> {
        if path == DEFAULT {
            return Ok(Self::Default);
        }
        let inner = path.strip_prefix('/').ok_or(PatternError::NoSlash)?;
        if inner.contains(['?', '#']) {
            return Err(PatternError::NotAPath);
        }
        if inner.is_empty() {
            return Ok(Self::Path(Vec::new()));
        }
        let segments = inner.split('/').map(segment).collect::<Result<Vec<_>, _>>()?;
        check_parameters(&segments)?;
        Ok(Self::Path(segments))
    }
}

fn segment(text: &str) -> Result<Segment, PatternError> {
    if text.is_empty() {
        return Err(PatternError::EmptySegment);
    }
    if !text.contains(['{', '}']) {
        return Ok(Segment::Static(decode_path(text).into_owned()));
    }
    let bad = || PatternError::BadSegment { segment: text.to_owned() };
    let inner = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).ok_or_else(bad)?;
    let (name, greedy) = inner.strip_suffix('+').map_or((inner, false), |name| (name, true));
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if name.is_empty() || !name.chars().all(allowed) {
        return Err(bad());
    }
    Ok(if greedy { Segment::Greedy(name.to_owned()) } else { Segment::Parameter(name.to_owned()) })
}

fn check_parameters(segments: &[Segment]) -> Result<(), PatternError> {
    let mut seen = BTreeSet::new();
    for (index, segment) in segments.iter().enumerate() {
        let name = match segment {
            Segment::Static(_) => continue,
            Segment::Greedy(name) if index + 1 < segments.len() => {
                return Err(PatternError::GreedyNotLast { segment: format!("{{{name}+}}") });
            }
            Segment::Parameter(name) | Segment::Greedy(name) => name,
        };
        if !seen.insert(name) {
            return Err(PatternError::RepeatedParameter { name: name.clone() });
        }
    }
    Ok(())
}

/// The methods of a route; none stands for any.
pub(super) fn methods(route: &Route) -> Result<Vec<&'static str>, PatternError> {
    let Some(written) = &route.methods else { return Ok(Vec::new()) };
    if written.is_empty() {
        return Err(PatternError::NoMethods);
    }
    if written.iter().any(|method| method == ANY) {
        return Ok(Vec::new());
    }
    let known = |method: &String| {
        METHODS.into_iter().find(|known| known == method).ok_or_else(|| {
            PatternError::UnknownMethod {
                method: method.clone(),
                nearest: nearest(&method.to_uppercase(), METHODS.into_iter().chain([ANY]))
                    .and_then(|near| METHODS.into_iter().chain([ANY]).find(|known| *known == near)),
            }
        })
    };
    written.iter().map(known).collect()
}

/// What a route lays claim to: the path without its parameter names, and a method. Two routes with an equal claim
/// overlap; a static segment beside a parameter does not, nor does a method beside ANY, since priority decides those.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Claim {
    shape: String,
    /// The method, or `ANY`.
    pub(crate) method: &'static str,
}

impl Claim {
    /// The claims of a route, one per method.
    pub(crate) fn of(route: &Route) -> Result<Vec<Self>, PatternError> {
        let shape = match Pattern::parse(&route.path)? {
            Pattern::Default => DEFAULT.to_owned(),
            Pattern::Path(segments) => segments.iter().map(shape).collect(),
        };
        let methods: BTreeSet<_> = methods(route)?.into_iter().collect();
        let claim = |method| Self { shape: shape.clone(), method };
        Ok(if methods.is_empty() {
            vec![claim(ANY)]
        } else {
            methods.into_iter().map(claim).collect()
        })
    }
}

fn shape(segment: &Segment) -> String {
    match segment {
        // A decoded segment may hold a slash (`%2F`), which must not look like two segments.
        Segment::Static(text) => format!("/{}", text.replace('/', "%2F")),
        Segment::Parameter(_) => "/{}".to_owned(),
        Segment::Greedy(_) => "/{+}".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn understands_static_segments_parameters_and_a_greedy_end() {
        let Pattern::Path(segments) = Pattern::parse("/caf%C3%A9/{id}/{proxy+}").unwrap() else {
            panic!("not a path")
        };
        let expected = [
            Segment::Static("café".to_owned()),
            Segment::Parameter("id".to_owned()),
            Segment::Greedy("proxy".to_owned()),
        ];
        assert_eq!(segments, expected);
        assert_eq!(Pattern::parse("/"), Ok(Pattern::Path(Vec::new())));
        assert_eq!(Pattern::parse("$default"), Ok(Pattern::Default));
    }

    #[test]
    fn says_what_is_wrong_with_a_path() {
        let check = |path: &str, says: &str| {
            let error = Pattern::parse(path).unwrap_err().to_string();
            assert!(error.contains(says), "{path}: {error}");
        };
        check("items", "begins with `/`");
        check("", "begins with `/`");
        check("/items/", "no slash at its end");
        check("//items", "empty segment");
        check("/a{id}", "`a{id}`");
        check("/{}", "`{}`");
        check("/{a b}", "`{a b}`");
        check("/{proxy+}/x", "last segment");
        check("/{id}/{id}", "occurs twice");
        check("/a?b=c", "before `?`");
    }

    #[test]
    fn says_what_is_wrong_with_a_method() {
        let route = |methods: &[&str]| Route {
            path: "/".to_owned(),
            methods: Some(methods.iter().map(|method| (*method).to_owned()).collect()),
            component: "web".to_owned(),
            ..Route::default()
        };
        assert_eq!(methods(&route(&["GET", "POST"])), Ok(vec!["GET", "POST"]));
        assert_eq!(methods(&route(&["ANY"])), Ok(vec![]));
        assert_eq!(
            methods(&route(&["get"])).unwrap_err().to_string(),
            "`get` is not a method, did you mean `GET`?"
        );
        assert_eq!(methods(&route(&["BREW"])).unwrap_err().to_string(), "`BREW` is not a method");
        assert_eq!(methods(&route(&[])), Err(PatternError::NoMethods));
    }
}
