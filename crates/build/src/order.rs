//! Lays out a component's functions so that those that a first call runs are next to each other.
//!
//! Machine code is in the order of functions, and a host fetches, unpacks and maps it by pages: a function that runs brings
//! along what is around it. Which functions run is known from calls that were rehearsed when Lambkin was made
//! (`cargo xtask hot-functions`), and not from the app: two apps on one engine have the same functions in the same order, so
//! that a host that has one needs little of the other.
//!
//! A function is known by its *shape*: what its code does, without the numbers that depend on what else is in its module.

mod module;
mod shape;

use anyhow::{Context as _, Result};
use std::collections::HashMap;
use wasm_encoder::{Component, RawSection};
use wasmparser::{Encoding, Parser, Payload};

pub use shape::Shape;

/// Changes with what becomes of the same component and list here: a build that another version made is made anew.
pub(crate) const VERSION: u32 = 1;

/// The id of a section that is a core module (`component-model/design/mvp/Binary.md`).
const CORE_MODULE: u8 = 1;

/// What components have in common of which the functions are known that first calls run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runtime {
    /// Go's runtime and library, and Lambkin's own packages.
    Go,
    /// `CPython` and componentize-py's part.
    Python,
    /// `QuickJS` and the rest of `lang-bindings/javascript/runtime`.
    QuickJs,
    /// `StarlingMonkey`, as componentize-js has it.
    StarlingMonkey,
}

impl Runtime {
    /// The list as it is kept: one shape a line, the first one comes first.
    pub(crate) const fn list(self) -> &'static str {
        match self {
            Self::Go => include_str!("order/go.txt"),
            Self::Python => include_str!("order/python.txt"),
            Self::QuickJs => include_str!("order/quickjs.txt"),
            Self::StarlingMonkey => include_str!("order/starlingmonkey.txt"),
        }
    }

    /// The shapes of the functions, the first one comes first.
    ///
    /// # Errors
    /// When the list is damaged.
    pub fn shapes(self) -> Result<Vec<Shape>> {
        let lines = self.list().lines().filter(|line| !line.starts_with('#'));
        lines.map(str::parse).collect()
    }
}

/// The component with the functions that first calls run before all others, in each of its core modules.
///
/// # Errors
/// For what is not a component.
pub(crate) fn hot_first(component: &[u8], runtime: Runtime) -> Result<Vec<u8>> {
    arrange(component, &runtime.shapes()?)
}

/// The same of a core module that components are made of.
///
/// # Errors
/// For what is not a core module.
pub(crate) fn module_hot_first(module: &[u8], runtime: Runtime) -> Result<Vec<u8>> {
    module::arrange(module, &places(&runtime.shapes()?))
}

/// The place of each shape.
fn places(shapes: &[Shape]) -> HashMap<Shape, usize> {
    shapes.iter().enumerate().map(|(place, shape)| (*shape, place)).collect()
}

fn arrange(component: &[u8], first: &[Shape]) -> Result<Vec<u8>> {
    let places = places(first);
    let mut ordered = Component::new();
    for section in sections(component)? {
        let Section { id, bytes } = section;
        if id == CORE_MODULE {
            let data = &module::arrange(bytes, &places).context("a core module cannot be read")?;
            ordered.section(&RawSection { id, data });
        } else {
            ordered.section(&RawSection { id, data: bytes });
        }
    }
    Ok(ordered.finish())
}

/// The shapes of all functions: for each core module, by the function's index, none for those that are imported.
///
/// # Errors
/// For what is not a component.
pub fn shapes(component: &[u8]) -> Result<Vec<Vec<Option<Shape>>>> {
    let modules = sections(component)?.into_iter().filter(|section| section.id == CORE_MODULE);
    modules.map(|section| module::shapes(section.bytes)).collect()
}

/// A section of a component.
struct Section<'a> {
    id: u8,
    bytes: &'a [u8],
}

/// A component's own sections; what is nested in one of them is its bytes.
fn sections(component: &[u8]) -> Result<Vec<Section<'_>>> {
    let mut sections = Vec::new();
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload?;
        if let Payload::Version { encoding, .. } = &payload
            && depth == 0
        {
            anyhow::ensure!(*encoding == Encoding::Component, "it is a core module");
        }
        if depth == 0
            && let Some((id, range)) = payload.as_section()
        {
            let bytes = component.get(range).context("a section ends too late")?;
            sections.push(Section { id, bytes });
        }
        match payload {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(sections)
}

#[cfg(test)]
mod tests {
    use super::{Runtime, Shape, arrange, shapes};
    use std::collections::BTreeSet;
    use wasmtime::component::{Component, Linker};
    use wasmtime::{Engine, Store};

    /// `run` calls the import, `twice`, and both of the functions of the table.
    const MANY: &str = include_str!("order/many.wat");

    fn run(component: &[u8]) -> u32 {
        let engine = Engine::default();
        let component = Component::new(&engine, component).unwrap();
        let mut linker = Linker::new(&engine);
        let host = |_: wasmtime::StoreContextMut<'_, ()>, (number,): (u32,)| Ok((number + 1,));
        linker.root().func_wrap("host", host).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = linker.instantiate(&mut store, &component).unwrap();
        let run = instance.get_typed_func::<(u32,), (u32,)>(&mut store, "run").unwrap();
        run.call(&mut store, (5,)).unwrap().0
    }

    /// Of the module that has most of them.
    fn defined(component: &[u8]) -> Vec<Shape> {
        let modules = shapes(component).unwrap().into_iter();
        modules.map(|module| module.into_iter().flatten().collect()).max_by_key(Vec::len).unwrap()
    }

    #[test]
    fn functions_change_places_and_do_the_same() {
        let component = wat::parse_str(MANY).unwrap();
        let before = defined(&component);
        let [first, second, third, fourth] = before[..] else { panic!("{before:?}") };
        let ordered = arrange(&component, &[fourth, second]).unwrap();
        assert_eq!(defined(&ordered), [fourth, second, first, third]);
        assert_eq!(run(&component), run(&ordered));
        let again = arrange(&ordered, &[fourth, second]).unwrap();
        assert_eq!(again, ordered, "what is in order stays as it is");
        assert_eq!(arrange(&component, &[]).unwrap(), component);
    }

    #[test]
    fn names_are_left_out() {
        let component = wat::parse_str(MANY).unwrap();
        let ordered = arrange(&component, &[defined(&component)[3]]).unwrap();
        let named = |component: &[u8]| {
            let component = Component::new(&Engine::default(), component).unwrap();
            component.functions().filter(|function| function.name.is_some()).count()
        };
        assert_eq!((named(&component), named(&ordered)), (4, 0));
    }

    #[test]
    fn a_shape_is_what_code_does_and_not_with_which_numbers() {
        let shape = |code: &str| {
            let text = format!(
                "(component (core module (memory 1) (global (mut i32) (i32.const 0)) {code}))"
            );
            defined(&wat::parse_str(text).unwrap())[0]
        };
        let one = shape("(func (result i32) (i32.load offset=8 (i32.const 1)))");
        assert_eq!(one, shape("(func (result i32) (i32.load offset=160 (i32.const 70000)))"));
        assert_ne!(one, shape("(func (result i32) (i32.load8_u (i32.const 1)))"));
        assert_ne!(
            shape("(func (param i32 i32) (result i32) (local.get 0))"),
            shape("(func (param i32 i32) (result i32) (local.get 1))")
        );
        assert_eq!(one.to_string().parse::<Shape>().unwrap(), one);
        assert!("banana".parse::<Shape>().is_err());
    }

    #[test]
    fn lists_have_each_shape_once() {
        for runtime in [Runtime::Go, Runtime::Python, Runtime::QuickJs, Runtime::StarlingMonkey] {
            let shapes = runtime.shapes().unwrap();
            assert!(shapes.len() > 100, "{runtime:?} has {} of them", shapes.len());
            assert_eq!(shapes.iter().collect::<BTreeSet<_>>().len(), shapes.len(), "{runtime:?}");
        }
    }

    #[test]
    fn what_is_not_a_component_is_refused() {
        assert!(arrange(b"\0asm\x01\0\0\0", &[]).is_err());
        assert!(arrange(b"(component)", &[]).is_err());
    }
}
