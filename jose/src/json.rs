use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::Error;

/// Levels of objects and arrays that a header or a claims set may have.
pub const MAX_DEPTH: usize = 24;

/// The JSON object in `bytes`, read strictly: every member name once on every level (RFC 7515 §4, RFC 7519 §4,
/// RFC 8725 §2.4), at most [`MAX_DEPTH`] levels, nothing behind it.
pub fn parse_object(bytes: &[u8]) -> Result<Map<String, Value>, Error> {
    let refusal = Cell::new(Error::Json);
    let mut input = serde_json::Deserializer::from_slice(bytes);
    let value = Strict { depth: 0, refusal: &refusal }.deserialize(&mut input).map_err(|_| refusal.get())?;
    input.end().map_err(|_| Error::Json)?;
    match value {
        Value::Object(object) => Ok(object),
        _ => Err(Error::Json),
    }
}

/// Reads any JSON value and remembers in `refusal` why it stopped.
#[derive(Clone, Copy)]
struct Strict<'c> {
    depth: usize,
    refusal: &'c Cell<Error>,
}

impl Strict<'_> {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth == MAX_DEPTH {
            return Err(self.refuse(Error::TooDeep));
        }
        Ok(Strict { depth: self.depth + 1, ..self })
    }

    fn refuse<E: serde::de::Error>(self, why: Error) -> E {
        self.refusal.set(why);
        E::custom(why)
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
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
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if object.contains_key(&name) {
                return Err(self.refuse(Error::DuplicateMember));
            }
            let value = members.next_value_seed(inner)?;
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_object_is_read_as_it_stands() {
        let text = r#"{"a":[1,-2,0.5,null,true,"ä"],"b":{"c":{}},"":"\u0041"}"#;
        let object = parse_object(text.as_bytes()).unwrap();
        assert_eq!(Value::Object(object), serde_json::from_str::<Value>(text).unwrap());
    }

    #[test]
    fn a_name_twice_is_refused_on_every_level_and_in_every_spelling() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"x":{"a":1,"b":2,"a":3}}"#,
            r#"{"x":[{"a":1,"a":2}]}"#,
            r#"{"a":1,"\u0061":2}"#,
        ] {
            assert_eq!(parse_object(text.as_bytes()), Err(Error::DuplicateMember), "{text}");
        }
    }

    #[test]
    fn depth_is_limited() {
        let nested = |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
        assert!(parse_object(nested(MAX_DEPTH - 1).as_bytes()).is_ok());
        for levels in [MAX_DEPTH, 60_000] {
            assert_eq!(parse_object(nested(levels).as_bytes()), Err(Error::TooDeep), "{levels}");
        }
    }

    #[test]
    fn only_one_whole_object_in_utf_8_is_read() {
        for bytes in [
            &b""[..],
            b"[]",
            b"1",
            b"null",
            b"\"x\"",
            b"{",
            b"{}x",
            b"{}{}",
            b"{\"a\":1,}",
            b"{'a':1}",
            b"{\"a\":\"\xff\"}",
            b"{\"a\":NaN}",
            b"{\"a\":1e999}",
            b"\xef\xbb\xbf{}",
        ] {
            assert_eq!(parse_object(bytes), Err(Error::Json), "{:?}", String::from_utf8_lossy(bytes));
        }
    }

    proptest! {
        #[test]
        fn jwt_11_no_input_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse_object(&bytes);
        }

        #[test]
        fn jwt_11_no_json_like_text_makes_it_panic(text in r#"[\[\]{}":,0-9eE.+\-\\utrfalsn ]{0,60}"#) {
            let _ = parse_object(text.as_bytes());
        }
    }
}
