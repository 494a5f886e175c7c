//! The table that finds a request's route: a trie with one level per path segment.
//!
//! A lookup visits each node at most once and in practice one node per segment, so it costs the same with ten routes
//! and with ten thousand.

use std::collections::{BTreeMap, HashMap};

use http::Method;

use super::pattern::{Claim, Pattern, Segment, methods};
use super::{Route, RouteError};
use crate::encoding::decode_path;

/// All routes of an app, ready to be asked.
#[derive(Debug, Clone, Default)]
pub struct Table {
    routes: Vec<Route>,
    root: Node,
    default: Endpoint,
}

/// The route that answers a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<'a> {
    /// The route's place in the list the table was made of.
    pub index: usize,
    /// The route as written.
    pub route: &'a Route,
    /// The name of the component that answers; empty where the route has files.
    pub component: &'a str,
    /// The path's parameters, percent-decoded; a greedy one holds the rest of the path without its leading slash.
    pub parameters: BTreeMap<String, String>,
}

impl Found<'_> {
    /// The parameters of `path`, percent-encoded as they came.
    pub fn raw_parameters(&self, path: &str) -> BTreeMap<String, String> {
        let segments: Vec<&str> = path.strip_prefix('/').unwrap_or(path).split('/').collect();
        parameters(self.route, &segments, &str::to_owned)
    }
}

/// One level of paths.
#[derive(Debug, Clone, Default)]
struct Node {
    statics: HashMap<String, Self>,
    parameter: Option<Box<Self>>,
    here: Endpoint,
    greedy: Endpoint,
}

/// The routes that end at one place, by method.
#[derive(Debug, Clone, Default)]
struct Endpoint {
    methods: Vec<(&'static str, usize)>,
    any: Option<usize>,
}

impl Table {
    /// Makes a table of `routes`.
    pub fn new(routes: &[Route]) -> Result<Self, RouteError> {
        check_overlaps(routes)?;
        let mut table = Self { routes: routes.to_vec(), ..Self::default() };
        for (index, route) in routes.iter().enumerate() {
            let refused = |source| RouteError::Pattern { path: route.path.clone(), source };
            let methods = methods(route).map_err(refused)?;
            let endpoint = match Pattern::parse(&route.path).map_err(refused)? {
                Pattern::Default => &mut table.default,
                Pattern::Path(segments) => table.root.endpoint(&segments),
            };
            endpoint.add(&methods, index);
        }
        Ok(table)
    }

    /// The route that answers `method` on `path` (the raw, percent-encoded path without its query), if one does.
    ///
    /// API Gateway's order: a full match before a greedy one before `$default`. Among full matches a static segment
    /// comes before a parameter, from left to right; among greedy ones the longest prefix first; at one path the
    /// method itself before ANY. A path that fits but lacks the method does not stop the search. `/a` and `/a/` differ,
    /// and `/{proxy+}` does not take `/`.
    pub fn find<'a>(&'a self, method: &Method, path: &str) -> Option<Found<'a>> {
        let inner = path.strip_prefix('/').unwrap_or(path);
        let segments: Vec<&str> =
            if inner.is_empty() { Vec::new() } else { inner.split('/').collect() };
        let mut search = Search { method, best_greedy: None };
        let index = search
            .full(&self.root, &segments, 0)
            .or(search.best_greedy.map(|(_, index)| index))
            .or_else(|| self.default.find(method))?;
        let route = self.routes.get(index)?;
        Some(Found {
            index,
            route,
            component: &route.component,
            parameters: parameters(route, &segments, &|text| decode_path(text).into_owned()),
        })
    }

    /// The routes the table was made of.
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }
}

impl Node {
    fn endpoint(&mut self, segments: &[Segment]) -> &mut Endpoint {
        match segments.split_first() {
            None => &mut self.here,
            Some((Segment::Greedy(_), _)) => &mut self.greedy,
            Some((Segment::Static(text), rest)) => {
                self.statics.entry(text.clone()).or_default().endpoint(rest)
            }
            Some((Segment::Parameter(_), rest)) => {
                self.parameter.get_or_insert_default().endpoint(rest)
            }
        }
    }
}

impl Endpoint {
    fn add(&mut self, methods: &[&'static str], index: usize) {
        if methods.is_empty() {
            self.any = Some(index);
        }
        self.methods.extend(methods.iter().map(|method| (*method, index)));
    }

    fn find(&self, method: &Method) -> Option<usize> {
        let own = self.methods.iter().find(|(own, _)| *own == method.as_str());
        own.map(|(_, index)| *index).or(self.any)
    }
}

struct Search<'a> {
    method: &'a Method,
    /// The deepest greedy match so far: its depth and its route.
    best_greedy: Option<(usize, usize)>,
}

impl Search<'_> {
    fn full(&mut self, node: &Node, segments: &[&str], depth: usize) -> Option<usize> {
        let Some((segment, rest)) = segments.split_first() else {
            return node.here.find(self.method);
        };
        if self.best_greedy.is_none_or(|(best, _)| depth > best)
            && segments.iter().any(|segment| !segment.is_empty())
            && let Some(index) = node.greedy.find(self.method)
        {
            self.best_greedy = Some((depth, index));
        }
        if let Some(next) = node.statics.get(decode_path(segment).as_ref())
            && let Some(index) = self.full(next, rest, depth + 1)
        {
            return Some(index);
        }
        let next = node.parameter.as_deref().filter(|_| !segment.is_empty())?;
        self.full(next, rest, depth + 1)
    }
}

fn parameters(
    route: &Route,
    segments: &[&str],
    decode: &dyn Fn(&str) -> String,
) -> BTreeMap<String, String> {
    let Ok(Pattern::Path(pattern)) = Pattern::parse(&route.path) else { return BTreeMap::new() };
    let value = |(index, segment)| match segment {
        Segment::Static(_) => None,
        Segment::Parameter(name) => Some((name, decode(segments.get(index).copied()?))),
        Segment::Greedy(name) => Some((name, decode(&segments.get(index..)?.join("/")))),
    };
    pattern.into_iter().enumerate().filter_map(value).collect()
}

fn check_overlaps(routes: &[Route]) -> Result<(), RouteError> {
    let mut claimed: BTreeMap<Claim, &str> = BTreeMap::new();
    for (index, route) in routes.iter().enumerate() {
        let path = || route.path.clone();
        let claims =
            Claim::of(route).map_err(|source| RouteError::Pattern { path: path(), source })?;
        for claim in claims {
            let method = claim.method.to_owned();
            if let Some(earlier) = claimed.insert(claim, &route.path) {
                return Err(RouteError::Overlap {
                    index,
                    path: path(),
                    method,
                    earlier: earlier.to_owned(),
                });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
