//! A component that is ready to be called: loaded, linked, and instantiated as far as that goes without an instance.
//!
//! What a component exports decides its world, and the world decides how it can be called.

use crate::bindings::{async_function, function};
use crate::engine::Shared;
use crate::kept::ComponentId;
use crate::paging::Pager;
use crate::resident::Resident;
use crate::state::State;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use wasmtime::component::InstancePre;
use wasmtime_wasi::{p2, p3};
use wasmtime_wasi_http::{p2 as http, p3 as http_async};

/// What a component is: which of the known interfaces it exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum World {
    /// `wasi:http/incoming-handler@0.2`.
    Http,
    /// `wasi:http/handler@0.3`.
    HttpAsync,
    /// `lambkin:function/handler`.
    Function,
    /// `lambkin:function/async-handler`.
    AsyncFunction,
    /// `wasi:cli/run@0.2` or `@0.3`.
    Command,
}

impl World {
    /// The word for it in a release, and in messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::HttpAsync => "http-async",
            Self::Function => "function",
            Self::AsyncFunction => "async-function",
            Self::Command => "command",
        }
    }

    /// The world of a component with these exports. One that answers requests may have other exports beside.
    pub(crate) fn of<'a>(exports: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        exports.into_iter().filter_map(Self::of_export).min()
    }

    fn of_export(export: &str) -> Option<Self> {
        let (interface, version) = export.split_once('@')?;
        match interface {
            "wasi:http/incoming-handler" if version.starts_with("0.2.") => Some(Self::Http),
            "wasi:http/handler" if version.starts_with("0.3.") => Some(Self::HttpAsync),
            "lambkin:function/handler" if version.starts_with("0.1.") => Some(Self::Function),
            "lambkin:function/async-handler" if version.starts_with("0.1.") => {
                Some(Self::AsyncFunction)
            }
            "wasi:cli/run" if is_wasi(version) => Some(Self::Command),
            _ => None,
        }
    }
}

fn is_wasi(version: &str) -> bool {
    version.starts_with("0.2.") || version.starts_with("0.3.")
}

impl fmt::Display for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A loaded component. Cloning it is cheap; calls of it do not disturb each other.
#[derive(Clone)]
pub struct Component(pub(crate) Arc<Inner>, Duration);

pub(crate) struct Inner {
    pub(crate) shared: Arc<Shared>,
    pub(crate) callee: Callee,
    /// Who fills the artifact, where not all of it was there.
    pub(crate) pager: Option<Arc<Pager>>,
    pub(crate) id: ComponentId,
    /// Whether the pool has room for its instances between invocations. Never so for commands.
    pub(crate) can_be_kept: bool,
    pub(crate) resident: Resident,
    world: World,
    imports: Vec<String>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.shared.kept.forget(self.id);
        self.shared.ahead.forget(self.id);
    }
}

/// A component before it is instantiated, by how it is called.
pub(crate) enum Callee {
    Http(http::bindings::ProxyPre<State>),
    HttpAsync(http_async::bindings::ServicePre<State>),
    Function(function::FunctionPre<State>),
    AsyncFunction(async_function::AsyncFunctionPre<State>),
    Command(p2::bindings::CommandPre<State>),
    AsyncCommand(p3::bindings::CommandPre<State>),
}

impl Component {
    pub(crate) fn new(
        (shared, pager): (Arc<Shared>, Option<Arc<Pager>>),
        pre: InstancePre<State>,
        world: World,
        imports: Vec<String>,
    ) -> wasmtime::Result<Self> {
        let needed = pre.component().resources_required();
        let can_be_kept = world != World::Command
            && needed.as_ref().is_some_and(|needed| needed.num_memories <= 1);
        let largest = needed.and_then(|needed| needed.max_initial_memory_size).unwrap_or_default();
        let callee = match world {
            World::Http => Callee::Http(http::bindings::ProxyPre::new(pre)?),
            World::HttpAsync => Callee::HttpAsync(http_async::bindings::ServicePre::new(pre)?),
            World::Function => Callee::Function(function::FunctionPre::new(pre)?),
            World::AsyncFunction => {
                Callee::AsyncFunction(async_function::AsyncFunctionPre::new(pre)?)
            }
            World::Command => command(pre)?,
        };
        let id = ComponentId::next();
        let resident = Resident::new(shared.engine.pooling_allocator_metrics().is_some(), largest);
        let inner = Inner { shared, callee, pager, id, can_be_kept, resident, world, imports };
        Ok(Self(Arc::new(inner), Duration::ZERO))
    }

    /// What wasmtime compiled.
    #[cfg(feature = "compile")]
    pub(crate) fn compiled(&self) -> &wasmtime::component::Component {
        let pre = match &self.0.callee {
            Callee::Http(pre) => pre.instance_pre(),
            Callee::HttpAsync(pre) => pre.instance_pre(),
            Callee::Function(pre) => pre.instance_pre(),
            Callee::AsyncFunction(pre) => pre.instance_pre(),
            Callee::Command(pre) => pre.instance_pre(),
            Callee::AsyncCommand(pre) => pre.instance_pre(),
        };
        pre.component()
    }

    /// What it is, which tells how it can be called.
    pub fn world(&self) -> World {
        self.0.world
    }

    pub(crate) fn with_link_time(self, link_time: Duration) -> Self {
        Self(self.0, link_time)
    }

    /// How long it took to link it when it was loaded.
    pub fn link_time(&self) -> Duration {
        self.1
    }

    /// The interfaces that it imports, with their versions, sorted.
    pub fn imports(&self) -> &[String] {
        &self.0.imports
    }
}

fn command(pre: InstancePre<State>) -> wasmtime::Result<Callee> {
    // Either version of `wasi:cli/run`: the older first, as it is by far the more common.
    match p2::bindings::CommandPre::new(pre.clone()) {
        Ok(command) => Ok(Callee::Command(command)),
        Err(_) => Ok(Callee::AsyncCommand(p3::bindings::CommandPre::new(pre)?)),
    }
}

impl fmt::Debug for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Component")
            .field("world", &self.0.world)
            .field("imports", &self.0.imports)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exports_tell_the_world() {
        for (exports, world) in [
            (&["wasi:http/incoming-handler@0.2.3"][..], Some(World::Http)),
            (&["wasi:http/handler@0.3.0"], Some(World::HttpAsync)),
            (&["wasi:cli/run@0.2.6", "lambkin:function/handler@0.1.0"], Some(World::Function)),
            (&["lambkin:function/async-handler@0.1.0"], Some(World::AsyncFunction)),
            (&["wasi:cli/run@0.3.0"], Some(World::Command)),
            (&["wasi:http/incoming-handler@0.1.0", "memory"], None),
        ] {
            assert_eq!(World::of(exports.iter().copied()), world, "{exports:?}");
        }
    }
}
