//! What a newer version wrote into a row outlives a change by this one, which knows nothing of it.
//!
//! While versions run side by side each reads what the other has written. Members that a type does not know are ignored
//! when it is read; here they are put back when it is written.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Members that a type does not know, as part of it (`#[serde(flatten)]`): of what is read in one place and written in
/// another, where what was stored is not at hand. Nothing is decided by them.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnknownMembers(Map<String, Value>);

/// `after` as JSON, and with it whatever `before` holds that `T` does not know: in the object itself, in objects within
/// it, and in the elements of lists that did not change.
///
/// # Errors
/// `before` is no `T`.
pub(crate) fn keep<T: Serialize + DeserializeOwned>(
    before: &str,
    after: &T,
) -> Result<String, serde_json::Error> {
    let stored: Value = serde_json::from_str(before)?;
    let known = serde_json::to_value(serde_json::from_str::<T>(before)?)?;
    if stored == known {
        return serde_json::to_string(after);
    }
    let mut written = serde_json::to_value(after)?;
    put_back(&mut written, &stored, &known);
    Ok(written.to_string())
}

/// `known` is `stored` without what is not known.
fn put_back(written: &mut Value, stored: &Value, known: &Value) {
    match (written, stored, known) {
        (Value::Object(written), Value::Object(stored), Value::Object(known)) => {
            for (name, value) in stored.iter().filter(|(_, value)| !value.is_null()) {
                match (written.get_mut(name), known.get(name)) {
                    (Some(inner), Some(known)) => put_back(inner, value, known),
                    (None, None) => drop(written.insert(name.clone(), value.clone())),
                    _ => {}
                }
            }
        }
        (Value::Array(written), Value::Array(stored), Value::Array(known)) => {
            for element in written {
                let same = stored.iter().zip(known).find(|(_, known)| *known == element);
                if let Some((stored, _)) = same {
                    *element = stored.clone();
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use serde_json::json;

    #[derive(Serialize, Deserialize)]
    struct Inner {
        name: String,
    }

    #[derive(Serialize, Deserialize)]
    struct Known {
        name: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        remark: Option<String>,
        inner: Inner,
        list: Vec<Inner>,
    }

    fn inner(name: &str) -> Inner {
        Inner { name: name.to_owned() }
    }

    #[test]
    fn what_is_not_known_stays_and_what_is_known_changes() {
        let before = json!({
            "name": "a", "remark": "known and taken away", "later": {"deep": [1, 2]}, "nothing": null,
            "inner": {"name": "b", "later": true},
            "list": [{"name": "c", "later": 1}, {"name": "d", "later": 2}, {"name": "e"}],
        });
        let list = vec![inner("d"), inner("changed"), inner("e")];
        let after = Known { name: "z".to_owned(), remark: None, inner: inner("y"), list };
        let written: Value = serde_json::from_str(&keep(&before.to_string(), &after).unwrap()).unwrap();
        let expected = json!({
            "name": "z", "later": {"deep": [1, 2]},
            "inner": {"name": "y", "later": true},
            "list": [{"name": "d", "later": 2}, {"name": "changed"}, {"name": "e"}],
        });
        assert_eq!(written, expected);
    }

    #[test]
    fn what_cannot_be_read_is_not_written_over() {
        let after = Known { name: "z".to_owned(), remark: None, inner: inner("y"), list: Vec::new() };
        assert!(keep("{\"name\": 1}", &after).is_err());
    }
}
