//! A component as a list of parts: core items one by one, everything else as it is.

use anyhow::Result;
use wasmparser::{
    CanonicalFunction, ComponentAlias, Encoding, ExternalKind, Instance, Parser, Payload,
};

/// What comes after one another in a component, apart from core items that nothing but core items are made of.
pub(super) enum Part<'a> {
    /// A section as it is.
    Section { id: u8, bytes: &'a [u8] },
    /// One entry of a section of aliases.
    Alias(&'a [u8]),
    /// The core instance of this index.
    Instance(usize),
    /// A core function that becomes the component's.
    Lift(CanonicalFunction),
}

/// Where a core function comes from.
pub(super) enum Function<'a> {
    Alias(Alias<'a>),
    Canonical(CanonicalFunction),
}

/// An export of a core instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Alias<'a> {
    pub(super) instance: usize,
    pub(super) name: &'a str,
}

/// A component, taken apart.
#[derive(Default)]
pub(super) struct Parts<'a> {
    pub(super) list: Vec<Part<'a>>,
    pub(super) modules: Vec<&'a [u8]>,
    pub(super) instances: Vec<Instance<'a>>,
    pub(super) functions: Vec<Function<'a>>,
    pub(super) tables: Vec<Alias<'a>>,
    pub(super) memories: Vec<Alias<'a>>,
    pub(super) globals: Vec<Alias<'a>>,
}

impl<'a> Parts<'a> {
    /// None for what is no component, or has core items that are not known here.
    pub(super) fn parse(component: &'a [u8]) -> Result<Option<Self>> {
        let mut parts = Self::default();
        // How deep in nested modules and components: what they have is not this component's.
        let mut depth = 0_u32;
        for payload in Parser::new(0).parse_all(component) {
            let payload = payload?;
            let is_nested =
                matches!(payload, Payload::ModuleSection { .. } | Payload::ComponentSection { .. });
            let is_end = matches!(payload, Payload::End(_));
            if depth == 0 && !parts.take(component, payload)? {
                return Ok(None);
            }
            if is_nested {
                depth += 1;
            } else if is_end {
                depth = depth.saturating_sub(1);
            }
        }
        Ok(Some(parts))
    }

    /// False for what is not known here.
    fn take(&mut self, component: &'a [u8], payload: Payload<'a>) -> Result<bool> {
        let section = payload.as_section();
        let bytes = section.clone().and_then(|(_, range)| component.get(range));
        match payload {
            Payload::Version { encoding, .. } => return Ok(encoding == Encoding::Component),
            Payload::ModuleSection { .. } => self.modules.extend(bytes),
            Payload::CoreTypeSection(_) | Payload::ComponentStartSection { .. } => {
                return Ok(false);
            }
            Payload::InstanceSection(section) => {
                for instance in section {
                    self.list.push(Part::Instance(self.instances.len()));
                    self.instances.push(instance?);
                }
            }
            Payload::ComponentAliasSection(section) => {
                let end = section.range().end;
                let items: Vec<_> = section.into_iter_with_offsets().collect::<Result<_, _>>()?;
                let ends = items.iter().skip(1).map(|(start, _)| *start).chain([end]);
                for ((start, alias), end) in items.iter().zip(ends) {
                    let Some(entry) = component.get(*start..end) else { return Ok(false) };
                    if !self.alias(alias, entry) {
                        return Ok(false);
                    }
                }
            }
            Payload::ComponentCanonicalSection(section) => {
                for function in section {
                    match function? {
                        lift @ CanonicalFunction::Lift { .. } => self.list.push(Part::Lift(lift)),
                        other => self.functions.push(Function::Canonical(other)),
                    }
                }
            }
            _ => {
                if let (Some((id, _)), Some(bytes)) = (section, bytes) {
                    self.list.push(Part::Section { id, bytes });
                }
            }
        }
        Ok(true)
    }

    fn alias(&mut self, alias: &ComponentAlias<'a>, entry: &'a [u8]) -> bool {
        let ComponentAlias::CoreInstanceExport { kind, instance_index, name } = alias else {
            self.list.push(Part::Alias(entry));
            return true;
        };
        let alias = Alias { instance: *instance_index as usize, name };
        match kind {
            ExternalKind::Func => self.functions.push(Function::Alias(alias)),
            ExternalKind::Table => self.tables.push(alias),
            ExternalKind::Memory => self.memories.push(alias),
            ExternalKind::Global => self.globals.push(alias),
            _ => return false,
        }
        true
    }
}
