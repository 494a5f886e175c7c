//! From sources to a release in a store: build, compile ahead of time, upload what is missing, move the alias.
//!
//! Everything but the alias is immutable and content-addressed, so that a publish that stops anywhere leaves the old
//! release live and whole, and a second try does only the rest: what the store has is neither compiled nor uploaded.

mod alias;
mod compile;
mod components;
mod compress;
mod files;
mod kept;
mod rehearsal;
mod release;

pub(crate) use alias::{Move, move_alias, share_alias};
pub(crate) use components::{
    BuiltComponent, build_all, build_one, bytes as size, world as component_world,
};
pub(crate) use files::paths as file_paths;
pub(crate) use rehearsal::functions as rehearsed_functions;
pub(crate) use release::{Destination, Rehearsal, publish};
