//! Finds the keys that no part of the manifest knows.
//!
//! What is known is read from the JSON Schema, so that the types alone say it, and an editor and `lambkin` agree.

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::Problems;
use crate::name::nearest;

/// Reports the unknown keys of `table` and of all below it, and takes them out.
pub(super) fn remove(table: &mut DeTable<'_>, schema: &Value, problems: &mut Problems<'_>) {
    let mut walk = Walk { schema, problems };
    walk.table(table, schema, "the top level");
}

struct Walk<'w, 'p> {
    schema: &'w Value,
    problems: &'w mut Problems<'p>,
}

impl<'w> Walk<'w, '_> {
    fn table(&mut self, table: &mut DeTable<'_>, schema: &'w Value, place: &str) {
        let schema = self.resolve(schema);
        let properties = schema.get("properties").and_then(Value::as_object);
        let others = schema.get("additionalProperties");
        let is_closed = others == Some(&Value::Bool(false));
        let mut strangers = Vec::new();
        for (key, value) in table.iter_mut() {
            let name: &str = key.get_ref();
            if let Some(property) = properties.and_then(|known| known.get(name)) {
                self.value(value, property, name);
            } else if is_closed {
                let near = nearest(
                    name,
                    properties.into_iter().flatten().map(|(known, _)| known.as_str()),
                );
                let hint = near.map(|near| format!("did you mean `{near}`?"));
                self.problems.add(
                    Some(key.span()),
                    format!("unknown key `{name}` in {place}"),
                    hint,
                );
                strangers.push(name.to_owned());
            } else if let Some(others) = others {
                self.value(value, others, name);
            }
        }
        for name in strangers {
            table.remove(name.as_str());
        }
    }

    fn value(&mut self, value: &mut Spanned<DeValue<'_>>, schema: &'w Value, key: &str) {
        let schema = self.resolve(schema);
        match value.get_mut() {
            DeValue::Table(table) => self.table(table, schema, &format!("`{key}`")),
            DeValue::Array(elements) => {
                let Some(items) = schema.get("items") else { return };
                for element in elements.iter_mut() {
                    self.value(element, items, key);
                }
            }
            _ => {}
        }
    }

    /// Follows a reference, and takes the first choice of an optional part.
    fn resolve(&self, schema: &'w Value) -> &'w Value {
        if let Some(choice) = schema.get("anyOf").and_then(|choices| choices.get(0)) {
            return self.resolve(choice);
        }
        let reference = schema
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|reference| reference.strip_prefix('#'));
        let target: Option<&'w Value> = reference.and_then(|pointer| self.schema.pointer(pointer));
        target.unwrap_or(schema)
    }
}
