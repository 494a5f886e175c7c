//! What stands in for an interface that the runtime imports and a component does not: functions that trap, and that nothing
//! calls.

use anyhow::{Context as _, Result};
use wasm_encoder::reencode::{Reencode as _, RoundtripReencoder};
use wasm_encoder::{
    CodeSection, ExportKind, ExportSection, Function, FunctionSection, Module, TypeSection,
};
use wasmparser::{CompositeInnerType, FuncType, Parser, Payload, TypeRef};

/// A module that exports the functions which `core` imports from `interface`.
pub(super) fn interface(core: &[u8], interface: &str) -> Result<Vec<u8>> {
    let (mut types, mut functions) = (TypeSection::new(), FunctionSection::new());
    let (mut exports, mut bodies) = (ExportSection::new(), CodeSection::new());
    for (index, (name, kind)) in (0..).zip(imported(core, interface)?) {
        types.ty().func_type(&RoundtripReencoder.func_type(kind)?);
        functions.function(index);
        exports.export(&name, ExportKind::Func, index);
        let mut body = Function::new([]);
        body.instructions().unreachable().end();
        bodies.function(&body);
    }
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&exports).section(&bodies);
    Ok(module.finish())
}

/// Names and types of the functions that `core` imports from `interface`.
fn imported(core: &[u8], interface: &str) -> Result<Vec<(String, FuncType)>> {
    let (mut types, mut found) = (Vec::new(), Vec::new());
    for payload in Parser::new(0).parse_all(core) {
        match payload? {
            Payload::TypeSection(section) => {
                for group in section {
                    let inner = |sub: wasmparser::SubType| match sub.composite_type.inner {
                        CompositeInnerType::Func(function) => Some(function),
                        _ => None,
                    };
                    types.extend(group?.into_types().map(inner));
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import?;
                    if let TypeRef::Func(index) = import.ty
                        && import.module == interface
                    {
                        let kind = types.get(index as usize).cloned().flatten();
                        let kind = kind.context("an import has no function's type")?;
                        found.push((import.name.to_owned(), kind));
                    }
                }
            }
            _ => {}
        }
    }
    Ok(found)
}
