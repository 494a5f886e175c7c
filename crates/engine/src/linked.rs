//! What components are linked with: a linker that grows by the interfaces they import.
//!
//! WASI has some hundred functions, and most components import a few interfaces of it. Each interface is put in when the
//! first component comes that imports it, once for all that follow.

use crate::interfaces;
use crate::state::State;
use std::collections::BTreeSet;
use std::sync::{PoisonError, RwLock};
use wasmtime::component::{Component, InstancePre, Linker};

/// The linker of one engine.
pub(crate) struct Linked(RwLock<Interfaces>);

struct Interfaces {
    linker: Linker<State>,
    /// Name and version of each that is in the linker.
    present: BTreeSet<(&'static str, &'static str)>,
}

impl Linked {
    /// Has nothing in it yet.
    pub(crate) fn new(engine: &wasmtime::Engine) -> Self {
        Self(RwLock::new(Interfaces { linker: Linker::new(engine), present: BTreeSet::new() }))
    }

    /// Links a component with what it imports: the names of `imports`, all of which are known.
    pub(crate) fn instantiate_pre(
        &self,
        component: &Component,
        imports: &[String],
    ) -> wasmtime::Result<InstancePre<State>> {
        let needed = || imports.iter().filter_map(|import| interfaces::find(import));
        {
            let interfaces = self.0.read().unwrap_or_else(PoisonError::into_inner);
            if needed().all(|offered| interfaces.present.contains(&offered.key())) {
                return interfaces.linker.instantiate_pre(component);
            }
        }
        let mut interfaces = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let Interfaces { linker, present } = &mut *interfaces;
        for offered in needed() {
            // Noted before it is linked, as half of an interface cannot be linked again.
            if present.insert(offered.key()) {
                (offered.link)(linker)?;
            }
        }
        linker.instantiate_pre(component)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interfaces::OFFERED;

    #[test]
    fn all_that_is_offered_can_be_linked_together() {
        let mut linker = Linker::new(&wasmtime::Engine::default());
        let mut keys = BTreeSet::new();
        for offered in OFFERED {
            assert!(keys.insert(offered.key()), "{:?} is offered twice", offered.key());
            (offered.link)(&mut linker).unwrap();
        }
    }
}
