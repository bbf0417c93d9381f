//! The named shapes of the description.

use crate::operation::Shape;
use serde_json::{Map, Value, json};

/// Every shape, and every shape that one of them uses, by name.
pub(super) fn schemas(shapes: &[Shape]) -> Map<String, Value> {
    let mut all = Vec::new();
    for shape in shapes {
        all.push(((shape.name)(), (shape.schema)()));
        (shape.uses)(&mut all);
    }
    all.into_iter()
        .map(|(name, schema)| (name, without_null(serde_json::to_value(schema).unwrap_or_default())))
        .collect()
}

/// A schema without the type and the default `null`: a member that has no value is left out.
fn without_null(schema: Value) -> Value {
    match schema {
        Value::Array(items) => {
            let kept =
                items.into_iter().filter(|item| *item != json!("null") && *item != json!({ "type": "null" }));
            Value::Array(kept.map(without_null).collect())
        }
        Value::Object(members) => {
            let mut schema: Map<String, Value> = members
                .into_iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(name, value)| (name, without_null(value)))
                .collect();
            for name in ["type", "oneOf"] {
                let alone = schema.get(name).and_then(Value::as_array).filter(|items| items.len() == 1);
                match (name, alone.and_then(|items| items.first()).cloned()) {
                    ("oneOf", Some(Value::Object(only))) => {
                        schema.remove(name);
                        schema.extend(only);
                    }
                    (_, Some(only)) => drop(schema.insert(name.to_owned(), only)),
                    (_, None) => {}
                }
            }
            Value::Object(schema)
        }
        other => other,
    }
}
