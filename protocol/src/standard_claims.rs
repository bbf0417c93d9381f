//! The standard claims of a person (OIDC Core §5.1) and the scopes that ask for them (OIDC Core §5.4).

use crate::scope::ScopeSet;
use serde_json::{Map, Value};

/// JSON type of a claim.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClaimType {
    Text,
    Boolean,
    Number,
    Object,
}

/// A claim that clients may see.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StandardClaim {
    pub name: &'static str,
    pub scope: &'static str,
    pub claim_type: ClaimType,
}

macro_rules! standard_claims {
    ($($scope:literal: $($name:literal $claim_type:ident),+;)+) => {
        /// Every claim that is ever released to a client, beside the protocol's own. Other attributes that an
        /// identity provider gave stay inside.
        pub const STANDARD_CLAIMS: &[StandardClaim] = &[$($(
            StandardClaim { name: $name, scope: $scope, claim_type: ClaimType::$claim_type },
        )+)+];
    };
}

standard_claims! {
    "profile":
        "name" Text, "family_name" Text, "given_name" Text, "middle_name" Text, "nickname" Text,
        "preferred_username" Text, "profile" Text, "picture" Text, "website" Text, "gender" Text,
        "birthdate" Text, "zoneinfo" Text, "locale" Text, "updated_at" Number;
    "email": "email" Text, "email_verified" Boolean;
    "address": "address" Object;
    "phone": "phone_number" Text, "phone_number_verified" Boolean;
}

/// Adds to `out` those of the named claims that are standard ones and known of the person.
pub fn release<'a>(
    names: impl Iterator<Item = &'a str>,
    known: &Map<String, Value>,
    out: &mut Map<String, Value>,
) {
    for name in names {
        let Some(claim) = STANDARD_CLAIMS.iter().find(|claim| claim.name == name) else { continue };
        if let Some(value) = known.get(name).and_then(|value| well_typed(claim.claim_type, value)) {
            out.insert(name.to_owned(), value);
        }
    }
}

/// The claims that the granted scopes ask for (OIDC Core §5.4).
pub fn of_scope(scope: &ScopeSet) -> impl Iterator<Item = &'static str> {
    STANDARD_CLAIMS.iter().filter(|claim| scope.contains(claim.scope)).map(|claim| claim.name)
}

/// The scope that asks for the claim, if it is a standard one (OIDC Core §5.4).
pub fn scope_of(name: &str) -> Option<&'static str> {
    STANDARD_CLAIMS.iter().find(|claim| claim.name == name).map(|claim| claim.scope)
}

/// The value in the type that OIDC Core §5.1 wants. One that does not fit, is `null` or empty is left out
/// (OIDC Core §5.3.2).
fn well_typed(claim_type: ClaimType, value: &Value) -> Option<Value> {
    match (claim_type, value) {
        (ClaimType::Text, Value::String(text)) if !text.trim().is_empty() => Some(value.clone()),
        (ClaimType::Boolean, Value::Bool(_)) | (ClaimType::Number, Value::Number(_)) => Some(value.clone()),
        // Attributes that were typed into a form arrive as text.
        (ClaimType::Boolean, Value::String(text)) => text.parse().ok().map(Value::Bool),
        (ClaimType::Number, Value::String(text)) => text.parse::<i64>().ok().map(Value::from),
        (ClaimType::Object, Value::Object(members)) => {
            let members: Map<_, _> =
                members.iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k.clone(), v.clone())).collect();
            (!members.is_empty()).then_some(Value::Object(members))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn oidc_core_5_4_each_scope_asks_for_its_claims() {
        let names = |scope: &str| of_scope(&ScopeSet::parse(scope).unwrap()).collect::<Vec<_>>();
        assert_eq!(names("openid offline_access"), [""; 0]);
        assert_eq!(names("profile").len(), 14);
        assert_eq!(
            names("openid email phone"),
            ["email", "email_verified", "phone_number", "phone_number_verified"]
        );
        assert_eq!(names("address"), ["address"]);
    }

    #[test]
    fn oidc_core_5_3_2_wrong_types_nulls_and_blanks_are_left_out() {
        let known = json!({
            "name": "", "nickname": null, "gender": 7, "updated_at": "1700000000", "email_verified": "true",
            "phone_number_verified": "maybe", "address": {"locality": "Bern", "region": null}, "groups": ["a"],
        });
        let mut out = Map::new();
        let known = known.as_object().unwrap();
        release(known.keys().map(String::as_str), known, &mut out);
        let expected =
            json!({"updated_at": 1_700_000_000, "email_verified": true, "address": {"locality": "Bern"}});
        assert_eq!(Value::Object(out), expected);
    }
}
