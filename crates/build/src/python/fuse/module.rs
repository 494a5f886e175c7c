//! The one core module: what all of them have, one after the other, with every index made anew.

use super::parts::Parts;
use super::resolve::{Counts, Fusion, Target, kind_of};
use anyhow::{Context as _, Result, anyhow};
use std::collections::BTreeMap;
use std::convert::Infallible;
use wasm_encoder::reencode::{self, Reencode};
use wasm_encoder::{
    CodeSection, ConstExpr, DataCountSection, DataSection, ElementSection, EntityType, ExportKind,
    ExportSection, FunctionSection, GlobalSection, ImportSection, MemorySection, NameMap,
    NameSection, TableSection, TypeSection,
};
use wasmparser::{ExternalKind, KnownCustom, Name, Parser, Payload};

/// The module that the one imports everything from.
pub(super) const FROM: &str = "";

/// Where the items of each module begin among those of all, by place.
pub(super) struct Layout {
    bases: Vec<Counts>,
}

impl Layout {
    pub(super) fn new(fusion: &Fusion<'_>) -> Result<Self> {
        let mut next =
            Counts { functions: u32::try_from(fusion.imports.len())?, ..Counts::default() };
        let mut bases = Vec::new();
        for (_, module) in &fusion.modules {
            bases.push(next);
            let defined = module.defined;
            next.types += defined.types;
            next.functions += defined.functions;
            next.tables += defined.tables;
            next.memories += defined.memories;
            next.globals += defined.globals;
            next.elements += defined.elements;
            next.data += defined.data;
        }
        Ok(Self { bases })
    }

    /// The index in the one module of an item of some kind.
    pub(super) fn index(
        &self,
        fusion: &Fusion<'_>,
        kind: ExternalKind,
        target: Target<'_>,
    ) -> Result<u32> {
        let Target::Own(place, index) = target else {
            let found = fusion.imports.iter().position(|(import, ..)| *import == target);
            return Ok(u32::try_from(found.context("an import was not noted")?)?);
        };
        let base = self.bases.get(place).context("no such module")?;
        Ok(index
            + match kind {
                ExternalKind::Table => base.tables,
                ExternalKind::Memory => base.memories,
                ExternalKind::Global => base.globals,
                _ => base.functions,
            })
    }
}

/// The sections of the one module.
#[derive(Default)]
struct Sections {
    types: TypeSection,
    functions: FunctionSection,
    tables: TableSection,
    memories: MemorySection,
    globals: GlobalSection,
    elements: ElementSection,
    code: CodeSection,
    data: DataSection,
    names: BTreeMap<u32, String>,
}

/// The module with these exports.
pub(super) fn encode(
    parts: &Parts<'_>,
    (fusion, layout): (&Fusion<'_>, &Layout),
    exported: &BTreeMap<String, (ExternalKind, u32)>,
) -> Result<wasm_encoder::Module> {
    let mut sections = Sections::default();
    for place in 0..fusion.modules.len() {
        let indices = Indices::new(parts, (fusion, layout), place)?;
        take(fusion, indices, &mut sections)?;
    }
    let mut imports = ImportSection::new();
    for (number, (_, place, kind)) in fusion.imports.iter().enumerate() {
        let base = layout.bases.get(*place).context("no such module")?;
        imports.import(FROM, &number.to_string(), EntityType::Function(base.types + kind));
    }
    let mut exports = ExportSection::new();
    for (name, (kind, index)) in exported {
        exports.export(name, export_kind(*kind), *index);
    }
    let mut module = wasm_encoder::Module::new();
    module.section(&sections.types).section(&imports).section(&sections.functions);
    module.section(&sections.tables).section(&sections.memories).section(&sections.globals);
    module.section(&exports).section(&sections.elements);
    if fusion.modules.iter().any(|(_, module)| module.has_data_count) {
        module.section(&DataCountSection { count: sections.data.len() });
    }
    module.section(&sections.code).section(&sections.data);
    let mut functions = NameMap::new();
    for (index, name) in &sections.names {
        functions.append(*index, name);
    }
    let mut names = NameSection::new();
    names.functions(&functions);
    module.section(&names);
    Ok(module)
}

pub(super) fn export_kind(kind: ExternalKind) -> ExportKind {
    match kind {
        ExternalKind::Table => ExportKind::Table,
        ExternalKind::Memory => ExportKind::Memory,
        ExternalKind::Global => ExportKind::Global,
        _ => ExportKind::Func,
    }
}

/// Appends what one module has.
fn take(fusion: &Fusion<'_>, mut indices: Indices<'_, '_>, to: &mut Sections) -> Result<()> {
    let (_, module) = fusion.modules.get(indices.place).context("no such module")?;
    for payload in Parser::new(0).parse_all(module.bytes) {
        let taken = match payload? {
            Payload::TypeSection(section) => indices.parse_type_section(&mut to.types, section),
            Payload::FunctionSection(section) => {
                indices.parse_function_section(&mut to.functions, section)
            }
            Payload::TableSection(section) => indices.parse_table_section(&mut to.tables, section),
            Payload::MemorySection(section) => {
                indices.parse_memory_section(&mut to.memories, section)
            }
            Payload::GlobalSection(section) => {
                indices.parse_global_section(&mut to.globals, section)
            }
            Payload::ElementSection(section) => {
                indices.parse_element_section(&mut to.elements, section)
            }
            Payload::CodeSectionEntry(body) => indices.parse_function_body(&mut to.code, body),
            Payload::DataSection(section) => indices.parse_data_section(&mut to.data, section),
            Payload::CustomSection(section) => {
                if let KnownCustom::Name(names) = section.as_known() {
                    for part in names {
                        if let Name::Function(functions) = part? {
                            for name in functions {
                                let name = name?;
                                let index = indices.functions.get(name.index as usize);
                                let index = index.context("a name of no function")?;
                                to.names.entry(*index).or_insert_with(|| name.name.to_owned());
                            }
                        }
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        };
        taken.map_err(|error| anyhow!("a module cannot be copied: {error}"))?;
    }
    Ok(())
}

/// One module's indices, as those of the one module.
struct Indices<'f, 'a> {
    parts: &'f Parts<'a>,
    fusion: &'f Fusion<'a>,
    place: usize,
    base: Counts,
    functions: Vec<u32>,
    tables: Vec<u32>,
    memories: Vec<u32>,
    globals: Vec<u32>,
}

impl<'f, 'a> Indices<'f, 'a> {
    fn new(
        parts: &'f Parts<'a>,
        (fusion, layout): (&'f Fusion<'a>, &Layout),
        place: usize,
    ) -> Result<Self> {
        let (_, module) = fusion.modules.get(place).context("no such module")?;
        let base = *layout.bases.get(place).context("no such module")?;
        let mut all = Self {
            parts,
            fusion,
            place,
            base,
            functions: Vec::new(),
            tables: Vec::new(),
            memories: Vec::new(),
            globals: Vec::new(),
        };
        for (number, (_, _, kind)) in module.imports.iter().enumerate() {
            let kind = kind_of(kind).context("an import of an unknown kind")?;
            let target = fusion.import(parts, place, number)?;
            let index = layout.index(fusion, kind, target)?;
            match kind {
                ExternalKind::Table => all.tables.push(index),
                ExternalKind::Memory => all.memories.push(index),
                ExternalKind::Global => all.globals.push(index),
                _ => all.functions.push(index),
            }
        }
        all.functions.extend((0..module.defined.functions).map(|own| base.functions + own));
        all.tables.extend((0..module.defined.tables).map(|own| base.tables + own));
        all.memories.extend((0..module.defined.memories).map(|own| base.memories + own));
        all.globals.extend((0..module.defined.globals).map(|own| base.globals + own));
        Ok(all)
    }
}

type Failed = reencode::Error<Infallible>;

fn at(indices: &[u32], index: u32) -> Result<u32, Failed> {
    indices.get(index as usize).copied().ok_or(reencode::Error::InvalidConstExpr)
}

impl Reencode for Indices<'_, '_> {
    type Error = Infallible;

    fn type_index(&mut self, index: u32) -> Result<u32, Failed> {
        Ok(self.base.types + index)
    }

    fn function_index(&mut self, index: u32) -> Result<u32, Failed> {
        at(&self.functions, index)
    }

    fn table_index(&mut self, index: u32) -> Result<u32, Failed> {
        at(&self.tables, index)
    }

    fn memory_index(&mut self, index: u32) -> Result<u32, Failed> {
        at(&self.memories, index)
    }

    fn global_index(&mut self, index: u32) -> Result<u32, Failed> {
        at(&self.globals, index)
    }

    fn element_index(&mut self, index: u32) -> Result<u32, Failed> {
        Ok(self.base.elements + index)
    }

    fn data_index(&mut self, index: u32) -> Result<u32, Failed> {
        Ok(self.base.data + index)
    }

    /// What was taken from another module's global is a number now: only that can be laid out beforehand.
    fn const_expr(&mut self, expression: wasmparser::ConstExpr<'_>) -> Result<ConstExpr, Failed> {
        match self.fusion.value(self.parts, self.place, &expression) {
            Ok(Some(value)) => Ok(ConstExpr::i32_const(value)),
            _ => reencode::utils::const_expr(self, expression),
        }
    }
}
