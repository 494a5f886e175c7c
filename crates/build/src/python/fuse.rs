//! Makes one core module of those that a component links at each instantiation.
//!
//! A Python component is linked dynamically: `libpython`, `libc` and eight more modules import some 2,000 functions of
//! each other, and fill a table of 5,760 functions that one of them has. The host would do all of that anew for each
//! instance. What is one module calls its own functions directly, and its table is laid out when it is compiled.
//!
//! *Invariant*: a component that is not linked as this module expects stays as it is.

mod emit;
mod module;
mod parts;
mod resolve;

use anyhow::Result;
use parts::Parts;
use resolve::Fusion;

/// Changes with what becomes of the same component here: a build that another version made is made anew.
pub(super) const VERSION: u32 = 1;

/// The component with one module in the place of many, where that can be.
pub(super) fn fuse(component: Vec<u8>) -> Vec<u8> {
    let fused = fused(&component).ok().flatten();
    fused.filter(|fused| wasmparser::validate(fused).is_ok()).unwrap_or(component)
}

/// None when it is not linked in a way that is known here, or there is nothing to gain.
fn fused(component: &[u8]) -> Result<Option<Vec<u8>>> {
    let Some(parts) = Parts::parse(component)? else { return Ok(None) };
    let Some(fusion) = Fusion::new(&parts)? else { return Ok(None) };
    emit::component(&parts, &fusion)
}

#[cfg(test)]
mod tests {
    use super::fuse;
    use std::sync::{Arc, Mutex};
    use wasmparser::{Parser, Payload};
    use wasmtime::component::{Component, Linker};
    use wasmtime::{Engine, Store};

    const LINKED: &str = include_str!("fuse/linked.wat");

    fn modules(component: &[u8]) -> usize {
        let is_module = |payload: &Payload<'_>| matches!(payload, Payload::ModuleSection { .. });
        let payloads = Parser::new(0).parse_all(component).map(Result::unwrap);
        payloads.filter(is_module).count()
    }

    /// What two calls answer, and what the host heard meanwhile.
    fn run(component: &[u8]) -> (Vec<u32>, Vec<String>) {
        let engine = Engine::default();
        let component = Component::new(&engine, component).unwrap();
        let mut linker = Linker::new(&engine);
        let heard = Arc::<Mutex<Vec<String>>>::default();
        let ear = Arc::clone(&heard);
        let host = move |_: wasmtime::StoreContextMut<'_, ()>, (text,): (String,)| {
            ear.lock().unwrap().push(text);
            Ok(())
        };
        linker.root().func_wrap("host", host).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = linker.instantiate(&mut store, &component).unwrap();
        let run = instance.get_typed_func::<(u32,), (u32,)>(&mut store, "run").unwrap();
        let answers = [1, 2].map(|number| run.call(&mut store, (number,)).unwrap().0);
        drop(store);
        (answers.to_vec(), std::mem::take(&mut *heard.lock().unwrap()))
    }

    #[test]
    fn what_is_linked_is_one_module_that_does_the_same() {
        let linked = wat::parse_str(LINKED).unwrap();
        let fused = fuse(linked.clone());
        assert_eq!((modules(&linked), modules(&fused)), (5, 3));
        let expected = (vec![12, 16], vec!["hello".to_owned(); 2]);
        assert_eq!(run(&linked), expected);
        assert_eq!(run(&fused), expected);
    }

    #[test]
    fn what_is_not_known_stays_as_it_is() {
        let started = LINKED
            .replace("(table (export \"table\")", "(func $f) (start $f) (table (export \"table\")");
        for text in ["(component)", "(module)", &*started] {
            let component = wat::parse_str(text).unwrap();
            assert_eq!(fuse(component.clone()), component, "{text}");
        }
        assert_eq!(fuse(b"no component".to_vec()), b"no component");
    }
}
