//! Which of a component's core modules become one, and what each of their imports is.

use super::parts::{Alias, Function, Parts};
use anyhow::{Context as _, Result, bail};
use std::collections::BTreeMap;
use wasmparser::{
    CanonicalFunction, ConstExpr, ExternalKind, Instance, Operator, Parser, Payload, TypeRef,
};

/// What a module has, and its imports; both by kind.
#[derive(Default)]
pub(super) struct Module<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) imports: Vec<(&'a str, &'a str, TypeRef)>,
    pub(super) exports: BTreeMap<&'a str, (ExternalKind, u32)>,
    /// How many of each kind it defines itself.
    pub(super) defined: Counts,
    /// Whether each global that it defines may change, and what it begins as.
    globals: Vec<(bool, ConstExpr<'a>)>,
    pub(super) has_data_count: bool,
    has_code: bool,
    has_start: bool,
}

/// Numbers of items.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Counts {
    pub(super) types: u32,
    pub(super) functions: u32,
    pub(super) tables: u32,
    pub(super) memories: u32,
    pub(super) globals: u32,
    pub(super) elements: u32,
    pub(super) data: u32,
}

/// What an item of a fused module is in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target<'a> {
    /// Defined by the fused module of this place, the item of this index among those that it defines.
    Own(usize, u32),
    /// A core function of the component.
    Canonical(usize),
    /// An export of an instance that stays apart.
    Apart(Alias<'a>),
}

/// The plan of a fusion.
pub(super) struct Fusion<'a> {
    /// By core instance: the place of its module among those that are fused.
    pub(super) places: Vec<Option<usize>>,
    /// In the order of their instantiation.
    pub(super) modules: Vec<(usize, Module<'a>)>,
    /// The functions that the one module imports, with the place of the module and its own type.
    pub(super) imports: Vec<(Target<'a>, usize, u32)>,
}

impl<'a> Fusion<'a> {
    /// None when there is nothing to gain, or something that is not known here.
    pub(super) fn new(parts: &Parts<'a>) -> Result<Option<Self>> {
        let mut fusion = Self { places: Vec::new(), modules: Vec::new(), imports: Vec::new() };
        for (index, instance) in parts.instances.iter().enumerate() {
            let mut place = None;
            if let Instance::Instantiate { module_index, .. } = instance {
                let bytes = parts.modules.get(*module_index as usize).context("no such module")?;
                let module = Module::parse(bytes)?;
                // A module with a table and no memory only passes calls on to functions that come later.
                let has_memory = module.defined.memories > 0;
                if has_memory || module.has_code && module.defined.tables == 0 {
                    place = Some(fusion.modules.len());
                    if module.has_start {
                        return Ok(None);
                    }
                    fusion.modules.push((index, module));
                }
            }
            fusion.places.push(place);
        }
        let memories: u32 = fusion.modules.iter().map(|(_, module)| module.defined.memories).sum();
        if fusion.modules.len() < 3 || memories != 1 {
            return Ok(None);
        }
        for place in 0..fusion.modules.len() {
            if !fusion.collect(parts, place)? {
                return Ok(None);
            }
        }
        Ok(Some(fusion))
    }

    /// Notes the functions that stay imports; false when one of them cannot.
    fn collect(&mut self, parts: &Parts<'a>, place: usize) -> Result<bool> {
        let Some((_, module)) = self.modules.get(place) else { return Ok(false) };
        let mut found = Vec::new();
        for (number, (_, _, kind)) in module.imports.iter().enumerate() {
            match (self.import(parts, place, number)?, kind) {
                (Target::Own(..), _) => {}
                (target, TypeRef::Func(kind)) => {
                    if let Target::Canonical(function) = target
                        && !is_free(parts, function)
                    {
                        return Ok(false);
                    }
                    found.push((target, place, *kind));
                }
                _ => return Ok(false),
            }
        }
        for one in found {
            if !self.imports.iter().any(|(target, ..)| *target == one.0) {
                self.imports.push(one);
            }
        }
        Ok(true)
    }

    /// What import `number` of a module is.
    pub(super) fn import(
        &self,
        parts: &Parts<'a>,
        place: usize,
        number: usize,
    ) -> Result<Target<'a>> {
        let (instance, module) = self.modules.get(place).context("no such module")?;
        let (from, name, _) = module.imports.get(number).context("no such import")?;
        let Some(Instance::Instantiate { args, .. }) = parts.instances.get(*instance) else {
            bail!("no instantiation");
        };
        let given = args.iter().find(|arg| arg.name == *from).context("an import is missing")?;
        self.export(parts, Alias { instance: given.index as usize, name })
    }

    /// What an export of a core instance is.
    pub(super) fn export(&self, parts: &Parts<'a>, alias: Alias<'a>) -> Result<Target<'a>> {
        if let Some(Some(place)) = self.places.get(alias.instance) {
            let (_, module) = self.modules.get(*place).context("no such module")?;
            let (kind, index) = module.exports.get(alias.name).context("no such export")?;
            return self.item(parts, *place, (*kind, *index));
        }
        match parts.instances.get(alias.instance).context("no such instance")? {
            Instance::Instantiate { .. } => Ok(Target::Apart(alias)),
            Instance::FromExports(exports) => {
                let found = exports.iter().find(|export| export.name == alias.name);
                let export = found.context("no such export")?;
                self.core(parts, export.kind, export.index)
            }
        }
    }

    /// What a core item of the component is.
    pub(super) fn core(
        &self,
        parts: &Parts<'a>,
        kind: ExternalKind,
        index: u32,
    ) -> Result<Target<'a>> {
        let index = index as usize;
        let alias = match kind {
            ExternalKind::Func => match parts.functions.get(index).context("no such function")? {
                Function::Canonical(_) => return Ok(Target::Canonical(index)),
                Function::Alias(alias) => Some(alias),
            },
            ExternalKind::Table => parts.tables.get(index),
            ExternalKind::Memory => parts.memories.get(index),
            ExternalKind::Global => parts.globals.get(index),
            _ => None,
        };
        self.export(parts, *alias.context("no such core item")?)
    }

    /// What an item of a fused module is.
    pub(super) fn item(
        &self,
        parts: &Parts<'a>,
        place: usize,
        (kind, index): (ExternalKind, u32),
    ) -> Result<Target<'a>> {
        let (_, module) = self.modules.get(place).context("no such module")?;
        let is_it = |(_, (_, _, of)): &(usize, &(&str, &str, TypeRef))| kind_of(of) == Some(kind);
        let mut imports = module.imports.iter().enumerate().filter(is_it);
        if let Some((number, _)) = imports.nth(index as usize) {
            return self.import(parts, place, number);
        }
        let imported = module.imports.iter().filter(|(_, _, of)| kind_of(of) == Some(kind)).count();
        Ok(Target::Own(place, index - u32::try_from(imported)?))
    }

    /// The value of a constant expression, as far as it is a 32-bit integer.
    pub(super) fn value(
        &self,
        parts: &Parts<'a>,
        place: usize,
        expression: &ConstExpr<'a>,
    ) -> Result<Option<i32>> {
        let mut stack = Vec::new();
        for operator in expression.get_operators_reader() {
            let value = match operator? {
                Operator::I32Const { value } => value,
                Operator::GlobalGet { global_index } => {
                    let target = self.item(parts, place, (ExternalKind::Global, global_index))?;
                    let Target::Own(place, index) = target else { return Ok(None) };
                    let (_, module) = self.modules.get(place).context("no such module")?;
                    match module.globals.get(index as usize).context("no such global")? {
                        (false, value) => match self.value(parts, place, value)? {
                            Some(value) => value,
                            None => return Ok(None),
                        },
                        (true, _) => return Ok(None),
                    }
                }
                Operator::I32Add => match (stack.pop(), stack.pop()) {
                    (Some(one), Some(other)) => i32::wrapping_add(one, other),
                    _ => return Ok(None),
                },
                Operator::End => break,
                _ => return Ok(None),
            };
            stack.push(value);
        }
        Ok(stack.pop().filter(|_| stack.is_empty()))
    }
}

/// Whether a canonical function needs nothing of a core instance.
fn is_free(parts: &Parts<'_>, function: usize) -> bool {
    use wasmparser::CanonicalOption as Chosen;
    match parts.functions.get(function) {
        Some(Function::Canonical(CanonicalFunction::Lower { options, .. })) => options
            .iter()
            .all(|option| matches!(option, Chosen::UTF8 | Chosen::UTF16 | Chosen::CompactUTF16)),
        Some(Function::Canonical(
            CanonicalFunction::ResourceDrop { .. }
            | CanonicalFunction::ResourceNew { .. }
            | CanonicalFunction::ResourceRep { .. },
        )) => true,
        _ => false,
    }
}

pub(super) fn kind_of(kind: &TypeRef) -> Option<ExternalKind> {
    match kind {
        TypeRef::Func(_) => Some(ExternalKind::Func),
        TypeRef::Table(_) => Some(ExternalKind::Table),
        TypeRef::Memory(_) => Some(ExternalKind::Memory),
        TypeRef::Global(_) => Some(ExternalKind::Global),
        _ => None,
    }
}

impl<'a> Module<'a> {
    fn parse(bytes: &'a [u8]) -> Result<Self> {
        let mut module = Self { bytes, ..Self::default() };
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::TypeSection(section) => {
                    for group in section {
                        module.defined.types += u32::try_from(group?.types().len())?;
                    }
                }
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let import = import?;
                        module.imports.push((import.module, import.name, import.ty));
                    }
                }
                Payload::FunctionSection(section) => module.defined.functions = section.count(),
                Payload::TableSection(section) => module.defined.tables = section.count(),
                Payload::MemorySection(section) => module.defined.memories = section.count(),
                Payload::TagSection(_) => bail!("a module has tags"),
                Payload::GlobalSection(section) => {
                    module.defined.globals = section.count();
                    for global in section {
                        let global = global?;
                        module.globals.push((global.ty.mutable, global.init_expr));
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export?;
                        module.exports.insert(export.name, (export.kind, export.index));
                    }
                }
                Payload::StartSection { .. } => module.has_start = true,
                Payload::ElementSection(section) => module.defined.elements = section.count(),
                Payload::DataCountSection { .. } => module.has_data_count = true,
                Payload::DataSection(section) => module.defined.data = section.count(),
                Payload::CodeSectionStart { .. } => module.has_code = true,
                _ => {}
            }
        }
        Ok(module)
    }
}
