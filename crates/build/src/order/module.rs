//! A core module whose functions are in another order.

use super::Shape;
use anyhow::{Context as _, Result};
use std::collections::HashMap;
use std::convert::Infallible;
use wasm_encoder::reencode::{Error, Reencode};
use wasm_encoder::{CodeSection, FunctionSection};
use wasmparser::{
    CodeSectionReader, CustomSectionReader, FunctionBody, FunctionSectionReader, KnownCustom,
    Parser, Payload, TypeRef,
};

/// The module with functions of these shapes first, at their places.
pub(super) fn arrange(module: &[u8], first: &HashMap<Shape, usize>) -> Result<Vec<u8>> {
    let functions = Functions::parse(module)?;
    let mut order: Vec<usize> = (0..functions.bodies.len()).collect();
    let mut places = Vec::with_capacity(order.len());
    for body in &functions.bodies {
        places.push(first.get(&Shape::of(body)?).copied().unwrap_or(usize::MAX));
    }
    // Those that are alike, and the others, stay in the order that they have.
    order.sort_by_key(|index| places.get(*index).copied());
    if order.is_sorted() {
        return Ok(module.to_vec());
    }
    let mut indices: Vec<u32> = (0..functions.imported).collect();
    indices.resize(indices.len() + order.len(), 0);
    for (to, from) in (functions.imported..).zip(&order) {
        let from = functions.imported as usize + from;
        *indices.get_mut(from).context("a function is missing")? = to;
    }
    let mut ordered = wasm_encoder::Module::new();
    Ordered { order, indices }.parse_core_module(&mut ordered, Parser::new(0), module)?;
    Ok(ordered.finish())
}

/// The shapes of a module's functions, by their index.
pub(super) fn shapes(module: &[u8]) -> Result<Vec<Option<Shape>>> {
    let Functions { imported, bodies } = Functions::parse(module)?;
    let imported = (0..imported).map(|_| Ok(None));
    imported.chain(bodies.iter().map(|body| Shape::of(body).map(Some))).collect()
}

/// A module's functions.
#[derive(Default)]
struct Functions<'a> {
    imported: u32,
    bodies: Vec<FunctionBody<'a>>,
}

impl<'a> Functions<'a> {
    fn parse(module: &'a [u8]) -> Result<Self> {
        let mut functions = Self::default();
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::ImportSection(imports) => {
                    for import in imports.into_imports() {
                        let is_function =
                            matches!(import?.ty, TypeRef::Func(_) | TypeRef::FuncExact(_));
                        functions.imported += u32::from(is_function);
                    }
                }
                Payload::CodeSectionEntry(body) => functions.bodies.push(body),
                _ => {}
            }
        }
        Ok(functions)
    }
}

/// Writes a module again with the functions that it defines in this order.
struct Ordered {
    /// Which of the functions that the module defines comes at each place.
    order: Vec<usize>,
    /// The new index of each function, by its old one.
    indices: Vec<u32>,
}

impl Ordered {
    /// The items of a section, in the order.
    fn arrange<'a, T>(&self, items: &'a [T]) -> impl Iterator<Item = &'a T> {
        self.order.iter().filter_map(|index| items.get(*index))
    }
}

impl Reencode for Ordered {
    type Error = Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32, Error> {
        // A module that is not valid is refused by who compiles it.
        Ok(self.indices.get(function as usize).copied().unwrap_or(function))
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: FunctionSectionReader<'_>,
    ) -> Result<(), Error> {
        let types = section.into_iter().collect::<Result<Vec<u32>, _>>()?;
        for index in self.arrange(&types) {
            functions.function(*index);
        }
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: CodeSectionReader<'_>,
    ) -> Result<(), Error> {
        let bodies = section.into_iter().collect::<Result<Vec<FunctionBody<'_>>, _>>()?;
        let order: Vec<_> = self.arrange(&bodies).cloned().collect();
        for body in order {
            self.parse_function_body(code, body)?;
        }
        Ok(())
    }

    /// Without the names of functions, which no user of these languages knows, and which a host would read at each start.
    fn parse_custom_section(
        &mut self,
        module: &mut wasm_encoder::Module,
        section: CustomSectionReader<'_>,
    ) -> Result<(), Error> {
        if !matches!(section.as_known(), KnownCustom::Name(_)) {
            module.section(&self.custom_section(section)?);
        }
        Ok(())
    }
}
