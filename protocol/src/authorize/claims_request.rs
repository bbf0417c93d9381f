//! The `claims` request parameter (OIDC Core §5.5).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Longest `claims` parameter, in bytes, and most claims in one place; it is stored with the grant.
const MAX_CLAIMS_BYTES: usize = 8 * 1024;
const MAX_CLAIMS: usize = 100;

/// Individually requested claims, for each place they may be delivered in.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ClaimsRequest {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub userinfo: BTreeMap<String, ClaimRequest>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub id_token: BTreeMap<String, ClaimRequest>,
}

/// How one claim is requested; JSON `null` means voluntarily and without a value.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ClaimRequest {
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub essential: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Value>,
}

impl ClaimsRequest {
    /// Reads the parameter: a JSON object without repeated members and not too deep. Members that are not
    /// understood are ignored, those of a wrong type are not.
    ///
    /// # Errors
    /// What was expected.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.len() > MAX_CLAIMS_BYTES {
            return Err("at most 8192 bytes");
        }
        let object = jose::parse_object(text.as_bytes()).map_err(|_| "a JSON object")?;
        Ok(Self { userinfo: place(&object, "userinfo")?, id_token: place(&object, "id_token")? })
    }
}

fn place(object: &Map<String, Value>, name: &str) -> Result<BTreeMap<String, ClaimRequest>, &'static str> {
    let claims = match object.get(name) {
        None | Some(Value::Null) => return Ok(BTreeMap::new()),
        Some(Value::Object(claims)) => claims,
        Some(_) => return Err("objects as userinfo and id_token"),
    };
    if claims.len() > MAX_CLAIMS {
        return Err("at most 100 claims");
    }
    claims.iter().map(|(claim, wanted)| Ok((claim.clone(), ClaimRequest::read(wanted)?))).collect()
}

impl ClaimRequest {
    fn read(wanted: &Value) -> Result<Self, &'static str> {
        let wanted = match wanted {
            Value::Null => return Ok(Self::default()),
            Value::Object(wanted) => wanted,
            _ => return Err("null or an object for each claim"),
        };
        let essential = match wanted.get("essential") {
            None => false,
            Some(essential) => essential.as_bool().ok_or("true or false as essential")?,
        };
        let values = match wanted.get("values") {
            None => Vec::new(),
            Some(values) => values.as_array().ok_or("an array as values")?.clone(),
        };
        // No null is kept: it would be none of the claim's values.
        let value = wanted.get("value").filter(|value| !value.is_null()).cloned();
        Ok(Self { essential, value, values })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oidc_core_5_5_the_examples_form_is_read() {
        let claims = ClaimsRequest::parse(
            r#"{"userinfo": {"given_name": {"essential": true}, "nickname": null, "http://example.info/claims/groups": null},
                "id_token": {"auth_time": {"essential": true}, "acr": {"values": ["urn:mace:incommon:iap:silver"]}},
                "other": 5}"#,
        )
        .unwrap();
        assert!(claims.userinfo["given_name"].essential);
        assert_eq!(claims.userinfo["nickname"], ClaimRequest::default());
        assert_eq!(claims.userinfo.len(), 3);
        assert_eq!(claims.id_token["acr"].values, ["urn:mace:incommon:iap:silver"]);
        let stored: ClaimsRequest = serde_json::from_str(&serde_json::to_string(&claims).unwrap()).unwrap();
        assert_eq!(stored, claims);
    }

    #[test]
    fn aut_23_ill_typed_claims_are_refused() {
        let deep = format!("{{\"userinfo\":{}1{}}}", "{\"a\":".repeat(5000), "}".repeat(5000));
        let long = format!("{{\"userinfo\":{{\"a\":{{\"value\":\"{}\"}}}}}}", "x".repeat(9000));
        let many: Vec<_> = (0..101).map(|i| format!("\"c{i}\":null")).collect();
        let many = format!("{{\"userinfo\":{{{}}}}}", many.join(","));
        for bad in [
            "",
            "x",
            "[]",
            "null",
            "\"userinfo\"",
            "{",
            "{}{}",
            r#"{"userinfo":[]}"#,
            r#"{"id_token":"sub"}"#,
            r#"{"id_token":{"sub":"me"}}"#,
            r#"{"id_token":{"sub":{"essential":"yes"}}}"#,
            r#"{"id_token":{"sub":{"values":"me"}}}"#,
            r#"{"id_token":{"sub":null,"sub":null}}"#,
            &deep,
            &long,
            &many,
        ] {
            assert!(ClaimsRequest::parse(bad).is_err(), "{}", bad.get(..60).unwrap_or(bad));
        }
    }

    proptest::proptest! {
        #[test]
        fn aut_23_parsing_never_panics_and_what_passes_can_be_stored(
            text in proptest::prop_oneof![
                proptest::prelude::any::<String>(),
                r#"\{"(userinfo|id_token)":(\{"(sub|acr|x)":(null|[0-9]|\{"(value|values|essential)":(null|true|"x"|\[\]|\[null\])\})\}|null|1)\}"#,
            ],
        ) {
            if let Ok(claims) = ClaimsRequest::parse(&text) {
                let stored = serde_json::to_string(&claims).unwrap();
                proptest::prop_assert_eq!(serde_json::from_str::<ClaimsRequest>(&stored).unwrap(), claims);
            }
        }
    }
}
