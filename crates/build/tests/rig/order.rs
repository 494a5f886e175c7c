//! In which order a component's functions are.

use lambkin_build::order::{Runtime, Shape, shapes};
use std::collections::BTreeSet;

/// Checks that a component begins with the functions that first calls run. Another version of a compiler than the list was
/// made with makes some of them look otherwise.
pub(crate) fn assert_hot_first(wasm: &[u8], runtime: Runtime) {
    let modules = shapes(wasm).unwrap().into_iter();
    let modules = modules.map(|module| module.into_iter().flatten().collect::<Vec<Shape>>());
    let functions = modules.max_by_key(Vec::len).unwrap();
    let listed: BTreeSet<Shape> = runtime.shapes().unwrap().into_iter().collect();
    let found: BTreeSet<Shape> =
        listed.iter().copied().filter(|it| functions.contains(it)).collect();
    assert!(
        found.len() * 3 > listed.len(),
        "{runtime:?} has {} of the {} functions of its list: run `cargo xtask hot-functions`",
        found.len(),
        listed.len()
    );
    let first = functions.iter().take_while(|shape| listed.contains(shape));
    assert!(first.count() >= found.len(), "other functions are among them");
}
