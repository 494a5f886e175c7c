//! The component around the one module: the same, with fewer core items.

use super::module::{self, FROM, Layout};
use super::parts::{Alias, Function, Part, Parts};
use super::resolve::{Fusion, Target};
use anyhow::{Context as _, Result, bail};
use std::collections::BTreeMap;
use wasm_encoder::{
    CanonicalFunctionSection, CanonicalOption, Component, ComponentAliasSection, ExportKind,
    InstanceSection, ModuleArg, ModuleSection, RawSection,
};
use wasmparser::{CanonicalFunction, ExternalKind, Instance};

/// The id of a section of aliases.
const ALIASES: u8 = 6;

/// The component; none when its parts cannot be put into an order in which each has what it needs.
pub(super) fn component(parts: &Parts<'_>, fusion: &Fusion<'_>) -> Result<Option<Vec<u8>>> {
    let last = fusion.modules.last().map(|(instance, _)| *instance).context("no module")?;
    let is_last = |part: &Part<'_>| matches!(part, Part::Instance(index) if *index == last);
    let at = parts.list.iter().position(is_last).context("an instance is missing")?;
    let (before, after) = parts.list.split_at(at);
    if before.iter().any(|part| matches!(part, Part::Lift(_))) {
        return Ok(None);
    }
    let layout = Layout::new(fusion)?;
    let mut component = Component::new();
    for part in before {
        raw(&mut component, part);
    }
    // The core items come after the modules, and the one module is known when they are.
    let mut items = Items::new(parts, (fusion, &layout));
    let mut core = Vec::new();
    items.one(&mut core)?;
    for part in before.iter().chain(after) {
        if let Part::Instance(index) = part {
            let is_bag = matches!(parts.instances.get(*index), Some(Instance::FromExports(_)));
            if !is_bag && fusion.places.get(*index).copied().flatten().is_none() {
                items.instance(&mut core, *index)?;
            }
        }
    }
    let mut tail = Vec::new();
    for part in after {
        match part {
            Part::Lift(function) => {
                let lift = items.lift(&mut core, function)?;
                tail.push(Written::Lift(lift));
            }
            part => tail.push(Written::Part(part)),
        }
    }
    for bytes in &items.modules {
        component.section(&RawSection { id: 1, data: bytes });
    }
    let one = module::encode(parts, (fusion, &layout), &items.exported)?;
    component.section(&ModuleSection(&one));
    for item in &core {
        item.write(&mut component);
    }
    for written in &tail {
        match written {
            Written::Lift(item) => item.write(&mut component),
            Written::Part(part) => raw(&mut component, part),
        }
    }
    Ok(Some(component.finish()))
}

enum Written<'p, 'a> {
    Lift(Item),
    Part(&'p Part<'a>),
}

fn raw(component: &mut Component, part: &Part<'_>) {
    match part {
        Part::Section { id, bytes } => {
            component.section(&RawSection { id: *id, data: bytes });
        }
        Part::Alias(entry) => {
            let mut data = vec![1];
            data.extend_from_slice(entry);
            component.section(&RawSection { id: ALIASES, data: &data });
        }
        Part::Instance(_) | Part::Lift(_) => {}
    }
}

/// A core item in its section.
enum Item {
    Instance(InstanceSection),
    Alias(ComponentAliasSection),
    Canonical(CanonicalFunctionSection),
}

impl Item {
    fn write(&self, component: &mut Component) {
        match self {
            Self::Instance(section) => component.section(section),
            Self::Alias(section) => component.section(section),
            Self::Canonical(section) => component.section(section),
        };
    }
}

/// Core items as they are made, with the indices that they get.
struct Items<'p, 'a> {
    parts: &'p Parts<'a>,
    fusion: &'p Fusion<'a>,
    layout: &'p Layout,
    /// Modules that stay apart, by their new index.
    modules: Vec<&'a [u8]>,
    /// New indices of core instances by their old ones; the one module's instance is known apart.
    instances: BTreeMap<usize, u32>,
    one: Option<u32>,
    next_instance: u32,
    /// New indices of core items, by the letter of their kind and by what they are.
    known: BTreeMap<(char, Target<'a>), u32>,
    /// What the one module exports.
    exported: BTreeMap<String, (ExternalKind, u32)>,
}

/// Stands for a kind in names and keys.
fn letter(kind: ExternalKind) -> char {
    match kind {
        ExternalKind::Table => 't',
        ExternalKind::Memory => 'm',
        ExternalKind::Global => 'g',
        _ => 'f',
    }
}

impl<'p, 'a> Items<'p, 'a> {
    fn new(parts: &'p Parts<'a>, (fusion, layout): (&'p Fusion<'a>, &'p Layout)) -> Self {
        Self {
            parts,
            fusion,
            layout,
            modules: Vec::new(),
            instances: BTreeMap::new(),
            one: None,
            next_instance: 0,
            known: BTreeMap::new(),
            exported: BTreeMap::new(),
        }
    }

    /// Instantiates the one module.
    fn one(&mut self, to: &mut Vec<Item>) -> Result<()> {
        let mut given = Vec::new();
        for (place, (target, ..)) in self.fusion.imports.iter().enumerate() {
            let index = self.item(to, ExternalKind::Func, *target)?;
            given.push((place.to_string(), ExportKind::Func, index));
        }
        let mut section = InstanceSection::new();
        section
            .export_items(given.iter().map(|(name, kind, index)| (name.as_str(), *kind, *index)));
        let bag = self.next_instance;
        // The one module comes after those that stay apart, whose number is not known yet: see `component`.
        let apart = self.fusion.places.iter().enumerate().filter(|(index, place)| {
            place.is_none()
                && matches!(self.parts.instances.get(*index), Some(Instance::Instantiate { .. }))
        });
        let module = u32::try_from(apart.count())?;
        section.instantiate(module, [(FROM, ModuleArg::Instance(bag))]);
        to.push(Item::Instance(section));
        self.one = Some(bag + 1);
        self.next_instance += 2;
        Ok(())
    }

    /// The new index of a core instance that is not of a fused module.
    fn instance(&mut self, to: &mut Vec<Item>, index: usize) -> Result<u32> {
        if let Some(known) = self.instances.get(&index) {
            return Ok(*known);
        }
        let mut section = InstanceSection::new();
        match self.parts.instances.get(index).context("no such instance")? {
            Instance::Instantiate { module_index, args } => {
                let mut given = Vec::new();
                for arg in args {
                    let instance = self.instance(to, arg.index as usize)?;
                    given.push((arg.name, ModuleArg::Instance(instance)));
                }
                let module = u32::try_from(self.modules.len())?;
                let bytes = self.parts.modules.get(*module_index as usize);
                self.modules.push(bytes.context("no such module")?);
                section.instantiate(module, given);
            }
            Instance::FromExports(exports) => {
                let mut given = Vec::new();
                for export in exports {
                    let target = self.fusion.core(self.parts, export.kind, export.index)?;
                    let index = self.item(to, export.kind, target)?;
                    given.push((export.name, module::export_kind(export.kind), index));
                }
                section.export_items(given);
            }
        }
        to.push(Item::Instance(section));
        let new = self.next_instance;
        self.next_instance += 1;
        self.instances.insert(index, new);
        Ok(new)
    }

    /// The new index of a core item.
    fn item(&mut self, to: &mut Vec<Item>, kind: ExternalKind, target: Target<'a>) -> Result<u32> {
        if let Some(known) = self.known.get(&(letter(kind), target)) {
            return Ok(*known);
        }
        let item = match target {
            Target::Canonical(index) => self.canonical(to, index)?,
            Target::Apart(Alias { instance, name }) => {
                let instance = self.instance(to, instance)?;
                alias(instance, kind, name)
            }
            Target::Own(..) => {
                let index = self.layout.index(self.fusion, kind, target)?;
                let name = format!("{}{index}", letter(kind));
                let one = self.one.context("a core function needs what is instantiated with it")?;
                let item = alias(one, kind, &name);
                self.exported.insert(name, (kind, index));
                item
            }
        };
        to.push(item);
        let before = self.known.keys().filter(|(of, _)| *of == letter(kind)).count();
        let new = u32::try_from(before)?;
        self.known.insert((letter(kind), target), new);
        Ok(new)
    }

    fn canonical(&mut self, to: &mut Vec<Item>, index: usize) -> Result<Item> {
        let Some(Function::Canonical(function)) = self.parts.functions.get(index) else {
            bail!("no such function");
        };
        let mut section = CanonicalFunctionSection::new();
        match function {
            CanonicalFunction::Lower { func_index, options } => {
                let options = self.options(to, options)?;
                section.lower(*func_index, options);
            }
            CanonicalFunction::ResourceDrop { resource } => {
                section.resource_drop(*resource);
            }
            CanonicalFunction::ResourceNew { resource } => {
                section.resource_new(*resource);
            }
            CanonicalFunction::ResourceRep { resource } => {
                section.resource_rep(*resource);
            }
            _ => bail!("an unknown canonical function"),
        }
        Ok(Item::Canonical(section))
    }

    fn lift(&mut self, to: &mut Vec<Item>, function: &CanonicalFunction) -> Result<Item> {
        let CanonicalFunction::Lift { core_func_index, type_index, options } = function else {
            bail!("not lifted");
        };
        let target = self.fusion.core(self.parts, ExternalKind::Func, *core_func_index)?;
        let function = self.item(to, ExternalKind::Func, target)?;
        let options = self.options(to, options)?;
        let mut section = CanonicalFunctionSection::new();
        section.lift(function, *type_index, options);
        Ok(Item::Canonical(section))
    }

    fn options(
        &mut self,
        to: &mut Vec<Item>,
        options: &[wasmparser::CanonicalOption],
    ) -> Result<Vec<CanonicalOption>> {
        use wasmparser::CanonicalOption as Old;
        let mut new = Vec::new();
        for option in options {
            let (kind, index) = match option {
                Old::Memory(index) => (ExternalKind::Memory, index),
                Old::Realloc(index) | Old::PostReturn(index) => (ExternalKind::Func, index),
                Old::UTF8 | Old::UTF16 | Old::CompactUTF16 => {
                    new.push((*option).into());
                    continue;
                }
                _ => bail!("an unknown option of a canonical function"),
            };
            let target = self.fusion.core(self.parts, kind, *index)?;
            let index = self.item(to, kind, target)?;
            new.push(match option {
                Old::Memory(_) => CanonicalOption::Memory(index),
                Old::Realloc(_) => CanonicalOption::Realloc(index),
                _ => CanonicalOption::PostReturn(index),
            });
        }
        Ok(new)
    }
}

fn alias(instance: u32, kind: ExternalKind, name: &str) -> Item {
    let mut section = ComponentAliasSection::new();
    section.alias(wasm_encoder::Alias::CoreInstanceExport {
        instance,
        kind: module::export_kind(kind),
        name,
    });
    Item::Alias(section)
}
