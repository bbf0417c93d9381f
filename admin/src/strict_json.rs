//! Reads a JSON object strictly: no member twice, no deep nesting, nothing after the end (attacks ADM-15, ADM-16).

use crate::failure::{Failure, Why};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt;

/// Levels of arrays and objects inside each other; every document of the contract needs fewer.
const MAX_DEPTH: usize = 32;

/// Parses the body of a request. Members with the value `null` count as absent.
///
/// # Errors
/// 400 with line and column of the first thing that is not strict JSON.
pub(crate) fn object(bytes: &[u8]) -> Result<Map<String, Value>, Failure> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Strict { depth: 0 }.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    match value {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(Failure::new(Why::MalformedJson).with("problem", "expected an object")),
        Err(error) => {
            let text = error.to_string();
            let problem = text.rsplit_once(" at line ").map_or(text.as_str(), |(problem, _)| problem);
            Err(Failure::new(Why::MalformedJson)
                .with("line", error.line())
                .with("column", error.column())
                .with("problem", problem))
        }
    }
}

#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
}

impl Strict {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        if self.depth >= MAX_DEPTH {
            return Err(E::custom(format!("nested deeper than {MAX_DEPTH} levels")));
        }
        Ok(Self { depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let deeper = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(deeper)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let deeper = self.deeper()?;
        let mut object = Map::new();
        let mut nulls = Vec::new();
        while let Some(name) = members.next_key::<String>()? {
            if object.contains_key(&name) || nulls.contains(&name) {
                let name: String = name.chars().take(64).collect();
                return Err(A::Error::custom(format!("member `{name}` appears twice")));
            }
            match members.next_value_seed(deeper)? {
                Value::Null => nulls.push(name),
                value => drop(object.insert(name, value)),
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> Map<String, Value> {
        match object(text.as_bytes()) {
            Err(Failure::Own { why: Why::MalformedJson, details }) => details,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn adm_15_malformed_json_is_refused_with_its_position() {
        let details = refused("{\n  \"a\": tru }");
        assert_eq!((&details["line"], &details["column"]), (&2.into(), &11.into()));
        assert_eq!(refused(r#"{"a":1,"a":1}"#)["problem"], "member `a` appears twice");
        assert_eq!(refused(r#"{"a":null,"a":1}"#)["problem"], "member `a` appears twice");
        for bad in
            ["", "[]", "1", "null", "{} {}", "{\"a\":1e999}", "{\"a\":\"\u{1}\"}", "{'a':1}", "\u{feff}{}"]
        {
            refused(bad);
        }
        assert!(object(b"{\"a\":\"\xff\"}").is_err());
    }

    #[test]
    fn adm_16_deep_nesting_is_refused() {
        for depth in [MAX_DEPTH, 100, 100_000] {
            let text = format!("{{\"a\":{}", "[".repeat(depth));
            let problem = refused(&text)["problem"].to_string();
            assert!(problem.contains("nested"), "{problem}");
        }
        let inner = MAX_DEPTH - 1;
        assert!(object(format!("{{\"a\":{}{}}}", "[".repeat(inner), "]".repeat(inner)).as_bytes()).is_ok());
    }

    #[test]
    fn null_members_count_as_absent() {
        let object = object(br#"{"a":null,"b":{"c":null}}"#).unwrap();
        assert_eq!(Value::Object(object), serde_json::json!({"b": {}}));
    }
}
